//! A log that is not what it was.

use crate::jig::*;
use std::collections::VecDeque;

use shared::bytes::{Bytes, Fixed, Hash};
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Input, Rewritten, Stop, read_reply};
use shared::sync::wire::{Advice, BranchOf, MEDIA_TYPE, SyncAnswer, Verdict};
use shared::testing::device::NOW;
use shared::testing::phone::Phone;
use shared::testing::rng::Rng;

/// An answer to a phone that lacks two chunks, changed by a liar.
fn lie(change: impl Fn(&mut SyncAnswer)) -> (Activity, Phone) {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, credit(250));
    write(&mut one, &mut server, credit(180));
    let outputs = two.handle(Input::SyncNow);
    let (ticket, request) = until_sent(&mut two, outputs);
    let mut answer = server.sync(DeviceNo(2), &request, NOW).expect("an answer");
    change(&mut answer);
    let outputs = answered(&mut two, ticket, answer);
    let mut queue = VecDeque::from(outputs);
    while let Some(output) = queue.pop_front() {
        let next = local(&mut two, &output);
        queue.extend(next);
    }
    (activity(&two), two)
}

#[test]
fn a_log_that_was_changed_is_seen_and_nothing_of_it_is_stored() {
    type Lie = fn(&mut SyncAnswer);
    let lies: [(Rewritten, Lie); 13] = [
        (Rewritten::OtherGeneration, |answer| {
            answer.generation = Fixed([1; 16]);
        }),
        (Rewritten::Shorter, |answer| {
            answer.chunks.clear();
            answer.head.size = 2;
        }),
        (Rewritten::OtherRoot, |answer| {
            answer.head.root = Hash::default();
        }),
        (Rewritten::OtherRoot, |answer| {
            let events = answer.chunks[0].events.as_mut().expect("bytes");
            *events[0].0.last_mut().expect("not empty") ^= 1;
        }),
        (Rewritten::OtherRoot, |answer| {
            answer.chunks[0].received.0 += 1;
        }),
        (Rewritten::OtherRoot, |answer| {
            answer.chunks[0].verdict = Verdict::Held;
        }),
        (Rewritten::NotDense, |answer| {
            answer.chunks.remove(0);
        }),
        (Rewritten::NotDense, |answer| {
            answer.chunks[0].position -= 1;
        }),
        (Rewritten::BadChunk, |answer| {
            answer.chunks[0].count = 2;
        }),
        (Rewritten::BadChunk, |answer| {
            answer.chunks[0].events = None;
        }),
        (Rewritten::BadChunk, |answer| {
            answer.chunks[0].first_seq = u32::MAX;
        }),
        (Rewritten::BadChunk, |answer| {
            answer.chunks[0].branch_of = Some(BranchOf {
                device: DeviceNo(1),
                from_seq: 1,
            });
        }),
        (Rewritten::UnknownDevice, |answer| {
            answer.chunks[0].device = DeviceNo(77);
        }),
    ];
    for (expected, change) in lies {
        let (activity, two) = lie(change);
        assert_eq!(activity, Activity::Stopped(Stop::LogRewritten(expected)));
        assert_eq!(two.disk.chunks.len(), 2, "{expected:?}");
        assert_eq!(two.disk.cursor.log.size(), 3, "{expected:?}");
    }
}

#[test]
fn whatever_bytes_come_what_is_stored_is_the_log() {
    let mut rng = Rng::new(1);
    for _ in 0..1_000 {
        let (mut server, mut one, mut two) = two_phones();
        write(&mut one, &mut server, credit(250));
        write(&mut one, &mut server, credit(180));
        let outputs = two.append(vec![credit(90)], Vec::new());
        let (ticket, request) = until_sent(&mut two, outputs);
        let answer = server.sync(DeviceNo(2), &request, NOW).expect("an answer");
        let mut bytes = minicbor::to_vec(&answer).expect("in memory");
        for _ in 0..=rng.below(3) {
            let place = rng.below(bytes.len() as u64) as usize;
            bytes[place] = rng.bits() as u8;
        }
        let outputs = match read_reply(200, Some(MEDIA_TYPE), None, &bytes) {
            Ok(answer) => two.handle(Input::Answered(ticket, NOW, Box::new(answer))),
            Err(failure) => two.handle(Input::Failed(ticket, failure)),
        };
        let mut queue = VecDeque::from(outputs);
        while let Some(output) = queue.pop_front() {
            let next = local(&mut two, &output);
            queue.extend(next);
        }
        assert!(server.chunks.starts_with(&two.disk.chunks));
        // Nothing was lost: with the true answer all is well.
        two.crash();
        // The numbers of keys are proved by nothing but the line that they came over.
        two.disk.cursor.keys_last = 0;
        start(&mut two, &mut server);
        assert_eq!(activity(&two), Activity::Settled);
        assert_eq!(two.disk.chunks, server.chunks);
    }
}

#[test]
fn a_head_that_the_server_did_not_sign_is_not_believed() {
    let (activity, two) = lie(|answer| answer.head.at.0 += 1);
    let stop = Stop::LogRewritten(Rewritten::BadSignature);
    assert_eq!(activity, Activity::Stopped(stop));
    assert_eq!(two.disk.cursor.log.size(), 3);
}

#[test]
fn a_server_without_events_that_stood_in_its_log_is_seen() {
    let (activity, _) = {
        let (mut server, mut one, _) = two_phones();
        let outputs = one.handle(Input::SyncNow);
        let (ticket, request) = until_sent(&mut one, outputs);
        let mut answer = server.sync(DeviceNo(1), &request, NOW).expect("an answer");
        answer.standing.known_seq = 1;
        answer.standing.advice = Advice::Resend;
        answered(&mut one, ticket, answer);
        (activity(&one), one)
    };
    let stop = Stop::LogRewritten(Rewritten::OwnEventsGone);
    assert_eq!(activity, Activity::Stopped(stop));
}

#[test]
fn the_signed_head_is_kept() {
    let (server, one, _) = two_phones();
    let pinned = one.disk.cursor.pinned.expect("pinned");
    assert_eq!((pinned.size, pinned.root), (3, server.state.log.root()));
}

#[test]
fn a_cursor_comes_back_from_its_bytes() {
    let (_, one, _) = two_phones();
    let bytes = minicbor::to_vec(&one.disk.cursor).expect("in memory");
    let again = minicbor::decode(&bytes).expect("written just now");
    assert_eq!(one.disk.cursor, again);
    assert!(bytes.len() < 600, "{} bytes", bytes.len());
}

#[test]
fn bytes_that_are_no_event_are_carried_like_any_other() {
    let (mut server, mut one, mut two) = two_phones();
    let outputs = two.scribble(b"scribble".to_vec());
    settle(&mut two, &mut server, outputs);
    write(&mut two, &mut server, credit(10));
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(one.ledger().to_bytes(), two.ledger().to_bytes());
    assert_eq!(one.ledger().entries.len(), 1);
    let bytes = Bytes(b"scribble".to_vec());
    let held = one.disk.chunks.iter().flat_map(|chunk| &chunk.events);
    assert!(held.flatten().any(|event| *event == bytes));
}
