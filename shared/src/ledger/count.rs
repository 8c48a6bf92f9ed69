//! What an event that counts does to the state.

use super::brought::take_out;
use super::customer::Added;
use super::shop::Opened;
use super::{Dated, Entry, Ledger, Register, Resolved, Reversal, TaskKey, What};
use crate::calendar::TimeMs;
use crate::event::{Body, Branch, Event, Patch};
use crate::ids::{CustomerId, EntryId, EventId, StaffId, Stamp};

impl Ledger {
    /// An event that counts.
    pub(super) fn count(&mut self, event: Event) {
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
        let origin = entry.what.particulars().origin.as_deref().copied();
        if let Some(origin) = origin
            && !self.is_first(origin, id, &entry)
        {
            return;
        }
        self.post(id, &entry, self.is_reversed(id));
        self.entries.insert(id, entry);
    }

    pub(super) fn reverse(&mut self, id: EventId, target: EntryId, reversal: Reversal) {
        let target = self.original(target);
        let reversals = self.reversals.entry(target).or_default();
        let first = reversals.is_empty();
        reversals.insert(id, reversal);
        if first && let Some(entry) = self.entries.get(&target) {
            take_out(&mut self.customers, target, &entry.what);
        }
    }

    fn count_customer(&mut self, id: EventId, stamp: Stamp, at: TimeMs, body: Body) {
        match body {
            Body::CustomerAdded(body) => {
                if let Some(origin) = body.origin {
                    self.meet(origin, id);
                }
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
    pub(super) fn merge(&mut self, one: CustomerId, other: CustomerId) {
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

    fn count_shop(&mut self, id: EventId, stamp: Stamp, at: TimeMs, body: Body) {
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
                self.begin_branch(Branch {
                    device: body.device,
                    of: body.of,
                    from_seq: body.from_seq,
                });
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

fn patch<T>(register: &mut Register<Option<T>>, stamp: Stamp, patch: Patch<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => register.set(stamp, None),
        Patch::Set(value) => register.set(stamp, Some(value)),
    }
}

/// The pages that an entry stands on, each once.
pub(super) fn pages(what: &What) -> impl Iterator<Item = CustomerId> + use<> {
    let [one, other] = what.customers();
    let other = other.filter(|_| other != one);
    one.into_iter().chain(other)
}
