//! Copies of a phone's storage, and storages restored from older ones.

use crate::jig::*;
use shared::event::Role;
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Input, Output, Stop};
use shared::testing::device::{NOW, enrolled};
use shared::testing::phone::Phone;

#[test]
fn a_phone_restored_from_an_older_copy_gets_its_own_entries_back() {
    let (mut server, _, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    let copy = two.disk.clone();
    write(&mut two, &mut server, credit(20));
    write(&mut two, &mut server, credit(30));
    let mut restored = Phone::new(copy);
    start(&mut restored, &mut server);
    assert_eq!(restored.disk.writer.events, two.disk.writer.events);
    assert_eq!(restored.ledger().to_bytes(), two.ledger().to_bytes());
    write(&mut restored, &mut server, credit(40));
    assert_eq!(activity(&restored), Activity::Settled);
}

#[test]
fn a_copy_that_writes_on_its_own_is_stopped_and_keeps_its_entries() {
    let (mut server, _, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    let mut copy = Phone::new(two.disk.clone());
    write(&mut two, &mut server, credit(20));
    copy.disk.append(50, vec![credit(30)], Vec::new());
    start(&mut copy, &mut server);
    assert_eq!(activity(&copy), Activity::Stopped(Stop::Forked));
    assert_eq!(copy.disk.writer.events.len(), 2);
    assert_eq!(copy.ledger().entries.len(), 2);
    let size = server.state.log.size();
    tell(&mut copy, &mut server, Input::SyncNow);
    assert_eq!(server.state.log.size(), size, "nothing of it is in the log");
}

#[test]
fn a_copy_that_wrote_less_than_the_phone_is_seen_too_and_the_server_is_not_blamed() {
    let (mut server, _, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    let mut copy = Phone::new(two.disk.clone());
    for rupees in [20, 30, 40] {
        write(&mut two, &mut server, credit(rupees));
    }
    copy.disk.append(50, vec![credit(50)], Vec::new());
    start(&mut copy, &mut server);
    assert_eq!(activity(&copy), Activity::Stopped(Stop::Forked));
    assert_eq!(copy.ledger().entries.len(), 2, "it keeps its own");
}

#[test]
fn an_entry_written_while_the_restored_chain_is_stored_is_a_copy_that_writes() {
    let (mut server, _, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    let copy = two.disk.clone();
    write(&mut two, &mut server, credit(20));
    let mut restored = Phone::new(copy);
    let outputs = restored.start(true, 7);
    let (ticket, request) = until_sent(&mut restored, outputs);
    let answer = server.sync(DeviceNo(2), &request, NOW).expect("an answer");
    let outputs = answered(&mut restored, ticket, answer);
    let verify = outputs
        .iter()
        .find(|output| matches!(output, Output::Verify(..)));
    let outputs = local(&mut restored, verify.expect("a new head"));
    let _ = restored.append(vec![credit(30)], Vec::new());
    let outputs = settle(&mut restored, &mut server, outputs);
    let (ticket, _) = timer(&outputs);
    tell(&mut restored, &mut server, Input::TimerFired(ticket));
    assert_eq!(activity(&restored), Activity::Stopped(Stop::Forked));
    assert_eq!(restored.disk.writer.events.len(), 2, "it keeps its own");
}

#[test]
fn an_emptied_phone_pairs_anew_gets_everything_back_and_writes_over_nothing() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    write(&mut one, &mut server, credit(20));
    tell(&mut two, &mut server, Input::SyncNow);
    let lost = two;
    // Its storage is gone, and its number and key with it: it is a new phone to the shop.
    write(&mut one, &mut server, enrolled(3, Role::Cashier));
    let before = server.chunks.clone();
    let mut again = phone(3);
    start(&mut again, &mut server);
    assert_eq!(server.chunks, before, "it pushed nothing");
    assert_eq!(again.ledger().entries.len(), 2);
    assert!(
        lost.ledger()
            .entries
            .keys()
            .all(|entry| again.ledger().entries.contains_key(entry))
    );
    write(&mut again, &mut server, credit(30));
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(one.ledger().to_bytes(), again.ledger().to_bytes());
    assert_eq!(one.ledger().entries.len(), 3);
}
