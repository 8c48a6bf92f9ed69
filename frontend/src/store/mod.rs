//! What this phone keeps: one IndexedDB database per shop.

pub mod database;
pub mod error;
pub mod idb;
pub mod index;
pub mod records;
pub mod schema;
pub mod space;
pub mod status;
pub mod turn;

pub use error::StoreError;
