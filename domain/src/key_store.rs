//! The store of wrapped data keys: beside the data, never part of its backups, so that destroying a key forgets.

use std::{collections::HashMap, sync::Arc, time::Duration};

use nazorg_entities::{DataKeyId, OrganisationId, data_keys};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use crate::{
    database::Database,
    error::{Error, Result},
    secrets::{Secret, place},
    together::Together,
};

/// How long an unwrapped key stays in memory; a key destroyed elsewhere is forgotten here within it.
const REMEMBERED: Duration = Duration::from_secs(30);
const COLUMN: &str = "data_keys/wrapped";
/// How many keys are wrapped anew in one transaction.
const AT_ONCE: u64 = 500;

/// The master key that wraps the others, with the name it is known by.
pub struct MasterKey {
    /// A short name, so that a rotated key is recognised.
    pub name: String,
    /// The key.
    pub secret: Secret,
}

/// The key store.
pub struct KeyStore {
    db: Database,
    master: MasterKey,
    other: Option<MasterKey>,
    known: moka::sync::Cache<DataKeyId, Arc<Secret>>,
    fresh: Together<data_keys::ActiveModel>,
}

impl KeyStore {
    /// Over its own database.
    #[must_use]
    pub fn new(db: Database, master: MasterKey) -> Self {
        let known = moka::sync::Cache::builder().max_capacity(100_000).time_to_live(REMEMBERED).build();
        Self { db, master, other: None, known, fresh: Together::default() }
    }

    /// Opens what another master key wrapped, too: the next or the last one, while they are changed.
    #[must_use]
    pub fn and(mut self, other: Option<MasterKey>) -> Self {
        self.other = other;
        self
    }

    /// Its database, for readiness.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.db
    }

    /// Keys for one use, derived from the master key and, while it is changed, from the other one: for what is handed out and comes
    /// back, such as links. The first is the one to write with.
    pub fn derived(&self, purpose: &str) -> Result<Vec<Secret>> {
        let masters = std::iter::once(&self.master).chain(&self.other);
        masters.map(|master| master.secret.derive(purpose)).collect()
    }

    /// Makes a key and commits it; call it before the row that needs it.
    pub async fn create(&self, cx: &crate::Context<'_>) -> Result<(DataKeyId, Arc<Secret>)> {
        self.create_for(cx.organisation, DataKeyId(cx.app.ids.next()), cx.wall).await
    }

    /// Makes a key for an organisation that may not exist yet.
    pub async fn create_for(
        &self,
        organisation: OrganisationId,
        id: DataKeyId,
        wall: nazorg_entities::Instant,
    ) -> Result<(DataKeyId, Arc<Secret>)> {
        let secret = Arc::new(Secret::random()?);
        let wrapped = self.master.secret.seal(&place(COLUMN, id.0), secret.bytes())?;
        let row = data_keys::ActiveModel {
            id: Set(id),
            organisation_id: Set(organisation),
            wrapped: Set(Some(wrapped)),
            master_key: Set(self.master.name.clone()),
            created_at: Set(wall),
            destroyed_at: Set(None),
        };
        self.fresh.insert(&self.db, vec![row]).await?;
        self.known.insert(id, Arc::clone(&secret));
        Ok((id, secret))
    }

    /// One key; `Err(Internal)` when it was destroyed or the master key is another.
    pub async fn one(&self, id: DataKeyId) -> Result<Arc<Secret>> {
        self.many(&[id]).await?.remove(&id).ok_or_else(|| Error::internal(format!("data key {id} is gone")))
    }

    /// Destroys a key: what it sealed is unreadable from then on, in this store's data and in every backup of it. Once it is
    /// gone it stays gone, however often this is asked; another process forgets it within half a minute.
    pub async fn destroy(&self, id: DataKeyId, wall: nazorg_entities::Instant) -> Result<()> {
        let tx = self.db.begin().await?;
        data_keys::Entity::update_many()
            .col_expr(data_keys::Column::Wrapped, Expr::value(None::<Vec<u8>>))
            .col_expr(data_keys::Column::DestroyedAt, Expr::value(Some(wall)))
            .filter(data_keys::Column::Id.eq(id))
            .filter(data_keys::Column::DestroyedAt.is_null())
            .exec(&*tx)
            .await?;
        tx.commit(&crate::app::SilentBell).await?;
        self.known.invalidate(&id);
        Ok(())
    }

    /// The keys that still exist among `ids`, in one query for those not in memory.
    pub async fn many(&self, ids: &[DataKeyId]) -> Result<HashMap<DataKeyId, Arc<Secret>>> {
        let mut found: HashMap<_, _> =
            ids.iter().filter_map(|id| self.known.get(id).map(|secret| (*id, secret))).collect();
        let missing: Vec<_> = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let rows = data_keys::Entity::find().filter(data_keys::Column::Id.is_in(missing)).all(self.db.reader()).await?;
        for data_keys::Model { id, organisation_id: _, wrapped, master_key, created_at: _, destroyed_at: _ } in rows {
            let Some(wrapped) = wrapped else { continue };
            let secret = Arc::new(self.unwrapped(id, &wrapped, &master_key)?);
            self.known.insert(id, Arc::clone(&secret));
            found.insert(id, secret);
        }
        Ok(found)
    }

    fn unwrapped(&self, id: DataKeyId, wrapped: &[u8], by: &str) -> Result<Secret> {
        let other = self.other.as_ref().filter(|other| other.name == by);
        let bytes = other
            .unwrap_or(&self.master)
            .secret
            .open(&place(COLUMN, id.0), wrapped)
            .map_err(|_| Error::internal(format!("data key {id} was wrapped by master key {by}")))?;
        Secret::from_bytes(&bytes).ok_or_else(|| Error::internal("data key of wrong length"))
    }

    /// Wraps some of the keys that the other master key wrapped by the present one; answers how many, 0 when all are. What is
    /// destroyed meanwhile stays destroyed. May be stopped and begun again at any moment, while everything runs.
    ///
    /// # Errors
    /// When a key is wrapped by a master key that is neither.
    pub async fn rewrap(&self) -> Result<usize> {
        use data_keys::Column as C;
        let tx = self.db.begin().await?;
        let rows = data_keys::Entity::find()
            .filter(C::MasterKey.ne(&self.master.name))
            .filter(C::Wrapped.is_not_null())
            .order_by_asc(C::Id)
            .limit(AT_ONCE)
            .all(&*tx)
            .await?;
        let count = rows.len();
        for data_keys::Model { id, wrapped, master_key, .. } in rows {
            let Some(wrapped) = wrapped else { continue };
            let secret = self.unwrapped(id, &wrapped, &master_key)?;
            let again = self.master.secret.seal(&place(COLUMN, id.0), secret.bytes())?;
            data_keys::Entity::update_many()
                .col_expr(C::Wrapped, Expr::value(Some(again)))
                .col_expr(C::MasterKey, Expr::value(&self.master.name))
                .filter(C::Id.eq(id))
                .filter(C::DestroyedAt.is_null())
                .exec(&*tx)
                .await?;
        }
        tx.commit(&crate::app::SilentBell).await?;
        Ok(count)
    }
}
