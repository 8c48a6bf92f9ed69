//! A log that was tampered with is refused, and the first bad entry is named.

use shared::bytes::{Bytes, Fixed};
use shared::calendar::BusinessDay;
use shared::chain::head_message;
use shared::event::{
    Body, BranchRegistered, DeviceKeyChanged, Envelope, Event, Group, Role, encode,
};
use shared::ids::{DeviceNo, EventId};
use shared::sync::tree;
use shared::sync::wire::{Signature, SyncRequest, TreeHead, Verdict};
use shared::testing::archive::{Archive, slices};
use shared::testing::demo::Size;
use shared::testing::device::{NOW, SHOP, Writer as Phone, enrolled, key, session, sign, verify};
use shared::testing::server::Server;
use shared::verify::{Depth, Fault, KnownDevice, Origin, Run, Signer, Summary, Verifier, Wrong};

const BOTH: [Depth; 2] = [Depth::EverySignature, Depth::LastSignatures];

fn demo() -> Archive {
    let until = BusinessDay::from_ymd(2026, 3, 31).expect("a day");
    Archive::demo(Size {
        customers: 40,
        days: 60,
        ..Size::year(2_000, 7, until)
    })
}

/// What is found when the log was tampered with.
fn fault(tamper: impl FnOnce(&mut Archive)) -> Fault {
    let mut archive = demo();
    tamper(&mut archive);
    let [every, last] = BOTH.map(|depth| archive.verify(depth));
    last.expect_err("fewer signatures find it too, if later");
    every.expect_err("nobody noticed")
}

/// The 100th run, and the entry in its middle.
fn middle(archive: &mut Archive) -> (&mut Run, &mut Bytes, usize) {
    let (run, events) = &mut archive.runs[100];
    let index = events.len() / 2;
    (run, &mut events[index], index)
}

/// Numbers the positions anew.
fn renumber(archive: &mut Archive) {
    let mut position = 1;
    for (run, events) in &mut archive.runs {
        run.position = position;
        position += events.len() as u64;
    }
}

#[test]
fn a_log_that_nobody_touched_is_good() {
    let archive = demo();
    for depth in BOTH {
        let summary = archive.verify(depth).expect("good");
        let good = Summary {
            events: archive.size(),
            proven: archive.size(),
            unsent: archive.unsent.2.len() as u64,
            devices: 4,
            open_groups: 0,
        };
        assert_eq!(summary, good);
    }
}

#[test]
fn an_entry_that_was_changed_is_found_by_the_chain_of_its_run() {
    let mut expected = None;
    let fault = fault(|archive| {
        let (run, event, _) = middle(archive);
        // The last byte is a part of the contents: the entry can still be read.
        *event.0.last_mut().expect("bytes") ^= 1;
        let first = EventId {
            device: run.device,
            seq: run.first_seq,
        };
        expected = Some((Some(run.position), Some(first)));
    });
    assert!(matches!(fault.wrong, Wrong::RunChanged { .. }), "{fault}");
    assert_eq!(Some((fault.position, fault.event)), expected);
}

#[test]
fn an_entry_that_can_no_longer_be_read_is_named() {
    let mut expected = None;
    let fault = fault(|archive| {
        let (run, event, index) = middle(archive);
        event.0[0] = 0xff;
        expected = Some((run.position + index as u64, run.first_seq + index as u32));
    });
    assert_eq!(fault.wrong, Wrong::Unreadable);
    let (position, seq) = expected.expect("set");
    assert_eq!(fault.position, Some(position));
    assert_eq!(fault.event.map(|event| event.seq), Some(seq));
}

#[test]
fn without_end_hashes_the_signature_finds_it_and_without_signatures_the_root_does() {
    let change = |archive: &mut Archive, signed: bool| {
        archive.runs.iter_mut().for_each(|(run, _)| {
            run.end_hash = None;
            run.signature = run.signature.filter(|_| signed);
        });
        *middle(archive).1.0.last_mut().expect("bytes") ^= 1;
    };
    let by_signature = fault(|archive| change(archive, true));
    assert_eq!(by_signature.wrong, Wrong::BadSignature);
    let position = demo().runs[100].0.position;
    assert_eq!(by_signature.position, Some(position));

    let mut archive = demo();
    change(&mut archive, false);
    let by_root = archive.verify(Depth::EverySignature).expect_err("changed");
    assert_eq!(by_root.wrong, Wrong::OtherRoot);
}

#[test]
fn a_server_that_changes_an_entry_and_signs_the_log_anew_cannot_sign_for_the_phone() {
    let fault = fault(|archive| {
        *middle(archive).1.0.last_mut().expect("bytes") ^= 1;
        archive.sign_again();
    });
    assert_eq!(fault.wrong, Wrong::BadSignature);
    assert_eq!(fault.position, Some(demo().runs[100].0.position));
}

#[test]
fn entries_that_were_left_out_are_missed() {
    let gap = fault(|archive| drop(archive.runs.remove(100)));
    assert!(matches!(gap.wrong, Wrong::NotDense { .. }), "{gap}");
    let renumbered = fault(|archive| {
        archive.runs.remove(100);
        renumber(archive);
    });
    assert!(
        matches!(renumbered.wrong, Wrong::NotNext { .. }),
        "{renumbered}"
    );
    let signed = demo().size();
    let cut = fault(|archive| archive.runs.truncate(100));
    // The entries that were not sent yet follow those that are gone.
    let is_missed = matches!(cut.wrong, Wrong::NotNext { .. } | Wrong::Shortened { .. });
    assert!(is_missed, "{cut}");

    let mut archive = demo();
    archive.runs.truncate(100);
    let mut verifier = Verifier::new(&archive.header.origin, BOTH[0], verify);
    verifier.expect(archive.head).expect("signed");
    for (run, events) in &archive.runs {
        verifier
            .run(run, &slices(events))
            .expect("as far as it goes");
    }
    let fault = verifier.finish().expect_err("the end is missing");
    assert_eq!(fault.wrong, Wrong::Shortened { signed });
}

#[test]
fn entries_of_two_phones_that_changed_places_are_found() {
    let fault = fault(|archive| {
        let pair = (100..).find(|&index| {
            let devices = [index, index + 1].map(|index| archive.runs[index].0.device);
            devices[0] != devices[1]
        });
        let index = pair.expect("several phones");
        archive.runs.swap(index, index + 1);
        renumber(archive);
    });
    assert_eq!(fault.wrong, Wrong::OtherRoot);
}

#[test]
fn a_time_or_a_verdict_that_was_changed_is_found() {
    let time = fault(|archive| middle(archive).0.received.0 += 1);
    assert_eq!(time.wrong, Wrong::OtherRoot);
    let verdict = fault(|archive| middle(archive).0.verdict = Verdict::Held);
    assert_eq!(verdict.wrong, Wrong::OtherRoot);
}

#[test]
fn a_head_that_the_server_did_not_sign_is_refused() {
    let fault = fault(|archive| archive.head.root = Fixed([1; 32]));
    assert_eq!(fault.wrong, Wrong::BadHeadSignature);
}

#[test]
fn another_founder_or_another_shop_is_found_at_the_first_entry() {
    let founder = fault(|archive| archive.header.origin.devices[0].key = key(99));
    assert_eq!(
        founder.position,
        Some(2),
        "the founder's own enrolment: {founder}"
    );
    assert_eq!(founder.wrong, Wrong::OtherKey(DeviceNo(1)));
    let shop = fault(|archive| archive.header.origin.shop = SHOP);
    assert!(matches!(shop.wrong, Wrong::BadHeadSignature), "{shop}");
}

#[test]
fn a_phone_that_was_never_let_in_has_no_entries() {
    let fault = fault(|archive| middle(archive).0.device = DeviceNo(77));
    assert_eq!(fault.wrong, Wrong::UnknownDevice(DeviceNo(77)));
    assert_eq!(fault.event.map(|event| event.device), Some(DeviceNo(77)));
}

#[test]
fn an_unsent_entry_that_was_changed_is_found_by_the_phones_signature() {
    let fault = fault(|archive| {
        *archive.unsent.2[0].0.last_mut().expect("bytes") ^= 1;
    });
    assert_eq!(fault.wrong, Wrong::BadSignature);
    assert_eq!(fault.position, None);
}

/// A server's log with the signatures that came with the pushes.
struct Shop {
    server: Server,
    signatures: Vec<Signature>,
}

impl Shop {
    fn open(founder: &Phone) -> Shop {
        let mut shop = Shop {
            server: Server::claimed(SHOP, Fixed([7; 16]), founder.key, key(0)),
            signatures: Vec::new(),
        };
        shop.take(founder, &founder.ask_with(1, founder.head().seq));
        shop
    }

    fn take(&mut self, phone: &Phone, request: &SyncRequest) {
        let answer = self.server.sync(phone.number, request, NOW);
        let stored = answer.expect("taken").results;
        assert!(!stored.is_empty());
        let signature = request.push.as_ref().expect("a push").signature;
        self.signatures.resize(self.server.chunks.len(), signature);
    }

    fn runs(&self) -> Vec<(Run, Vec<Bytes>)> {
        let chunks = self.server.chunks.iter().zip(&self.signatures);
        let runs = chunks.map(|(chunk, signature)| {
            let run = Run {
                position: chunk.position,
                device: chunk.device,
                first_seq: chunk.first_seq,
                received: chunk.received,
                verdict: chunk.verdict,
                branch_of: chunk.branch_of,
                end_hash: None,
                signature: Some(*signature),
            };
            (run, chunk.events.clone().expect("kept"))
        });
        runs.collect()
    }

    fn head(&self) -> TreeHead {
        self.server.head(NOW)
    }

    fn verify(&self, runs: &[(Run, Vec<Bytes>)], depth: Depth) -> Result<Summary, Fault> {
        let origin = Origin {
            shop: SHOP,
            server: Some(Signer {
                generation: Fixed([7; 16]),
                key: key(0),
            }),
            devices: vec![KnownDevice {
                device: DeviceNo(1),
                key: key(1),
            }],
        };
        let mut verifier = Verifier::new(&origin, depth, verify);
        verifier.expect(self.head())?;
        for (run, events) in runs {
            verifier.run(run, &slices(events))?;
        }
        verifier.finish()
    }

    fn is_good(&self) {
        for depth in BOTH {
            let summary = self.verify(&self.runs(), depth).expect("good");
            assert_eq!(summary.proven, self.server.state.log.size());
        }
    }
}

/// A founder and a cashier, both known to the server.
fn two() -> (Phone, Phone, Shop) {
    let mut founder = Phone::founder();
    founder.write(enrolled(2, Role::Cashier));
    let shop = Shop::open(&founder);
    (founder, Phone::new(2), shop)
}

#[test]
fn a_push_with_several_verdicts_has_one_signature_at_its_end() {
    let (_, mut cashier, mut shop) = two();
    cashier.write(session());
    cashier.write_bytes(vec![0xff]);
    cashier.write(enrolled(9, Role::Owner));
    cashier.write(session());
    shop.take(&cashier, &cashier.ask_with(1, 4));
    assert_eq!(shop.server.chunks.len(), 1 + 4);
    shop.is_good();

    // Without the last of them the signature fits nowhere.
    let mut runs = shop.runs();
    runs.pop();
    let mut verifier = Verifier::new(
        &Origin {
            shop: SHOP,
            server: None,
            devices: vec![KnownDevice {
                device: DeviceNo(1),
                key: key(1),
            }],
        },
        Depth::EverySignature,
        verify,
    );
    for (run, events) in &runs {
        verifier.run(run, &slices(events)).expect("so far");
    }
    let fault = verifier.finish().expect_err("not signed");
    assert_eq!(fault.wrong, Wrong::BadSignature);
    assert_eq!(
        fault.event,
        Some(EventId::new(2, 1)),
        "where the push began"
    );
}

#[test]
fn a_phone_signs_with_its_new_key_after_the_change_and_with_its_old_one_before() {
    let (_, mut cashier, mut shop) = two();
    cashier.write(session());
    cashier.write(DeviceKeyChanged {
        device: DeviceNo(2),
        key: key(22),
    });
    shop.take(&cashier, &cashier.ask_with(1, 2));
    cashier.write(session());
    cashier.key = key(22);
    shop.take(&cashier, &cashier.ask_with(3, 3));
    shop.is_good();

    let mut runs = shop.runs();
    let last = cashier.head();
    let message = head_message(SHOP, DeviceNo(2), last.seq, &last.hash);
    runs.last_mut().expect("runs").0.signature = Some(sign(&key(23), &message));
    let fault = shop.verify(&runs, BOTH[0]).expect_err("not its key");
    assert_eq!(fault.event, Some(EventId::new(2, 3)));
    assert_eq!(fault.wrong, Wrong::BadSignature);
}

#[test]
fn a_branch_is_read_under_its_own_number() {
    let (_, mut cashier, mut shop) = two();
    cashier.write(session());
    shop.take(&cashier, &cashier.ask_with(1, 1));
    let mut server = Phone::new(0);
    server.write(BranchRegistered {
        device: DeviceNo(7),
        of: DeviceNo(2),
        from_seq: 2,
        previous: cashier.head().hash,
    });
    shop.take(&server, &server.ask_with(1, 1));
    let mut copy = cashier.clone();
    copy.write(session());
    let first = copy.ask_with(2, 2);
    copy.number = DeviceNo(7);
    let push = copy.push(2, 2);
    shop.take(
        &copy,
        &SyncRequest {
            push: Some(push),
            ..first
        },
    );
    assert_eq!(
        shop.server.chunks.last().expect("taken").verdict,
        Verdict::Accepted
    );
    shop.is_good();

    let mut runs = shop.runs();
    runs.last_mut().expect("runs").0.branch_of = None;
    let fault = shop.verify(&runs, BOTH[0]).expect_err("it is a branch");
    assert_eq!(fault.wrong, Wrong::OtherBranch);
}

/// A phone's session as the event `seq`, in a group.
fn grouped(phone: &mut Phone, seq: u32, group: Option<Group>) {
    let event = Event {
        envelope: Envelope {
            id: EventId {
                device: phone.number,
                seq,
            },
            clock: phone.clock,
            at: NOW,
            by: None,
            group,
            cause: None,
            correlation: None,
            expect: None,
        },
        body: Body::SessionStarted(session()),
    };
    phone.write_bytes(encode(&event));
}

#[test]
fn entries_that_belong_together_must_all_be_there() {
    let group = |first, count| Some(Group { first, count });
    // Whole, in one push or in several; the last one may still be on its way.
    let (_, mut cashier, mut shop) = two();
    for seq in 1..=3 {
        grouped(&mut cashier, seq, group(1, 3));
    }
    grouped(&mut cashier, 4, group(4, 2));
    shop.take(&cashier, &cashier.ask_with(1, 2));
    shop.take(&cashier, &cashier.ask_with(3, 4));
    let summary = shop.verify(&shop.runs(), BOTH[0]).expect("good");
    assert_eq!(summary.open_groups, 1);

    let broken = |groups: &[Option<Group>]| {
        let (_, mut cashier, mut shop) = two();
        for (seq, group) in (1..).zip(groups) {
            grouped(&mut cashier, seq, *group);
        }
        shop.take(&cashier, &cashier.ask_with(1, groups.len() as u32));
        shop.verify(&shop.runs(), BOTH[0]).expect_err("broken")
    };
    let left = broken(&[group(1, 3), group(1, 3), None]);
    assert_eq!(left.event, Some(EventId::new(2, 3)));
    assert_eq!(left.wrong, Wrong::GroupBroken { first: 1, last: 3 });
    let another = broken(&[group(1, 3), group(2, 2)]);
    assert_eq!(another.wrong, Wrong::GroupBroken { first: 1, last: 3 });
    let entered = broken(&[None, group(1, 2)]);
    assert_eq!(entered.wrong, Wrong::GroupBroken { first: 1, last: 2 });
}

#[test]
fn an_entry_that_counts_under_another_number_is_named() {
    let (_, mut cashier, mut shop) = two();
    grouped(&mut cashier, 5, None);
    shop.take(&cashier, &cashier.ask_with(1, 1));
    shop.is_good();
    let mut runs = shop.runs();
    // The server put it aside; somebody lets it count.
    runs.last_mut().expect("runs").0.verdict = Verdict::Accepted;
    let fault = shop.verify(&runs, BOTH[0]).expect_err("misplaced");
    assert_eq!(fault.event, Some(EventId::new(2, 1)));
    assert_eq!(fault.wrong, Wrong::Misplaced(EventId::new(2, 5)));
}

#[test]
fn a_head_in_the_middle_is_held_against_the_log_there() {
    let (_, mut cashier, mut shop) = two();
    let early = shop.head();
    cashier.write(session());
    shop.take(&cashier, &cashier.ask_with(1, 1));
    let runs = shop.runs();
    let check = |head: TreeHead| {
        let origin = demo().header.origin;
        let origin = Origin {
            shop: SHOP,
            devices: vec![KnownDevice {
                device: DeviceNo(1),
                key: key(1),
            }],
            ..origin
        };
        let mut verifier = Verifier::new(&origin, BOTH[0], verify);
        verifier.expect(shop.head())?;
        verifier.expect(head)?;
        for (run, events) in &runs {
            verifier.run(run, &slices(events))?;
        }
        verifier.finish()
    };
    assert_eq!(check(early).expect("good").proven, shop.head().size);
    let (size, root) = (early.size, Fixed([1; 32]));
    let message = tree::head_message(SHOP, &Fixed([7; 16]), size, &root, NOW);
    let other = TreeHead {
        root,
        signature: sign(&key(0), &message),
        ..early
    };
    let fault = check(other).expect_err("the server contradicts itself");
    assert_eq!(
        (fault.position, fault.wrong),
        (Some(size), Wrong::OtherRoot)
    );
}
