//! A server that was set back has gone on, so that what was lost can never come back to its
//! positions; then the owner lets the log go on as it is.

use std::collections::{BTreeMap, VecDeque};

use crate::jig::*;
use shared::bytes::{Bytes, Fixed};
use shared::event::{DeviceRevoked, GenerationOpened, Role};
use shared::ids::DeviceNo;
use shared::sync::engine::{Activity, Input, Output, Rewritten, Stop};
use shared::sync::generation::{NotOpened, lacking};
use shared::sync::restore::RECOVERY_MS;
use shared::sync::wire::{Generation, Part};
use shared::testing::device::{NOW, enrolled, key};
use shared::testing::phone::Phone;
use shared::testing::server::Server;

const SECOND: Generation = Fixed([2; 16]);
const THIRD: Generation = Fixed([3; 16]);

/// The server loses everything since the copy, and waits for nobody any more.
fn lose(server: &mut Server, backup: &Server) {
    server.set_back(backup.clone());
    server
        .hear(DeviceNo(1), true, RECOVERY_MS)
        .expect("the wait is over");
}

/// A shop with an owner's and a helper's phone. Both wrote after a copy was made of the server, and
/// read all of it; then the server lost that and went on with another entry of a third phone.
fn parted() -> (Server, [Phone; 3]) {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, enrolled(3, Role::Manager));
    let mut three = phone(3);
    start(&mut three, &mut server);
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    tell(&mut two, &mut server, Input::SyncNow);
    write(&mut two, &mut server, credit(180));
    tell(&mut one, &mut server, Input::SyncNow);
    lose(&mut server, &backup);
    for _ in 0..3 {
        write(&mut three, &mut server, credit(90));
    }
    (server, [one, two, three])
}

fn confirm(owner: &Phone, server: &mut Server, generation: Generation) -> Result<(), NotOpened> {
    let opened = owner.consent(&server.state.log, generation);
    server.open(&opened, NOW)
}

fn sync_all(phones: &mut [Phone], server: &mut Server) {
    for _ in 0..2 {
        for phone in &mut *phones {
            tell(phone, server, Input::SyncNow);
        }
    }
}

/// All phones hold the log of the server and the same books, and each of all these events once.
fn assert_whole(server: &Server, phones: &[Phone], written: &[Vec<Bytes>]) {
    let mut in_log: BTreeMap<DeviceNo, Vec<Bytes>> = BTreeMap::new();
    for chunk in &server.chunks {
        let events = in_log.entry(chunk.device).or_default();
        events.extend(chunk.events.iter().flatten().cloned());
    }
    for (phone, written) in phones.iter().zip(written) {
        assert_eq!(activity(phone), Activity::Settled, "{:?}", phone.number());
        let own = in_log.remove(&phone.number()).unwrap_or_default();
        assert_eq!(&own, written, "each once, in its order");
        assert_eq!(phone.disk.chunks, server.chunks);
        assert_eq!(phone.disk.cursor.log, server.state.log);
        assert_eq!(phone.ledger().to_bytes(), phones[0].ledger().to_bytes());
        assert_eq!(phone.ledger().to_bytes(), phone.disk.fold().to_bytes());
    }
}

fn written(phones: &[Phone]) -> Vec<Vec<Bytes>> {
    let events = phones.iter().map(|phone| phone.disk.writer.events.clone());
    events.collect()
}

#[test]
fn without_the_owner_the_phones_keep_everything_and_say_so() {
    let (mut server, mut phones) = parted();
    let before = written(&phones);
    sync_all(&mut phones, &mut server);
    for phone in &phones[..2] {
        assert!(matches!(
            activity(phone),
            Activity::Stopped(Stop::LogRewritten(_))
        ));
        assert_eq!(phone.ledger().entries.len(), 2, "nothing is gone");
    }
    assert_eq!(written(&phones), before);
    let owner = &phones[0];
    let (mine, own) = (&owner.disk.cursor.log, owner.head());
    assert_eq!(lacking(&server.state.log, mine, DeviceNo(1), own), 2);
}

#[test]
fn the_owner_lets_the_log_go_on_and_nothing_is_lost_or_doubled() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    let kept = server.chunks.clone();
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
    assert!(server.chunks.starts_with(&kept), "what stood there stays");
    assert_eq!(phones[0].ledger().entries.len(), 5);
    // And it goes on as ever.
    for phone in &mut phones {
        write(phone, &mut server, credit(10));
    }
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
    assert_eq!(phones[1].ledger().entries.len(), 8);
}

#[test]
fn what_was_written_since_then_and_never_sent_comes_too() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    for phone in &mut phones[..2] {
        phone.append(vec![credit(7)], Vec::new());
    }
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
    assert_eq!(phones[0].ledger().entries.len(), 7);
}

#[test]
fn what_a_lost_phone_wrote_comes_back_from_those_who_have_read_it() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    let before = written(&phones);
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    // The helper's phone fell into the river, with its own entry that the server has lost.
    let [one, _, three] = phones;
    let mut left = [one, three];
    sync_all(&mut left, &mut server);
    let before = [before[0].clone(), before[2].clone()];
    assert_whole(&server, &left, &before);
    assert_eq!(left[0].ledger().entries.len(), 5, "its entry too");
    let chain = server.state.log.chain(DeviceNo(2)).expect("known");
    assert_eq!(chain.seq, 1);
}

#[test]
fn what_nobody_can_prove_is_kept_aside_on_the_phone_that_has_it() {
    let (mut server, phones) = parted();
    let [mut one, two, three] = phones;
    // It had read the last entry without the head over it.
    let last = one.disk.chunks.last().expect("the helper's").clone();
    assert_eq!(last.device, DeviceNo(2));
    let mut earlier = one.disk.cursor.clone();
    earlier.pinned = None;
    one.disk.cursor = earlier;
    one.crash();
    start(&mut one, &mut server);
    confirm(&one, &mut server, SECOND).expect("the owner's word");
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(activity(&one), Activity::Settled);
    assert_eq!(one.disk.unproved, vec![last], "kept, and counted nowhere");
    assert_eq!(server.state.log.chain(DeviceNo(2)).expect("known").seq, 0);
    // The one who wrote it brings it.
    let mut phones = [one, two, three];
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
}

#[test]
fn two_owners_who_confirm_at_once_open_one_generation() {
    let (mut server, mut phones) = parted();
    write(&mut phones[0], &mut server, enrolled(4, Role::Owner));
    // The second owner was let in before, and knows the log as the first does.
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, enrolled(4, Role::Owner));
    let mut four = phone(4);
    start(&mut four, &mut server);
    let backup = server.clone();
    write(&mut one, &mut server, credit(250));
    write(&mut four, &mut server, credit(180));
    tell(&mut one, &mut server, Input::SyncNow);
    lose(&mut server, &backup);
    for _ in 0..3 {
        write(&mut two, &mut server, credit(90));
    }
    let words = [
        one.consent(&server.state.log, SECOND),
        four.consent(&server.state.log, THIRD),
    ];
    assert_eq!(server.open(&words[0], NOW), Ok(()));
    assert_eq!(server.open(&words[1], NOW), Err(NotOpened::OtherGeneration));
    let mut phones = [one, two, four];
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
    assert_eq!(server.state.log.generation(), SECOND);
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again_and_opens_nothing_twice() {
    let (mut server, mut phones) = parted();
    let word = phones[0].consent(&server.state.log, SECOND);
    assert_eq!(server.open(&word, NOW), Ok(()));
    let after = server.state.clone();
    assert_eq!(server.open(&word, NOW), Ok(()));
    assert_eq!(server.state, after);
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
}

#[test]
fn only_an_owner_may_and_only_for_the_log_that_the_owner_has_seen() {
    let (mut server, mut phones) = parted();
    let mut forged = phones[0].consent(&server.state.log, SECOND);
    forged.generation = THIRD;
    assert_eq!(server.open(&forged, NOW), Err(NotOpened::NotOwner));
    let helpers = phones[1].consent(&server.state.log, SECOND);
    assert_eq!(server.open(&helpers, NOW), Err(NotOpened::NotOwner));
    let word = phones[0].consent(&server.state.log, SECOND);
    write(&mut phones[2], &mut server, credit(5));
    assert_eq!(server.open(&word, NOW), Err(NotOpened::OtherLog));
    let mut elsewhere = phones[0].consent(&server.state.log, SECOND);
    elsewhere.server = key(66);
    assert_eq!(server.open(&elsewhere, NOW), Err(NotOpened::OtherLog));
}

#[test]
fn a_phone_follows_no_word_but_its_owners() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    let honest = server.clone();
    let lies: [fn(&mut GenerationOpened); 3] = [
        |opened| opened.size += 1,
        |opened| opened.device = DeviceNo(2),
        |opened| opened.signature = Fixed([1; 64]),
    ];
    for lie in lies {
        let mut server = honest.clone();
        lie(server.state.opened.as_mut().expect("opened"));
        let mut two = Phone::new(phones[1].disk.clone());
        start(&mut two, &mut server);
        let stop = Stop::LogRewritten(Rewritten::OtherGeneration);
        assert_eq!(activity(&two), Activity::Stopped(stop));
        assert_eq!(two.disk.chunks, phones[1].disk.chunks, "it keeps its log");
    }
}

#[test]
fn an_old_word_leads_no_phone_back() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    sync_all(&mut phones, &mut server);
    let old = server.clone();
    confirm(&phones[0], &mut server, THIRD).expect("once more");
    sync_all(&mut phones, &mut server);
    let before = phones[1].disk.chunks.clone();
    // The server shows what it was before.
    let mut server = old;
    tell(&mut phones[1], &mut server, Input::SyncNow);
    let stop = Stop::LogRewritten(Rewritten::OtherGeneration);
    assert_eq!(activity(&phones[1]), Activity::Stopped(stop));
    assert_eq!(phones[1].disk.chunks, before);
    // Set back in good faith: the owner says so, and on it goes.
    confirm(&phones[0], &mut server, Fixed([4; 16])).expect("the owner's word");
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
}

#[test]
fn a_phone_that_was_away_for_two_generations_comes_back_with_all_it_has() {
    let (mut server, phones) = parted();
    let [one, two, three] = phones;
    let mut here = [one, three];
    for generation in [SECOND, THIRD] {
        let backup = server.clone();
        write(&mut here[0], &mut server, credit(1));
        sync_all(&mut here, &mut server);
        lose(&mut server, &backup);
        write(&mut here[1], &mut server, credit(2));
        confirm(&here[0], &mut server, generation).expect("the owner's word");
        sync_all(&mut here, &mut server);
    }
    let [one, three] = here;
    let mut phones = [one, two, three];
    phones[1].crash();
    phones[1].disk.append(99, vec![credit(33)], Vec::new());
    start(&mut phones[1], &mut server);
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
}

#[test]
fn who_was_removed_is_out_in_the_new_generation_too() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, enrolled(3, Role::Manager));
    let mut three = phone(3);
    start(&mut three, &mut server);
    let backup = server.clone();
    let device = DeviceNo(2);
    write(&mut one, &mut server, DeviceRevoked { device });
    // The server forgets that, and has gone on.
    lose(&mut server, &backup);
    for _ in 0..2 {
        write(&mut three, &mut server, credit(90));
    }
    confirm(&one, &mut server, SECOND).expect("the owner's word");
    let read = two.disk.chunks.clone();
    tell(&mut one, &mut server, Input::SyncNow);
    tell(&mut two, &mut server, Input::SyncNow);
    assert_eq!(activity(&two), Activity::Stopped(Stop::Revoked));
    write(&mut two, &mut server, credit(10));
    assert!(
        read.starts_with(&two.disk.chunks),
        "it has read nothing new"
    );
    tell(&mut one, &mut server, Input::SyncNow);
    assert_eq!(one.ledger().held.len(), 1, "what it wrote waits");
}

#[test]
fn a_phone_whose_enrolment_was_lost_gets_in_again() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    write(&mut one, &mut server, enrolled(3, Role::Manager));
    let mut three = phone(3);
    start(&mut three, &mut server);
    write(&mut three, &mut server, credit(70));
    lose(&mut server, &backup);
    for _ in 0..3 {
        write(&mut two, &mut server, credit(90));
    }
    tell(&mut three, &mut server, Input::SyncNow);
    assert!(matches!(activity(&three), Activity::Stopped(_)));
    confirm(&one, &mut server, SECOND).expect("the owner's word");
    // It even brings its own enrolment, which the server has signed.
    tell(&mut three, &mut server, Input::SyncNow);
    let mut phones = [one, two, three];
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
    assert_eq!(phones[0].ledger().entries.len(), 4);
}

#[test]
fn a_crash_at_any_step_loses_and_doubles_nothing() {
    let (mut whole, mut phones) = parted();
    sync_all(&mut phones, &mut whole);
    confirm(&phones[0], &mut whole, SECOND).expect("the owner's word");
    let expected = written(&phones);
    for crash_at in 0.. {
        let mut server = whole.clone();
        let mut phones = [0, 1, 2].map(|at| Phone::new(phones[at].disk.clone()));
        let happened = crashing(&mut phones[1], &mut server, crash_at);
        phones.iter_mut().for_each(|phone| {
            start(phone, &mut server);
        });
        sync_all(&mut phones, &mut server);
        assert_whole(&server, &phones, &expected);
        if !happened {
            assert!(crash_at > 10, "there are many steps");
            break;
        }
    }
}

/// The app of a phone dies after so many of the things that it does. False if it has come to rest
/// before.
fn crashing(phone: &mut Phone, server: &mut Server, crash_at: usize) -> bool {
    let mut queue = VecDeque::from(phone.start(true, 7));
    for _ in 0..crash_at {
        let Some(output) = queue.pop_front() else {
            return false;
        };
        let next = match &output {
            Output::Send(ticket, request) => match server.sync(phone.number(), request, NOW) {
                Ok(answer) => answered(phone, *ticket, answer),
                Err(reason) => phone.handle(Input::Failed(*ticket, reason.into())),
            },
            Output::Restore(ticket, request) => match server.restore(request) {
                Ok(answer) => phone.handle(Input::Restored(*ticket, Box::new(answer))),
                Err(reason) => phone.handle(Input::Failed(*ticket, reason.into())),
            },
            other => local(phone, other),
        };
        queue.extend(next);
    }
    phone.crash();
    true
}

#[test]
fn a_part_of_the_old_log_that_was_changed_is_not_taken() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    let mut two = Phone::new(phones[1].disk.clone());
    let outputs = two.start(true, 7);
    let before = server.clone();
    let mut copy = server.clone();
    let outputs = settle(&mut two, &mut copy, outputs);
    let given = outputs.iter().find_map(|output| match output {
        Output::Restore(_, request) if request.part.is_some() => Some(request),
        _ => None,
    });
    let honest = given.expect("it hands in what others wrote");
    let part: Part = minicbor::decode(&honest.part.as_ref().expect("a part").0).expect("decodes");
    let lies: [fn(&mut Part); 7] = [
        |part| part.chunks[0].events.as_mut().expect("bytes")[0].0[9] ^= 1,
        |part| part.chunks[0].device = DeviceNo(3),
        |part| part.chunks[0].first_seq += 1,
        |part| part.chunks[0].position += 1,
        |part| part.chunks[0].received.0 += 1,
        |part| part.before.as_mut().expect("proved").previous[0] = Fixed([0; 32]),
        |part| part.before = None,
    ];
    for lie in lies {
        let mut changed = part.clone();
        lie(&mut changed);
        let mut request = honest.clone();
        request.part = Some(Bytes(minicbor::to_vec(&changed).expect("in memory")));
        assert!(server.restore(&request).is_err());
        assert_eq!(server.state, before.state);
    }
    assert!(server.restore(honest).is_ok());
    assert_ne!(server.state, before.state, "the truth is taken");
}

#[test]
fn a_long_log_is_cut_where_both_part_and_not_read_anew() {
    let (mut server, mut one, mut two) = two_phones();
    write(&mut one, &mut server, enrolled(3, Role::Cashier));
    let mut three = phone(3);
    start(&mut three, &mut server);
    for _ in 0..40 {
        write(&mut one, &mut server, credit(1));
    }
    let backup = server.clone();
    for _ in 0..5 {
        write(&mut one, &mut server, credit(2));
    }
    tell(&mut two, &mut server, Input::SyncNow);
    lose(&mut server, &backup);
    for _ in 0..7 {
        write(&mut three, &mut server, credit(3));
    }
    confirm(&one, &mut server, SECOND).expect("the owner's word");
    let outputs = tell(&mut two, &mut server, Input::SyncNow);
    let cut = batches(&outputs)
        .into_iter()
        .find_map(|batch| batch.cut.clone());
    let position = cut.expect("it goes back").position;
    let parted = backup.state.log.size();
    assert!(
        (parted - 5..=parted).contains(&position),
        "{position} of {parted}"
    );
    let mut phones = [one, two, three];
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
}

#[test]
fn what_no_server_has_judged_hides_no_owners_key() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    // A faulty app says that the founder has another key.
    let mut stolen = enrolled(1, Role::Owner);
    stolen.key = key(99);
    phones[1].append(vec![stolen.into()], Vec::new());
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
}

#[test]
fn a_phone_that_has_read_nothing_yet_begins_in_the_new_generation() {
    let (mut server, mut here) = parted();
    sync_all(&mut here, &mut server);
    confirm(&here[0], &mut server, SECOND).expect("the owner's word");
    sync_all(&mut here, &mut server);
    write(&mut here[0], &mut server, enrolled(4, Role::Cashier));
    // It joined in the first generation, and wrote, but never met the server.
    let mut four = phone(4);
    four.disk.append(1, vec![credit(60)], Vec::new());
    start(&mut four, &mut server);
    let [one, two, three] = here;
    let mut phones = [one, two, three, four];
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
    assert_eq!(phones[0].ledger().entries.len(), 6);
}

#[test]
fn a_copy_of_the_owners_phone_may_let_the_log_go_on_too() {
    let (mut server, mut one, mut two) = two_phones();
    let mut copy = Phone::new(one.disk.clone());
    write(&mut one, &mut server, credit(10));
    copy.disk.append(50, vec![credit(20)], Vec::new());
    start(&mut copy, &mut server);
    assert_ne!(copy.number(), one.number(), "a phone of its own");
    tell(&mut one, &mut server, Input::SyncNow);
    tell(&mut two, &mut server, Input::SyncNow);
    let backup = server.clone();
    write(&mut one, &mut server, credit(30));
    tell(&mut two, &mut server, Input::SyncNow);
    lose(&mut server, &backup);
    for _ in 0..3 {
        write(&mut copy, &mut server, credit(90));
    }
    confirm(&copy, &mut server, SECOND).expect("the owner's word");
    let mut phones = [one, two, copy];
    sync_all(&mut phones, &mut server);
    for phone in &phones {
        assert_eq!(activity(phone), Activity::Settled, "{:?}", phone.number());
        assert_eq!(phone.disk.cursor.log, server.state.log);
        assert_eq!(phone.ledger().entries.len(), 6);
    }
}

#[test]
fn who_comes_late_makes_nobody_give_back_the_keys_again() {
    let (mut server, mut phones) = parted();
    sync_all(&mut phones, &mut server);
    confirm(&phones[0], &mut server, SECOND).expect("the owner's word");
    sync_all(&mut phones[2..], &mut server);
    let heard = phones[2].disk.cursor.restored;
    assert!(heard.is_some_and(|heard| heard.keys_sent), "{heard:?}");
    sync_all(&mut phones, &mut server);
    assert_whole(&server, &phones, &written(&phones));
    assert_eq!(phones[2].disk.cursor.restored, heard);
}

/// The server's clock stood still meanwhile, so that the first entry stands there as before.
#[test]
fn what_comes_again_together_with_more_is_read_on_from_its_middle() {
    let (mut server, mut one, mut two) = two_phones();
    let backup = server.clone();
    // The answer is lost. The other phone reads the entry.
    let outputs = one.append(vec![credit(20)], Vec::new());
    let (_, request) = until_sent(&mut one, outputs);
    server.sync(one.number(), &request, NOW).expect("stored");
    tell(&mut two, &mut server, Input::SyncNow);
    lose(&mut server, &backup);
    one.crash();
    one.disk.append(50, vec![credit(30)], Vec::new());
    start(&mut one, &mut server);
    tell(&mut two, &mut server, Input::SyncNow);
    for phone in [&one, &two] {
        assert_eq!(activity(phone), Activity::Settled, "{:?}", phone.number());
        assert_eq!(phone.disk.cursor.log, server.state.log);
        assert_eq!(phone.ledger().entries.len(), 2);
    }
}
