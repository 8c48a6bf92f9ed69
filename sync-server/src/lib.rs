//! The server of Pakka: it takes what the phones of a shop send, gives every event its place in
//! the shop's one log, and hands out what a phone is missing.
//!
//! Start with [`server`] (how everything is put together), then [`http`] (whose files mirror the
//! URLs), [`writer`] (the one task that changes anything) and [`store`] (what is kept, and how).
//! What becomes of an event is decided by `shared::sync`, not here.

#![forbid(unsafe_code)]

pub mod archive;
pub mod assets;
pub mod audit;
pub mod bring_back;
pub mod code;
pub mod config;
pub mod http;
pub mod identity;
pub mod lan;
pub mod limits;
mod mark;
pub mod proofs;
pub mod recovery;
pub mod registry;
pub mod server;
pub mod store;
pub mod writer;

use shared::calendar::TimeMs;

/// What the server's clock says.
pub(crate) fn now() -> TimeMs {
    TimeMs(chrono::Utc::now().timestamp_millis())
}

/// `N` bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
