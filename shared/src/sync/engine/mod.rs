//! The device's side of a sync: a state machine without I/O.
//!
//! A shell (the phone, a native device, the simulator) feeds it [`Input`]s and does what its
//! [`Output`]s say. The engine signs nothing, sends nothing, stores nothing and knows no clock, so
//! one seed replays every run.
//!
//! The log is the truth, not the answer to a push: an event of this device leaves the outbox when
//! it is read back at its position. So a lost answer, a push sent twice or a crash between any two
//! steps needs no special case.
//!
//! One thing is under way at a time. It carries a [`Ticket`]; what comes back under an older ticket
//! is old news and ignored. Every wait ends in a timer.

mod cursor;
mod machine;
mod mend;
mod outbox;
mod reading;
mod reply;
mod status;
mod wait;

pub use cursor::{Cursor, HeardOf};
pub use machine::Engine;
pub use mend::Mend;
pub use reply::{
    Failure, MAX_REPLY_BYTES, is_of_type, may_be_ours, read_answer, read_reply, read_segment,
};
pub use status::{Activity, Problem, Rewritten, Stop, SyncStatus};
pub use wait::{
    BACKOFF_BASE_MS, BACKOFF_CAP_MS, LOCAL_WAIT_MS, MAX_RETRY_AFTER_MS, POLL_MS, REQUEST_WAIT_MS,
    SLOW_RETRY_MS,
};

use super::log::ChainHead;
use super::wire::{
    Challenge, Chunk, Fork, RestoreAnswer, RestoreRequest, SealingKey, SegmentName, Signature,
    SyncAnswer, SyncRequest,
};
use crate::bytes::Bytes;
use crate::calendar::TimeMs;
use crate::event::PublicKey;

/// Names one thing that the engine waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket(u32);

/// What a device's storage holds for the engine when the app starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The key that the device was, or will be, enrolled with.
    pub key: PublicKey,
    /// How far the log was read.
    pub cursor: Cursor,
    /// The device's own events after those in the log as read, in their order.
    pub outbox: Vec<Bytes>,
    /// The keys that were made with those events, each with the number of the event.
    pub keys: Vec<(u32, SealingKey)>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The app started, with or without a network as far as the system knows.
    Started {
        /// There seems to be a network.
        online: bool,
    },
    /// The device wrote events, and they are stored durably. Other tabs' events too; events that
    /// the engine has already are passed over.
    Appended {
        /// The number of the first.
        first_seq: u32,
        /// Their stored bytes, in their order.
        events: Vec<Bytes>,
        /// The keys that were made with them.
        keys: Vec<SealingKey>,
    },
    /// The system says that there is a network.
    Online,
    /// The system says that there is none.
    Offline,
    /// The live channel says that the log has grown.
    Hinted {
        /// The last position.
        size: u64,
    },
    /// A person asked for a sync now.
    SyncNow,
    /// [`Output::Sign`] is done; `None` if it could not be done.
    Signed(Ticket, Option<Signature>),
    /// [`Output::Send`] was answered. `at` is the device's clock then.
    Answered(Ticket, TimeMs, Box<SyncAnswer>),
    /// [`Output::Send`] or [`Output::Fetch`] failed.
    Failed(Ticket, Failure),
    /// [`Output::Fetch`] brought these bytes, without what compressed them on the way.
    Fetched(Ticket, Vec<u8>),
    /// [`Output::Restore`] was answered.
    Restored(Ticket, Box<RestoreAnswer>),
    /// [`Output::Recall`] is done. What cannot be read is left out.
    Recalled(Ticket, Vec<Chunk>),
    /// [`Output::Readmit`] was granted.
    Readmitted(Ticket),
    /// [`Output::Branch`] was granted.
    Branched(Ticket),
    /// [`Output::RecallKeys`] is done: every key that the device holds, destroyed ones left out.
    KeysHeld(Vec<SealingKey>),
    /// [`Output::Verify`] is done: is the signature the key's?
    Verified(Ticket, bool),
    /// [`Output::Persist`] is durable.
    Persisted(Ticket),
    /// [`Output::Persist`] failed and changed nothing.
    PersistFailed(Ticket),
    /// The timer of [`Output::SetTimer`] ran out.
    TimerFired(Ticket),
}

/// What a shell has to do, in the order given. None of it may block a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Sign the message with the device's key; answer with [`Input::Signed`].
    Sign(Ticket, Vec<u8>),
    /// Send the request; answer with [`Input::Answered`] or [`Input::Failed`], which
    /// [`read_reply`] tells apart. A request still under way may be given up.
    Send(Ticket, Box<SyncRequest>),
    /// Fetch a segment; answer with [`Input::Fetched`] or [`Input::Failed`], which [`read_segment`]
    /// tells apart. A part that came before a connection broke may be kept and gone on from.
    Fetch(Ticket, SegmentName),
    /// Send the request to `/api/v1/restore`; answer with [`Input::Restored`] or [`Input::Failed`].
    Restore(Ticket, Box<RestoreRequest>),
    /// Read the log as it is stored, from behind this position on; answer with
    /// [`Input::Recalled`]. The first chunk may begin before.
    Recall(Ticket, u64),
    /// Sign [`crate::sync::restore::readmit_message`] of the device's token, and send it to
    /// `/api/v1/readmit`; answer with [`Input::Readmitted`] or [`Input::Failed`].
    Readmit(Ticket, Challenge),
    /// This storage is a copy that wrote on. Make a key and a token, keep them (or take those that
    /// are kept for this fork), and send a [`crate::sync::wire::BranchRequest`] to `/api/v1/branch`;
    /// answer with [`Input::Branched`] or [`Input::Failed`].
    Branch(Ticket, Fork),
    /// Answer with [`Input::KeysHeld`].
    RecallKeys,
    /// Check a signature of the server; answer with [`Input::Verified`].
    Verify(Ticket, Box<Check>),
    /// Make all of it durable in one transaction, then fold it and answer with
    /// [`Input::Persisted`]; or answer with [`Input::PersistFailed`] when nothing of it is durable.
    /// The engine waits for one of the two as long as it takes, so no part ever comes twice.
    Persist(Ticket, Box<Batch>),
    /// Answer with [`Input::TimerFired`] after so many milliseconds. An earlier timer is void.
    SetTimer(Ticket, u32),
    /// The device wrote events that the engine was not told of: answer with [`Input::Appended`]
    /// of all from this number on.
    Reload(u32),
    /// What the screen shows.
    Status(SyncStatus),
}

/// A signature to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The server's key.
    pub key: PublicKey,
    /// What it signed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// A part of the log that was read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The part, every chunk with its bytes, the device's own ones too. After it is durable, a
    /// shell folds the chunks of other devices; its own events it has folded when they were
    /// written.
    pub chunks: Vec<Chunk>,
    /// The bytes of the segment that the chunks came in, if they are just those: for a shell that
    /// keeps it as it is.
    pub segment: Option<Vec<u8>>,
    /// New keys and destroyed ones.
    pub keys: Vec<SealingKey>,
    /// How far the log is read with it.
    pub cursor: Cursor,
    /// The device's own events up to this number stand in the log: they, and the keys made with
    /// them, are no longer in the outbox.
    pub confirmed_seq: u32,
    /// Set when this storage is an older copy of the device's.
    pub restored: Option<Restored>,
    /// An own event turned out not to be accepted, though it was counted while it waited: fold
    /// everything anew, from the log and then from the outbox.
    pub rebuild: bool,
    /// Before all else: the log parts here from the one that is stored.
    pub cut: Option<Cut>,
    /// Set when this storage is a copy, and the server knows it as a device of its own. In the same
    /// transaction it takes the number of [`crate::sync::branch::number_of`], and the key and the
    /// token that it asked with; its events from the fork on are what it has not sent. Then the app
    /// starts anew, with an engine for that device.
    pub branch: Option<Fork>,
}

/// The log that a device holds has parted from the server's, which the owner has let go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// What is stored of the log behind this position goes.
    pub position: u64,
    /// The device's own events that stood there: they are in the outbox from now on, before what is
    /// there already.
    pub own: Vec<Bytes>,
    /// What others wrote there and nobody could prove to the server: to be kept aside.
    pub unproved: Vec<Chunk>,
}

/// The device's own chain goes on in the log: its storage was set back to an older copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Where the chain ends in this storage. If it ends elsewhere by now, the device has written on
    /// in the meantime: then the transaction must fail.
    pub from: ChainHead,
    /// Where it ends from now on; the events between stand in the chunks.
    pub to: ChainHead,
}
