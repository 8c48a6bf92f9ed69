//! What this phone keeps: one IndexedDB database per shop.

pub mod books;
pub mod database;
mod device_key;
pub mod error;
pub mod idb;
pub mod index;
pub mod records;
pub mod schema;
pub mod shop;
pub mod slices;
pub mod space;
pub mod start;
pub mod status;
pub mod turn;

pub use error::StoreError;
