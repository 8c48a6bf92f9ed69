//! Catching up in segments: as believable as in chunks, and never worse.

use shared::bytes::Bytes;
use shared::event::Role;
use shared::sync::engine::{
    Activity, Failure, Input, Output, Problem, REQUEST_WAIT_MS, Rewritten, Stop, Ticket,
    read_segment,
};
use shared::sync::segment;
use shared::sync::wire::{MEDIA_TYPE, SegmentName};
use shared::testing::device::{enrolled, key};
use shared::testing::phone::Phone;
use shared::testing::sealed;
use shared::testing::server::Server;

use crate::jig::*;

/// A shop whose log has 63 entries, sealed by tens, and a phone that has read nothing of it.
fn far_behind() -> (Server, Phone) {
    let (mut server, mut one) = (server(), founder());
    start(&mut one, &mut server);
    write(&mut one, &mut server, enrolled(2, Role::Cashier));
    for rupees in 1..=60 {
        write(&mut one, &mut server, credit(rupees));
    }
    server.seals = Some(10);
    (server, phone(2))
}

fn fetched(outputs: &[Output]) -> Vec<SegmentName> {
    let names = outputs.iter().filter_map(|output| match output {
        Output::Fetch(_, name) => Some(*name),
        _ => None,
    });
    names.collect()
}

fn is_in_step(phone: &Phone, server: &Server) {
    assert_eq!(activity(phone), Activity::Settled);
    assert_eq!(phone.disk.cursor.log.size(), server.state.log.size());
    assert_eq!(phone.disk.cursor.log.root(), server.state.log.root());
    assert_eq!(phone.disk.chunks, server.chunks);
    assert_eq!(phone.ledger(), &phone.disk.fold());
}

/// Starts the phone and goes on until it fetches its first segment.
fn until_fetched(phone: &mut Phone, server: &mut Server) -> (Ticket, SegmentName) {
    let outputs = phone.start(true, 7);
    let (ticket, request) = until_sent(phone, outputs);
    let answer = server
        .sync(phone.number(), &request, shared::testing::device::NOW)
        .expect("answered");
    let mut queue = answered(phone, ticket, answer);
    while let Some(output) = queue.pop() {
        if let Output::Fetch(ticket, name) = output {
            return (ticket, name);
        }
        queue.extend(local(phone, &output));
    }
    panic!("nothing was fetched");
}

#[test]
fn a_phone_far_behind_fetches_what_is_sealed_and_asks_for_the_rest() {
    let (mut server, mut two) = far_behind();
    let outputs = start(&mut two, &mut server);
    let names: Vec<String> = fetched(&outputs).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["1-10", "11-20", "21-30", "31-40", "41-50", "51-60"]);
    assert_eq!(requests(&outputs).len(), 2);
    is_in_step(&two, &server);
}

#[test]
fn a_server_without_segments_is_read_in_chunks() {
    let (mut server, mut two) = far_behind();
    server.seals = None;
    let outputs = start(&mut two, &mut server);
    assert!(fetched(&outputs).is_empty());
    is_in_step(&two, &server);
}

#[test]
fn a_phone_that_has_read_the_half_of_a_segment_takes_the_other_half() {
    let (mut server, mut two) = far_behind();
    server.seals = None;
    let all = server.chunks.split_off(15);
    let state = server.state.clone();
    // Only so much of the log was there when the phone was last online.
    let mut early = Server::claimed(state.log.shop(), state.log.generation(), key(1), key(0));
    let (mut one, mut seq) = (founder(), 0);
    for chunk in &server.chunks {
        for bytes in chunk.events.iter().flatten() {
            seq += 1;
            if seq > 2 {
                one.disk.writer.write_bytes(bytes.0.clone());
            }
        }
    }
    start(&mut one, &mut early);
    start(&mut two, &mut early);
    assert_eq!(two.disk.cursor.log.size(), early.state.log.size());

    server.chunks.extend(all);
    server.seals = Some(10);
    let outputs = tell(&mut two, &mut server, Input::SyncNow);
    let names = fetched(&outputs);
    assert!(names[0].first <= early.state.log.size(), "{names:?}");
    assert_eq!(activity(&two), Activity::Settled);
    assert_eq!(two.disk.cursor.log.root(), server.state.log.root());
}

#[test]
fn a_damaged_segment_comes_in_chunks_and_the_next_as_a_segment_again() {
    let (mut server, mut two) = far_behind();
    let (ticket, name) = until_fetched(&mut two, &mut server);
    let mut bytes = server.segment(name).expect("sealed");
    bytes[100] ^= 1;
    let outputs = two.handle(Input::Fetched(ticket, bytes));
    let (ticket, request) = until_sent(&mut two, outputs);
    assert_eq!(request.segments, None, "this part is asked for in chunks");
    // A slow line: the answer brings only a part.
    let mut request = request;
    request.want_bytes = 700;
    let answer = server
        .sync(two.number(), &request, shared::testing::device::NOW)
        .expect("answered");
    assert!(answer.more && answer.sealed.is_none());
    let outputs = answered(&mut two, ticket, answer);
    let outputs = settle(&mut two, &mut server, outputs);
    assert!(!fetched(&outputs).contains(&name));
    is_in_step(&two, &server);
}

#[test]
fn a_segment_of_another_place_shop_or_life_is_not_read() {
    let (server, two) = far_behind();
    let name = SegmentName { first: 1, last: 10 };
    let sound = segment::read(&server.segment(name).expect("sealed")).expect("sound");
    let mut elsewhere = sound.clone();
    elsewhere.shop.0 = uuid::Uuid::from_bytes([7; 16]);
    let mut before = sound.clone();
    before.generation.0[0] ^= 1;
    let next = SegmentName {
        first: 11,
        last: 20,
    };
    let wrong = [
        segment::write(&elsewhere).expect("a segment"),
        segment::write(&before).expect("a segment"),
        server.segment(next).expect("sealed"),
        Vec::new(),
    ];
    for bytes in wrong {
        let (mut server, mut two) = (server.clone(), Phone::new(two.disk.clone()));
        let (ticket, _) = until_fetched(&mut two, &mut server);
        let outputs = two.handle(Input::Fetched(ticket, bytes));
        assert_eq!(two.disk.cursor.log.size(), 0, "nothing of it is stored");
        settle(&mut two, &mut server, outputs);
        is_in_step(&two, &server);
    }
}

#[test]
fn a_segment_whose_events_are_not_the_logs_is_a_refused_log() {
    let (mut server, mut two) = far_behind();
    let (ticket, name) = until_fetched(&mut two, &mut server);
    let sound = segment::read(&server.segment(name).expect("sealed")).expect("sound");
    let mut chunks = sound.chunks;
    let event = chunks[4].events.as_mut().expect("events");
    event[0] = Bytes(vec![0]);
    let forged = sealed::segment(chunks);
    let outputs = two.handle(Input::Fetched(
        ticket,
        segment::write(&forged).expect("forged"),
    ));
    settle(&mut two, &mut server, outputs);
    let stopped = Activity::Stopped(Stop::LogRewritten(Rewritten::OtherRoot));
    assert_eq!(activity(&two), stopped);
}

#[test]
fn what_a_person_writes_goes_out_between_two_segments() {
    let (mut server, mut two) = far_behind();
    let (ticket, name) = until_fetched(&mut two, &mut server);
    two.append(vec![credit(5)], Vec::new());
    let bytes = server.segment(name).expect("sealed");
    let outputs = two.handle(Input::Fetched(ticket, bytes));
    let (_, request) = {
        let mut queue = outputs;
        loop {
            let output = queue.pop().expect("it goes on");
            match output {
                Output::Send(ticket, request) => break (ticket, request),
                Output::Fetch(..) => panic!("the entry goes first"),
                other => queue.extend(local(&mut two, &other)),
            }
        }
    };
    assert!(request.push.is_some());
    assert_eq!(request.position, name.last);
}

#[test]
fn a_segment_that_does_not_come_in_time_is_asked_for_in_chunks_later() {
    let (mut server, mut two) = far_behind();
    let (ticket, _) = until_fetched(&mut two, &mut server);
    let outputs = two.handle(Input::TimerFired(ticket));
    assert_eq!(problem(&two), Some(Problem::TimedOut));
    let (ticket, wait_ms) = timer(&outputs);
    assert!(wait_ms < REQUEST_WAIT_MS);
    let outputs = two.handle(Input::TimerFired(ticket));
    let (_, request) = until_sent(&mut two, outputs);
    assert_eq!(request.segments, None);
    let outputs = tell(&mut two, &mut server, Input::SyncNow);
    assert!(outputs.is_empty(), "one thing at a time");
}

#[test]
fn a_broken_line_ends_the_catching_up_until_later() {
    let (mut server, mut two) = far_behind();
    let (ticket, _) = until_fetched(&mut two, &mut server);
    let outputs = two.handle(Input::Failed(ticket, Failure::Unreachable));
    assert_eq!(problem(&two), Some(Problem::Unreachable));
    let (ticket, _) = timer(&outputs);
    let outputs = tell(&mut two, &mut server, Input::TimerFired(ticket));
    assert_eq!(
        fetched(&outputs).len(),
        6,
        "a line that breaks says nothing of segments"
    );
    is_in_step(&two, &server);
}

#[test]
fn only_a_segment_is_taken_for_one() {
    let bytes = vec![1, 2, 3];
    let ours = Some(segment::MEDIA_TYPE);
    assert_eq!(
        read_segment(200, ours, None, bytes.clone()),
        Ok(bytes.clone())
    );
    let wrong = [
        (200, Some("text/html"), Failure::NotOurServer),
        (200, Some(MEDIA_TYPE), Failure::NotOurServer),
        (206, ours, Failure::NotOurServer),
        (404, None, Failure::NotOurServer),
        (502, None, Failure::ServerFault),
    ];
    for (status, content_type, failure) in wrong {
        assert_eq!(
            read_segment(status, content_type, None, bytes.clone()),
            Err(failure)
        );
    }
}
