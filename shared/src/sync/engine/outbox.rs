//! What the device wrote and has not yet read back from the log.

use std::collections::VecDeque;

use crate::bytes::Bytes;
use crate::sync::log::ChainHead;
use crate::sync::wire::{MAX_KEYS, MAX_PUSH_EVENTS, Push, SealingKey, Signature};

/// The most bytes of events in one push, unless a single event is longer.
const MAX_PUSH_BYTES: usize = 512 * 1024;

#[derive(Debug)]
pub(super) struct Outbox {
    /// The last own event that stands in the log as read.
    base: ChainHead,
    events: VecDeque<(Bytes, ChainHead)>,
    /// Keys that the server may lack, with the number of the event that they were made with.
    keys: VecDeque<(u32, SealingKey)>,
    /// Keys that the server had and may have lost. No event waits for them.
    lost_keys: VecDeque<SealingKey>,
}

/// What one request sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    first_seq: u32,
    events: u32,
    keys: usize,
    lost_keys: usize,
}

impl Plan {
    /// Only to read.
    pub const NOTHING: Plan = Plan {
        first_seq: 1,
        events: 0,
        keys: 0,
        lost_keys: 0,
    };

    /// The number of the last event; `None` when there are no events.
    pub fn last_seq(self) -> Option<u32> {
        (self.events > 0).then(|| self.first_seq + self.events - 1)
    }
}

/// The device wrote numbers in between that the outbox lacks.
pub(super) struct Gap;

impl Outbox {
    pub fn new(base: ChainHead, events: Vec<Bytes>, keys: Vec<(u32, SealingKey)>) -> Outbox {
        let mut outbox = Outbox {
            base,
            events: VecDeque::with_capacity(events.len()),
            keys: keys.into(),
            lost_keys: VecDeque::new(),
        };
        events.into_iter().for_each(|bytes| outbox.push(bytes));
        outbox
    }

    fn push(&mut self, bytes: Bytes) {
        let head = self.last().after(&bytes.0);
        self.events.push_back((bytes, head));
    }

    /// Own events that stood in the log behind `base` stand there no more.
    pub fn go_back(&mut self, base: ChainHead, own: Vec<Bytes>) {
        let later = core::mem::take(&mut self.events);
        self.base = base;
        let events = own
            .into_iter()
            .chain(later.into_iter().map(|(bytes, _)| bytes));
        events.for_each(|bytes| self.push(bytes));
    }

    /// Takes over what the device wrote; what is here already is passed over.
    pub fn append(
        &mut self,
        first_seq: u32,
        events: Vec<Bytes>,
        keys: Vec<SealingKey>,
    ) -> Result<(), Gap> {
        let next = self.last().seq.saturating_add(1);
        if first_seq > next {
            return Err(Gap);
        }
        let known = (next - first_seq) as usize;
        if known >= events.len() {
            return Ok(());
        }
        self.keys
            .extend(keys.into_iter().map(|key| (first_seq, key)));
        events
            .into_iter()
            .skip(known)
            .for_each(|bytes| self.push(bytes));
        Ok(())
    }

    /// The last own event that stands in the log as read.
    pub const fn base(&self) -> ChainHead {
        self.base
    }

    /// The end of the device's chain.
    pub fn last(&self) -> ChainHead {
        self.events.back().map_or(self.base, |(_, head)| *head)
    }

    /// The head after an event that is here, or after the last in the log.
    pub fn head_at(&self, seq: u32) -> Option<ChainHead> {
        match seq.checked_sub(self.base.seq)? {
            0 => Some(self.base),
            _ => Some(self.get(seq)?.1),
        }
    }

    /// An event and the head with it.
    pub fn get(&self, seq: u32) -> Option<&(Bytes, ChainHead)> {
        let index = seq.checked_sub(self.base.seq)?.checked_sub(1)?;
        self.events.get(index as usize)
    }

    /// What to send next: as many events after `known_seq` as fit, and no event before its keys.
    pub fn plan(&self, known_seq: u32, budget_bytes: usize) -> Plan {
        let keys = self.keys.len().min(MAX_KEYS);
        let without_key = self.keys.get(keys).map_or(u32::MAX, |(seq, _)| *seq);
        let budget_bytes = budget_bytes.min(MAX_PUSH_BYTES);
        let first_seq = known_seq.max(self.base.seq).saturating_add(1);
        let (mut events, mut bytes) = (0, 0);
        while (events as usize) < MAX_PUSH_EVENTS
            && first_seq + events < without_key
            && let Some((event, _)) = self.get(first_seq + events)
        {
            bytes += event.0.len();
            if events > 0 && bytes > budget_bytes {
                break;
            }
            events += 1;
        }
        Plan {
            first_seq,
            events,
            keys,
            lost_keys: self.lost_keys.len().min(MAX_KEYS - keys),
        }
    }

    /// The push of a plan; `None` when it has no events.
    pub fn push_of(&self, plan: Plan, signature: Signature) -> Option<Push> {
        let last_seq = plan.last_seq()?;
        let events = (plan.first_seq..=last_seq).map_while(|seq| self.get(seq));
        Some(Push {
            first_seq: plan.first_seq,
            previous: self.head_at(plan.first_seq - 1)?.hash,
            events: events.map(|(bytes, _)| bytes.clone()).collect(),
            signature,
        })
    }

    /// The keys of a plan.
    pub fn keys_of(&self, plan: Plan) -> Option<Vec<SealingKey>> {
        let keys = self.keys.iter().take(plan.keys).map(|(_, key)| key);
        let keys = keys.chain(self.lost_keys.iter().take(plan.lost_keys));
        (plan.keys + plan.lost_keys > 0).then(|| keys.cloned().collect())
    }

    /// The server has the keys of a plan.
    pub fn keys_arrived(&mut self, plan: Plan) {
        self.keys.drain(..plan.keys.min(self.keys.len()));
        self.lost_keys
            .drain(..plan.lost_keys.min(self.lost_keys.len()));
    }

    /// The server may have lost these: they are sent again, after those that events wait for.
    pub fn return_keys(&mut self, keys: Vec<SealingKey>) {
        self.lost_keys.extend(keys);
    }

    /// Are there still keys to be sent that the server may have lost?
    pub fn returns_keys(&self) -> bool {
        !self.lost_keys.is_empty()
    }

    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty() || self.returns_keys()
    }

    /// The device's events up to `head` stand in the log as read. False when this storage has
    /// another event in that place.
    #[must_use]
    pub fn confirm(&mut self, head: ChainHead) -> bool {
        if head.seq > self.last().seq {
            self.events.clear();
        } else if self.head_at(head.seq) != Some(head) {
            return false;
        } else {
            let count = head.seq - self.base.seq;
            self.events.drain(..count as usize);
        }
        self.base = head;
        while self.keys.front().is_some_and(|(seq, _)| *seq <= head.seq) {
            self.keys.pop_front();
        }
        true
    }
}
