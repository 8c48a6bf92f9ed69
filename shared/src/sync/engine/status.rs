//! What the screen shows of the sync. The words are the screen's.

/// The state of the sync as a person may want to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncStatus {
    /// What is going on.
    pub activity: Activity,
    /// Entries on this device that the server does not have yet.
    pub waiting: u32,
    /// How far the log was read.
    pub position: u64,
    /// How long the log was when the server last said so.
    pub log_size: u64,
    /// What went wrong last, until something goes well.
    pub problem: Option<Problem>,
    /// The server's clock minus the device's, in milliseconds, at the last answer.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// There is no server.
    Alone,
    /// Sending and reading.
    Syncing,
    /// Everything is on the server, and everything of the server is here.
    Settled,
    /// Something is to be sent or read; the next try comes by itself.
    Waiting,
    /// It needs a person. Nothing is lost: entries stay on this device.
    Stopped(Stop),
}

/// Why a sync stopped until a person does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The server does not know this device's token.
    NotKnown,
    /// The server does not know this device's key.
    NotEnrolled,
    /// The owner removed this device; what it wrote was handed in and waits for the owner.
    Revoked,
    /// This storage is a copy of a device's that went on elsewhere.
    Forked,
    /// App and server speak no common version of the protocol.
    UpdateNeeded,
    /// The server's log is not the one that this device has read.
    LogRewritten(Rewritten),
}

impl Stop {
    /// May it pass without a hand on this device? Then it is tried again, slowly.
    pub(super) const fn may_pass(self) -> bool {
        match self {
            Stop::NotKnown | Stop::NotEnrolled | Stop::UpdateNeeded => true,
            Stop::Revoked | Stop::Forked | Stop::LogRewritten(_) => false,
        }
    }
}

/// How a device saw that a log is not the one that it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// It has another generation.
    OtherGeneration,
    /// It is shorter than what was read.
    Shorter,
    /// Its root is not that of the events.
    OtherRoot,
    /// Positions are missing or come twice.
    NotDense,
    /// A chunk does not hold what it says.
    BadChunk,
    /// It has events of a device that was never enrolled.
    UnknownDevice,
    /// Events of this device that stood in it are gone.
    OwnEventsGone,
    /// Its head is not signed by the server's key.
    BadSignature,
}

/// What went wrong. All of it passes: the engine tries again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// There is no network.
    Offline,
    /// The server was not reached.
    Unreachable,
    /// The server did not answer in time.
    TimedOut,
    /// The server asked for patience.
    Busy {
        /// For how long.
        retry_after_ms: u32,
    },
    /// Something answered that is not the server, such as the sign-in page of a public network.
    NotOurServer,
    /// The server had a fault.
    ServerFault,
    /// The server did not take the request.
    Refused,
    /// The device could not sign.
    CannotSign,
    /// The device could not store.
    CannotStore,
    /// The server did not take the signature.
    SignatureRefused,
    /// The server answers, but nothing moves.
    Stalled,
}
