//! What revoked phones wrote and the owner has not decided about.

use super::Books;
use super::name::{Name, customer_name, device_name};
use crate::calendar::TimeMs;
use crate::event::{Event, Kind};
use crate::ids::{CustomerId, DeviceNo, EventId};
use crate::ledger::What;
use crate::money::Paise;

/// The most groups of one answer.
pub const MAX_HELD_GROUPS: usize = 200;

/// Events that one command of a revoked phone yielded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The events, in sequence: what a release or a refusal names.
    pub events: Vec<EventId>,
    /// The phone.
    pub device: DeviceNo,
    /// What people call it.
    pub device_name: Name,
    /// When the phone's clock says it was written.
    pub at: TimeMs,
    /// The owner decided to keep it out. It may still be let in.
    pub refused: bool,
    /// What is in it.
    pub items: Vec<HeldItem>,
}

/// One event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldItem {
    /// The event.
    pub id: EventId,
    /// Its kind.
    pub kind: Kind,
    /// The customer that it names first.
    pub customer: Option<(CustomerId, Name)>,
    /// The amount of an entry.
    pub amount: Option<Paise>,
}

/// Events of revoked phones that are not in the books, the oldest of each phone first: those that
/// wait for a decision and those that were kept out.
pub fn held(books: Books<'_>) -> Vec<Held> {
    let groups = books.ledger.held.values().take(MAX_HELD_GROUPS);
    groups
        .filter_map(|group| {
            let events = group.events();
            let first = &events.first()?.envelope;
            let ids: Vec<EventId> = events.iter().map(|event| event.envelope.id).collect();
            Some(Held {
                device: first.id.device,
                device_name: device_name(books, first.id.device),
                at: first.at,
                refused: ids.iter().any(|id| books.ledger.refused.contains(id)),
                items: events.into_iter().map(|event| item(books, event)).collect(),
                events: ids,
            })
        })
        .collect()
}

fn item(books: Books<'_>, event: Event) -> HeldItem {
    let (id, kind) = (event.envelope.id, event.body.kind());
    let entry = What::from_body(event.body).ok();
    let customer = entry.as_ref().and_then(|what| what.customers()[0]);
    HeldItem {
        id,
        kind,
        customer: customer.map(|customer| (customer, customer_name(books, customer))),
        amount: entry.as_ref().map(What::amount),
    }
}
