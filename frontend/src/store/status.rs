//! Where the entries of this phone are, for the chip and the pages behind it.

use minicbor::{Decode, Encode};
use shared::calendar::TimeMs;

/// Where the entries of this phone are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// On this phone only; the shop has no server.
    OnlyHere,
    /// Everything is on the server too.
    AllSent,
    /// This many entries wait for their turn.
    Waiting(u32),
    /// A batch is on its way; this many are not confirmed yet.
    Sending(u32),
    /// No connection; this many entries wait.
    Alone(u32),
    /// A person has to look, see [`Contact::problem`]; this many entries wait.
    Problem(u32),
}

/// How the last attempts to reach the server went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Contact {
    /// A request is on its way.
    #[n(0)]
    pub sending: bool,
    /// The last attempt failed: the phone works alone.
    #[n(1)]
    pub alone: bool,
    /// What a person has to look at.
    #[n(2)]
    pub problem: Option<Problem>,
    /// When the server last answered, by this phone's clock.
    #[n(3)]
    pub last_answer: Option<TimeMs>,
}

/// Why the sync does not go on by itself, or why it is delayed. Nothing is lost by any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Problem {
    /// No answer came.
    #[n(1)]
    Unreachable,
    /// Something answered that is not the server: a login page of a network, for instance.
    #[n(2)]
    NotTheServer,
    /// The server has too much to do and asked to wait.
    #[n(3)]
    Busy,
    /// The owner has revoked this phone. Its entries are held for the owner.
    #[n(4)]
    Revoked,
    /// The server does not know this phone any more: it has to be paired again.
    #[n(5)]
    UnknownDevice,
    /// This phone's storage is a copy of another phone's.
    #[n(6)]
    Copied,
    /// The server's log is not the one that this phone has seen: it was restored or rewritten.
    #[n(7)]
    OtherLog,
    /// The server speaks another version: the app has to be updated.
    #[n(8)]
    OldApp,
    /// The phone's storage is full: the answer could not be kept.
    #[n(9)]
    DiskFull,
    /// Anything else.
    #[n(10)]
    Other,
}
