//! What the screen shows of the sync. The words are the screen's. It can be written as CBOR because
//! the tab that syncs tells the others.

use minicbor::{Decode, Encode};

/// The state of the sync as a person may want to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SyncStatus {
    /// What is going on.
    #[n(0)]
    pub activity: Activity,
    /// Entries on this device that the server does not have yet.
    #[n(1)]
    pub waiting: u32,
    /// How far the log was read.
    #[n(2)]
    pub position: u64,
    /// How long the log was when the server last said so.
    #[n(3)]
    pub log_size: u64,
    /// What went wrong last, until something goes well.
    #[n(4)]
    pub problem: Option<Problem>,
    /// The server's clock minus the device's, in milliseconds, at the last answer.
    #[n(5)]
    pub clock_offset_ms: Option<i64>,
}

impl SyncStatus {
    /// A device whose shop has no server: everything is stored on this device.
    pub const ALONE: SyncStatus = SyncStatus {
        activity: Activity::Alone,
        waiting: 0,
        position: 0,
        log_size: 0,
        problem: None,
        clock_offset_ms: None,
    };
}

/// What the sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Activity {
    /// There is no server.
    #[n(1)]
    Alone,
    /// Sending and reading.
    #[n(2)]
    Syncing,
    /// Everything is on the server, and everything of the server is here.
    #[n(3)]
    Settled,
    /// Something is to be sent or read; the next try comes by itself.
    #[n(4)]
    Waiting,
    /// It needs a person. Nothing is lost: entries stay on this device.
    #[n(5)]
    Stopped(#[n(0)] Stop),
}

/// Why a sync stopped until a person does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Stop {
    /// The server does not know this device's token.
    #[n(1)]
    NotKnown,
    /// The server does not know this device's key.
    #[n(2)]
    NotEnrolled,
    /// The owner removed this device; what it wrote was handed in and waits for the owner.
    #[n(3)]
    Revoked,
    /// This storage is a copy of a device's that went on elsewhere, and the server did not let it go
    /// on as a device of its own.
    #[n(4)]
    Forked,
    /// App and server speak no common version of the protocol.
    #[n(5)]
    UpdateNeeded,
    /// The server's log is not the one that this device has read.
    #[n(6)]
    LogRewritten(#[n(0)] Rewritten),
}

impl Stop {
    /// May it pass without a hand on this device? Then it is tried again, slowly.
    pub(super) const fn may_pass(self) -> bool {
        match self {
            Stop::NotKnown | Stop::NotEnrolled | Stop::UpdateNeeded => true,
            // Another device may give back what the server lost, or the owner let the log go on.
            Stop::LogRewritten(_) => true,
            // A newer server may register it.
            Stop::Forked => true,
            Stop::Revoked => false,
        }
    }
}

/// How a device saw that a log is not the one that it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Rewritten {
    /// It has another generation.
    #[n(1)]
    OtherGeneration,
    /// It is shorter than what was read.
    #[n(2)]
    Shorter,
    /// Its root is not that of the events.
    #[n(3)]
    OtherRoot,
    /// Positions are missing or come twice.
    #[n(4)]
    NotDense,
    /// A chunk does not hold what it says.
    #[n(5)]
    BadChunk,
    /// It has events of a device that was never enrolled.
    #[n(6)]
    UnknownDevice,
    /// Events of this device that stood in it are gone.
    #[n(7)]
    OwnEventsGone,
    /// Its head is not signed by the server's key.
    #[n(8)]
    BadSignature,
}

/// What went wrong. All of it passes: the engine tries again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Problem {
    /// There is no network.
    #[n(1)]
    Offline,
    /// The server was not reached.
    #[n(2)]
    Unreachable,
    /// The server did not answer in time.
    #[n(3)]
    TimedOut,
    /// The server asked for patience.
    #[n(4)]
    Busy {
        /// For how long.
        #[n(0)]
        retry_after_ms: u32,
    },
    /// Something answered that is not the server, such as the sign-in page of a public network.
    #[n(5)]
    NotOurServer,
    /// The server had a fault.
    #[n(6)]
    ServerFault,
    /// The server did not take the request.
    #[n(7)]
    Refused,
    /// The device could not sign.
    #[n(8)]
    CannotSign,
    /// The device could not store.
    #[n(9)]
    CannotStore,
    /// The server did not take the signature.
    #[n(10)]
    SignatureRefused,
    /// The server answers, but nothing moves.
    #[n(11)]
    Stalled,
    /// The server was set back to an older copy, and waits for the devices that hold more before it
    /// takes anything new.
    #[n(12)]
    Recovering {
        /// When this device asks again.
        #[n(0)]
        retry_after_ms: u32,
    },
}
