//! Which events count: each once, groups whole or not at all, held ones when they are released.

use super::progress::OpenGroup;
use super::{HeldGroup, Ledger};
use crate::bytes::Bytes;
use crate::event::{Body, Branch, Decoded, Event, Malformed, encode};
use crate::ids::{DeviceNo, EventId, Stamp};

/// What the server said of an event, as far as it matters to a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Accepted, or not yet sent: it counts.
    Counted,
    /// From a revoked device: it waits for the owner's decision.
    Held,
    /// Put aside as a fault.
    Quarantined,
}

/// What a fold did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// It was read, and counts as its standing and group say.
    Read,
    /// It had been read before.
    Duplicate,
    /// Events of this device are missing before it; nothing was changed.
    Gap {
        /// The number that is due.
        expected: u32,
    },
}

impl Ledger {
    /// A branch's chain begins where it left the other. Before the events of a device that is not in
    /// the log as a branch yet; those that are begin with the server's word about them.
    pub fn begin_branch(&mut self, branch: Branch) {
        let lane = self.lanes.entry(branch.device).or_default();
        lane.last_seq = lane.last_seq.max(branch.from_seq.saturating_sub(1));
        // It may do what the copied device may, from now on; the server's own event says so later.
        let first = Stamp {
            clock: 0,
            id: EventId::new(0, 0),
        };
        let device = self.devices.entry(branch.device).or_default();
        device.branch_of.set(first, Some(branch.of));
    }

    /// Folds the event `seq` of `device`, the branch's own number for a branch.
    pub fn fold(
        &mut self,
        device: DeviceNo,
        seq: u32,
        event: Result<Decoded, Malformed>,
        standing: Standing,
    ) -> Step {
        let lane = self.lanes.entry(device).or_default();
        if seq <= lane.last_seq {
            return Step::Duplicate;
        }
        if seq != lane.last_seq + 1 {
            return Step::Gap {
                expected: lane.last_seq + 1,
            };
        }
        lane.last_seq = seq;
        // A bill that was brought has its number in the series of the shop that printed it.
        if let Ok(Decoded::Known(Event {
            body: Body::SaleRecorded(sale),
            ..
        })) = &event
            && sale.particulars.origin.is_none()
        {
            lane.bills += 1;
        }
        let group = match &event {
            Ok(decoded) => decoded.envelope().group,
            Err(_) => None,
        };
        // A group whose end never came, because something else follows, is not whole.
        if let Some(open) = lane.open.take_if(|open| Some(open.group) != group) {
            self.put_aside(device, &open);
        }
        match group {
            None => self.fold_alone(device, event, standing),
            Some(group) => {
                let lane = self.lanes.entry(device).or_default();
                let open = lane.open.get_or_insert_with(|| OpenGroup::new(group));
                match (event, standing) {
                    (_, Standing::Quarantined) | (Err(_), _) => open.put_aside += 1,
                    (Ok(Decoded::Unknown(_)), _) => open.unknown += 1,
                    (Ok(Decoded::Known(event)), standing) => {
                        open.held |= standing == Standing::Held;
                        open.events.push(Bytes(encode(&event)));
                    }
                }
                if seq + 1 == group.first + u32::from(group.count)
                    && let Some(open) = lane.open.take()
                {
                    self.close_group(device, &open);
                }
            }
        }
        Step::Read
    }

    fn fold_alone(
        &mut self,
        device: DeviceNo,
        event: Result<Decoded, Malformed>,
        standing: Standing,
    ) {
        let lane = self.lanes.entry(device).or_default();
        match (event, standing) {
            (Err(_), _) | (_, Standing::Quarantined) => lane.put_aside += 1,
            (Ok(Decoded::Unknown(_)), _) => lane.unknown += 1,
            (Ok(Decoded::Known(event)), Standing::Counted) => self.count(event),
            (Ok(Decoded::Known(event)), Standing::Held) => {
                self.hold(device, event.envelope.id, vec![Bytes(encode(&event))]);
            }
        }
    }

    fn close_group(&mut self, device: DeviceNo, open: &OpenGroup) {
        if open.events.len() != usize::from(open.group.count) {
            self.put_aside(device, open);
        } else if open.held {
            let first = EventId {
                device,
                seq: open.group.first,
            };
            self.hold(device, first, open.events.clone());
        } else {
            for event in (HeldGroup {
                events: open.events.clone(),
            })
            .events()
            {
                self.count(event);
            }
        }
    }

    fn put_aside(&mut self, device: DeviceNo, open: &OpenGroup) {
        let lane = self.lanes.entry(device).or_default();
        lane.unknown += u64::from(open.unknown);
        lane.put_aside += u64::from(open.put_aside) + open.events.len() as u64;
    }

    fn hold(&mut self, device: DeviceNo, first: EventId, events: Vec<Bytes>) {
        let group = HeldGroup { events };
        if group
            .events()
            .iter()
            .any(|event| self.released.contains(&event.envelope.id))
        {
            group
                .events()
                .into_iter()
                .for_each(|event| self.count(event));
        } else {
            self.lanes.entry(device).or_default().held += group.events.len() as u64;
            self.held.insert(first, group);
        }
    }

    /// The owner let events in: the groups that they belong to count from now on.
    pub(super) fn release(&mut self, events: &[EventId]) {
        self.released.extend(events);
        for id in events {
            let groups = self.held.range(..=*id).next_back();
            let Some((&first, group)) = groups else {
                continue;
            };
            let last = first.seq.saturating_add(group.events.len() as u32 - 1);
            if first.device != id.device || last < id.seq {
                continue;
            }
            let group = self.held.remove(&first).unwrap_or_default();
            let lane = self.lanes.entry(first.device).or_default();
            lane.held = lane.held.saturating_sub(group.events.len() as u64);
            group
                .events()
                .into_iter()
                .for_each(|event| self.count(event));
        }
    }
}
