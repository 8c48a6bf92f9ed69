//! What comes into the log, where, and as what.

use crate::jig::*;
use shared::bytes::{Bytes, Fixed, Hash};
use shared::event::{DeviceRevoked, MAX_CLOCK_JUMP, MAX_EVENT_BYTES, Role};
use shared::ids::DeviceNo;
use shared::sync::judge::{LogState, Refusal};
use shared::sync::tree::{Frontier, leaf_hash};
use shared::sync::wire::{Advice, PushResult, SealingKey, SyncRequest, Verdict};
use shared::testing::device::{NOW, Writer, enrolled, key, session, sign};

#[test]
fn the_founding_phone_hands_in_its_first_events_after_the_claim() {
    let mut server = Server::claimed();
    let founder = Writer::founder();
    let judgement = server.push_all(&founder);
    assert_eq!(judgement.results, [stored(1, 2, Verdict::Accepted)]);
    assert_eq!(judgement.standing.advice, Advice::None);
    assert_eq!(judgement.standing.known_hash, founder.head().hash);
    let [chunk] = &judgement.chunks[..] else {
        panic!("one chunk for one run of events");
    };
    assert_eq!((chunk.position, chunk.first_seq, chunk.count()), (1, 1, 2));
    assert_eq!(chunk.end_hash, founder.head().hash);
}

#[test]
fn the_root_is_the_tree_over_the_leaves_of_every_event() {
    let mut server = Server::claimed();
    let founder = Writer::founder();
    server.push_all(&founder);
    let mut tree = Frontier::default();
    for seq in 1..=2 {
        let chain = founder.head_at(seq).hash;
        tree.push(leaf_hash(DeviceNo(1), seq, &chain, NOW, Verdict::Accepted));
    }
    assert_eq!(server.0.log.root(), tree.root());
    assert_eq!(server.0.log.size(), 2);
}

#[test]
fn a_push_that_was_answered_before_is_a_duplicate_and_stores_nothing() {
    let mut server = Server::claimed();
    let founder = Writer::founder();
    let request = founder.ask_with(1, 2);
    server.take(&founder, &request);
    let again = server.take(&founder, &request);
    assert_eq!(again.results, [run(1, 2, PushResult::Duplicate)]);
    assert!(again.chunks.is_empty() && again.after.is_none());
    assert_eq!(again.standing.known_seq, 2);
}

#[test]
fn the_new_part_of_a_push_that_overlaps_is_stored() {
    let (mut server, _, mut cashier, _) = Server::with_phones();
    (0..5).for_each(|_| {
        cashier.write(credit(10));
    });
    server.push(&cashier, 1, 3);
    let judgement = server.push(&cashier, 2, 5);
    assert_eq!(
        judgement.results,
        [
            run(2, 2, PushResult::Duplicate),
            stored(4, 2, Verdict::Accepted)
        ]
    );
    assert_eq!(judgement.chunks[0].first_seq, 4);
    assert_eq!(
        judgement.chunks[0].events(&cashier.push(2, 5)),
        &cashier.events[3..5]
    );
}

#[test]
fn positions_are_dense_over_all_devices() {
    let (mut server, _, mut cashier, mut manager) = Server::with_phones();
    cashier.write(credit(10));
    manager.write(credit(20));
    manager.write(credit(30));
    let first = server.push_all(&cashier).chunks[0].clone();
    let second = server.push_all(&manager).chunks[0].clone();
    assert_eq!((first.position, first.count()), (5, 1));
    assert_eq!((second.position, second.count()), (6, 2));
    assert_eq!(server.0.log.size(), 7);
}

#[test]
fn a_gap_is_asked_for_and_nothing_is_stored() {
    let (server, _, mut cashier, _) = Server::with_phones();
    (0..3).for_each(|_| {
        cashier.write(credit(10));
    });
    let judgement = server.judge(2, &cashier.ask_with(2, 3)).expect("sound");
    assert_eq!(judgement.standing.advice, Advice::Resend);
    assert_eq!(judgement.standing.known_seq, 0);
    assert_eq!(judgement.results, [run(2, 2, PushResult::NotStored)]);
    assert!(judgement.after.is_none());
}

#[test]
fn a_signature_by_another_key_stores_nothing_and_asks_to_sign_again() {
    let (mut server, _, mut cashier, _) = Server::with_phones();
    cashier.write(credit(10));
    server.push_all(&cashier);
    cashier.write(credit(20));
    let mut request = cashier.ask_with(1, 2);
    let push = request.push.as_mut().expect("a push");
    push.signature = sign(&key(3), b"something else");
    let judgement = server.judge(2, &request).expect("sound");
    assert_eq!(judgement.standing.advice, Advice::Resign);
    assert_eq!(
        judgement.results,
        [
            run(1, 1, PushResult::Duplicate),
            run(2, 1, PushResult::NotStored)
        ]
    );
    assert!(judgement.after.is_none());
}

#[test]
fn one_bad_event_never_blocks_the_rest() {
    let (mut server, _, mut cashier, _) = Server::with_phones();
    cashier.write(credit(10));
    cashier.write_bytes(b"scribble".to_vec());
    let mut elsewhere = Writer::new(3);
    elsewhere.write(credit(20));
    cashier.write_bytes(elsewhere.events[0].0.clone());
    cashier.write_bytes(vec![0; MAX_EVENT_BYTES + 1]);
    let clock = cashier.clock;
    cashier.clock = 5 + MAX_CLOCK_JUMP;
    cashier.write(credit(30));
    cashier.clock = clock;
    cashier.write(enrolled(9, Role::Cashier));
    cashier.write(credit(40));
    cashier.write(credit(50));
    let judgement = server.push_all(&cashier);
    assert_eq!(
        verdicts(&judgement),
        [
            Verdict::Accepted,
            Verdict::QuarantinedMalformed,
            Verdict::QuarantinedMisplaced,
            Verdict::QuarantinedMalformed,
            Verdict::QuarantinedClock,
            Verdict::QuarantinedForbidden,
            Verdict::Accepted,
            Verdict::Accepted,
        ]
    );
    assert_eq!(judgement.chunks.len(), 7, "the last two are one run");
    assert_eq!(judgement.standing.known_seq, 8);
    assert!(server.0.authority.device(DeviceNo(9)).is_none());
}

#[test]
fn no_answer_depends_on_batching() {
    let (server, _, _, mut manager) = Server::with_phones();
    manager.write(credit(10));
    manager.write_bytes(b"scribble".to_vec());
    manager.write(enrolled(4, Role::Cashier));
    manager.write(enrolled(5, Role::Owner));
    manager.write(DeviceRevoked {
        device: DeviceNo(3),
    });
    manager.write(credit(20));
    let last = manager.head().seq;
    let mut whole = Server(server.0.clone());
    let at_once = verdicts(&whole.push_all(&manager));
    for split in 1..last {
        let mut halves = Server(server.0.clone());
        let mut parts = verdicts(&halves.push(&manager, 1, split));
        parts.extend(verdicts(&halves.push(&manager, split + 1, last)));
        assert_eq!(parts, at_once, "split after {split}");
        assert_eq!(halves.0, whole.0, "the log and what is known are the same");
    }
}

#[test]
fn a_clock_may_jump_as_far_as_the_limit_and_no_further() {
    let (mut server, _, mut cashier, _) = Server::with_phones();
    let seen = server.0.authority.clock();
    cashier.clock = seen + MAX_CLOCK_JUMP;
    cashier.write(session());
    cashier.clock = seen + 2 * MAX_CLOCK_JUMP + 1;
    cashier.write(session());
    assert_eq!(
        verdicts(&server.push_all(&cashier)),
        [Verdict::Accepted, Verdict::QuarantinedClock]
    );
    assert_eq!(server.0.authority.clock(), seen + MAX_CLOCK_JUMP);
}

#[test]
fn a_copy_of_a_phone_that_wrote_on_is_a_fork() {
    let (mut server, _, mut phone, _) = Server::with_phones();
    phone.write(credit(10));
    let mut copy = phone.clone();
    phone.write(credit(20));
    server.push_all(&phone);
    copy.write(credit(30));
    for request in [copy.ask(), copy.ask_with(1, 2), copy.ask_with(2, 2)] {
        let judgement = server.judge(2, &request).expect("sound");
        assert_eq!(judgement.standing.advice, Advice::Fork);
        assert_eq!(judgement.standing.known_hash, phone.head().hash);
        assert!(judgement.after.is_none());
        assert!(!judgement.is_covered(DeviceNo(2), 1, 1));
    }
    // It wrote even more than the phone: seen where the two part.
    copy.write(credit(40));
    for first_seq in [1, 2, 3] {
        let judgement = server.judge(2, &copy.ask_with(first_seq, 3));
        assert_eq!(judgement.expect("sound").standing.advice, Advice::Fork);
    }
}

#[test]
fn a_phone_restored_from_an_old_copy_is_behind_and_gets_its_own_events() {
    let (mut server, _, mut phone, _) = Server::with_phones();
    phone.write(credit(10));
    let restored = phone.clone();
    phone.write(credit(20));
    server.push_all(&phone);
    let judgement = server.judge(2, &restored.ask()).expect("sound");
    assert_eq!(judgement.standing.advice, Advice::Behind);
    assert_eq!(judgement.standing.known_seq, 2);
    assert!(
        !judgement.is_covered(DeviceNo(2), 1, 1),
        "whether it wrote the same is for the phone to see"
    );
    let whole = server.judge(2, &phone.ask()).expect("sound");
    assert!(whole.is_covered(DeviceNo(2), 1, 2));
    assert!(!whole.is_covered(DeviceNo(2), 2, 2), "beyond its end");
    assert!(!whole.is_covered(DeviceNo(1), 1, 1), "another's events");
}

#[test]
fn an_event_of_a_newer_app_is_relayed_untouched() {
    let (mut server, _, mut cashier, _) = Server::with_phones();
    cashier.write(session());
    let mut bytes = cashier.events.pop().expect("written").0;
    // The kind is the tenth element: 14 stands as one byte before version 1 and the body.
    let kind = bytes
        .windows(2)
        .position(|pair| pair == [14, 1])
        .expect("the kind");
    bytes[kind] = 23;
    let mut newer = Writer::new(2);
    newer.write_bytes(bytes.clone());
    let judgement = server.push_all(&newer);
    assert_eq!(verdicts(&judgement), [Verdict::Accepted]);
    assert_eq!(
        judgement.chunks[0].events(&newer.push(1, 1)),
        [Bytes(bytes)]
    );
}

#[test]
fn a_device_that_knows_another_log_is_refused_and_nothing_is_stored() {
    let (server, founder, ..) = Server::with_phones();
    let ask = server.caught_up(founder.ask());
    let refused = |request: SyncRequest| server.judge(1, &request).expect_err("refused");
    assert_eq!(
        refused(SyncRequest {
            generation: Some(Fixed([1; 16])),
            ..ask.clone()
        }),
        Refusal::OtherGeneration
    );
    assert_eq!(
        refused(SyncRequest {
            position: 99,
            ..ask.clone()
        }),
        Refusal::LogShorter
    );
    assert_eq!(
        refused(SyncRequest {
            root: Hash::default(),
            ..ask.clone()
        }),
        Refusal::OtherLog
    );
    assert!(server.judge(1, &ask).is_ok());
}

#[test]
fn requests_beyond_the_limits_are_refused() {
    let (server, mut founder, ..) = Server::with_phones();
    let refused = |request: SyncRequest| server.judge(1, &request).expect_err("refused");
    assert_eq!(
        refused(SyncRequest {
            protocol: 2,
            ..founder.ask()
        }),
        Refusal::Protocol(2)
    );
    let keys = vec![
        SealingKey {
            id: Fixed([1; 16]),
            key: None
        };
        1001
    ];
    let too_many_keys = SyncRequest {
        keys: Some(keys),
        ..founder.ask()
    };
    assert_eq!(refused(too_many_keys).status(), 400);
    let mut empty = founder.ask_with(1, 2);
    empty.push.as_mut().expect("a push").events.clear();
    assert_eq!(refused(empty).status(), 400);
    let mut zero = founder.ask_with(1, 2);
    zero.push.as_mut().expect("a push").first_seq = 0;
    assert_eq!(refused(zero).status(), 400);
    let mut beyond = founder.ask_with(1, 2);
    beyond.last_seq = 1;
    assert_eq!(refused(beyond).status(), 400);
    (0..1001).for_each(|_| {
        founder.write(session());
    });
    assert_eq!(refused(founder.ask_with(1, 1001)).status(), 400);
    assert!(server.judge(1, &founder.ask_with(1, 1000)).is_ok());
}

#[test]
fn what_is_known_of_a_log_comes_back_from_its_bytes() {
    let (server, ..) = Server::with_phones();
    let bytes = minicbor::to_vec(&server.0).expect("in memory");
    let again: LogState = minicbor::decode(&bytes).expect("written just now");
    assert_eq!(again, server.0);
}
