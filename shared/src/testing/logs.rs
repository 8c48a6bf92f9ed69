//! Logs of several devices with everything that can happen in them, sense or nonsense: entries
//! before their customers, reversals before their targets, broken groups, held and damaged events.

use super::rng::Rng;
use super::samples;
use crate::event::{
    AdvanceUsed, AmountTransferred, Body, CreditGiven, CustomerArchived, CustomerErased,
    CustomersMerged, EntryCorrected, EntryReversed, Event, Group, HeldReleased, Kind,
    MAX_CLOCK_JUMP, Origin, PaymentReceived, TaskResolved, encode,
};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId};
use crate::ledger::Standing;
use crate::money::Paise;

/// One event as it lies in a log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The device.
    pub device: DeviceNo,
    /// Its number there.
    pub seq: u32,
    /// The stored bytes.
    pub bytes: Vec<u8>,
    /// What the server said.
    pub standing: Standing,
}

/// One chain for every device, each with `length` events.
pub fn chains(rng: &mut Rng, devices: u32, length: u32) -> Vec<Vec<Logged>> {
    (1..=devices)
        .map(|device| chain(rng, device, devices, length))
        .collect()
}

fn chain(rng: &mut Rng, device: u32, devices: u32, length: u32) -> Vec<Logged> {
    let mut logged = Vec::new();
    let mut group: Option<Group> = None;
    for seq in 1..=length {
        // Sometimes a group is abandoned in its middle: it must not count.
        if group.is_some_and(|open| seq == open.first + u32::from(open.count)) || rng.chance(2) {
            group = None;
        }
        if group.is_none() && rng.chance(20) {
            group = Some(Group {
                first: seq,
                count: 2 + rng.below(2) as u16,
            });
        }
        let mut event = event(rng, devices, length);
        event.envelope.id = EventId::new(device, seq);
        event.envelope.clock = rng.below(u64::from(length) * 2) + u64::from(seq);
        event.envelope.group = group;
        let mut bytes = encode(&event);
        let mut standing = Standing::Counted;
        match rng.below(40) {
            0 => standing = Standing::Held,
            1 => standing = Standing::Quarantined,
            2 => bytes.push(0xf6),
            3 => bytes.truncate(3),
            _ => {}
        }
        logged.push(Logged {
            device: DeviceNo(device),
            seq,
            bytes,
            standing,
        });
    }
    logged
}

/// An event with references to any event of any device, there or not.
pub(super) fn event(rng: &mut Rng, devices: u32, length: u32) -> Event {
    // A server writes that one, and a log is another one after it.
    let kinds = Kind::ALL.iter();
    let kinds: Vec<Kind> = kinds
        .filter(|&&it| it != Kind::GenerationOpened)
        .copied()
        .collect();
    let kind = *rng.pick(&kinds);
    let mut event = samples::event(kind, rng.chance(50));
    event.envelope.by = None;
    event.envelope.at.0 += rng.below(MAX_CLOCK_JUMP) as i64;
    let id = |rng: &mut Rng| {
        let seq = 1 + rng.below(u64::from(length.min(40)));
        EventId::new(1 + rng.below(u64::from(devices)) as u32, seq as u32)
    };
    let amount = Paise(1 + rng.below(100_000_00) as i64);
    match &mut event.body {
        Body::CustomerUpdated(body) => body.customer = CustomerId(id(rng)),
        Body::CustomerArchived(CustomerArchived { customer, .. })
        | Body::CustomerErased(CustomerErased { customer, .. }) => *customer = CustomerId(id(rng)),
        Body::CustomersMerged(CustomersMerged { customer, with }) => {
            (*customer, *with) = (CustomerId(id(rng)), CustomerId(id(rng)));
        }
        Body::CreditGiven(CreditGiven {
            customer,
            amount: written,
            ..
        })
        | Body::PaymentReceived(PaymentReceived {
            customer,
            amount: written,
            ..
        })
        | Body::AdvanceUsed(AdvanceUsed {
            customer,
            amount: written,
            ..
        }) => {
            (*customer, *written) = (CustomerId(id(rng)), amount);
        }
        Body::AmountTransferred(AmountTransferred {
            from,
            to,
            amount: written,
            ..
        }) => {
            (*from, *to, *written) = (CustomerId(id(rng)), CustomerId(id(rng)), amount);
        }
        Body::EntryReversed(EntryReversed { target, .. })
        | Body::EntryCorrected(EntryCorrected { target, .. }) => *target = EntryId(id(rng)),
        Body::HeldReleased(HeldReleased { events }) => *events = vec![id(rng), id(rng), id(rng)],
        Body::TaskResolved(TaskResolved { evidence, .. }) => *evidence = vec![id(rng), id(rng)],
        _ => {}
    }
    let origin = rng.chance(20).then(|| Origin {
        shop: samples::SHOP,
        device: 1,
        seq: 1 + rng.below(5) as u32,
    });
    set_origin(&mut event.body, origin);
    event
}

/// Whatever is brought twice is on the same pages each time.
fn set_origin(body: &mut Body, origin: Option<Origin>) {
    let page = origin.map(|origin| CustomerId(EventId::new(1, origin.seq)));
    let (particulars, customer) = match body {
        Body::CustomerAdded(added) => {
            added.origin = origin;
            return;
        }
        Body::AmountTransferred(it) => {
            it.to = page.unwrap_or(it.to);
            (&mut it.particulars, Some(&mut it.from))
        }
        Body::GoodsReturned(it) => (&mut it.particulars, it.customer.as_mut()),
        Body::SaleRecorded(it) => (&mut it.particulars, it.customer.as_mut()),
        Body::CreditGiven(it) => (&mut it.particulars, Some(&mut it.customer)),
        Body::PaymentReceived(it) => (&mut it.particulars, Some(&mut it.customer)),
        Body::AdvanceDeposited(it) => (&mut it.particulars, Some(&mut it.customer)),
        Body::AdvanceWithdrawn(it) => (&mut it.particulars, Some(&mut it.customer)),
        Body::AdvanceUsed(it) => (&mut it.particulars, Some(&mut it.customer)),
        Body::WrittenOff(it) => (&mut it.particulars, Some(&mut it.customer)),
        _ => return,
    };
    particulars.origin = origin.map(Box::new);
    if let (Some(customer), Some(page)) = (customer, page) {
        *customer = page;
    }
}

/// One order of all chains' events, each chain's own in sequence, with duplicates.
pub fn shuffled(rng: &mut Rng, chains: &[Vec<Logged>]) -> Vec<Logged> {
    let mut next = vec![0; chains.len()];
    let mut order = Vec::new();
    let total: usize = chains.iter().map(Vec::len).sum();
    while next.iter().sum::<usize>() < total {
        let chain = rng.below(chains.len() as u64) as usize;
        // A run at a time, as batches come; a run now and then comes twice.
        let from = if rng.chance(20) { 0 } else { next[chain] };
        let until = (next[chain] + 1 + rng.below(5) as usize).min(chains[chain].len());
        order.extend_from_slice(&chains[chain][from..until]);
        next[chain] = until;
    }
    order
}
