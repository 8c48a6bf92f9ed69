//! Which keys a part of the log destroys.

use std::collections::BTreeSet;

use super::wire::Verdict;
use crate::bytes::{Bytes, KeyId};
use crate::event::{Body, Branch, Decoded, Event, Kind, decode_only};
use crate::ids::EventId;

/// The keys that these events destroy, if the server accepted them. Whoever stores the events
/// destroys the keys in the same breath: none of them may outlive the news.
pub fn erased_keys(verdict: Verdict, events: &[Bytes]) -> impl Iterator<Item = KeyId> {
    let accepted = events.iter().filter(move |_| verdict == Verdict::Accepted);
    // Names of keys are the same on every branch.
    let known = accepted.filter_map(|bytes| known(bytes, None, is_erasure));
    known.flat_map(|event| keys_of(event.body))
}

/// The entries of removed devices that these events let into the books, if the server accepted
/// them. An erasure among those destroys its keys from then on, see [`erased_by_release`].
pub fn released(
    verdict: Verdict,
    events: &[Bytes],
    branch: Option<Branch>,
) -> impl Iterator<Item = EventId> {
    let is_release = |kind| kind == Kind::HeldReleased as u16;
    let accepted = events.iter().filter(move |_| verdict == Verdict::Accepted);
    let known = accepted.filter_map(move |bytes| known(bytes, branch, is_release));
    known.flat_map(|event| match event.body {
        Body::HeldReleased(released) => released.events,
        _ => Vec::new(),
    })
}

/// The keys that held events destroy because the owner let them in, or another of their group:
/// groups count whole.
pub fn erased_by_release(
    verdict: Verdict,
    events: &[Bytes],
    branch: Option<Branch>,
    released: &BTreeSet<EventId>,
) -> impl Iterator<Item = KeyId> {
    let held = events.iter().filter(move |_| verdict == Verdict::Held);
    let known = held.filter_map(move |bytes| known(bytes, branch, is_erasure));
    let let_in = known.filter(|event| {
        let id = event.envelope.id;
        let (first, count) = match event.envelope.group {
            Some(group) => (group.first, u32::from(group.count)),
            None => (id.seq, 1),
        };
        let mut group = (first..first.saturating_add(count)).map(|seq| EventId { seq, ..id });
        group.any(|id| released.contains(&id))
    });
    let_in.flat_map(|event| keys_of(event.body))
}

fn is_erasure(kind: u16) -> bool {
    kind == Kind::CustomerErased as u16
}

fn known(bytes: &Bytes, branch: Option<Branch>, wanted: fn(u16) -> bool) -> Option<Event> {
    match decode_only(&bytes.0, branch, wanted) {
        Ok(Decoded::Known(event)) => Some(event),
        Ok(Decoded::Unknown(_)) | Err(_) => None,
    }
}

fn keys_of(body: Body) -> Vec<KeyId> {
    match body {
        Body::CustomerErased(erased) => erased.keys,
        _ => Vec::new(),
    }
}
