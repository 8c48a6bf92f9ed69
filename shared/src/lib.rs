//! The pure core of Pakka: everything that decides or computes, and nothing that touches the world.
//!
//! Start with [`event`] (what happened), then [`ledger`] (the state that events fold into),
//! [`command`] (what someone wants, and why it may be refused), [`query`] (what someone asks) and
//! [`sync`] (how the copies of one log come together); [`verify`] checks a whole log, [`export`] is one
//! in a file. Money is [`money::Paise`]; a day is
//! [`calendar::BusinessDay`].
//!
//! There is no I/O here, no clock, no randomness, no browser and no async runtime: time, ids,
//! entropy and keys come in as arguments. So the phone, the server, the verifier and the simulator
//! run the same code.

#![forbid(unsafe_code)]

pub mod bytes;
pub mod calendar;
mod cbor;
pub mod chain;
pub mod command;
pub mod event;
pub mod export;
pub mod history;
pub mod ids;
pub mod keypad;
pub mod ledger;
pub mod money;
pub mod quantity;
pub mod query;
pub mod snapshot;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod verify;
