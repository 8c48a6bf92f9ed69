//! One event into the state.

use super::customer::Added;
use super::progress::OpenGroup;
use super::shop::Opened;
use super::{Dated, Entry, HeldGroup, Ledger, Resolved, Reversal, TaskKey, What};
use crate::bytes::Bytes;
use crate::event::{Body, Decoded, Event, Malformed, Patch, encode};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId, Stamp};

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
        if let Ok(Decoded::Known(Event {
            body: Body::SaleRecorded(_),
            ..
        })) = &event
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
    fn release(&mut self, events: &[EventId]) {
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

    /// An event that counts.
    fn count(&mut self, event: Event) {
        let Event { envelope, body } = event;
        let (id, stamp) = (envelope.id, envelope.stamp());
        self.clock = self.clock.max(envelope.clock);
        let lane = self.lanes.entry(id.device).or_default();
        lane.latest = lane.latest.max(envelope.at);
        let body = match What::from_body(body) {
            Ok(what) => {
                let entry = Entry {
                    clock: envelope.clock,
                    at: envelope.at,
                    by: envelope.by,
                    what,
                };
                return self.count_entry(EntryId(id), entry);
            }
            Err(body) => body,
        };
        let dated = |reason, replacement, witness| Reversal {
            clock: envelope.clock,
            at: envelope.at,
            by: envelope.by,
            reason,
            replacement,
            witness,
        };
        match body {
            Body::EntryReversed(body) => {
                self.reverse(id, body.target, dated(body.reason, None, body.witness));
            }
            Body::EntryCorrected(body) => {
                let replacement = Some(body.replacement);
                self.reverse(
                    id,
                    body.target,
                    dated(body.reason, replacement, body.witness),
                );
            }
            Body::CustomerAdded(_)
            | Body::CustomerUpdated(_)
            | Body::CustomerArchived(_)
            | Body::CustomersMerged(_)
            | Body::CustomerErased(_) => self.count_customer(id, stamp, envelope.at, body),
            Body::StatementSent(what) => {
                let Stamp { clock, .. } = stamp;
                let dated = Dated {
                    clock,
                    at: envelope.at,
                    by: envelope.by,
                    what,
                };
                self.statements.insert(id, dated);
            }
            Body::MessageSent(what) => {
                let Stamp { clock, .. } = stamp;
                let dated = Dated {
                    clock,
                    at: envelope.at,
                    by: envelope.by,
                    what,
                };
                self.messages.insert(id, dated);
            }
            Body::TaskResolved(body) => {
                let key = TaskKey {
                    kind: body.task,
                    subject: body.subject,
                };
                let resolved = Resolved {
                    clock: envelope.clock,
                    by: envelope.by,
                    resolution: body.resolution,
                    evidence: body.evidence.into_iter().collect(),
                    covers: body.covers,
                };
                self.resolutions
                    .entry(key)
                    .or_default()
                    .insert(id, resolved);
            }
            Body::HeldReleased(body) => self.release(&body.events),
            Body::HeldRefused(body) => self.refused.extend(body.events),
            other => self.count_shop(id, stamp, envelope.at, other),
        }
    }

    fn count_entry(&mut self, id: EntryId, entry: Entry) {
        for customer in entry.what.customers().into_iter().flatten() {
            self.customers
                .entry(customer)
                .or_default()
                .entries
                .insert(id);
        }
        if !self.is_reversed(id) {
            for effect in entry.what.effects().into_iter().flatten() {
                self.customers.entry(effect.customer).or_default().balance += effect.change;
            }
        }
        self.entries.insert(id, entry);
    }

    fn reverse(&mut self, id: EventId, target: EntryId, reversal: Reversal) {
        let reversals = self.reversals.entry(target).or_default();
        let first = reversals.is_empty();
        reversals.insert(id, reversal);
        if first && let Some(entry) = self.entries.get(&target) {
            for effect in entry.what.effects().into_iter().flatten() {
                self.customers.entry(effect.customer).or_default().balance -= effect.change;
            }
        }
    }

    fn count_customer(
        &mut self,
        id: EventId,
        stamp: Stamp,
        at: crate::calendar::TimeMs,
        body: Body,
    ) {
        match body {
            Body::CustomerAdded(body) => {
                let customer = self.customers.entry(CustomerId(id)).or_default();
                customer.added = Some(Added { at, key: body.key });
                customer.name.set(stamp, body.name);
                customer.phone.set(stamp, body.phone);
                customer.address.set(stamp, body.address);
                customer.note.set(stamp, body.note);
                customer.language.set(stamp, body.language);
                customer.limit.set(stamp, body.limit);
                customer
                    .messages
                    .set(stamp, body.messages.unwrap_or_default());
            }
            Body::CustomerUpdated(body) => {
                let customer = self.customers.entry(body.customer).or_default();
                if let Some(name) = body.name {
                    customer.name.set(stamp, name);
                }
                patch(&mut customer.phone, stamp, body.phone);
                patch(&mut customer.address, stamp, body.address);
                patch(&mut customer.note, stamp, body.note);
                patch(&mut customer.language, stamp, body.language);
                patch(&mut customer.limit, stamp, body.limit);
                if let Some(messages) = body.messages {
                    customer.messages.set(stamp, messages);
                }
            }
            Body::CustomerArchived(body) => {
                let customer = self.customers.entry(body.customer).or_default();
                customer.archived.set(stamp, body.archived);
            }
            Body::CustomersMerged(body) => self.merge(body.customer, body.with),
            Body::CustomerErased(body) => {
                self.customers.entry(body.customer).or_default().erased = true;
                self.erased_keys.extend(body.keys);
            }
            _ => {}
        }
    }

    /// Joins two sets of pages under the least id of both, whatever the order of merges.
    fn merge(&mut self, one: CustomerId, other: CustomerId) {
        let (one, other) = (self.canonical(one), self.canonical(other));
        let (least, greater) = (one.min(other), one.max(other));
        if least == greater {
            return;
        }
        for canonical in self
            .merged
            .values_mut()
            .filter(|canonical| **canonical == greater)
        {
            *canonical = least;
        }
        self.merged.insert(greater, least);
    }

    fn count_shop(&mut self, id: EventId, stamp: Stamp, at: crate::calendar::TimeMs, body: Body) {
        match body {
            Body::ShopOpened(body) => {
                let shop = &mut self.shop;
                let opened = Opened {
                    shop: body.shop,
                    currency: body.currency,
                    key: body.key,
                };
                shop.opened.set(stamp, opened);
                shop.name.set(stamp, body.name);
                shop.language.set(stamp, body.language);
                shop.opened_on.set(stamp, body.on);
            }
            Body::ShopChanged(body) => {
                let shop = &mut self.shop;
                if let Some(name) = body.name {
                    shop.name.set(stamp, name);
                }
                patch(&mut shop.address, stamp, body.address);
                patch(&mut shop.phone, stamp, body.phone);
                patch(&mut shop.upi, stamp, body.upi);
                patch(&mut shop.gstin, stamp, body.gstin);
                patch(&mut shop.state, stamp, body.state);
                patch(&mut shop.credit_limit, stamp, body.credit_limit);
                if let Some(language) = body.language {
                    shop.language.set(stamp, language);
                }
                if let Some(days) = body.overdue_days {
                    shop.overdue_days.set(stamp, days);
                }
                if let Some(day) = body.opened_on {
                    shop.opened_on.set(stamp, day);
                }
            }
            Body::DeviceEnrolled(body) => {
                let device = self.devices.entry(body.device).or_default();
                device.role.set(stamp, body.role);
                device.key.set(stamp, body.key);
                device.name.set(stamp, body.name);
                device.staff.set(stamp, body.staff);
            }
            Body::DeviceNamed(body) => {
                self.devices
                    .entry(body.device)
                    .or_default()
                    .name
                    .set(stamp, body.name);
            }
            Body::DeviceRevoked(body) => {
                self.devices
                    .entry(body.device)
                    .or_default()
                    .revoked
                    .insert(id, at);
            }
            Body::DeviceKeyChanged(body) => {
                self.devices
                    .entry(body.device)
                    .or_default()
                    .key
                    .set(stamp, body.key);
            }
            Body::SessionStarted(body) => {
                self.devices
                    .entry(id.device)
                    .or_default()
                    .app
                    .set(stamp, body.app);
            }
            Body::BranchRegistered(body) => {
                let device = self.devices.entry(body.device).or_default();
                device.branch_of.set(stamp, Some(body.of));
            }
            Body::StaffAdded(body) => {
                let member = self.staff.entry(StaffId(id)).or_default();
                member.name.set(stamp, body.name);
                member.role.set(stamp, body.role);
                member.language.set(stamp, body.language);
            }
            Body::StaffChanged(body) => {
                let member = self.staff.entry(body.staff).or_default();
                if let Some(name) = body.name {
                    member.name.set(stamp, name);
                }
                if let Some(role) = body.role {
                    member.role.set(stamp, role);
                }
                if let Some(language) = body.language {
                    member.language.set(stamp, Some(language));
                }
            }
            Body::StaffRemoved(body) => {
                self.staff.entry(body.staff).or_default().removed = true;
            }
            _ => {}
        }
    }
}

fn patch<T>(register: &mut super::Register<Option<T>>, stamp: Stamp, patch: Patch<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => register.set(stamp, None),
        Patch::Set(value) => register.set(stamp, Some(value)),
    }
}
