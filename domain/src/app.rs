//! What a verb stands on: the stores, the clock, and the door of chance.

use std::sync::{Arc, Mutex, PoisonError};

use nazorg_entities::{DataKeyId, OrganisationId, ProtocolId, access_events};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::{clock::Clock, database::Database, error::Result, key_store::KeyStore, together::Together};

/// Everything a verb needs, once per process.
pub struct App {
    /// The data store.
    pub db: Database,
    /// The keys that read it.
    pub keys: KeyStore,
    /// The door of time.
    pub clock: Arc<dyn Clock>,
    /// The door of ids.
    pub ids: Ids,
    /// Wakes the relay after a commit that made something due.
    pub bell: Arc<dyn Bell>,
    /// Callers recognised a moment ago.
    pub known_callers: crate::api_keys::KnownCallers,
    /// Which data key is an organisation's; it never changes.
    pub(crate) known_keys: moka::sync::Cache<OrganisationId, DataKeyId>,
    /// Published protocol versions, read once; they never change.
    pub(crate) known_protocols: moka::sync::Cache<ProtocolId, Arc<crate::protocols::Protocol>>,
    /// What was seen and waits to be written.
    pub(crate) journal: Together<access_events::ActiveModel>,
    /// Case numbers taken in a block and not handed out yet.
    pub(crate) numbers: crate::cases::Numbers,
}

impl App {
    /// Whether both stores answer at all. A store that hangs says nothing: bound it.
    pub async fn answers(&self) -> Result<()> {
        self.db.answers().await?;
        self.keys.database().answers().await
    }

    /// An app over its stores and doors.
    #[must_use]
    pub fn new(db: Database, keys: KeyStore, clock: Arc<dyn Clock>, bell: Arc<dyn Bell>) -> Self {
        Self {
            db,
            keys,
            ids: Ids::new(Arc::clone(&clock)),
            clock,
            bell,
            known_callers: crate::api_keys::KnownCallers::default(),
            known_keys: moka::sync::Cache::new(10_000),
            known_protocols: moka::sync::Cache::new(1_000),
            journal: Together::default(),
            numbers: crate::cases::Numbers::default(),
        }
    }
}

/// Rings when something became due. Best effort: polling is the safety net.
pub trait Bell: Send + Sync {
    /// Returns at once, whatever happens behind it.
    fn ring(&self);
}

/// A bell nobody hears, for the command line.
pub struct SilentBell;

impl Bell for SilentBell {
    fn ring(&self) {}
}

/// The door of ids: UUIDv7 by the wall's clock, rising within a process.
pub struct Ids {
    clock: Arc<dyn Clock>,
    context: Mutex<ContextV7>,
}

impl Ids {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, context: Mutex::new(ContextV7::new()) }
    }

    /// The next id.
    pub fn next(&self) -> Uuid {
        let wall = self.clock.wall();
        let seconds = u64::try_from(wall.timestamp()).unwrap_or_default();
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, wall.timestamp_subsec_nanos()))
    }
}
