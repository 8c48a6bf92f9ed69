//! When the line is bad.

use crate::jig::*;
use shared::ids::DeviceNo;
use shared::sync::engine::{
    Activity, BACKOFF_CAP_MS, Failure, Input, MAX_RETRY_AFTER_MS, Problem, read_reply,
};
use shared::sync::wire::{ErrorBody, MEDIA_TYPE};
use shared::testing::device::NOW;

#[test]
fn an_answer_that_is_lost_doubles_nothing() {
    let (mut server, mut one, _) = two_phones();
    let outputs = one.append(vec![credit(250)], Vec::new());
    let (ticket, request) = until_sent(&mut one, outputs);
    server
        .sync(DeviceNo(1), &request, NOW)
        .expect("the server took it");
    let outputs = one.handle(Input::Failed(ticket, Failure::Unreachable));
    assert_eq!(problem(&one), Some(Problem::Unreachable));
    assert_eq!(
        one.engine().status().waiting,
        1,
        "as far as the phone knows"
    );
    let (ticket, _) = timer(&outputs);
    tell(&mut one, &mut server, Input::TimerFired(ticket));
    assert_eq!(server.state.log.size(), 4);
    assert_eq!(activity(&one), Activity::Settled);
    assert_eq!(problem(&one), None);
}

#[test]
fn an_answer_that_comes_too_late_is_old_news() {
    let (mut server, mut one, _) = two_phones();
    let outputs = one.append(vec![credit(250)], Vec::new());
    let wait = timer(&outputs);
    let (ticket, request) = until_sent(&mut one, outputs);
    let answer = server.sync(DeviceNo(1), &request, NOW).expect("an answer");
    assert!(
        one.handle(Input::TimerFired(wait.0)).is_empty(),
        "that timer was for the signature"
    );
    let outputs = one.handle(Input::TimerFired(ticket));
    assert_eq!(problem(&one), Some(Problem::TimedOut));
    assert!(answered(&mut one, ticket, answer.clone()).is_empty());
    let (again, _) = timer(&outputs);
    tell(&mut one, &mut server, Input::TimerFired(again));
    assert_eq!(one.disk.cursor.log.size(), 4);
    assert!(
        answered(&mut one, ticket, answer).is_empty(),
        "twice is no better"
    );
}

#[test]
fn a_slow_line_is_asked_for_less() {
    let (_, mut one, _) = two_phones();
    let mut wants = Vec::new();
    for _ in 0..6 {
        let outputs = one.handle(Input::SyncNow);
        let (ticket, request) = until_sent(&mut one, outputs);
        wants.push(request.want_bytes);
        let _ = one.handle(Input::TimerFired(ticket));
    }
    assert!(wants.is_sorted_by(|one, next| one >= next));
    assert!(wants[5] < wants[0] / 4);
    assert!(wants[5] >= 16 * 1024);
}

#[test]
fn waits_grow_but_not_for_ever() {
    let (_, mut one, _) = two_phones();
    let mut outputs = one.handle(Input::SyncNow);
    let mut waits = Vec::new();
    for _ in 0..40 {
        let (ticket, _) = until_sent(&mut one, outputs);
        let failed = one.handle(Input::Failed(ticket, Failure::ServerFault));
        let (ticket, wait_ms) = timer(&failed);
        waits.push(wait_ms);
        outputs = one.handle(Input::TimerFired(ticket));
    }
    assert!(waits[0] <= 1_000);
    assert!(
        waits
            .iter()
            .all(|&wait| (1..=BACKOFF_CAP_MS).contains(&wait))
    );
    assert!(waits[10..].iter().any(|&wait| wait > BACKOFF_CAP_MS / 2));
    assert_ne!(
        waits[20], waits[21],
        "drawn, so that phones do not march in step"
    );
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let (mut server, mut one, _) = two_phones();
    let outputs = one.append(vec![credit(250)], Vec::new());
    let (ticket, _) = until_sent(&mut one, outputs);
    let busy = Failure::Recovering {
        retry_after_ms: 20_000,
    };
    let outputs = one.handle(Input::Failed(ticket, busy));
    let (ticket, wait_ms) = timer(&outputs);
    assert!((20_000..=25_000).contains(&wait_ms));
    for input in [
        Input::SyncNow,
        Input::Online,
        Input::Hinted { size: 99 },
        Input::Appended {
            first_seq: 4,
            events: Vec::new(),
            keys: Vec::new(),
        },
    ] {
        assert!(requests(&one.handle(input)).is_empty());
    }
    tell(&mut one, &mut server, Input::TimerFired(ticket));
    assert_eq!(server.state.log.size(), 4, "nothing was dropped");
}

#[test]
fn a_server_cannot_silence_a_phone_for_ever() {
    let (_, mut one, _) = two_phones();
    let outputs = one.handle(Input::SyncNow);
    let (ticket, _) = until_sent(&mut one, outputs);
    let busy = Failure::Busy {
        retry_after_ms: u32::MAX,
    };
    let (_, wait_ms) = timer(&one.handle(Input::Failed(ticket, busy)));
    assert!(wait_ms <= MAX_RETRY_AFTER_MS * 5 / 4);
}

#[test]
fn without_a_network_nothing_is_sent_until_there_is_one() {
    let (mut server, mut one, _) = two_phones();
    let offline = one.handle(Input::Offline);
    assert_eq!(problem(&one), Some(Problem::Offline));
    assert!(timer(&offline).1 <= 60_000, "the system may be wrong");
    let outputs = one.append(vec![credit(250)], Vec::new());
    assert!(requests(&outputs).is_empty());
    assert_eq!(one.engine().status().waiting, 1);
    tell(&mut one, &mut server, Input::Online);
    assert_eq!(activity(&one), Activity::Settled);
}

#[test]
fn only_the_server_itself_is_believed() {
    let error = |code: &str, retry_after_ms| {
        let body = ErrorBody {
            code: code.to_owned(),
            message: String::new(),
            retry_after_ms,
            place: None,
            protocols: None,
        };
        minicbor::to_vec(&body).expect("in memory")
    };
    let html = b"<html>Welcome to the railway station</html>";
    let cbor = Some("application/cbor");
    let read = |status, kind, retry_after, body: &[u8]| {
        read_reply(status, kind, retry_after, body).expect_err("a failure")
    };
    let not_ours = Failure::NotOurServer;
    assert_eq!(read(200, Some("text/html"), None, html), not_ours);
    assert_eq!(read(200, None, None, html), not_ours);
    assert_eq!(read(200, cbor, None, html), not_ours);
    assert_eq!(read(302, Some("text/html"), None, html), not_ours);
    assert_eq!(
        read(401, Some("text/html"), None, html),
        not_ours,
        "a portal"
    );
    assert_eq!(
        read(401, cbor, None, &error("unknown_token", None)),
        Failure::NotKnown
    );
    assert_eq!(
        read(400, cbor, None, &error("bad", None)),
        Failure::Refused("bad".to_owned())
    );
    assert_eq!(
        read(502, Some("text/html"), None, html),
        Failure::ServerFault
    );
    assert_eq!(
        read(511, Some("text/html"), None, html),
        Failure::NotOurServer
    );
    let busy = |retry_after_ms| Failure::Busy { retry_after_ms };
    assert_eq!(read(503, Some("text/html"), Some("7"), html), busy(7_000));
    assert_eq!(
        read(429, cbor, None, &error("busy", Some(1_500))),
        busy(1_500)
    );
    assert_eq!(read(429, None, Some("Fri, 20 Nov"), b""), busy(5_000));
    assert_eq!(
        read(503, cbor, None, &error("recovering", Some(1_500))),
        Failure::Recovering {
            retry_after_ms: 1_500
        }
    );
}

#[test]
fn bytes_behind_an_answer_make_it_none() {
    let (mut server, one, _) = two_phones();
    let answer = server
        .sync(DeviceNo(1), &one.disk.writer.ask(), NOW)
        .expect("an answer");
    let mut bytes = minicbor::to_vec(&answer).expect("in memory");
    assert_eq!(
        read_reply(200, Some("application/cbor; q=1"), None, &bytes),
        Ok(answer)
    );
    bytes.push(0);
    assert_eq!(
        read_reply(200, Some(MEDIA_TYPE), None, &bytes),
        Err(Failure::NotOurServer)
    );
}
