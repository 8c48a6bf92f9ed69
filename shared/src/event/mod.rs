//! What happened: immutable facts, one file per topic.
//!
//! A shape that was once written is frozen. A change is a new version of the kind; see
//! `docs/format.md` for every byte and `CONTRIBUTING.md` for how to add a kind.

mod body;
pub mod codec;
mod customer;
mod device;
mod khata;
mod message;
mod parts;
mod review;
mod sale;
pub(crate) mod shape;
mod shop;
mod staff;

use minicbor::{Decode, Encode};
use serde::Serialize;

pub use body::{Body, Kind};
pub use codec::{Branch, Decoded, Malformed, Unknown, decode, decode_only, encode};
pub use customer::*;
pub use device::*;
pub use khata::*;
pub use message::*;
pub use parts::*;
pub use review::*;
pub use sale::*;
pub use shop::*;
pub use staff::*;

use self::shape::fields;
use crate::calendar::TimeMs;
use crate::ids::{EventId, StaffId, Stamp};

/// An event: an envelope around what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Who wrote it, when, and what it belongs to.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// What happened.
    #[serde(flatten)]
    pub body: Body,
}

/// What every event carries beside what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Envelope {
    /// The device and its running number: the identity of the event.
    pub id: EventId,
    /// Lamport clock: one more than the greatest that the writer had seen in the shop.
    pub clock: u64,
    /// What the device's clock said. A claim: never used to order events.
    pub at: TimeMs,
    /// The member of staff, where one is known.
    pub by: Option<StaffId>,
    /// The events that one command yielded together; `None` for an event that stands alone.
    pub group: Option<Group>,
    /// The event that led to this one.
    pub cause: Option<EventId>,
    /// The first event of the story that this one belongs to.
    pub correlation: Option<EventId>,
    /// The log position that the writer required to be the last. Server-side writers only.
    pub expect: Option<u64>,
}

impl Envelope {
    /// Where the event stands in the one order that all devices agree on.
    pub const fn stamp(&self) -> Stamp {
        Stamp {
            clock: self.clock,
            id: self.id,
        }
    }
}

/// Events that are folded together or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Group {
    /// The first `seq` of the group, on the same device.
    #[n(0)]
    pub first: u32,
    /// How many events the group has: 2 to [`MAX_GROUP_EVENTS`].
    #[n(1)]
    pub count: u16,
}

/// The most events that one command may yield.
pub const MAX_GROUP_EVENTS: u16 = 1000;

/// The longest event, in bytes.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// Further ahead than this of every clock seen in the shop, a Lamport clock is a fault: the event
/// is quarantined, so that one broken phone cannot use up the clock for all.
pub const MAX_CLOCK_JUMP: u64 = 1 << 32;

fields! { Group: first count; }
