//! Whether the events of each group follow each other, all of them.

use std::collections::BTreeMap;

use super::Wrong;
use crate::event::Group;
use crate::ids::{DeviceNo, EventId};

/// The groups whose last events are still to come, one for each device at most.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<DeviceNo, Group>);

impl Groups {
    pub(super) fn open(&self) -> usize {
        self.0.len()
    }

    /// A device's next event, which counts, belongs to this group.
    pub(super) fn follow(&mut self, id: EventId, group: Option<Group>) -> Result<(), Wrong> {
        if group.is_none() && self.0.is_empty() {
            return Ok(());
        }
        let open = self.0.remove(&id.device);
        if let Some(broken) = open.filter(|open| group != Some(*open)) {
            return Err(broken_at(broken));
        }
        let Some(group) = group else {
            return Ok(());
        };
        if open.is_none() && group.first != id.seq {
            return Err(broken_at(group));
        }
        if id.seq < last(group) {
            self.0.insert(id.device, group);
        }
        Ok(())
    }

    /// A device's next event does not count: what it belongs to cannot be known.
    pub(super) fn abandon(&mut self, device: DeviceNo) {
        self.0.remove(&device);
    }
}

/// Readers of events have made sure that it is a number.
const fn last(group: Group) -> u32 {
    group.first + group.count as u32 - 1
}

const fn broken_at(group: Group) -> Wrong {
    Wrong::GroupBroken {
        first: group.first,
        last: last(group),
    }
}
