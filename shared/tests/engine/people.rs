//! When people decide, or have to.

use crate::jig::*;
use shared::event::{DeviceRevoked, Role};
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Failure, Input, Problem, SLOW_RETRY_MS, Stop};
use shared::sync::wire::{Protocols, Verdict};
use shared::testing::device::{NOW, enrolled, key};
use shared::testing::phone::Phone;
use shared::testing::server::Server;

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
    let _ = one.handle(Input::Failed(ticket, Failure::OtherProtocol(None)));
    assert_eq!(activity(&one), Activity::Stopped(Stop::UpdateNeeded));
}

const fn versions(oldest: u16, newest: u16) -> Protocols {
    Protocols { oldest, newest }
}

/// What a phone that speaks `app` comes to with a server that speaks `server`, and in how many
/// requests.
fn meet(app: Protocols, speaks: Protocols) -> (Activity, Vec<u16>, Phone, Server) {
    let (mut server, mut one, _) = two_phones();
    server.protocols = speaks;
    one.speak(app);
    let outputs = write(&mut one, &mut server, credit(250));
    let asked = requests(&outputs).iter().map(|it| it.protocol).collect();
    (activity(&one), asked, one, server)
}

#[test]
fn a_phone_that_is_newer_than_its_server_speaks_as_the_server_does() {
    let (activity, asked, one, _) = meet(versions(1, 5), versions(1, 3));
    assert_eq!((activity, asked), (Activity::Settled, vec![5, 3]));
    assert_eq!(one.engine().status().waiting, 0);
}

#[test]
fn a_server_that_is_newer_than_a_phone_answers_as_the_phone_speaks() {
    let (activity, asked, _, _) = meet(versions(1, 1), versions(1, 7));
    assert_eq!((activity, asked), (Activity::Settled, vec![1]));
}

#[test]
fn a_server_of_before_that_names_no_versions_is_met_by_trying() {
    let (mut server, mut one, _) = two_phones();
    one.speak(versions(1, 3));
    let mut outputs = one.handle(Input::SyncNow);
    for version in [3, 2] {
        let (ticket, request) = until_sent(&mut one, outputs);
        assert_eq!(request.protocol, version);
        outputs = one.handle(Input::Failed(ticket, Failure::OtherProtocol(None)));
    }
    settle(&mut one, &mut server, outputs);
    assert_eq!(activity(&one), Activity::Settled);
}

#[test]
fn without_a_common_version_nothing_is_lost_and_an_update_of_either_side_is_enough() {
    for (app, speaks) in [
        (versions(1, 2), versions(3, 4)),
        (versions(3, 4), versions(1, 2)),
    ] {
        let (activity_then, _, mut one, mut server) = meet(app, speaks);
        assert_eq!(activity_then, Activity::Stopped(Stop::UpdateNeeded));
        assert_eq!(one.engine().status().waiting, 1, "it stays here");
        server.protocols = versions(1, 4);
        tell(&mut one, &mut server, Input::SyncNow);
        assert_eq!(activity(&one), Activity::Settled);
    }
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
