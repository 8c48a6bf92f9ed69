//! What a decision is made with, and what comes out of it.

use std::collections::BTreeSet;

use super::{Fact, Question, QuestionKind, Rejection, Why};
use crate::bytes::KeyId;
use crate::calendar::TimeMs;
use crate::event::{Body, Envelope, Event, Group};
use crate::ids::{DeviceNo, EventId, StaffId};
use crate::ledger::Ledger;
use crate::text::{Entropy, Key, KeyRing};

/// Who wants something, where and when.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// This device.
    pub device: DeviceNo,
    /// The number of its next event.
    pub next_seq: u32,
    /// What its clock says.
    pub now: TimeMs,
    /// The member of staff at the device, where one is known.
    pub by: Option<StaffId>,
    /// The keys that this device holds. The ring names the shop.
    pub keys: &'a KeyRing,
    /// Random bytes for new keys and seals: a fresh supply for every command.
    pub entropy: Entropy,
    /// The kinds of questions to which the person has said yes.
    pub confirmed: BTreeSet<QuestionKind>,
    /// Why, for a question that is answered with a reason, see [`Question::needs_reason`].
    pub reason: Option<Why>,
}

impl<'a> Context<'a> {
    /// A context in which nothing was confirmed yet.
    pub const fn new(
        device: DeviceNo,
        next_seq: u32,
        now: TimeMs,
        by: Option<StaffId>,
        keys: &'a KeyRing,
        entropy: Entropy,
    ) -> Context<'a> {
        Context {
            device,
            next_seq,
            now,
            by,
            keys,
            entropy,
            confirmed: BTreeSet::new(),
            reason: None,
        }
    }
}

/// What will have happened. Folded whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The events to be, in order: one at least.
    pub drafts: Vec<Draft>,
    /// New keys, to be stored in the same transaction as the events.
    pub keys: Vec<(KeyId, Key)>,
}

impl Decision {
    /// What will have happened, without what led to it.
    pub fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.drafts.iter().map(|draft| &draft.body)
    }
}

/// An event to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What happens.
    pub body: Body,
    /// The event that led to it.
    pub cause: Option<EventId>,
    /// The first event of the story that it belongs to.
    pub correlation: Option<EventId>,
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// It can be if the person says so.
    #[error("{0}")]
    Ask(Question),
}

impl Refusal {
    /// The stable code of what is wrong or asked.
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::Rejected(rejection) => rejection.code(),
            Refusal::Ask(question) => question.code(),
        }
    }

    /// What a text about it may name.
    pub fn facts(&self) -> Vec<(&'static str, Fact)> {
        match self {
            Refusal::Rejected(rejection) => rejection.facts(),
            Refusal::Ask(question) => question.facts(),
        }
    }
}

/// The events of a decision: numbered from `next_seq`, one clock after all that the shop has seen.
pub fn compose(ledger: &Ledger, context: &Context<'_>, decision: Decision) -> Vec<Event> {
    // Never empty and never more than a group may hold: the desk has checked it.
    let count = u16::try_from(decision.drafts.len()).unwrap_or(u16::MAX);
    let group = (count > 1).then_some(Group {
        first: context.next_seq,
        count,
    });
    let drafts = decision.drafts.into_iter().zip(0u32..);
    let events = drafts.map(|(draft, index)| Event {
        envelope: Envelope {
            id: EventId {
                device: context.device,
                seq: context.next_seq + index,
            },
            clock: ledger.clock + 1 + u64::from(index),
            at: context.now,
            by: context.by,
            group,
            cause: draft.cause,
            correlation: draft.correlation,
            expect: None,
        },
        body: draft.body,
    });
    events.collect()
}
