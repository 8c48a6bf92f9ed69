//! What can be wrong with a log, in words for whoever keeps it.

use core::fmt;

use crate::ids::{DeviceNo, EventId};

/// The first thing in a log that is not as it should be. Everything before it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The position at which it was found; for an entry that waits on a phone: none.
    pub position: Option<u64>,
    /// The entry, where it is about one. Of several that cannot be told apart, the first.
    pub event: Option<EventId>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Positions are missing, or come twice.
    #[error("position {due} should come here: entries are missing, or come twice")]
    NotDense {
        /// The position that should come.
        due: u64,
    },
    /// The device has no known beginning.
    #[error("its device {} was never let into the shop", .0.0)]
    UnknownDevice(DeviceNo),
    /// Not the next of its device.
    #[error("entry {due} should come here: entries of this device are missing, or come twice")]
    NotNext {
        /// The one that should come.
        due: EventId,
    },
    /// A run does not hold as many events as it says.
    #[error("the run that begins with it does not hold as many entries as it says")]
    OtherCount,
    /// A run is said to be of a branch, or of another one, than the log says.
    #[error("it is said to come from a copied phone, and the log says otherwise")]
    OtherBranch,
    /// The bytes in a file are damaged.
    #[error("its bytes are not those that were written into the file")]
    Damaged,
    /// It counts, and is no event.
    #[error("it cannot be read, and counts all the same")]
    Unreadable,
    /// It counts, and says that it is another one.
    #[error("it says that it is entry {0}")]
    Misplaced(EventId),
    /// One of the events that belong together is missing.
    #[error("it belongs to entries {first} to {last} of its device, which do not all follow")]
    GroupBroken {
        /// The number of the first of them.
        first: u32,
        /// The number of the last of them.
        last: u32,
    },
    /// The chain of a run does not end where the store says.
    #[error("one of the entries {first} to {last} of its device is not as its device wrote it")]
    RunChanged {
        /// The number of the first in the run.
        first: u32,
        /// The number of the last in the run.
        last: u32,
    },
    /// The device's signature does not fit.
    #[error("the signature of its device does not fit it and what came before")]
    BadSignature,
    /// An enrolment names another key than the device's chain begins with.
    #[error("it lets device {} in with another key than that of its first entry", .0.0)]
    OtherKey(DeviceNo),
    /// The log is not the one that the server signed.
    #[error("the log up to here is not the one that the server signed")]
    OtherRoot,
    /// The log's head is not signed by the server.
    #[error("the head of the log is not signed with the server's key")]
    BadHeadSignature,
    /// The server signed a longer log.
    #[error("the server signed a log up to position {signed}: the end is missing")]
    Shortened {
        /// How far.
        signed: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.event, self.position) {
            (Some(event), Some(position)) => {
                write!(formatter, "entry {event} at position {position}: ")?;
            }
            (Some(event), None) => write!(formatter, "entry {event}, not yet sent: ")?,
            (None, Some(position)) => write!(formatter, "position {position}: ")?,
            (None, None) => {}
        }
        self.wrong.fmt(formatter)
    }
}

impl core::error::Error for Fault {}
