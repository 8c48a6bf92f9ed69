//! When all goes well.

use crate::jig::*;
use shared::bytes::Fixed;
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Input, Output};
use shared::sync::wire::{MAX_KEYS, MAX_PUSH_EVENTS, SealingKey, SyncRequest};
use shared::testing::device::{NOW, session};

#[test]
fn what_was_written_alone_is_handed_in_at_the_first_meeting() {
    let (mut server, mut one) = (server(), founder());
    let outputs = start(&mut one, &mut server);
    assert_eq!(server.state.log.size(), 2);
    let status = one.engine().status();
    assert_eq!((status.activity, status.waiting), (Activity::Settled, 0));
    assert_eq!((status.position, status.log_size), (2, 2));
    let [batch] = batches(&outputs)[..] else {
        panic!("one answer, one transaction");
    };
    assert_eq!(batch.confirmed_seq, 2);
    let events = batch.chunks[0].events.as_ref();
    assert_eq!(
        events,
        Some(&one.disk.writer.events),
        "with bytes, though they were not sent back"
    );
    assert_eq!(one.disk.cursor.log, {
        // What the server keeps of the log is what the phone keeps.
        server.state.log.clone()
    });
}

#[test]
fn phones_that_meet_at_the_server_hold_the_same_log_and_the_same_books() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut two, &mut server, credit(250));
    write(&mut one, &mut server, credit(180));
    let size = server.state.log.size();
    tell(&mut two, &mut server, Input::Hinted { size });
    assert_eq!(one.disk.chunks, two.disk.chunks);
    assert_eq!(one.disk.cursor.log.root(), server.state.log.root());
    assert_eq!(one.ledger().to_bytes(), two.ledger().to_bytes());
    assert_eq!(one.ledger().entries.len(), 2);
}

#[test]
fn an_entry_is_sent_at_once_and_alone() {
    let (mut server, mut one, _) = two_phones();
    let outputs = write(&mut one, &mut server, credit(250));
    let [request] = requests(&outputs)[..] else {
        panic!("one round trip pushes and pulls");
    };
    let push = request.push.as_ref().expect("a push");
    assert_eq!((push.first_seq, push.events.len()), (4, 1));
}

#[test]
fn many_entries_go_in_pushes_that_a_server_takes() {
    let (mut server, mut one, _) = two_phones();
    let many = (0..2_500).map(|_| session().into()).collect();
    let outputs = one.append(many, Vec::new());
    let outputs = settle(&mut one, &mut server, outputs);
    let sizes: Vec<usize> = requests(&outputs)
        .iter()
        .filter_map(|request| Some(request.push.as_ref()?.events.len()))
        .collect();
    assert_eq!(sizes, [MAX_PUSH_EVENTS, MAX_PUSH_EVENTS, 500]);
    assert_eq!(activity(&one), Activity::Settled);
}

#[test]
fn large_entries_go_in_smaller_pushes() {
    let (mut server, mut one, _) = two_phones();
    for _ in 0..20 {
        one.disk.writer.write_bytes(vec![0; 50_000]);
    }
    let outputs = tell(&mut one, &mut server, Input::SyncNow);
    assert!(requests(&outputs)[0].push.is_none(), "not told of them yet");
    let events = one.own_from(4);
    let appended = Input::Appended {
        first_seq: 4,
        events,
        keys: Vec::new(),
    };
    let outputs = tell(&mut one, &mut server, appended);
    for request in requests(&outputs) {
        let push = request.push.iter().flat_map(|push| &push.events);
        let bytes: usize = push.map(|bytes| bytes.0.len()).sum();
        assert!(bytes <= 512 * 1024);
    }
    assert_eq!(server.state.log.size(), 3 + 20);
}

#[test]
fn a_long_log_comes_in_parts_that_follow_at_once() {
    let (mut server, mut one, _) = two_phones();
    for _ in 0..80 {
        one.disk.writer.write_bytes(vec![0; 10_000]);
        let seq = one.disk.writer.head().seq;
        let request = SyncRequest {
            push: Some(one.disk.writer.push(seq, seq)),
            ..one.disk.writer.ask()
        };
        server.sync(DeviceNo(1), &request, NOW).expect("taken");
    }
    let mut two = phone(2);
    let outputs = start(&mut two, &mut server);
    assert!(requests(&outputs).len() > 2);
    assert_eq!(two.disk.cursor.log.root(), server.state.log.root());
    assert_eq!(activity(&two), Activity::Settled);
}

#[test]
fn a_hint_brings_a_pull_and_an_old_hint_does_not() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, credit(250));
    let outputs = tell(&mut two, &mut server, Input::Hinted { size: 3 });
    assert!(requests(&outputs).is_empty(), "it has read that far");
    let outputs = tell(&mut two, &mut server, Input::Hinted { size: 4 });
    assert_eq!(requests(&outputs).len(), 1);
    assert_eq!(two.disk.cursor.log.size(), 4);
}

#[test]
fn a_hint_during_a_sync_is_not_forgotten() {
    let (mut server, mut one, mut two) = two_phones();
    let outputs = two.handle(Input::SyncNow);
    let (ticket, request) = until_sent(&mut two, outputs);
    let early = server.sync(DeviceNo(2), &request, NOW).expect("an answer");
    write(&mut one, &mut server, credit(250));
    assert!(requests(&two.handle(Input::Hinted { size: 4 })).is_empty());
    let outputs = answered(&mut two, ticket, early);
    settle(&mut two, &mut server, outputs);
    assert_eq!(two.disk.cursor.log.size(), 4);
    assert_eq!(activity(&two), Activity::Settled);
}

#[test]
fn a_quiet_phone_looks_at_the_server_now_and_then() {
    let (mut server, mut one, mut two) = two_phones();
    let outputs = tell(&mut two, &mut server, Input::SyncNow);
    let (ticket, wait_ms) = timer(&outputs);
    assert!(wait_ms <= 60_000);
    write(&mut one, &mut server, credit(250));
    tell(&mut two, &mut server, Input::TimerFired(ticket));
    assert_eq!(two.disk.cursor.log.size(), 4);
}

#[test]
fn keys_reach_the_server_no_later_than_the_events_that_need_them() {
    let (mut server, mut one, mut two) = two_phones();
    for command in 0..3u8 {
        let keys = (0..500u16).map(|number| {
            let [high, low] = number.to_be_bytes();
            SealingKey {
                id: Fixed([command, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
                key: Some(Fixed([command; 32])),
            }
        });
        let first_seq = one
            .disk
            .append(9, vec![credit(1), credit(2)], keys.clone().collect());
        let events = one.own_from(first_seq);
        let keys = keys.collect();
        one.handle(Input::Appended {
            first_seq,
            events,
            keys,
        });
    }
    one.crash();
    let outputs = start(&mut one, &mut server);
    let mut arrived = 0;
    for request in requests(&outputs) {
        let keys = request.keys.as_ref().map_or(0, Vec::len);
        assert!(keys <= MAX_KEYS);
        arrived += keys;
        let push = request.push.as_ref();
        let last = push.map_or(0, |push| push.first_seq + push.events.len() as u32 - 1);
        assert!(last < 4 || arrived >= 500 * ((last as usize - 2) / 2));
    }
    assert_eq!(server.keys.len(), 1_500, "each once");
    tell(&mut two, &mut server, Input::SyncNow);
    assert_eq!(two.disk.keys, one.disk.keys);
    assert!(one.disk.new_keys.is_empty());
}

#[test]
fn the_distance_of_the_clocks_is_told() {
    let (mut server, mut one, _) = two_phones();
    let outputs = one.handle(Input::SyncNow);
    let (ticket, request) = until_sent(&mut one, outputs);
    let late = NOW.plus_ms(3_600_000);
    let answer = server.sync(DeviceNo(1), &request, late).expect("an answer");
    answered(&mut one, ticket, answer);
    assert_eq!(one.engine().status().clock_offset_ms, Some(3_600_000));
}

#[test]
fn every_wait_has_a_timer() {
    let (mut server, mut one) = (server(), founder());
    let outputs = start(&mut one, &mut server);
    let waits = outputs.iter().zip(&outputs[1..]);
    for (before, output) in waits {
        let ticket = match output {
            Output::Sign(ticket, _) => ticket,
            Output::Send(ticket, _) => ticket,
            Output::Verify(ticket, _) => ticket,
            Output::Persist(ticket, _) => ticket,
            _ => continue,
        };
        assert!(matches!(before, Output::SetTimer(timer, _) if timer == ticket));
    }
}
