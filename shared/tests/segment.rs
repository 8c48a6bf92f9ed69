//! Segments: everything comes back byte for byte, and damage is named.

use std::fmt::Write as _;

use proptest::prelude::*;
use shared::bytes::{Bytes, Fixed};
use shared::calendar::TimeMs;
use shared::event::{Kind, encode};
use shared::ids::{DeviceNo, EventId};
use shared::sync::segment::{Segment, Unfit, read, write};
use shared::sync::wire::{BranchOf, Chunk, Verdict};
use shared::testing::rng::Rng;
use shared::testing::{logs, samples, sealed};

const GOLDEN: &str = include_str!("../testdata/segment-v1.txt");

/// A chunk of one device's events from a number on.
fn chunk(position: u64, device: u32, first_seq: u32, events: Vec<Vec<u8>>) -> Chunk {
    Chunk {
        position,
        device: DeviceNo(device),
        first_seq,
        count: events.len() as u32,
        received: TimeMs(1_763_625_600_000 + position as i64 * 1_000),
        verdict: Verdict::Accepted,
        events: Some(events.into_iter().map(Bytes).collect()),
        branch_of: None,
    }
}

/// One event of every kind, with everything and with as little as it may have.
fn samples() -> Vec<Vec<u8>> {
    samples_of(Kind::ALL)
}

fn samples_of(kinds: &[Kind]) -> Vec<Vec<u8>> {
    let kinds = kinds
        .iter()
        .flat_map(|kind| [(*kind, true), (*kind, false)]);
    let events = kinds.zip(1..).map(|((kind, full), seq)| {
        let mut event = samples::event(kind, full);
        event.envelope.id = EventId::new(3, seq);
        event.envelope.group = None;
        encode(&event)
    });
    events.collect()
}

fn comes_back(segment: &Segment) {
    let bytes = write(segment).expect("a run of a log");
    assert_eq!(read(&bytes).as_ref(), Ok(segment));
}

#[test]
fn every_kind_of_event_comes_back() {
    comes_back(&sealed::segment(vec![chunk(7, 3, 1, samples())]));
}

#[test]
fn the_log_of_a_shop_comes_back_and_is_short() {
    let (mut plain, mut short) = (0, 0);
    for segment in sealed::segments(3_000, 7, 1_000) {
        comes_back(&segment);
        let chunks = segment.chunks.iter();
        let events = chunks.flat_map(|chunk| chunk.events.iter().flatten());
        plain += events.map(|event| event.0.len()).sum::<usize>();
        short += write(&segment).expect("a run of a log").len();
    }
    // Most of so short a log is ciphertext: the names of three hundred customers.
    assert!(short * 3 < plain * 2, "{short} of {plain}");
}

#[test]
fn chunks_keep_what_they_say() {
    let event = || vec![samples()[0].clone()];
    let branch_of = Some(BranchOf {
        device: DeviceNo(1),
        from_seq: 17,
    });
    comes_back(&sealed::segment(vec![
        chunk(1, 0, 1, event()),
        Chunk {
            verdict: Verdict::QuarantinedMisplaced,
            ..chunk(2, u32::MAX, u32::MAX, event())
        },
        Chunk {
            branch_of,
            received: TimeMs(i64::MIN),
            ..chunk(3, 70_000, 17, event())
        },
        Chunk {
            verdict: Verdict::Held,
            received: TimeMs(i64::MAX),
            ..chunk(4, 0, 9, event())
        },
    ]));
}

#[test]
fn what_is_no_event_is_kept_as_it_stands() {
    let odd: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0],
        b"no event at all".to_vec(),
        // An integer, a length and an array that are not in their shortest form, and an indefinite
        // one.
        vec![0x18, 0x05],
        vec![0x58, 0x01, 0x07],
        vec![0x98, 0x01, 0x00],
        vec![0x9f, 0x00, 0xff],
        // A float, a map, a tag, and text that is not UTF-8.
        vec![0xf9, 0x3c, 0x00],
        vec![0xa1, 0x00, 0x00],
        vec![0xc1, 0x00],
        vec![0x61, 0xff],
        // Integers beyond 63 bits.
        [&[0x1b][..], &[0xff; 8]].concat(),
        [&[0x3b][..], &[0xff; 8]].concat(),
        // Deep, and cut off.
        [vec![0x81; 200], vec![0x00]].concat(),
        samples()[5][..20].to_vec(),
        // Longer than an event may be.
        vec![7; 70_000],
    ];
    comes_back(&sealed::segment(vec![chunk(1, 1, 1, odd)]));
}

#[test]
fn a_kind_of_the_future_is_kept_short_too() {
    let written = |seq: u32| {
        let mut out = minicbor::Encoder::new(Vec::new());
        out.array(12).unwrap().u32(3).unwrap().u32(seq).unwrap();
        out.u64(900 + u64::from(seq))
            .unwrap()
            .i64(1_763_625_600_000 + i64::from(seq) * 60_000)
            .unwrap();
        for _ in 4..9 {
            out.null().unwrap();
        }
        out.u16(4711).unwrap().u8(3).unwrap();
        out.array(3)
            .unwrap()
            .str("the same long words in every one of them")
            .unwrap();
        out.array(2)
            .unwrap()
            .u32(1)
            .unwrap()
            .u32(77)
            .unwrap()
            .u32(seq * 50)
            .unwrap();
        out.into_writer()
    };
    let events: Vec<Vec<u8>> = (1..=500).map(written).collect();
    let plain: usize = events.iter().map(Vec::len).sum();
    let segment = sealed::segment(vec![chunk(1, 3, 1, events)]);
    comes_back(&segment);
    let short = write(&segment).expect("a run of a log").len();
    assert!(short * 10 < plain, "{short} of {plain}");
}

#[test]
fn what_is_no_run_of_a_log_is_no_segment() {
    let event = || vec![vec![0]];
    let lacking = Chunk {
        events: None,
        ..chunk(1, 1, 1, event())
    };
    let lying = Chunk {
        count: 2,
        ..chunk(1, 1, 1, event())
    };
    let gap = vec![chunk(1, 1, 1, event()), chunk(3, 1, 2, event())];
    for chunks in [Vec::new(), vec![lacking], vec![lying], gap] {
        assert!(matches!(write(&sealed::segment(chunks)), Err(Unfit(_))));
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let events = samples().into_iter().take(9).collect();
    let bytes = write(&sealed::segment(vec![chunk(7, 3, 1, events)])).expect("a run");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(read(&changed).is_err(), "byte {at}");
        assert!(read(&bytes[..at]).is_err(), "cut at {at}");
    }
}

/// The seal of a segment is made anew, as someone would who wants it to be believed.
fn sealed_again(mut bytes: Vec<u8>) -> Vec<u8> {
    let seal = shared::chain::digest(&[b"pakka/segment/v1", &bytes[36..]]);
    bytes[4..36].copy_from_slice(&seal.0);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn logs_with_everything_that_can_happen_come_back(seed: u64, length in 1_u32..60) {
        let mut rng = Rng::new(seed);
        let chains = logs::chains(&mut rng, 3, length);
        let mut chunks: Vec<Chunk> = Vec::new();
        for (chain, device) in chains.into_iter().zip(1..) {
            let mut first_seq = 1;
            for run in chain.chunks(1 + rng.below(9) as usize) {
                let position = 1 + chunks.iter().map(|chunk| u64::from(chunk.count)).sum::<u64>();
                let events: Vec<Vec<u8>> = run.iter().map(|logged| logged.bytes.clone()).collect();
                let count = events.len() as u32;
                chunks.push(chunk(position, device, first_seq, events));
                first_seq += count;
            }
        }
        comes_back(&sealed::segment(chunks));
    }

    #[test]
    fn any_bytes_come_back(events in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..40)) {
        comes_back(&sealed::segment(vec![chunk(1, 2, 5, events)]));
    }

    #[test]
    fn a_forged_segment_never_makes_the_reader_panic(seed: u64) {
        let mut rng = Rng::new(seed);
        let bytes = write(&sealed::segment(vec![chunk(7, 3, 1, samples())])).expect("a run");
        for _ in 0..200 {
            let mut forged = bytes.clone();
            for _ in 0..1 + rng.below(3) {
                let at = 36 + rng.below(forged.len() as u64 - 36) as usize;
                forged[at] = rng.below(256) as u8;
            }
            forged.truncate(forged.len() - rng.below(3) as usize);
            // It may say something else, which the chains refuse; it must say it in bounds.
            if let Ok(segment) = read(&sealed_again(forged)) {
                let events: usize = segment.chunks.iter().map(|chunk| chunk.count as usize).sum();
                prop_assert!(events <= shared::sync::segment::MAX_EVENTS);
            }
        }
    }
}

/// The golden segment: frozen, so that what was sealed once can be read for ever.
fn golden() -> Segment {
    let events = samples_of(&samples::kinds_frozen_first());
    let (some, others) = events.split_at(20);
    let mut segment = sealed::segment(vec![
        chunk(41, 3, 1, some.to_vec()),
        Chunk {
            verdict: Verdict::Held,
            ..chunk(61, 3, 21, others.to_vec())
        },
        Chunk {
            verdict: Verdict::QuarantinedMalformed,
            branch_of: Some(BranchOf {
                device: DeviceNo(3),
                from_seq: 9,
            }),
            ..chunk(61 + others.len() as u64, 4, 9, vec![vec![0xff, 0x00]])
        },
    ]);
    segment.ends[0].signature = None;
    segment.ends[1].signature = Some(Fixed([4; 64]));
    segment
}

#[test]
fn what_was_sealed_once_is_read_for_ever() {
    let bytes = write(&golden()).expect("a run of a log");
    if std::env::var_os("PAKKA_FREEZE").is_some() {
        let mut text = String::new();
        for line in bytes.chunks(64) {
            line.iter()
                .for_each(|byte| write!(text, "{byte:02x}").expect("memory takes all"));
            text.push('\n');
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/segment-v1.txt");
        std::fs::write(path, text).expect("the file can be written");
        return;
    }
    let digits: Vec<u8> = GOLDEN.bytes().filter(u8::is_ascii_hexdigit).collect();
    let frozen: Vec<u8> = digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("digits")
        })
        .collect();
    assert_eq!(read(&frozen), Ok(golden()), "what is frozen can be read");
    assert_eq!(frozen, bytes, "and is what is written");
}
