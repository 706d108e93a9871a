//! How the tables came to be: one set of migrations for SQLite and PostgreSQL. Imports no crate of ours.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod columns;
mod m0001_first_part;
mod m0001_key_store;
mod m0001_records;
mod m0002_incident_links;
mod m0003_close_ones;
mod m0004_retention;
mod m0005_restored;
mod m0006_returned;
mod m0007_restriction;
mod m0008_leases_in_place;
mod m0009_shared_rows;
mod m0010_spoken_for;
mod m0011_units_of_cases;
mod m0012_keys_of_incidents;
mod m0013_pseudonyms_in_the_log;
mod m0014_lean_rows;
mod m0015_room_for_leases;

/// The migrations of the data store.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_first_part::Migration),
            Box::new(m0002_incident_links::Migration),
            Box::new(m0003_close_ones::Migration),
            Box::new(m0004_retention::Migration),
            Box::new(m0005_restored::Migration),
            Box::new(m0006_returned::Migration),
            Box::new(m0007_restriction::Migration),
            Box::new(m0008_leases_in_place::Migration),
            Box::new(m0009_shared_rows::Migration),
            Box::new(m0010_spoken_for::Migration),
            Box::new(m0011_units_of_cases::Migration),
            Box::new(m0012_keys_of_incidents::Migration),
            Box::new(m0013_pseudonyms_in_the_log::Migration),
            Box::new(m0014_lean_rows::Migration),
            Box::new(m0015_room_for_leases::Migration),
        ]
    }
}

/// The migrations of the key store, which lives beside the data and is never part of its backups.
pub struct KeyStoreMigrator;

impl MigratorTrait for KeyStoreMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_key_store::Migration)]
    }
}
