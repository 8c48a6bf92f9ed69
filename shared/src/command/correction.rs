//! Taking entries back, and putting others in their place. Nothing is ever rubbed out.

use super::khata::standing;
use super::{AccessRejection, Desk, NewEntry, Rejection, TextField, Why};
use crate::bytes::KeyId;
use crate::event::{EntryCorrected, EntryReversed, Role};
use crate::ids::{EntryId, EventId};
use crate::ledger::Entry;

/// Take an entry back. A reversal is itself not taken back: write the entry anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReverseEntry {
    /// The entry.
    pub target: EntryId,
    /// Why.
    pub why: Why,
    /// Who saw it; blank is absent.
    pub witness: Option<String>,
}

impl ReverseEntry {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let key = take_back(desk, self.target)?;
        let witness = desk.seal_optional(self.witness.as_deref(), TextField::Witness, key)?;
        let reversed = EntryReversed {
            target: self.target,
            reason: desk.reason(&self.why, key)?,
            witness: witness.map(Box::new),
        };
        desk.push(reversed);
        Ok(())
    }
}

/// Take an entry back and put another in its place, in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectEntry {
    /// The entry.
    pub target: EntryId,
    /// What should have been written: decided as if the target had never been.
    pub replacement: NewEntry,
    /// Why.
    pub why: Why,
    /// Who saw it; blank is absent.
    pub witness: Option<String>,
}

impl CorrectEntry {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let key = take_back(desk, self.target)?;
        let witness = desk.seal_optional(self.witness.as_deref(), TextField::Witness, key)?;
        let EventId { device, seq } = desk.next_id();
        let corrected = EntryCorrected {
            target: self.target,
            replacement: EntryId(EventId {
                device,
                seq: seq + 1,
            }),
            reason: desk.reason(&self.why, key)?,
            witness: witness.map(Box::new),
        };
        desk.push(corrected);
        desk.replacing = Some(self.target);
        self.replacement.decide(desk)
    }
}

/// An entry that counts and that this person may take back, with the key that seals what is said
/// about it.
fn take_back(desk: &mut Desk<'_, '_>, target: EntryId) -> Result<KeyId, Rejection> {
    desk.check_clock();
    let entry = standing(desk, target)?;
    if !is_own(desk, target, entry) && desk.role() < Role::Manager {
        return Err(AccessRejection::NotYourEntry { entry: target }.into());
    }
    desk.key_of(entry)
}

/// Written by this person, or, where nobody is known, at this device.
fn is_own(desk: &Desk<'_, '_>, id: EntryId, entry: &Entry) -> bool {
    match (entry.by, desk.context.by) {
        (Some(by), Some(me)) => by == me,
        (None, None) => id.0.device == desk.context.device,
        _ => false,
    }
}

impl Desk<'_, '_> {
    /// The key of the customer whom an entry names first, or the shop's. For a customer who was
    /// erased it is a key that nobody holds, so nothing can be said about them any more.
    pub(super) fn key_of(&self, entry: &Entry) -> Result<KeyId, Rejection> {
        let [customer, _] = entry.what.customers();
        let customer = customer.and_then(|id| self.ledger.customers.get(&id));
        let added = customer.and_then(|customer| customer.added.as_ref());
        Ok(added.map_or_else(|| self.shop_key(), |added| Ok(added.key))?)
    }
}
