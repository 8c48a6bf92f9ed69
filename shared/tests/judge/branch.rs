//! Copies of a phone that wrote on, and go on as devices of their own.

use crate::jig::*;
use shared::bytes::{Fixed, Hash};
use shared::event::{Body, DeviceRevoked, EntryReversed, Event, Reason, ReasonCode, Role, decode};
use shared::ids::{DeviceNo, EntryId, EventId};
use shared::sync::branch::{
    Around, MAX_BRANCHES, NotABranch, Registered, branch_message, check_signed, is_registered,
    number_of, register,
};
use shared::sync::judge::LogState;
use shared::sync::wire::{Advice, BranchOf, BranchRequest, Fork, Token, Verdict};
use shared::testing::device::{NOW, SHOP, Writer, enrolled, key, sign, verify};

const TOKEN: Token = Fixed([7; 32]);

/// What a copy says that has written from `from_seq` on by itself.
fn fork(copy: &Writer, from_seq: u32) -> Fork {
    Fork {
        of: copy.number,
        from_seq,
        previous: copy.head_at(from_seq - 1).hash,
        next: copy.head_at(from_seq).hash,
    }
}

fn request(copy: &Writer, from_seq: u32, new_key: u32) -> BranchRequest {
    let fork = fork(copy, from_seq);
    let new_key = key(new_key);
    BranchRequest {
        shop: SHOP,
        fork,
        key: new_key,
        token: TOKEN,
        signature: sign(&copy.key, &branch_message(SHOP, &fork, &new_key, &TOKEN)),
    }
}

/// What the log holds of the chain of the phone that was copied.
fn around(state: &LogState, phone: &Writer, fork: &Fork) -> Around {
    let heads = 1..=phone.head().seq;
    let at = |seq| heads.contains(&seq).then(|| phone.head_at(seq).hash);
    Around::of(state, fork, Around::places(fork).map(at))
}

fn asked(
    state: &LogState,
    phone: &Writer,
    request: &BranchRequest,
) -> Result<Registered, NotABranch> {
    check_signed(state, request, verify)?;
    assert_eq!(is_registered(state, request), Ok(false));
    register(state, request, &around(state, phone, &request.fork), NOW)
}

/// The copy as it goes on.
fn renamed(mut copy: Writer, request: &BranchRequest) -> Writer {
    copy.number = number_of(&request.fork);
    copy.key = request.key;
    copy
}

#[test]
fn a_copy_goes_on_under_its_own_number_and_nothing_is_written_anew() {
    let (mut server, mut founder, mut phone, _) = Server::with_phones();
    phone.write(credit(10));
    let mut copy = phone.clone();
    phone.write(credit(20));
    server.push_all(&phone);
    let sale = copy.write(credit(30));
    copy.write(EntryReversed {
        target: EntryId(sale),
        reason: Reason {
            code: ReasonCode::WrongAmount,
            note: None,
        },
        witness: None,
    });
    let request = request(&copy, 2, 50);
    let registered = asked(&server.0, &phone, &request).expect("a copy");
    assert_eq!(registered.position, server.0.log.size() + 1);
    assert_eq!(registered.events.len(), 2);
    server.0 = registered.after;

    let copy = renamed(copy, &request);
    let device = copy.number;
    let of = BranchOf {
        device: DeviceNo(2),
        from_seq: 2,
    };
    assert_eq!(server.0.log.branch_of(device), Some(of));
    let taken = server.push(&copy, 2, 3);
    assert_eq!(verdicts(&taken), [Verdict::Accepted; 2]);
    assert_eq!(taken.standing.known_hash, copy.head().hash, "its own chain");
    // What it takes back is its own sale, not the phone's entry of that number.
    let branch = server.0.authority.branch(device);
    let read = decode(&copy.events[2].0, branch).expect("readable");
    let shared::event::Decoded::Known(Event { body, envelope }) = read else {
        panic!("known to this version");
    };
    assert_eq!(envelope.id, EventId { device, seq: 3 });
    let Body::EntryReversed(reversed) = body else {
        panic!("a reversal");
    };
    assert_eq!(reversed.target, EntryId(EventId { device, seq: 2 }));

    // What it writes from now on bears its number. The phone goes on too.
    let mut copy = copy;
    copy.write(credit(40));
    assert_eq!(verdicts(&server.push(&copy, 4, 4)), [Verdict::Accepted]);
    phone.write(credit(50));
    assert_eq!(verdicts(&server.push(&phone, 3, 3)), [Verdict::Accepted]);
    // The owner confirms it, under a name of its own.
    let mut confirmed = enrolled(device.0, Role::Cashier);
    confirmed.key = request.key;
    founder.write(confirmed);
    let last = founder.head().seq;
    assert_eq!(
        verdicts(&server.push(&founder, last, last)),
        [Verdict::Accepted]
    );
}

#[test]
fn the_key_of_the_copied_phone_signs_nothing_of_the_branch() {
    let (mut server, _, mut phone, _) = Server::with_phones();
    let mut copy = phone.clone();
    phone.write(credit(20));
    server.push_all(&phone);
    copy.write(credit(30));
    let request = request(&copy, 1, 50);
    server.0 = asked(&server.0, &phone, &request).expect("a copy").after;
    copy.number = number_of(&request.fork);
    let stolen = server.push(&copy, 1, 1);
    assert_eq!(stolen.standing.advice, Advice::Resign);
    let copy = renamed(copy, &request);
    assert_eq!(verdicts(&server.push(&copy, 1, 1)), [Verdict::Accepted]);
}

#[test]
fn asked_again_it_is_known_and_asked_by_another_copy_of_the_same_entries_it_is_taken() {
    let (mut server, _, mut phone, _) = Server::with_phones();
    let mut copy = phone.clone();
    phone.write(credit(20));
    server.push_all(&phone);
    copy.write(credit(30));
    let first = request(&copy, 1, 50);
    assert_eq!(is_registered(&server.0, &first), Ok(false));
    server.0 = asked(&server.0, &phone, &first).expect("a copy").after;
    assert_eq!(
        is_registered(&server.0, &first),
        Ok(true),
        "the answer was lost"
    );
    // A copy of the copy: its entries would be in the log twice.
    let other = request(&copy, 1, 51);
    assert_eq!(is_registered(&server.0, &other), Err(NotABranch::Taken));
}

#[test]
fn three_copies_and_a_copy_of_a_copy_are_each_a_device() {
    let (mut server, _, mut phone, _) = Server::with_phones();
    let mut copies = [phone.clone(), phone.clone(), phone.clone()];
    phone.write(credit(10));
    server.push_all(&phone);
    for (copy, rupees) in copies.iter_mut().zip(20..) {
        copy.write(credit(rupees));
        let request = request(copy, 1, 50 + rupees as u32);
        server.0 = asked(&server.0, &phone, &request).expect("a copy").after;
        *copy = renamed(copy.clone(), &request);
        assert_eq!(verdicts(&server.push(copy, 1, 1)), [Verdict::Accepted]);
    }
    let mut original = copies[0].clone();
    let mut again = original.clone();
    original.write(credit(70));
    server.push(&original, 2, 2);
    again.write(credit(80));
    let request = request(&again, 2, 90);
    server.0 = asked(&server.0, &original, &request)
        .expect("a copy of a copy")
        .after;
    let again = renamed(again, &request);
    assert_eq!(verdicts(&server.push(&again, 2, 2)), [Verdict::Accepted]);
    let numbers = copies.iter().map(|it| it.number).chain([again.number]);
    let numbers: std::collections::BTreeSet<DeviceNo> = numbers.collect();
    assert_eq!(numbers.len(), 4);
}

#[test]
fn what_is_no_fork_is_refused_and_changes_nothing() {
    let (mut server, _, mut phone, _) = Server::with_phones();
    phone.write(credit(10));
    let mut copy = phone.clone();
    phone.write(credit(20));
    server.push_all(&phone);
    copy.write(credit(30));
    let sound = request(&copy, 2, 50);
    let same = request(&phone, 2, 50);
    assert_eq!(asked(&server.0, &phone, &same), Err(NotABranch::NoFork));
    let early = request(&copy, 1, 50);
    assert_eq!(asked(&server.0, &phone, &early), Err(NotABranch::NoFork));
    let mut elsewhere = sound.clone();
    elsewhere.fork.previous = Hash::default();
    assert_eq!(
        asked(&server.0, &phone, &elsewhere),
        Err(NotABranch::NotSigned)
    );
    copy.key = key(66);
    let foreign = request(&copy, 2, 50);
    assert_eq!(
        asked(&server.0, &phone, &foreign),
        Err(NotABranch::NotSigned)
    );
    let mut of_the_server = sound;
    of_the_server.fork.of = DeviceNo::SERVER;
    assert_eq!(
        asked(&server.0, &phone, &of_the_server),
        Err(NotABranch::NotSigned)
    );
}

#[test]
fn a_shop_has_so_many_copies_and_no_more() {
    let (mut server, _, mut phone, _) = Server::with_phones();
    let empty = phone.clone();
    phone.write(credit(10));
    server.push_all(&phone);
    for number in 0..=MAX_BRANCHES {
        let mut copy = empty.clone();
        copy.write(credit(100 + number as i64));
        let request = request(&copy, 1, 1000 + number as u32);
        match asked(&server.0, &phone, &request) {
            Ok(registered) if number < MAX_BRANCHES => server.0 = registered.after,
            other => assert_eq!((number, other), (MAX_BRANCHES, Err(NotABranch::TooMany))),
        }
    }
}

#[test]
fn the_copy_of_a_removed_phone_is_removed_and_reads_nothing() {
    let (mut server, mut founder, mut phone, _) = Server::with_phones();
    let mut copy = phone.clone();
    phone.write(credit(10));
    server.push_all(&phone);
    founder.write(DeviceRevoked {
        device: DeviceNo(2),
    });
    server.push_all(&founder);
    copy.write(credit(20));
    let seen = server.judge(2, &copy.ask_with(1, 1)).expect("sound");
    assert_eq!(seen.standing.advice, Advice::Fork);
    assert!(!seen.may_read(), "a removed phone learns nothing by lying");
    let request = request(&copy, 1, 50);
    server.0 = asked(&server.0, &phone, &request).expect("a copy").after;
    let copy = renamed(copy, &request);
    assert_eq!(verdicts(&server.push(&copy, 1, 1)), [Verdict::Held]);
}
