//! A server whose disk was lost, and that was set back to an older copy.

use crate::jig::*;
use shared::bytes::Fixed;
use shared::event::{CustomerAdded, CustomerErased, DeviceRevoked, Role};
use shared::ids::{CustomerId, DeviceNo, EventId};
use shared::sync::engine::{Activity, Failure, Input, Output, Problem, Rewritten, Stop};
use shared::sync::restore::{
    MAX_RECOVERY_RETRY_MS, RECOVERY_MS, RECOVERY_RETRY_MS, recovery_retry_ms,
};
use shared::sync::wire::{RestoreAnswer, SealingKey};
use shared::testing::device::{NOW, enrolled};
use shared::testing::phone::Phone;
use shared::testing::server::{NotServed, Server};

/// All phones hold the log of the server, and the same books.
fn assert_in_step(server: &Server, phones: &[&Phone]) {
    for phone in phones {
        assert_eq!(activity(phone), Activity::Settled, "{:?}", phone.number());
        assert_eq!(phone.disk.chunks, server.chunks);
        assert_eq!(phone.disk.cursor.log, server.state.log);
        assert_eq!(phone.ledger().to_bytes(), phones[0].ledger().to_bytes());
    }
}

#[test]
fn what_the_server_lost_comes_back_from_a_phone_at_its_own_positions() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    tell(&mut two, &mut server, Input::SyncNow);
    write(&mut two, &mut server, credit(180));
    tell(&mut one, &mut server, Input::SyncNow);
    let whole = server.clone();
    server.set_back(backup);
    tell(&mut one, &mut server, Input::SyncNow);
    tell(&mut two, &mut server, Input::SyncNow);
    assert_eq!(server.chunks, whole.chunks, "positions, times, verdicts");
    assert_eq!(server.state.log, whole.state.log);
    assert_eq!(server.state.authority, whole.state.authority);
    write(&mut two, &mut server, credit(90));
    tell(&mut one, &mut server, Input::SyncNow);
    assert_in_step(&server, &[&one, &two]);
    assert_eq!(one.ledger().entries.len(), 3, "each once");
}

#[test]
fn one_phone_brings_a_part_and_another_the_rest() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    tell(&mut two, &mut server, Input::SyncNow);
    // From here on only one of them has read.
    write(&mut one, &mut server, credit(180));
    write(&mut one, &mut server, credit(90));
    let whole = server.clone();
    server.set_back(backup);
    tell(&mut two, &mut server, Input::SyncNow);
    assert_eq!(server.state.log.size(), 4, "as far as it had read");
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(server.chunks, whole.chunks);
    tell(&mut two, &mut server, Input::SyncNow);
    assert_in_step(&server, &[&one, &two]);
}

#[test]
fn who_comes_first_gives_no_lost_position_to_a_new_entry() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    let whole = server.clone();
    server.set_back(backup);
    // This phone has read no more than the server still holds, and has something new.
    let outputs = write(&mut two, &mut server, credit(180));
    assert_eq!(
        server.state.log.size(),
        3,
        "the server waits for the others"
    );
    assert_eq!(two.engine().status().waiting, 1, "nothing is lost");
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(server.chunks, whole.chunks);
    let (ticket, _) = timer(&outputs);
    tell(&mut two, &mut server, Input::TimerFired(ticket));
    tell(&mut one, &mut server, Input::SyncNow);
    assert_in_step(&server, &[&one, &two]);
    assert_eq!(one.ledger().entries.len(), 2);
}

#[test]
fn a_phone_that_never_comes_does_not_keep_the_others_waiting_for_ever() {
    let (mut server, _one, mut two) = two_phones();
    let backup = server.clone();
    server.set_back(backup);
    let outputs = two.append(vec![credit(180)], Vec::new());
    let (_, request) = until_sent(&mut two, outputs);
    let refused = server.sync_later(DeviceNo(2), &request, NOW, RECOVERY_MS - 1);
    let retry_after_ms = MAX_RECOVERY_RETRY_MS;
    assert_eq!(refused, Err(NotServed::Recovering { retry_after_ms }));
    let taken = server.sync_later(DeviceNo(2), &request, NOW, RECOVERY_MS);
    assert!(taken.is_ok());
}

#[test]
fn a_phone_that_joined_after_the_copy_was_made_is_let_in_again() {
    let (mut server, mut one, _) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, enrolled(3, Role::Manager));
    let mut three = phone(3);
    start(&mut three, &mut server);
    write(&mut three, &mut server, credit(70));
    // What the owner's phone has not read, the new one holds alone, and the server knows neither
    // its token nor that it was ever enrolled.
    let whole = server.clone();
    server.set_back(backup);
    tell(&mut three, &mut server, Input::SyncNow);
    assert_eq!(activity(&three), Activity::Settled);
    assert_eq!(server.chunks, whole.chunks);
    tell(&mut one, &mut server, Input::SyncNow);
    assert_in_step(&server, &[&one, &three]);
}

#[test]
fn a_phone_whose_enrolment_nobody_brings_back_keeps_everything_and_asks_a_person() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, enrolled(3, Role::Cashier));
    // It had not synced once: it cannot prove that it belongs here.
    let mut three = phone(3);
    three.disk.append(9, vec![credit(70)], Vec::new());
    server.set_back(backup);
    let outputs = three.start(true, 7);
    let outputs = settle(&mut three, &mut server, outputs);
    let (patience, _) = timer(&outputs);
    let problem = three.engine().status().problem;
    let retry_after_ms = RECOVERY_RETRY_MS;
    assert_eq!(problem, Some(Problem::Recovering { retry_after_ms }));
    let request = three.readmit(&Fixed([0; 16]));
    let refused = server.readmit(&request, RECOVERY_MS);
    assert_eq!(refused, Err(NotServed::NotKnown), "it has waited enough");
    assert_eq!(three.disk.writer.events.len(), 1, "a 401 deletes nothing");
    // The owner's phone brings the log; the number and the key in it let the new one in.
    tell(&mut one, &mut server, Input::SyncNow);
    tell(&mut two, &mut server, Input::SyncNow);
    tell(&mut three, &mut server, Input::TimerFired(patience));
    assert_eq!(three.engine().status().waiting, 0);
}

#[test]
fn phones_ask_a_recovering_server_now_and_then_and_not_all_the_time() {
    let (mut elapsed_ms, mut asked) = (0, 0);
    while elapsed_ms < RECOVERY_MS {
        elapsed_ms += u64::from(recovery_retry_ms(elapsed_ms));
        asked += 1;
    }
    assert_eq!(recovery_retry_ms(0), RECOVERY_RETRY_MS, "most come at once");
    assert!(asked <= 15, "{asked} times in ten minutes");
}

#[test]
fn a_stranger_with_the_wrong_key_is_not_let_in() {
    let (mut server, _, mut two) = two_phones();
    two.disk.writer.key = shared::testing::device::key(66);
    let refused = server.readmit(&two.readmit(&Fixed([0; 16])), 0);
    assert_eq!(refused, Err(NotServed::NotKnown));
    let mut request = two.readmit(&Fixed([0; 16]));
    request.device = DeviceNo::SERVER;
    assert_eq!(server.readmit(&request, 0), Err(NotServed::NotKnown));
}

#[test]
fn who_was_removed_stays_removed_after_the_server_was_set_back() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    let device = DeviceNo(2);
    write(&mut one, &mut server, DeviceRevoked { device });
    server.set_back(backup);
    tell(&mut one, &mut server, Input::SyncNow);
    write(&mut two, &mut server, credit(10));
    assert_eq!(activity(&two), Activity::Stopped(Stop::Revoked));
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(one.ledger().held.len(), 1, "what it wrote is held");
}

#[test]
fn keys_of_names_come_back_and_destroyed_ones_do_not() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    let keys = [1, 2].map(|number| SealingKey {
        id: Fixed([number; 16]),
        key: Some(Fixed([number; 32])),
    });
    let added = keys.clone().map(|key| CustomerAdded {
        name: "Priya".into(),
        key: key.id,
        phone: None,
        address: None,
        note: None,
        language: None,
        limit: None,
        messages: None,
        origin: None,
    });
    let outputs = one.append(added.map(Into::into).to_vec(), keys.to_vec());
    settle(&mut one, &mut server, outputs);
    let erased = CustomerErased {
        customer: CustomerId(EventId::new(1, 4)),
        keys: vec![keys[0].id],
    };
    write(&mut one, &mut server, erased);
    tell(&mut two, &mut server, Input::SyncNow);
    server.set_back(backup);
    // Any phone brings the log; the keys are asked of all.
    tell(&mut two, &mut server, Input::SyncNow);
    tell(&mut one, &mut server, Input::SyncNow);
    assert!(server.is_destroyed(&keys[0].id), "erased for good");
    let held = server.keys.iter();
    assert!(held.clone().any(|key| *key == keys[1]));
    assert!(!held.clone().any(|key| *key == keys[0]));
    let mut three = phone(3);
    write(&mut one, &mut server, enrolled(3, Role::Cashier));
    start(&mut three, &mut server);
    assert_eq!(three.disk.keys[&keys[1].id], keys[1].key);
    assert_eq!(three.disk.keys[&keys[0].id], None);
}

#[test]
fn a_removed_phone_hands_in_the_keys_that_it_alone_holds_and_still_reads_nothing() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    let key = SealingKey {
        id: Fixed([1; 16]),
        key: Some(Fixed([1; 32])),
    };
    let added = CustomerAdded {
        name: "Priya".into(),
        key: key.id,
        phone: None,
        address: None,
        note: None,
        language: None,
        limit: None,
        messages: None,
        origin: None,
    };
    let outputs = two.append(vec![added.into()], vec![key.clone()]);
    settle(&mut two, &mut server, outputs);
    let device = DeviceNo(2);
    write(&mut one, &mut server, DeviceRevoked { device });
    one.disk.keys.clear();
    server.set_back(backup);
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(server.keys, [], "the log is back, and the key is not");
    let read = two.disk.chunks.len();
    tell(&mut two, &mut server, Input::SyncNow);
    assert_eq!(activity(&two), Activity::Stopped(Stop::Revoked));
    assert_eq!(server.keys, [key], "the name can be read again");
    assert_eq!(two.disk.chunks.len(), read);
    let heard = two.disk.cursor.restored.expect("it was told");
    assert!(heard.keys_sent, "it does not send them at each start");
}

#[test]
fn a_server_that_went_on_with_another_log_is_not_believed() {
    let (mut server, mut one, mut two) = two_phones();
    let mut other = server.clone();
    for rupees in [250, 40, 30] {
        write(&mut one, &mut server, credit(rupees));
    }
    write(&mut two, &mut other, credit(180));
    write(&mut two, &mut other, credit(90));
    let before = other.state.clone();
    tell(&mut one, &mut other, Input::SyncNow);
    let stop = Stop::LogRewritten(Rewritten::OtherRoot);
    assert_eq!(activity(&one), Activity::Stopped(stop));
    assert_eq!(other.state, before, "nothing was mixed");
    assert_eq!(one.ledger().entries.len(), 3, "nothing was lost");
}

#[test]
fn a_part_that_was_changed_on_the_way_is_not_taken() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    for rupees in [250, 180, 90] {
        write(&mut one, &mut server, credit(rupees));
    }
    tell(&mut two, &mut server, Input::SyncNow);
    server.set_back(backup);
    let before = server.state.clone();
    type Lie = fn(&mut Phone);
    let lies: [Lie; 6] = [
        |two| two.disk.chunks[2].received.0 += 1,
        |two| two.disk.chunks[2].verdict = shared::sync::wire::Verdict::Held,
        |two| two.disk.chunks[3].events.as_mut().expect("bytes")[0].0[9] ^= 1,
        |two| two.disk.chunks[2].device = DeviceNo(2),
        |two| two.disk.chunks.swap(2, 3),
        |two| drop(two.disk.chunks.pop()),
    ];
    for lie in lies {
        let mut liar = Phone::new(two.disk.clone());
        let outputs = liar.start(true, 7);
        lie(&mut liar);
        settle(&mut liar, &mut server, outputs);
        assert!(matches!(
            activity(&liar),
            Activity::Stopped(Stop::LogRewritten(_))
        ));
        assert_eq!(server.state, before);
    }
    tell(&mut two, &mut server, Input::SyncNow);
    assert_eq!(server.state.log.size(), 6, "the truth is taken");
}

#[test]
fn a_head_that_the_server_never_signed_opens_nothing() {
    let (mut server, mut one, _) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    server.set_back(backup);
    let mut head = one.disk.cursor.pinned.expect("pinned");
    head.size += 1;
    one.disk.cursor.pinned = Some(head);
    one.crash();
    start(&mut one, &mut server);
    let stop = Stop::LogRewritten(Rewritten::Shorter);
    assert_eq!(activity(&one), Activity::Stopped(stop));
    assert_eq!(server.state.log.size(), 3);
}

#[test]
fn an_older_server_that_takes_nothing_back_changes_nothing_on_the_phone() {
    let (mut server, mut one, _) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    server.set_back(backup);
    let outputs = one.handle(Input::SyncNow);
    let (ticket, request) = until_sent(&mut one, outputs);
    let refused = server
        .sync(DeviceNo(1), &request, NOW)
        .expect_err("shorter");
    let outputs = one.handle(Input::Failed(ticket, refused.into()));
    let Some(Output::Restore(ticket, _)) = outputs
        .iter()
        .find(|output| matches!(output, Output::Restore(..)))
    else {
        panic!("it looks");
    };
    let unknown = Failure::Refused("not_found".to_owned());
    let outputs = one.handle(Input::Failed(*ticket, unknown));
    let stop = Stop::LogRewritten(Rewritten::Shorter);
    assert_eq!(activity(&one), Activity::Stopped(stop));
    assert_eq!(one.ledger().entries.len(), 1);
    let (ticket, _) = timer(&outputs);
    tell(&mut one, &mut server, Input::TimerFired(ticket));
    assert_eq!(activity(&one), Activity::Settled, "tried again by itself");
}

#[test]
fn a_long_log_goes_back_in_many_parts() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    for _ in 0..30 {
        // Long enough that few of them fill a part.
        let outputs = one.append(vec![credit(1); 900], Vec::new());
        settle(&mut one, &mut server, outputs);
    }
    tell(&mut two, &mut server, Input::SyncNow);
    let whole = server.clone();
    server.set_back(backup);
    let outputs = tell(&mut two, &mut server, Input::SyncNow);
    let given = outputs.iter().filter(|it| match it {
        Output::Restore(_, request) => request.part.is_some(),
        _ => false,
    });
    assert!(given.count() >= 3);
    assert_eq!(server.chunks, whole.chunks);
    assert_eq!(server.state.log, whole.state.log);
}

#[test]
fn what_the_server_says_of_its_log_comes_back_from_its_bytes() {
    let (server, _, _) = two_phones();
    let answer = RestoreAnswer {
        log: Some(server.state.log),
        challenge: Fixed([1; 16]),
        opened: None,
        agreed: None,
        server: None,
    };
    let bytes = minicbor::to_vec(&answer).expect("in memory");
    let again: RestoreAnswer = minicbor::decode(&bytes).expect("written just now");
    assert_eq!(again, answer);
}
