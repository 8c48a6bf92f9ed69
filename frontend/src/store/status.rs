//! Where the entries of this phone are, for the chip and the pages behind it.

use minicbor::{Decode, Encode};
use shared::calendar::TimeMs;
use shared::sync::engine::SyncStatus;

/// Where one entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// On this phone's disk.
    Saved,
    /// The server has it, and this phone has not read it back from the log yet.
    Sent,
    /// In the server's log; entries of other phones always are.
    OnServer,
}

/// How the sync stands. Only one tab syncs; the others are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Contact {
    /// What the engine says.
    #[n(0)]
    pub status: SyncStatus,
    /// When the server last answered, by this phone's clock.
    #[n(1)]
    pub last_answer: Option<TimeMs>,
}

impl Contact {
    /// There is no server, or nothing is known yet.
    pub const NONE: Contact = Contact {
        status: SyncStatus::ALONE,
        last_answer: None,
    };
}
