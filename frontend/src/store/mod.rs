//! What this phone keeps: one IndexedDB database per shop.

pub mod error;
pub mod idb;

pub use error::StoreError;
