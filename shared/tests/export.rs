//! The export file: whatever happens to one of its bytes is found, and named.

use std::collections::BTreeMap;
use std::ops::Range;

use shared::bytes::{Bytes, Fixed};
use shared::calendar::BusinessDay;
use shared::event::Role;
use shared::export::{self, Flaw, Header, Part, Reader, Writer};
use shared::ids::{DeviceNo, EventId};
use shared::sync::wire::{SealingKey, TreeHead, Verdict};
use shared::testing::archive::{Archive, slices};
use shared::testing::demo::Size;
use shared::testing::device::{NOW, SHOP, Writer as Phone, enrolled, key, session, verify};
use shared::testing::rng::Rng;
use shared::verify::{Depth, Fault, KnownDevice, Origin, Run, Signer, Wrong};

fn demo(events: u32) -> Archive {
    let until = BusinessDay::from_ymd(2026, 3, 31).expect("a day");
    Archive::demo(Size {
        customers: 40,
        days: 60,
        ..Size::year(events, 7, until)
    })
}

fn verified(file: &[u8]) -> Result<shared::verify::Summary, export::Bad> {
    export::verify(file, Depth::EverySignature, verify, |_| {}).map(|(_, summary)| summary)
}

#[test]
fn a_whole_export_is_good() {
    let archive = demo(1_000);
    let mut heard = 0;
    let file = archive.file();
    let (header, summary) =
        export::verify(&file, Depth::EverySignature, verify, |bytes| heard = bytes)
            .expect("nobody has touched it");
    assert_eq!(header, archive.header);
    assert_eq!(summary.events, archive.size());
    assert_eq!(summary.proven, archive.size());
    assert_eq!(summary.unsent, archive.unsent.2.len() as u64);
    assert_eq!(summary.open_groups, 0);
    assert!(heard > file.len() - 32, "progress goes to the end");
}

#[test]
fn what_was_written_is_read_again() {
    let archive = demo(200);
    let file = archive.file();
    let mut runs = archive.runs.iter();
    for part in Reader::new(&file).expect("a file of ours") {
        match part.expect("whole") {
            Part::Header(header) => assert_eq!(header, archive.header),
            Part::Head(head) => assert_eq!(head, archive.head),
            Part::Run(run, events) => {
                let (written, bytes) = runs.next().expect("as many");
                assert_eq!((&run, events), (written, slices(bytes)));
            }
            Part::Unsent(unsent) => {
                let (device, first_seq, events, signature) = &archive.unsent;
                assert_eq!((unsent.device, unsent.first_seq), (*device, *first_seq));
                assert_eq!(unsent.signature, *signature);
                assert_eq!(unsent.events, slices(events));
            }
            Part::Keys(keys) => assert!(keys.is_empty()),
        }
    }
    assert_eq!(runs.next(), None);
}

/// Where each byte of a file belongs.
struct Map<'f> {
    /// The reader before each frame, by the frame's first byte.
    frames: BTreeMap<usize, Reader<'f>>,
    /// The bytes of each event.
    events: BTreeMap<usize, (Range<usize>, EventId)>,
}

impl<'f> Map<'f> {
    fn of(file: &'f [u8]) -> Map<'f> {
        let mut map = Map {
            frames: BTreeMap::new(),
            events: BTreeMap::new(),
        };
        let mut reader = Reader::new(file).expect("whole");
        loop {
            map.frames.insert(reader.position(), reader.clone());
            let (device, first_seq, events) = match reader.next().transpose().expect("whole") {
                Some(Part::Run(run, events)) => (run.device, run.first_seq, events),
                Some(Part::Unsent(it)) => (it.device, it.first_seq, it.events),
                Some(_) => continue,
                None => return map,
            };
            for (event, seq) in events.into_iter().zip(first_seq..) {
                let at = event.as_ptr() as usize - file.as_ptr() as usize;
                let id = EventId { device, seq };
                map.events.insert(at, (at..at + event.len(), id));
            }
        }
    }

    fn event_at(&self, byte: usize) -> Option<EventId> {
        let (_, (range, id)) = self.events.range(..=byte).next_back()?;
        range.contains(&byte).then_some(*id)
    }

    /// The flaw that is found when this byte is changed, read from the frame on in which it lies:
    /// what comes before is the same.
    fn flaw(&self, copy: &mut [u8], byte: usize, flip: u8) -> Flaw {
        copy[byte] ^= flip;
        let found = match self.frames.range(..=byte).next_back() {
            Some((_, reader)) => reader.in_copy(copy).find_map(Result::err),
            None => Reader::new(copy).err(),
        };
        copy[byte] ^= flip;
        found.unwrap_or_else(|| panic!("nobody noticed that byte {byte} was changed by {flip:#x}"))
    }

    /// The flaw is the right one.
    fn check(&self, copy: &mut [u8], byte: usize, flip: u8) {
        let flaw = self.flaw(copy, byte, flip);
        let frame = self.frames.range(..=byte).next_back();
        let start = frame.map_or(0, |(start, _)| *start);
        match (self.event_at(byte), flaw) {
            (Some(id), Flaw::Log(fault)) => assert_eq!(fault.event, Some(id), "byte {byte}"),
            (Some(id), flaw) => panic!("byte {byte} is of entry {id}, and it was said: {flaw}"),
            // A mark that was damaged says so of its entry.
            (None, Flaw::Log(fault)) => assert_eq!(fault.wrong, Wrong::Damaged, "byte {byte}"),
            (None, Flaw::Structure { byte: named }) => {
                // A length that was changed may lead on into the frames behind.
                assert!(named >= start, "byte {byte} was named as {named}");
            }
        }
    }
}

#[test]
fn every_changed_byte_of_an_export_of_ten_thousand_entries_is_found() {
    let archive = demo(10_000);
    assert!(archive.size() > 9_000);
    let file = archive.file();
    let map = Map::of(&file);
    let mut copy = file.clone();
    let mut rng = Rng::new(1);
    let mut structure = 0;
    for byte in 0..file.len() {
        // Every byte that is no part of an entry: magic, frames, checks, marks, signatures.
        if map.event_at(byte).is_none() {
            map.check(&mut copy, byte, 1 << rng.below(8));
            structure += 1;
        }
    }
    assert!(structure > 100_000, "{structure}");
    for _ in 0..20_000 {
        let byte = rng.below(file.len() as u64) as usize;
        map.check(&mut copy, byte, 1 + rng.below(255) as u8);
    }
    assert_eq!(copy, file);
}

#[test]
#[ignore = "a quarter of an hour unless it is optimised: `cargo xtask test byte`"]
fn every_byte_of_an_export_changed_in_every_way_is_found() {
    let file = demo(10_000).file();
    let map = Map::of(&file);
    let mut copy = file.clone();
    for byte in 0..file.len() {
        for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
            map.check(&mut copy, byte, flip);
        }
    }
}

#[test]
fn a_changed_byte_is_named_by_verify_too_with_how_much_is_good_before_it() {
    let file = demo(300).file();
    let map = Map::of(&file);
    let mut copy = file.clone();
    let mut rng = Rng::new(3);
    for _ in 0..200 {
        let byte = rng.below(file.len() as u64) as usize;
        copy[byte] ^= 0x10;
        let bad = verified(&copy).expect_err("changed");
        copy[byte] ^= 0x10;
        assert_eq!(bad.flaw, map.flaw(&mut copy, byte, 0x10));
        let frame = map.frames.range(..=byte).next_back();
        let before = map.events.range(..frame.map_or(0, |(start, _)| *start));
        assert_eq!(bad.good.events + bad.good.unsent, before.count() as u64);
    }
}

#[test]
fn an_export_that_was_cut_off_anywhere_or_goes_on_behind_its_end_is_not_good() {
    let file = demo(30).file();
    for length in 0..file.len() {
        verified(&file[..length]).expect_err("the end is missing");
    }
    let mut longer = file.clone();
    longer.push(0);
    let bad = verified(&longer).expect_err("there is more");
    let behind = Flaw::Structure { byte: file.len() };
    assert_eq!(bad.flaw, behind);
}

#[test]
fn frames_that_were_left_out_doubled_or_swapped_are_found() {
    let file = demo(200).file();
    let starts: Vec<usize> = Map::of(&file).frames.into_keys().collect();
    let frame = |index: usize| &file[starts[index]..starts[index + 1]];
    let last = starts.len() - 2;
    for index in 0..last {
        let (before, after) = (&file[..starts[index]], &file[starts[index + 1]..]);
        verified(&[before, after].concat()).expect_err("left out");
        verified(&[before, frame(index), frame(index), after].concat()).expect_err("doubled");
        let behind = &file[starts[index + 2]..];
        verified(&[before, frame(index + 1), frame(index), behind].concat()).expect_err("swapped");
    }
}

/// The smallest files that have everything in them.
fn small() -> Vec<u8> {
    let mut founder = Phone::founder();
    founder.write(enrolled(2, Role::Cashier));
    founder.write(session());
    let server = Signer {
        generation: Fixed([7; 16]),
        key: key(0),
    };
    let header = Header {
        origin: Origin {
            shop: SHOP,
            server: Some(server),
            devices: vec![KnownDevice {
                device: DeviceNo(1),
                key: key(1),
            }],
        },
        device: DeviceNo(1),
    };
    let mut writer = Writer::new(&header);
    let mut log = shared::sync::log::Log::new(SHOP, server.generation);
    log.begin(DeviceNo(1), founder.head_at(0));
    for seq in 1..=3 {
        log.append(DeviceNo(1), founder.head_at(seq), NOW, Verdict::Accepted)
            .expect("in sequence");
    }
    let message = shared::sync::tree::head_message(SHOP, &server.generation, 3, &log.root(), NOW);
    writer.head(&TreeHead {
        size: 3,
        root: log.root(),
        at: NOW,
        signature: shared::testing::device::sign(&key(0), &message),
    });
    let run = |position, first_seq, signature| Run {
        position,
        device: DeviceNo(1),
        first_seq,
        received: NOW,
        verdict: Verdict::Accepted,
        branch_of: None,
        end_hash: None,
        signature,
    };
    writer.run(&run(1, 1, None), &slices(&founder.events[..2]));
    let push = founder.push(3, 3);
    let signed = Run {
        end_hash: Some(founder.head_at(3).hash),
        ..run(3, 3, Some(push.signature))
    };
    writer.run(&signed, &slices(&push.events));
    let rest = founder.push(4, 4);
    writer.unsent(DeviceNo(1), 4, &slices(&rest.events), &rest.signature);
    let sealing = SealingKey {
        id: Fixed([6; 16]),
        key: Some(Fixed([8; 32])),
    };
    writer.keys(&[sealing]);
    writer.finish()
}

const GOLDEN: &str = include_str!("../testdata/export-v1.txt");

#[test]
fn a_file_is_as_on_the_day_it_was_frozen() {
    let today = format!("{}\n", Bytes(small()));
    if std::env::var_os("PAKKA_FREEZE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/export-v1.txt");
        std::fs::write(path, today).expect("the golden file can be written");
        return;
    }
    assert_eq!(today, GOLDEN);
    let summary = verified(&small()).expect("good");
    assert_eq!((summary.events, summary.proven, summary.unsent), (3, 3, 1));
}

#[test]
fn a_frame_of_a_newer_version_is_passed_over() {
    // The same file with a frame of an unknown kind in front of its last: the checks follow.
    let file = small();
    let last = *Map::of(&file).frames.keys().next_back().expect("frames");
    let mut newer = file[..last].to_vec();
    let mut before: [u8; 8] = file[last - 8..last].try_into().expect("a check");
    for (kind, body) in [(99, &b"something of the future"[..]), (6, &[])] {
        let mut head = vec![kind];
        head.extend((body.len() as u32).to_be_bytes());
        let check = shared::chain::digest(&[&before, &head, body]);
        before.copy_from_slice(&check.0[..8]);
        newer.extend([&head[..], body, &before].concat());
    }
    verified(&newer).expect("as good as before");
}

#[test]
fn words_name_the_entry_or_the_byte() {
    let flaw = Flaw::Log(Fault {
        position: Some(5_310),
        event: Some(EventId::new(3, 1_042)),
        wrong: Wrong::Damaged,
    });
    assert_eq!(
        flaw.to_string(),
        "entry 3-1042 at position 5310: its bytes are not those that were written into the file"
    );
    let flaw = Flaw::Structure { byte: 17 };
    assert_eq!(flaw.to_string(), "the file is damaged at byte 17");
}
