//! What is kept: rows, typed ids and closed sets. Nothing here acts.
//!
//! Every row that belongs to an organisation carries its id. Instants are UTC in whole milliseconds; encrypted
//! columns end in `_enc`, blind indexes in `_index` (DESIGN section 4).
#![expect(missing_docs, reason = "columns bear the glossary's names; what they mean stands at their table")]

mod ids;
mod sets;

/// What a column may be; one name for all, since not every table needs every type.
mod columns {
    pub(crate) use crate::{Instant, Json, ids::*, sets::*};
    pub(crate) use uuid::Uuid;
}

/// Declares one table: its row, its columns and nothing else.
macro_rules! table {
    ($(#[$doc:meta])* $module:ident = $name:tt { $($(#[$attr:meta])* $field:ident : $kind:ty,)* }) => {
        $(#[$doc])*
        pub mod $module {
            use crate::columns::*;
            use sea_orm::entity::prelude::{
                ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
                PrimaryKeyTrait,
            };

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model { $($(#[$attr])* pub $field: $kind,)* }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

mod forgetting;
mod tables;

pub use forgetting::*;
pub use ids::*;
pub use sets::*;
pub use tables::*;

/// A moment in UTC, whole milliseconds.
pub type Instant = chrono::DateTime<chrono::Utc>;
/// A JSON column.
pub type Json = serde_json::Value;
