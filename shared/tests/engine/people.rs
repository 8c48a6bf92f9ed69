//! When people decide, or have to.

use crate::jig::*;
use shared::event::{DeviceRevoked, Role};
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Failure, Input, Problem, SLOW_RETRY_MS, Stop};
use shared::sync::wire::Verdict;
use shared::testing::device::{NOW, enrolled, key};

#[test]
fn an_entry_that_was_not_accepted_makes_the_phone_count_anew() {
    let (mut server, _, mut two) = two_phones();
    let outputs = write(&mut two, &mut server, enrolled(9, Role::Cashier));
    let batch = batches(&outputs)[0];
    assert!(batch.rebuild);
    assert_eq!(batch.chunks[0].verdict, Verdict::QuarantinedForbidden);
    assert!(!two.ledger().devices.contains_key(&DeviceNo(9)));
    assert_eq!(two.ledger().uncounted(), 1);
}

#[test]
fn a_removed_phone_hands_in_what_it_wrote_and_reads_no_more() {
    let (mut server, mut one, mut two) = two_phones();
    let revoked = DeviceRevoked {
        device: DeviceNo(2),
    };
    write(&mut one, &mut server, revoked);
    write(&mut two, &mut server, credit(250));
    assert_eq!(activity(&two), Activity::Stopped(Stop::Revoked));
    assert_eq!(two.engine().status().waiting, 0, "the owner has it");
    assert_eq!(two.disk.cursor.log.size(), 3);
    write(&mut two, &mut server, credit(10));
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(one.ledger().held.len(), 2);
    assert_eq!(two.ledger().entries.len(), 2, "nothing is lost there");
}

#[test]
fn a_phone_that_the_server_does_not_know_keeps_everything() {
    let (mut server, mut one, _) = two_phones();
    let outputs = one.append(vec![credit(250)], Vec::new());
    let (ticket, _) = until_sent(&mut one, outputs);
    let outputs = one.handle(Input::Failed(ticket, Failure::NotKnown));
    // It asks whether the server was set back; this one has never heard of such a thing.
    let (ticket, _) = timer(&outputs);
    let unknown = Failure::Refused("not_found".to_owned());
    let outputs = one.handle(Input::Failed(ticket, unknown));
    assert_eq!(activity(&one), Activity::Stopped(Stop::NotKnown));
    assert_eq!(one.engine().status().waiting, 1);
    assert_eq!(timer(&outputs).1, SLOW_RETRY_MS);
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(activity(&one), Activity::Settled);
}

#[test]
fn a_phone_that_is_not_enrolled_yet_waits_for_it() {
    let (mut server, mut one, mut two) = (server(), founder(), phone(2));
    start(&mut one, &mut server);
    let outputs = start(&mut two, &mut server);
    assert_eq!(activity(&two), Activity::Stopped(Stop::NotEnrolled));
    let (ticket, _) = timer(&outputs);
    write(&mut one, &mut server, enrolled(2, Role::Cashier));
    tell(&mut two, &mut server, Input::TimerFired(ticket));
    assert_eq!(activity(&two), Activity::Settled);
}

#[test]
fn an_app_and_a_server_without_a_common_version_say_so() {
    let (mut server, mut one, _) = two_phones();
    let outputs = one.handle(Input::SyncNow);
    let (ticket, request) = until_sent(&mut one, outputs);
    let mut answer = server.sync(DeviceNo(1), &request, NOW).expect("an answer");
    answer.protocol = 2;
    answered(&mut one, ticket, answer);
    assert_eq!(activity(&one), Activity::Stopped(Stop::UpdateNeeded));
    let outputs = one.handle(Input::SyncNow);
    let (ticket, _) = until_sent(&mut one, outputs);
    let refused = Failure::Refused("protocol".to_owned());
    let _ = one.handle(Input::Failed(ticket, refused));
    assert_eq!(activity(&one), Activity::Stopped(Stop::UpdateNeeded));
}

#[test]
fn a_server_that_refuses_the_whole_request_for_its_signature_says_the_same() {
    let (_, mut one, _) = two_phones();
    let outputs = one.append(vec![credit(250)], Vec::new());
    let (ticket, _) = until_sent(&mut one, outputs);
    let refused = Failure::Refused("bad_signature".to_owned());
    let _ = one.handle(Input::Failed(ticket, refused));
    assert_eq!(problem(&one), Some(Problem::SignatureRefused));
    assert_eq!(one.engine().status().waiting, 1);
}

#[test]
fn a_signature_that_is_not_taken_is_made_again_with_patience() {
    let (mut server, mut one, _) = two_phones();
    one.disk.writer.key = key(5);
    let outputs = write(&mut one, &mut server, credit(250));
    assert_eq!(requests(&outputs).len(), 1, "not at once");
    assert_eq!(problem(&one), Some(Problem::SignatureRefused));
    one.disk.writer.key = key(1);
    let (ticket, _) = timer(&outputs);
    tell(&mut one, &mut server, Input::TimerFired(ticket));
    assert_eq!(activity(&one), Activity::Settled);
}
