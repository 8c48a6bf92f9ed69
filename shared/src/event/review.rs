//! What people decided about things that need a person.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::Reason;
use super::shape::{Reader, Shape, fields, variants};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, IdMap};
use crate::money::Paise;

/// What a review task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// The same customer seems to have two pages.
    #[n(1)]
    DuplicateCustomer,
    /// More is owed than the limit allows.
    #[n(2)]
    LimitPassed,
    /// One UPI reference stands on two payments.
    #[n(3)]
    SameReference,
    /// More was taken out of an advance than was in it.
    #[n(4)]
    AdvanceOverdrawn,
    /// More came back than was sold.
    #[n(5)]
    ReturnedTooMuch,
    /// Two people took back the same entry.
    #[n(6)]
    ReversedTwice,
    /// A phone's clock is off by more than ten minutes.
    #[n(7)]
    ClockOff,
    /// A bill number stands on two bills.
    #[n(8)]
    SameBillNumber,
}

/// What a task is about; with the kind it is the task's identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(flat, context_bound = "IdMap")]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A customer: the canonical page.
    #[n(1)]
    Customer(#[n(0)] CustomerId),
    /// An entry.
    #[n(2)]
    Entry(#[n(0)] EntryId),
    /// A device.
    #[n(3)]
    Device(#[n(0)] DeviceNo),
    /// A reference or bill number.
    #[n(4)]
    Reference(#[n(0)] String),
}

/// How a person settled a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It is right as it stands.
    #[n(1)]
    Fine,
    /// Something was done about it, by entries of its own.
    #[n(2)]
    Settled,
}

/// A person settled a review task. The task opens again when evidence or an amount comes that is
/// not covered here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct TaskResolved {
    /// The kind of task.
    #[n(0)]
    pub task: TaskKind,
    /// What it is about.
    #[n(1)]
    pub subject: Subject,
    /// How it was settled.
    #[n(2)]
    pub resolution: Resolution,
    /// The events that the person had before them.
    #[n(3)]
    pub evidence: Vec<EventId>,
    /// The amount that the person had before them (how far past the limit, how far overdrawn).
    #[n(4)]
    pub covers: Option<Paise>,
    /// Why.
    #[n(5)]
    pub reason: Option<Reason>,
}

/// Entries of a revoked phone were let into the books. Wins over a refusal of the same entries.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct HeldReleased {
    /// The entries, whole groups.
    #[n(0)]
    pub events: Vec<EventId>,
}

/// Entries of a revoked phone were kept out of the books. They stay in the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct HeldRefused {
    /// The entries, whole groups.
    #[n(0)]
    pub events: Vec<EventId>,
    /// Why.
    #[n(1)]
    pub reason: Option<Reason>,
}

fields! {
    TaskResolved: task subject resolution evidence covers reason;
    HeldReleased: events;
    HeldRefused: events reason;
}

variants! {
    TaskKind: DuplicateCustomer LimitPassed SameReference AdvanceOverdrawn ReturnedTooMuch ReversedTwice ClockOff SameBillNumber;
    Resolution: Fine Settled;
}

impl Shape for Subject {
    fn read(reader: &mut Reader<'_, '_>) -> Subject {
        let mut fields = reader.fields();
        let subject = match reader.field(&mut fields) {
            1u8 => Subject::Customer(reader.field(&mut fields)),
            2 => Subject::Entry(reader.field(&mut fields)),
            3 => Subject::Device(reader.field(&mut fields)),
            4 => Subject::Reference(reader.field(&mut fields)),
            _ => reader.fail(Subject::Reference(String::new())),
        };
        reader.end(&fields);
        subject
    }
}
