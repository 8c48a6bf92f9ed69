//! Copies of a phone's storage, and storages restored from older ones.

use crate::jig::*;
use shared::bytes::Fixed;
use shared::event::{DeviceRevoked, Role};
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Failure, Input, Output, Stop, Ticket};
use shared::sync::wire::Fork;
use shared::testing::device::{NOW, enrolled};
use shared::testing::phone::Phone;
use shared::testing::server::Server;

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

/// A phone and a copy of it, each of which has written one entry of its own since; the phone's is
/// with the server.
fn parted() -> (Server, Phone, Phone, Phone) {
    let (mut server, one, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    let mut copy = Phone::new(two.disk.clone());
    write(&mut two, &mut server, credit(20));
    copy.disk.append(50, vec![credit(30)], Vec::new());
    (server, one, two, copy)
}

/// All phones hold the log and the same books, with so many entries, each of them once.
fn assert_all_have(server: &mut Server, phones: &mut [&mut Phone], entries: usize) {
    for phone in phones.iter_mut() {
        tell(phone, server, Input::SyncNow);
    }
    for phone in phones.iter_mut() {
        tell(phone, server, Input::SyncNow);
        assert_eq!(activity(phone), Activity::Settled, "{:?}", phone.number());
        assert_eq!(phone.disk.chunks, server.chunks);
        assert_eq!(phone.disk.cursor.log, server.state.log);
        assert_eq!(phone.ledger().entries.len(), entries);
    }
    let books = phones.iter().map(|phone| phone.ledger().to_bytes());
    let books: Vec<Vec<u8>> = books.collect();
    assert!(books.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Lets everything go well until a copy asks for a number of its own.
fn until_copy_asks(copy: &mut Phone, server: &mut Server, outputs: Vec<Output>) -> (Ticket, Fork) {
    until(copy, server, outputs, |output| match output {
        Output::Branch(ticket, fork) => Some((*ticket, *fork)),
        _ => None,
    })
}

#[test]
fn a_copy_that_wrote_on_goes_on_as_a_phone_of_its_own_and_nothing_is_lost() {
    let (mut server, mut one, mut two, mut copy) = parted();
    let bytes = copy.disk.writer.events.clone();
    start(&mut copy, &mut server);
    assert_ne!(copy.number(), two.number());
    assert_eq!(copy.disk.writer.events, bytes, "nothing was written anew");
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 3);
    write(&mut copy, &mut server, credit(40));
    write(&mut two, &mut server, credit(50));
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 5);
}

#[test]
fn a_copy_that_wrote_less_than_the_phone_is_found_where_they_part() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    let mut copy = Phone::new(two.disk.clone());
    for rupees in [20, 30, 40] {
        write(&mut two, &mut server, credit(rupees));
    }
    copy.disk.append(50, vec![credit(50)], Vec::new());
    start(&mut copy, &mut server);
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 5);
}

#[test]
fn a_copy_that_wrote_more_than_one_push_takes_is_found_where_they_part() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    let mut copy = Phone::new(two.disk.clone());
    for _ in 0..1200 {
        two.disk.append(50, vec![credit(20)], Vec::new());
        copy.disk.append(50, vec![credit(30)], Vec::new());
    }
    copy.disk.append(50, vec![credit(30)], Vec::new());
    two.crash();
    start(&mut two, &mut server);
    start(&mut copy, &mut server);
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 2402);
}

#[test]
fn the_two_part_in_the_middle_of_what_the_phone_pushed_at_once() {
    let (mut server, mut one, mut two) = two_phones();
    let mut copy = Phone::new(two.disk.clone());
    // Both hold two entries that were not sent yet, before each goes on by itself.
    for phone in [&mut two, &mut copy] {
        phone.disk.append(50, vec![credit(10)], Vec::new());
        phone.disk.append(51, vec![credit(20)], Vec::new());
    }
    two.disk.append(52, vec![credit(30)], Vec::new());
    copy.disk.append(52, vec![credit(40)], Vec::new());
    two.crash();
    start(&mut two, &mut server);
    start(&mut copy, &mut server);
    let branch = copy.disk.branch.expect("a device of its own");
    assert_eq!(branch.from_seq, 3, "what both wrote is the phone's");
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 4);
}

#[test]
fn three_copies_and_a_copy_of_a_copy_all_end_with_everything() {
    let (mut server, mut one, mut two, mut first) = parted();
    let mut second = Phone::new(first.disk.clone());
    second.disk.writer.forget_after(1);
    second.disk.append(50, vec![credit(60)], Vec::new());
    start(&mut first, &mut server);
    start(&mut second, &mut server);
    let mut third = Phone::new(first.disk.clone());
    write(&mut first, &mut server, credit(70));
    third.disk.append(90, vec![credit(80)], Vec::new());
    start(&mut third, &mut server);
    let branch = third.disk.branch.expect("a device of its own");
    assert_eq!(branch.of, first.number());
    let phones = &mut [&mut one, &mut two, &mut first, &mut second, &mut third];
    assert_all_have(&mut server, phones, 6);
}

#[test]
fn an_answer_that_is_lost_and_an_app_that_dies_leave_one_copy_and_not_two() {
    let (mut server, mut one, mut two, mut copy) = parted();
    let mut asked = None;
    // The server registers it. The answer is lost, and the app dies; twice.
    for _ in 0..2 {
        let outputs = copy.start(true, 7);
        let (_, fork) = until_copy_asks(&mut copy, &mut server, outputs);
        assert!(asked.is_none_or(|before| before == fork), "the same again");
        asked = Some(fork);
        let claim = copy.claim(fork, 100);
        server.branch(&claim, NOW, 0).expect("registered");
        copy.crash();
    }
    start(&mut copy, &mut server);
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 3);
    let copies = server.state.authority.devices().values();
    assert_eq!(copies.filter(|it| it.branch_of.is_some()).count(), 1);
}

#[test]
fn what_is_written_while_the_server_is_asked_goes_along() {
    let (mut server, mut one, mut two, mut copy) = parted();
    let outputs = copy.start(true, 7);
    let (ticket, fork) = until_copy_asks(&mut copy, &mut server, outputs);
    let claim = copy.claim(fork, 100);
    server.branch(&claim, NOW, 0).expect("registered");
    let outputs = copy.append(vec![credit(40)], Vec::new());
    settle(&mut copy, &mut server, outputs);
    tell(&mut copy, &mut server, Input::Branched(ticket));
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 4);
}

#[test]
fn a_server_that_lost_what_it_said_of_a_copy_is_asked_again() {
    let (mut server, mut one, mut two, mut copy) = parted();
    tell(&mut two, &mut server, Input::SyncNow);
    let backup = server.clone();
    let outputs = copy.start(true, 7);
    let (ticket, fork) = until_copy_asks(&mut copy, &mut server, outputs);
    let claim = copy.claim(fork, 100);
    server.branch(&claim, NOW, 0).expect("registered");
    let outputs = copy.handle(Input::Branched(ticket));
    let stored = outputs.iter().any(|output| match output {
        Output::Persist(_, batch) => copy.persist(batch),
        _ => false,
    });
    assert!(stored, "it has its number, and has sent nothing under it");
    copy.crash();
    let number = copy.number();
    server.set_back(backup);
    // All others show that they hold no more than the server.
    tell(&mut one, &mut server, Input::SyncNow);
    tell(&mut two, &mut server, Input::SyncNow);
    start(&mut copy, &mut server);
    assert_eq!(copy.number(), number);
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 3);
}

/// To a server that was set back, a phone and its copy are one device until they part: when the phone
/// has shown that it holds no more, nobody waits for the copy, which has read further.
#[test]
fn a_copy_that_has_read_what_a_server_gave_away_keeps_it_and_follows_the_owner() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut two, &mut server, credit(10));
    tell(&mut one, &mut server, Input::SyncNow);
    let mut copy = Phone::new(two.disk.clone());
    let backup = server.clone();
    // The answer to the phone is lost. The copy reads the entry.
    let outputs = two.append(vec![credit(20)], Vec::new());
    let (_, request) = until_sent(&mut two, outputs);
    server.sync(two.number(), &request, NOW).expect("stored");
    two.crash();
    start(&mut copy, &mut server);
    let read = copy.disk.cursor.log.size();
    server.set_back(backup);
    let outputs = start(&mut two, &mut server);
    write(&mut one, &mut server, credit(30));
    tell(&mut two, &mut server, Input::TimerFired(timer(&outputs).0));
    write(&mut two, &mut server, credit(40));
    assert!(server.state.log.size() > read, "it went on");
    write(&mut copy, &mut server, credit(50));
    let stopped = activity(&copy);
    assert!(matches!(stopped, Activity::Stopped(Stop::LogRewritten(_))));
    assert_eq!(copy.ledger().entries.len(), 3, "it keeps all that it has");
    tell(&mut one, &mut server, Input::SyncNow);
    let opened = one.consent(&server.state.log, Fixed([2; 16]));
    server.open(&opened, NOW).expect("the owner's word");
    tell(&mut copy, &mut server, Input::SyncNow);
    assert_ne!(copy.number(), two.number(), "it is a phone of its own");
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 5);
}

#[test]
fn a_copy_of_the_same_entries_does_not_bring_them_in_twice() {
    let (mut server, mut one, mut two, mut copy) = parted();
    let mut same = Phone::new(copy.disk.clone());
    start(&mut copy, &mut server);
    start(&mut same, &mut server);
    assert_eq!(activity(&same), Activity::Stopped(Stop::Forked));
    assert_eq!(same.ledger().entries.len(), 2, "it keeps what it has");
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut copy], 3);
}

#[test]
fn an_older_server_that_registers_no_copy_leaves_it_as_it_is() {
    let (mut server, _, _, mut copy) = parted();
    let outputs = copy.start(true, 7);
    let (ticket, _) = until_copy_asks(&mut copy, &mut server, outputs);
    let unknown = Failure::Refused("not_found".to_owned());
    tell(&mut copy, &mut server, Input::Failed(ticket, unknown));
    assert_eq!(activity(&copy), Activity::Stopped(Stop::Forked));
    assert_eq!(copy.disk.writer.events.len(), 2);
    assert_eq!(copy.ledger().entries.len(), 2);
}

#[test]
fn the_copy_of_a_removed_phone_keeps_its_entries_and_learns_nothing() {
    let (mut server, mut one, two, mut copy) = parted();
    let device = two.number();
    write(&mut one, &mut server, DeviceRevoked { device });
    let read = copy.disk.chunks.len();
    start(&mut copy, &mut server);
    assert_eq!(activity(&copy), Activity::Stopped(Stop::Forked));
    assert_eq!(copy.disk.chunks.len(), read);
}

#[test]
fn an_entry_written_while_the_restored_chain_is_stored_is_a_copy_that_writes() {
    let (mut server, mut one, mut two) = two_phones();
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
    assert_all_have(&mut server, &mut [&mut one, &mut two, &mut restored], 3);
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
