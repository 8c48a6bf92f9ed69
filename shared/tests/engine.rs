//! A phone and its server, step by step.

use std::collections::VecDeque;

use shared::bytes::{Bytes, Fixed, Hash};
use shared::event::{Body, CreditGiven, DeviceRevoked, Particulars, Role};
use shared::ids::{CustomerId, DeviceNo, EventId};
use shared::money::Paise;
use shared::sync::engine::{
    Activity, BACKOFF_CAP_MS, Batch, Failure, Input, MAX_RETRY_AFTER_MS, Output, Problem,
    Rewritten, SLOW_RETRY_MS, Stop, Ticket, read_reply,
};
use shared::sync::wire::{
    Advice, ErrorBody, MAX_KEYS, MAX_PUSH_EVENTS, MEDIA_TYPE, SealingKey, SyncAnswer, SyncRequest,
    Verdict,
};
use shared::testing::device::{NOW, SHOP, Writer, enrolled, key, session, sign, verify};
use shared::testing::phone::{Disk, GENERATION, Phone};
use shared::testing::server::Server;

/// The server of a shop whose founding phone has claimed it.
fn server() -> Server {
    Server::claimed(SHOP, GENERATION, key(1), key(0))
}

/// The founding phone, which wrote two events before there was a server.
fn founder() -> Phone {
    Phone::new(Disk::new(Writer::founder()))
}

fn phone(number: u32) -> Phone {
    Phone::new(Disk::new(Writer::new(number)))
}

/// A shop with two phones that are in step with the server.
fn two_phones() -> (Server, Phone, Phone) {
    let (mut server, mut one, mut two) = (server(), founder(), phone(2));
    start(&mut one, &mut server);
    write(&mut one, &mut server, enrolled(2, Role::Cashier));
    start(&mut two, &mut server);
    (server, one, two)
}

fn credit(rupees: i64) -> Body {
    Body::from(CreditGiven {
        particulars: Particulars::on(NOW.day()),
        customer: CustomerId(EventId::new(1, 3)),
        amount: Paise::from_rupees(rupees).expect("small"),
        lines: None,
        due: None,
    })
}

fn start(phone: &mut Phone, server: &mut Server) -> Vec<Output> {
    let outputs = phone.start(true, 7);
    settle(phone, server, outputs)
}

fn write(phone: &mut Phone, server: &mut Server, body: impl Into<Body>) -> Vec<Output> {
    let outputs = phone.append(vec![body.into()], Vec::new());
    settle(phone, server, outputs)
}

/// Tells the phone, and lets everything that follows go well.
fn tell(phone: &mut Phone, server: &mut Server, input: Input) -> Vec<Output> {
    let outputs = phone.handle(input);
    settle(phone, server, outputs)
}

/// Does what the outputs say, and what follows from it, until the phone rests. Gives all outputs.
fn settle(phone: &mut Phone, server: &mut Server, outputs: Vec<Output>) -> Vec<Output> {
    let (mut queue, mut done) = (VecDeque::from(outputs), Vec::new());
    while let Some(output) = queue.pop_front() {
        let next = match &output {
            Output::Send(ticket, request) => match server.sync(phone.number(), request, NOW) {
                Ok(answer) => answered(phone, *ticket, answer),
                Err(refusal) => {
                    let code = refusal.code().to_owned();
                    phone.handle(Input::Failed(*ticket, Failure::Refused(code)))
                }
            },
            other => local(phone, other),
        };
        queue.extend(next);
        done.push(output);
        assert!(done.len() < 10_000, "it never rests");
    }
    done
}

/// Does what needs no network.
fn local(phone: &mut Phone, output: &Output) -> Vec<Output> {
    match output {
        Output::Sign(ticket, message) => {
            let signature = sign(&phone.disk.writer.key, message);
            phone.handle(Input::Signed(*ticket, Some(signature)))
        }
        Output::Verify(ticket, check) => {
            let sound = verify(&check.key, &check.message, &check.signature);
            phone.handle(Input::Verified(*ticket, sound))
        }
        Output::Persist(ticket, batch) => {
            let input = match phone.persist(batch) {
                true => Input::Persisted(*ticket),
                false => Input::PersistFailed(*ticket),
            };
            phone.handle(input)
        }
        Output::Reload(first_seq) => {
            let events = phone.own_from(*first_seq);
            phone.handle(Input::Appended {
                first_seq: *first_seq,
                events,
                keys: Vec::new(),
            })
        }
        Output::Send(..) | Output::SetTimer(..) | Output::Status(_) => Vec::new(),
    }
}

/// Lets everything local happen until the phone sends a request.
fn until_sent(phone: &mut Phone, outputs: Vec<Output>) -> (Ticket, SyncRequest) {
    let mut queue = VecDeque::from(outputs);
    while let Some(output) = queue.pop_front() {
        if let Output::Send(ticket, request) = output {
            return (ticket, *request);
        }
        let next = local(phone, &output);
        queue.extend(next);
    }
    panic!("nothing was sent");
}

/// The answer goes through bytes, as it does on a line.
fn answered(phone: &mut Phone, ticket: Ticket, answer: SyncAnswer) -> Vec<Output> {
    let bytes = minicbor::to_vec(&answer).expect("in memory");
    let answer = read_reply(200, Some(MEDIA_TYPE), None, &bytes).expect("an answer");
    phone.handle(Input::Answered(ticket, NOW, Box::new(answer)))
}

fn requests(outputs: &[Output]) -> Vec<&SyncRequest> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send(_, request) => Some(&**request),
        _ => None,
    });
    sent.collect()
}

fn batches(outputs: &[Output]) -> Vec<&Batch> {
    let stored = outputs.iter().filter_map(|output| match output {
        Output::Persist(_, batch) => Some(&**batch),
        _ => None,
    });
    stored.collect()
}

/// The timer that runs last, which is the one that counts.
fn timer(outputs: &[Output]) -> (Ticket, u32) {
    let timers = outputs.iter().rev().find_map(|output| match output {
        Output::SetTimer(ticket, wait_ms) => Some((*ticket, *wait_ms)),
        _ => None,
    });
    timers.expect("every wait has a timer")
}

fn activity(phone: &Phone) -> Activity {
    phone.engine().status().activity
}

fn problem(phone: &Phone) -> Option<Problem> {
    phone.engine().status().problem
}

// When all goes well.

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

// When the line is bad.

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
    let busy = Failure::Busy {
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
    let busy = |retry_after_ms| Failure::Busy { retry_after_ms };
    assert_eq!(read(503, Some("text/html"), Some("7"), html), busy(7_000));
    assert_eq!(
        read(429, cbor, None, &error("busy", Some(1_500))),
        busy(1_500)
    );
    assert_eq!(read(429, None, Some("Fri, 20 Nov"), b""), busy(5_000));
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

// When the phone's own storage fails.

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

// When people decide.

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

// Copies and restored storages.

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

// A log that is not what it was.

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
    let lies: [(Rewritten, Lie); 12] = [
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
fn a_head_that_the_server_did_not_sign_is_not_believed() {
    let (activity, two) = lie(|answer| answer.head.at.0 += 1);
    let stop = Stop::LogRewritten(Rewritten::BadSignature);
    assert_eq!(activity, Activity::Stopped(stop));
    assert_eq!(two.disk.cursor.log.size(), 3);
}

#[test]
fn a_server_that_lost_a_part_of_the_log_gets_nothing_on_top() {
    let (mut server, mut one, _) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    let mut restored = backup;
    write(&mut one, &mut restored, credit(180));
    let stop = Stop::LogRewritten(Rewritten::Shorter);
    assert_eq!(activity(&one), Activity::Stopped(stop));
    assert_eq!(restored.state.log.size(), 3, "nothing was written over");
    assert_eq!(one.engine().status().waiting, 1, "nothing was lost");
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(activity(&one), Activity::Settled, "the true log is back");
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
