//! Four phones correct the same entry at once, and reach the server in any order.

use std::collections::BTreeSet;

use crate::jig::*;
use shared::event::{Body, EntryCorrected, EntryReversed, Reason, ReasonCode, Role};
use shared::ids::{EntryId, EventId};
use shared::sync::engine::{Activity, Input};
use shared::sync::wire::Verdict;
use shared::testing::device::{NOW, enrolled};
use shared::testing::phone::Phone;
use shared::testing::server::Server;

/// Every order of four.
fn orders() -> Vec<[usize; 4]> {
    let mut orders = Vec::new();
    for code in 0..4_usize.pow(4) {
        let order = [code % 4, code / 4 % 4, code / 16 % 4, code / 64];
        if order.iter().collect::<BTreeSet<_>>().len() == 4 {
            orders.push(order);
        }
    }
    orders
}

/// A shop of four phones in step, with one entry that is wrong.
fn four_phones() -> (Server, Vec<Phone>, EntryId) {
    let (mut server, mut one, two) = two_phones();
    write(&mut one, &mut server, enrolled(3, Role::Manager));
    write(&mut one, &mut server, enrolled(4, Role::Cashier));
    write(&mut one, &mut server, credit(250));
    let wrong = EntryId(EventId::new(1, one.head().seq));
    let mut phones = vec![one, two, phone(3), phone(4)];
    for phone in &mut phones[1..] {
        phone.crash();
        start(phone, &mut server);
    }
    (server, phones, wrong)
}

fn reason() -> Reason {
    Reason {
        code: ReasonCode::WrongAmount,
        note: None,
    }
}

/// What the phone at this place thinks is right: the first and the third correct the entry, each to
/// another amount; the second takes it back; the last does so twice.
fn correction(phone: &Phone, at: usize, wrong: EntryId) -> Vec<Body> {
    let reversed = || {
        Body::from(EntryReversed {
            target: wrong,
            reason: reason(),
            witness: None,
        })
    };
    if at % 2 == 1 {
        return (0..at.div_ceil(2)).map(|_| reversed()).collect();
    }
    let replacement = EntryId(EventId {
        device: phone.number(),
        seq: phone.head().seq + 2,
    });
    let corrected = EntryCorrected {
        target: wrong,
        replacement,
        reason: reason(),
        witness: None,
    };
    let right = match credit(100 + at as i64) {
        Body::CreditGiven(mut credit) => {
            credit.particulars.replaces = Some(wrong);
            Body::from(credit)
        }
        other => other,
    };
    vec![corrected.into(), right]
}

/// The phone hands in what it has. The server takes it, the answer is lost, and the same is sent
/// again.
fn hand_in_twice(phone: &mut Phone, server: &mut Server) {
    let outputs = phone.handle(Input::SyncNow);
    let (ticket, request) = until_sent(phone, outputs);
    for _ in 0..2 {
        server
            .sync(phone.number(), &request, NOW)
            .expect("it is taken, once");
    }
    let outputs = phone.handle(Input::TimerFired(ticket));
    let (ticket, _) = timer(&outputs);
    tell(phone, server, Input::TimerFired(ticket));
    assert_eq!(activity(phone), Activity::Settled);
}

#[test]
fn in_each_of_the_24_orders_every_entry_is_there_once_and_all_books_are_the_same() {
    let mut ends = BTreeSet::new();
    let orders = orders();
    assert_eq!(orders.len(), 24);
    for order in orders {
        let (mut server, mut phones, wrong) = four_phones();
        let mut acknowledged = BTreeSet::new();
        for (at, phone) in phones.iter_mut().enumerate() {
            // All at once: nobody has heard of the others.
            let first_seq = phone.head().seq + 1;
            phone.handle(Input::Offline);
            let bodies = correction(phone, at, wrong);
            let _ = phone.append_at(20, bodies, Vec::new());
            let device = phone.number();
            let seqs = first_seq..=phone.head().seq;
            acknowledged.extend(seqs.map(|seq| EventId { device, seq }));
        }
        for at in order {
            hand_in_twice(&mut phones[at], &mut server);
        }
        for phone in &mut phones {
            tell(phone, &mut server, Input::SyncNow);
        }

        let mut there: Vec<EventId> = Vec::new();
        for chunk in &server.chunks {
            assert_eq!(chunk.verdict, Verdict::Accepted);
            let seqs = chunk.first_seq..chunk.first_seq + chunk.count;
            let device = chunk.device;
            there.extend(seqs.map(|seq| EventId { device, seq }));
        }
        let once: BTreeSet<EventId> = there.iter().copied().collect();
        assert_eq!(once.len(), there.len(), "none is there twice: {order:?}");
        assert!(acknowledged.is_subset(&once), "none is lost: {order:?}");
        for phone in &phones {
            assert_eq!(phone.disk.chunks, server.chunks, "{order:?}");
            ends.insert(phone.ledger().to_bytes());
        }
        assert!(phones[0].ledger().reversals.contains_key(&wrong));
    }
    assert_eq!(ends.len(), 1, "no order leads to other books");
}
