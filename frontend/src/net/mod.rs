//! How this phone meets the others: the server, and the other tabs.

mod base64url;
pub(crate) mod driver;
mod gzip;
mod hints;
pub mod http;
pub(crate) mod mending;
pub mod pairing;
pub mod returning;
pub mod tabs;
