//! What a person decides about things that need one.

use std::collections::BTreeSet;

use super::fields::required;
use super::rejection::rejections;
use super::{Desk, Rejection, TextField, Why};
use crate::bytes::KeyId;
use crate::event::{HeldRefused, HeldReleased, Resolution, Role, Subject, TaskKind, TaskResolved};
use crate::ids::EventId;
use crate::money::Paise;

/// The most events that one resolution names.
pub const MAX_EVIDENCE: usize = 1000;

rejections! {
    /// What cannot be settled like this.
    pub enum ReviewRejection {
        /// Neither events nor an amount: it would settle nothing.
        #[error("the resolution covers nothing")]
        "resolution_covers_nothing" CoversNothing,
        /// More events than one resolution names.
        #[error("a resolution names at most {limit} events")]
        "too_much_evidence" TooMuchEvidence {
            /// The most.
            limit: u32,
        },
        /// An event that is not here.
        #[error("there is no event {event}")]
        "unknown_evidence" UnknownEvidence {
            /// The event.
            event: EventId,
        },
        /// The event does not wait for a decision.
        #[error("event {event} does not wait for a decision")]
        "not_held" NotHeld {
            /// The event.
            event: EventId,
        },
        /// The event was refused before.
        #[error("event {event} was refused before")]
        "already_refused" AlreadyRefused {
            /// The event.
            event: EventId,
        },
        /// No event was chosen.
        #[error("no event was chosen")]
        "nothing_chosen" NothingChosen,
    }
}

/// Settle a review task, as far as it lies before the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveTask {
    /// The kind of task.
    pub task: TaskKind,
    /// What it is about.
    pub subject: Subject,
    /// How it is settled.
    pub resolution: Resolution,
    /// The events that the person has before them.
    pub evidence: Vec<EventId>,
    /// The amount that the person has before them.
    pub covers: Option<Paise>,
    /// Why.
    pub why: Option<Why>,
}

impl ResolveTask {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        desk.require(Role::Manager)?;
        if self.evidence.is_empty() && self.covers.is_none() {
            return Err(ReviewRejection::CoversNothing.into());
        }
        if self.evidence.len() > MAX_EVIDENCE {
            let limit = MAX_EVIDENCE as u32;
            return Err(ReviewRejection::TooMuchEvidence { limit }.into());
        }
        let lanes = &desk.ledger.lanes;
        let seen = |event: &EventId| {
            let lane = lanes.get(&event.device);
            lane.is_some_and(|lane| (1..=lane.last_seq).contains(&event.seq))
        };
        if let Some(&event) = self.evidence.iter().find(|&event| !seen(event)) {
            return Err(ReviewRejection::UnknownEvidence { event }.into());
        }
        let subject = match self.subject {
            Subject::Reference(text) => Subject::Reference(required(&text, TextField::Reference)?),
            subject => subject,
        };
        let key = key_of_subject(desk, &subject)?;
        let resolved = TaskResolved {
            task: self.task,
            subject,
            resolution: self.resolution,
            evidence: self.evidence,
            covers: self.covers,
            reason: match &self.why {
                Some(why) => Some(desk.reason(why, key)?),
                None => None,
            },
        };
        desk.push(resolved);
        Ok(())
    }
}

/// Let entries of a revoked phone into the books, whole groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseHeld {
    /// The entries.
    pub events: Vec<EventId>,
}

impl ReleaseHeld {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        desk.require(Role::Owner)?;
        let events = held_groups(desk, &self.events)?;
        desk.push(HeldReleased { events });
        Ok(())
    }
}

/// Keep entries of a revoked phone out of the books, whole groups. They stay in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefuseHeld {
    /// The entries.
    pub events: Vec<EventId>,
    /// Why.
    pub why: Option<Why>,
}

impl RefuseHeld {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        desk.require(Role::Owner)?;
        let events = held_groups(desk, &self.events)?;
        let refused = |event: &&EventId| desk.ledger.refused.contains(event);
        if let Some(&event) = events.iter().find(refused) {
            return Err(ReviewRejection::AlreadyRefused { event }.into());
        }
        let key = desk.shop_key()?;
        let reason = match &self.why {
            Some(why) => Some(desk.reason(why, key)?),
            None => None,
        };
        desk.push(HeldRefused { events, reason });
        Ok(())
    }
}

/// All events of the held groups that these belong to.
fn held_groups(desk: &Desk<'_, '_>, events: &[EventId]) -> Result<Vec<EventId>, ReviewRejection> {
    let mut whole = BTreeSet::new();
    for &event in events {
        let group = desk.ledger.held.range(..=event).next_back();
        let ids = group.map_or_else(Vec::new, |(first, group)| {
            let count = group.events.len() as u32;
            let seqs = first.seq..first.seq.saturating_add(count);
            let device = first.device;
            seqs.map(|seq| EventId { device, seq }).collect()
        });
        if !ids.contains(&event) {
            return Err(ReviewRejection::NotHeld { event });
        }
        whole.extend(ids);
    }
    if whole.is_empty() {
        return Err(ReviewRejection::NothingChosen);
    }
    Ok(whole.into_iter().collect())
}

/// The key of the customer whom a task is about, or the shop's.
fn key_of_subject(desk: &Desk<'_, '_>, subject: &Subject) -> Result<KeyId, Rejection> {
    let ledger = desk.ledger;
    let key = match subject {
        Subject::Customer(customer) => ledger
            .customers
            .get(customer)
            .and_then(|customer| customer.added.as_ref())
            .map(|added| added.key),
        Subject::Entry(entry) => match ledger.entries.get(entry) {
            Some(entry) => Some(desk.key_of(entry)?),
            None => None,
        },
        Subject::Device(_) | Subject::Reference(_) => None,
    };
    Ok(key.map_or_else(|| desk.shop_key(), Ok)?)
}
