//! A native device: what a phone is, without a screen.
//!
//! [`Device`] writes through the same commands, keeps the same chain and syncs with the same
//! engine as the app. Tests of the server, loads of real bills, demonstrations and benches use it.

#![forbid(unsafe_code)]

mod device;
mod error;
mod folding;
mod generation;
pub mod http;
pub mod journal;
pub mod keys;
pub mod load;
mod pairing;
mod storage;
mod sync;

pub use device::{Device, NewShop, Traffic, now, today};
pub use error::DeviceError;
pub use pairing::{Joining, Offer};
pub use storage::has_device;
pub use sync::PATIENCE;
