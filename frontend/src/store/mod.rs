//! What this phone keeps: one IndexedDB database per shop.

pub mod database;
pub mod error;
pub mod idb;
pub mod records;
pub mod schema;

pub use error::StoreError;
