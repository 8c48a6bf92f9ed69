//! How far each device's chain was read, and when the server took its events.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::bytes::Bytes;
use crate::calendar::TimeMs;
use crate::ids::DeviceNo;

/// One device's chain as it was folded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Lane {
    /// The last number that was read.
    #[n(0)]
    pub last_seq: u32,
    /// How many bills it wrote, for the number of its next.
    #[n(1)]
    pub bills: u32,
    /// What its clock said last, never going back.
    #[n(2)]
    pub latest: TimeMs,
    /// Events of a newer app.
    #[n(3)]
    pub unknown: u64,
    /// Events that were put aside as faults, and groups that were never whole.
    #[n(4)]
    pub put_aside: u64,
    /// Events that wait for the owner's decision.
    #[n(5)]
    pub held: u64,
    /// Events of a group that is not whole yet.
    #[n(6)]
    pub(super) open: Option<OpenGroup>,
}

impl Lane {
    /// Can the numbers be those of a chain that was read?
    pub(crate) fn is_possible(&self) -> bool {
        let last_seq = u64::from(self.last_seq);
        let open = self.open.as_ref().is_none_or(|open| {
            let known = open.events.len() as u64;
            known + u64::from(open.unknown) + u64::from(open.put_aside) <= last_seq
        });
        let counts = [self.unknown, self.put_aside, self.held, self.bills.into()];
        open && counts.into_iter().all(|count| count <= last_seq)
    }

    /// Events that are not counted in any total.
    pub fn uncounted(&self) -> u64 {
        let open = self.open.as_ref().map_or(0, |open| u64::from(open.seen()));
        self.unknown + self.put_aside + self.held + open
    }
}

/// The beginning of a group whose end has not come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub(super) struct OpenGroup {
    #[n(0)]
    pub group: crate::event::Group,
    /// The known events so far, re-encoded with ids as they are read here.
    #[n(1)]
    pub events: Vec<Bytes>,
    #[n(2)]
    pub unknown: u32,
    #[n(3)]
    pub put_aside: u32,
    /// At least one is held: then all are.
    #[n(4)]
    pub held: bool,
}

impl OpenGroup {
    pub fn new(group: crate::event::Group) -> OpenGroup {
        OpenGroup {
            group,
            events: Vec::new(),
            unknown: 0,
            put_aside: 0,
            held: false,
        }
    }

    pub fn seen(&self) -> u32 {
        self.events.len() as u32 + self.unknown + self.put_aside
    }
}

/// When the server took which events. Lies beside the ledger, not in it: a confirmation by the
/// server changes no state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipts {
    /// By device and last number of a run: its first number and the time.
    runs: BTreeMap<(DeviceNo, u32), (u32, TimeMs)>,
}

impl Receipts {
    /// The server took `count` events of a device, from `first_seq` on.
    ///
    /// A chain is taken in its order, so nothing of it came later than what follows it: should the
    /// server's clock have gone back, the earlier time holds for what came before as well.
    pub fn add(&mut self, device: DeviceNo, first_seq: u32, count: u32, received: TimeMs) {
        if count == 0 {
            return;
        }
        let last = first_seq.saturating_add(count - 1);
        let after = (device, last.saturating_add(1))..=(device, u32::MAX);
        let next = self.runs.range(after).next().map(|(_, run)| run.1);
        let received = next.map_or(received, |next| next.min(received));
        self.runs.insert((device, last), (first_seq, received));
        let before = self.runs.range_mut((device, 0)..(device, last)).rev();
        for (_, run) in before.take_while(|(_, run)| run.1 > received) {
            run.1 = received;
        }
    }

    /// When the server took this event; `None` while it has not.
    pub fn received(&self, device: DeviceNo, seq: u32) -> Option<TimeMs> {
        self.run(device, seq).map(|(_, received)| received)
    }

    /// The last number of the run that this event came in, and when the server took it.
    pub fn run(&self, device: DeviceNo, seq: u32) -> Option<(u32, TimeMs)> {
        let (&(of, last), &(first, received)) = self.runs.range((device, seq)..).next()?;
        (of == device && first <= seq).then_some((last, received))
    }

    /// The last number of a device that the server had taken by a time; 0 if there was none.
    pub fn taken_by(&self, device: DeviceNo, time: TimeMs) -> u32 {
        let mut runs = self.runs.range((device, 0)..=(device, u32::MAX)).rev();
        let run = runs.find(|(_, (_, received))| *received <= time);
        run.map_or(0, |(&(_, last), _)| last)
    }
}
