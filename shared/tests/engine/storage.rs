//! When the phone's own storage, keys or tabs are the trouble.

use crate::jig::*;
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Input, Output, Problem};
use shared::testing::device::NOW;

#[test]
fn a_full_disk_loses_nothing_and_is_tried_again() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, credit(250));
    let outputs = two.handle(Input::SyncNow);
    let (ticket, request) = until_sent(&mut two, outputs);
    let answer = server.sync(DeviceNo(2), &request, NOW).expect("an answer");
    let mut outputs = answered(&mut two, ticket, answer);
    let verify = outputs
        .iter()
        .position(|output| matches!(output, Output::Verify(..)));
    outputs = local(&mut two, &outputs[verify.expect("a new head")]);
    let Some(Output::Persist(ticket, _)) = outputs
        .iter()
        .find(|output| matches!(output, Output::Persist(..)))
    else {
        panic!("something to store");
    };
    let outputs = two.handle(Input::PersistFailed(*ticket));
    assert_eq!(problem(&two), Some(Problem::CannotStore));
    assert_eq!(two.engine().cursor().log.size(), 3, "not moved");
    let (ticket, _) = timer(&outputs);
    tell(&mut two, &mut server, Input::TimerFired(ticket));
    assert_eq!(two.disk.cursor.log.size(), 4);
}

#[test]
fn a_slow_disk_is_waited_for_and_nothing_is_stored_twice() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, credit(250));
    let outputs = two.handle(Input::SyncNow);
    let (ticket, request) = until_sent(&mut two, outputs);
    let answer = server.sync(DeviceNo(2), &request, NOW).expect("an answer");
    let outputs = answered(&mut two, ticket, answer);
    let verify = outputs
        .iter()
        .find(|output| matches!(output, Output::Verify(..)));
    let storing = local(&mut two, verify.expect("a new head"));
    let (ticket, _) = timer(&storing);
    for _ in 0..3 {
        let outputs = two.handle(Input::TimerFired(ticket));
        assert_eq!(timer(&outputs).0, ticket, "it goes on waiting");
        assert!(requests(&outputs).is_empty() && batches(&outputs).is_empty());
        assert_eq!(problem(&two), Some(Problem::CannotStore), "and says so");
        assert!(two.handle(Input::SyncNow).is_empty());
    }
    settle(&mut two, &mut server, storing);
    assert_eq!((activity(&two), problem(&two)), (Activity::Settled, None));
}

#[test]
fn a_phone_that_cannot_sign_says_so_and_tries_again() {
    let (mut server, mut one, _) = two_phones();
    let outputs = one.append(vec![credit(250)], Vec::new());
    let (ticket, _) = timer(&outputs);
    let outputs = one.handle(Input::Signed(ticket, None));
    assert_eq!(problem(&one), Some(Problem::CannotSign));
    let (ticket, _) = timer(&outputs);
    tell(&mut one, &mut server, Input::TimerFired(ticket));
    assert_eq!(server.state.log.size(), 4);
}

#[test]
fn entries_of_another_tab_are_fetched_when_the_engine_missed_them() {
    let (mut server, mut one, _) = two_phones();
    one.disk.append(9, vec![credit(1)], Vec::new());
    one.disk.append(10, vec![credit(2)], Vec::new());
    let late = Input::Appended {
        first_seq: 5,
        events: one.own_from(5),
        keys: Vec::new(),
    };
    let outputs = tell(&mut one, &mut server, late.clone());
    assert!(outputs.contains(&Output::Reload(4)));
    tell(&mut one, &mut server, late);
    assert_eq!(server.state.log.size(), 5, "each once");
}
