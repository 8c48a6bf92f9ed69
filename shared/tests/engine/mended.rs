//! A damaged part of a phone's log comes again from the server, and nothing is believed that is not
//! what stood there.

use shared::event::Role;
use shared::sync::engine::Mend;
use shared::sync::wire::Chunk;
use shared::testing::device::{NOW, enrolled};
use shared::testing::phone::Phone;
use shared::testing::server::Server;

use crate::jig::*;

/// A shop of two phones whose log both have read, and the second has written in.
fn read() -> (Server, Phone) {
    let (mut server, mut one) = (server(), founder());
    start(&mut one, &mut server);
    write(&mut one, &mut server, enrolled(2, Role::Cashier));
    let mut two = phone(2);
    start(&mut two, &mut server);
    for rupees in 1..=20 {
        write(&mut one, &mut server, credit(rupees));
        write(&mut two, &mut server, credit(100 + rupees));
    }
    tell(&mut two, &mut server, shared::sync::engine::Input::SyncNow);
    assert_eq!(two.disk.chunks, server.chunks);
    (server, two)
}

/// Reads the stored log of a phone in which a part is damaged, and gives what came in its place.
fn mended(
    server: &mut Server,
    phone: &Phone,
    damaged: core::ops::Range<usize>,
) -> (Vec<Chunk>, bool) {
    let number = phone.number();
    let (chunks, goal) = (&phone.disk.chunks, &phone.disk.cursor);
    let mut mend = Mend::begin(number, goal);
    assert!(mend.read(chunks[..damaged.start].to_vec()));
    let until = match chunks.get(damaged.end) {
        Some(chunk) => chunk.position - 1,
        None => mend.last(),
    };
    let mut came = Vec::new();
    while mend.next() <= until {
        let answer = server.sync(number, &mend.request(), NOW).expect("answered");
        came.extend(mend.take(answer, until).expect("what comes next"));
    }
    assert!(damaged.end == chunks.len() || mend.read(chunks[damaged.end..].to_vec()));
    (came, mend.is_sound())
}

#[test]
fn what_is_damaged_comes_again_own_entries_too() {
    let (mut server, two) = read();
    let all = two.disk.chunks.len();
    for (first, last) in [(0, 3), (5, 6), (4, 20), (all - 2, all), (0, all)] {
        let (came, is_sound) = mended(&mut server, &two, first..last);
        assert!(is_sound);
        assert_eq!(came, two.disk.chunks[first..last]);
    }
}

#[test]
fn a_log_in_which_a_byte_changed_is_not_the_one_that_was_read() {
    let (_, two) = read();
    let mut chunks = two.disk.chunks.clone();
    let mut mend = Mend::begin(two.number(), &two.disk.cursor);
    assert!(mend.read(chunks.clone()) && mend.is_sound());
    let events = chunks[9].events.as_mut().expect("held");
    let byte = events[0].0.last_mut().expect("some");
    *byte ^= 1;
    let mut mend = Mend::begin(two.number(), &two.disk.cursor);
    assert!(mend.read(chunks));
    assert!(!mend.is_sound());
}

#[test]
fn nothing_is_believed_that_does_not_follow() {
    let (mut server, two) = read();
    let mut mend = Mend::begin(two.number(), &two.disk.cursor);
    assert!(!mend.read(two.disk.chunks[1..].to_vec()));
    assert_eq!(mend.next(), 1, "it stands where it stood");
    let answer = server
        .sync(two.number(), &mend.request(), NOW)
        .expect("answered");
    let mut empty = answer.clone();
    empty.chunks.clear();
    assert_eq!(mend.take(empty, 5), None);
    let mut later = answer.clone();
    later.chunks.drain(..2);
    assert_eq!(mend.take(later, 9), None);
    // Another server's word about an entry is found out at the end.
    let mut other = answer;
    let forged = other.chunks[8].events.as_mut().expect("held");
    *forged[0].0.last_mut().expect("some") ^= 1;
    let last = mend.last();
    assert!(mend.take(other, last).is_some());
    assert!(!mend.is_sound());
}
