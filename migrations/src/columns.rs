//! The few shapes of column the tables are made of, so that a table reads as a list.

use sea_orm_migration::prelude::*;

/// A table under construction.
pub(crate) struct Table(TableCreateStatement, String);

impl Table {
    pub(crate) fn new(name: &str) -> Self {
        let mut table = sea_orm_migration::prelude::Table::create();
        table.table(Alias::new(name));
        Self(table, name.to_owned())
    }

    /// A table with a UUID key `id` and its organisation.
    pub(crate) fn owned(name: &str) -> Self {
        Self::new(name).key("id").uuid("organisation_id")
    }

    fn column(mut self, name: &str, kind: impl FnOnce(&mut ColumnDef) -> &mut ColumnDef) -> Self {
        let mut column = ColumnDef::new(Alias::new(name));
        kind(&mut column);
        self.0.col(column);
        self
    }

    pub(crate) fn key(self, name: &str) -> Self {
        self.column(name, |c| c.uuid().not_null().primary_key())
    }

    pub(crate) fn keys(mut self, names: &[&str]) -> Self {
        let mut key = Index::create();
        for name in names {
            key.col(Alias::new(*name));
        }
        self.0.primary_key(&mut key);
        self
    }

    pub(crate) fn uuid(self, name: &str) -> Self {
        self.column(name, |c| c.uuid().not_null())
    }

    pub(crate) fn uuid_or_none(self, name: &str) -> Self {
        self.column(name, |c| c.uuid())
    }

    pub(crate) fn text(self, name: &str) -> Self {
        self.column(name, |c| c.text().not_null())
    }

    pub(crate) fn text_or_none(self, name: &str) -> Self {
        self.column(name, |c| c.text())
    }

    pub(crate) fn int(self, name: &str) -> Self {
        self.column(name, |c| c.integer().not_null())
    }

    pub(crate) fn long_or_none(self, name: &str) -> Self {
        self.column(name, |c| c.big_integer())
    }

    pub(crate) fn bytes(self, name: &str) -> Self {
        self.column(name, |c| c.binary().not_null())
    }

    pub(crate) fn bytes_or_none(self, name: &str) -> Self {
        self.column(name, |c| c.binary())
    }

    pub(crate) fn json(self, name: &str) -> Self {
        self.column(name, |c| c.json_binary().not_null())
    }

    pub(crate) fn json_or_none(self, name: &str) -> Self {
        self.column(name, |c| c.json_binary())
    }

    pub(crate) fn instant(self, name: &str) -> Self {
        self.column(name, |c| c.timestamp_with_time_zone().not_null())
    }

    pub(crate) fn instant_or_none(self, name: &str) -> Self {
        self.column(name, |c| c.timestamp_with_time_zone())
    }

    /// `column` must name a row of `table`; nothing that is referred to can vanish.
    pub(crate) fn refers(mut self, column: &str, table: &str) -> Self {
        let from = self.1.clone();
        self.0.foreign_key(
            ForeignKey::create()
                .name(format!("{from}_{column}"))
                .from(Alias::new(&from), Alias::new(column))
                .to(Alias::new(table), Alias::new("id")),
        );
        self
    }

    pub(crate) async fn create(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.create_table(self.0).await
    }
}

/// An index over `columns`, named after its table and them.
pub(crate) fn index(table: &str, columns: &[&str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_by_{}", columns.join("_"))).table(Alias::new(table));
    for column in columns {
        index.col(Alias::new(*column));
    }
    index
}
