//! Packed pushes: the same request in fewer bytes, or none.

use proptest::prelude::*;
use shared::bytes::{Bytes, Fixed, KeyId};
use shared::chain::digest;
use shared::event::{Kind, decode, encode};
use shared::ids::{DeviceNo, EventId};
use shared::sync::log::ChainHead;
use shared::sync::segment::packed::{pack, unpack};
use shared::sync::wire::{MAX_PUSH_EVENTS, PROTOCOL, Push, SealingKey, SyncRequest};
use shared::testing::rng::Rng;
use shared::testing::{logs, samples, sealed};

/// A device's push of these events, from a number on.
fn request(first_seq: u32, events: Vec<Vec<u8>>) -> SyncRequest {
    let previous = digest(&[b"before"]);
    let mut head = ChainHead {
        seq: first_seq - 1,
        hash: previous,
    };
    for event in &events {
        head = head.after(event);
    }
    SyncRequest {
        protocol: PROTOCOL,
        generation: Some(Fixed([5; 16])),
        position: 70_000,
        root: digest(&[b"root"]),
        last_seq: head.seq,
        last_hash: head.hash,
        keys_after: 300,
        want_bytes: 256 * 1024,
        push: Some(Push {
            first_seq,
            previous,
            events: events.into_iter().map(Bytes).collect(),
            signature: Fixed(core::array::from_fn(|at| at as u8)),
        }),
        keys: None,
        segments: Some(1),
    }
}

fn comes_back(request: &SyncRequest) -> usize {
    let bytes = pack(DeviceNo(1), request).expect("packed");
    assert_eq!(unpack(&bytes).as_ref(), Ok(request));
    bytes.len()
}

fn all_kinds() -> Vec<Vec<u8>> {
    samples_of(Kind::ALL)
}

fn samples_of(kinds: &[Kind]) -> Vec<Vec<u8>> {
    let kinds = kinds
        .iter()
        .flat_map(|kind| [(*kind, true), (*kind, false)]);
    let events = kinds.zip(1..).map(|((kind, full), seq)| {
        let mut event = samples::event(kind, full);
        event.envelope.id = EventId::new(1, seq);
        event.envelope.group = None;
        encode(&event)
    });
    events.collect()
}

/// Pushes of so many events without sealed texts from the second half of a shop's year.
fn pushes(count: usize) -> Vec<SyncRequest> {
    let log = sealed::segments(6_000, 2026, usize::MAX);
    let chunks = log.iter().flat_map(|segment| &segment.chunks);
    let own = chunks.filter(|chunk| chunk.device == DeviceNo(1));
    let events: Vec<(u32, Vec<u8>)> = own
        .flat_map(|chunk| (chunk.first_seq..).zip(chunk.events.iter().flatten()))
        .map(|(seq, bytes)| (seq, bytes.0.clone()))
        .skip(1_000)
        .collect();
    let is_plain = |bytes: &[u8]| !bytes.windows(3).any(|head| head == [0x84, 1, 0x50]);
    let pushes = events.chunks_exact(count);
    let plain = pushes.filter(|push| push.iter().all(|(_, bytes)| is_plain(bytes)));
    let requests = plain.map(|push| {
        request(
            push[0].0,
            push.iter().map(|(_, bytes)| bytes.clone()).collect(),
        )
    });
    requests.collect()
}

#[test]
fn ten_entries_go_out_in_forty_bytes_each() {
    let (mut packed, mut plain, mut events) = (0, 0, 0);
    for request in pushes(10) {
        packed += comes_back(&request);
        plain += minicbor::to_vec(&request).expect("in memory").len();
        events += 10;
    }
    assert!(events >= 300, "{events}");
    let (each, before) = (
        packed as f64 / f64::from(events),
        plain as f64 / f64::from(events),
    );
    println!("{each:.1} bytes/event packed, {before:.1} in CBOR, {events} events");
    assert!(each <= 40.0, "{each}");
}

#[test]
fn every_kind_of_event_comes_back() {
    comes_back(&request(1, all_kinds()));
}

#[test]
fn keys_go_along() {
    let mut with_keys = request(1, all_kinds().into_iter().take(3).collect());
    with_keys.keys = Some(vec![SealingKey {
        id: KeyId::default(),
        key: Some(Fixed([7; 32])),
    }]);
    with_keys.generation = None;
    with_keys.segments = None;
    comes_back(&with_keys);
}

#[test]
fn what_is_not_the_end_of_a_chain_is_not_packed() {
    let sound = request(7, all_kinds().into_iter().take(3).collect());
    let without = SyncRequest {
        push: None,
        ..sound.clone()
    };
    let part = SyncRequest {
        last_seq: sound.last_seq + 1,
        ..sound.clone()
    };
    let other = SyncRequest {
        last_hash: digest(&[b"another chain"]),
        ..sound
    };
    for request in [without, part, other] {
        assert_eq!(pack(DeviceNo(1), &request), None);
    }
}

#[test]
fn the_events_that_both_sides_begin_with_are_known_and_frozen() {
    let bytes = include_bytes!("../src/sync/segment/packed/preset-v1.cbor");
    let events: Vec<Bytes> = minicbor::decode(bytes).expect("an array of events");
    for event in &events {
        assert!(matches!(
            decode(&event.0, None),
            Ok(shared::event::Decoded::Known(_))
        ));
    }
    assert_eq!(digest(&[bytes]).to_string(), PRESET_HASH);
}

#[test]
fn what_was_packed_once_is_read_for_ever() {
    let mut all = request(1, samples_of(&samples::kinds_frozen_first()));
    all.keys = Some(vec![SealingKey {
        id: KeyId::default(),
        key: None,
    }]);
    let bytes = pack(DeviceNo(1), &all).expect("packed");
    if std::env::var_os("PAKKA_FREEZE").is_some() {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/packed-v1.txt");
        std::fs::write(path, digits + "\n").expect("the file can be written");
        return;
    }
    let golden = include_str!("../testdata/packed-v1.txt").trim();
    let pairs = golden.as_bytes().chunks(2);
    let frozen = pairs.map(|pair| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    });
    let frozen: Vec<u8> = frozen.collect();
    assert_eq!(unpack(&frozen), Ok(all), "what is frozen can be read");
    assert_eq!(frozen, bytes, "and is what is written");
}

const PRESET_HASH: &str = "7f7c6750b5257c5e45946c53a1deb8b9dc664973e2a2d77e5bc3d1189e160fb1";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_events_come_back(seed: u64, length in 1_u32..40) {
        let mut rng = Rng::new(seed);
        let chain = logs::chains(&mut rng, 1, length).remove(0);
        comes_back(&request(1, chain.into_iter().map(|logged| logged.bytes).collect()));
    }

    #[test]
    fn any_bytes_come_back(events in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20)) {
        comes_back(&request(3, events));
    }

    #[test]
    fn damage_stays_within_bounds_and_is_never_a_panic(seed: u64) {
        let mut rng = Rng::new(seed);
        let sound = request(1, all_kinds());
        let bytes = pack(DeviceNo(1), &sound).expect("packed");
        for _ in 0..200 {
            let mut damaged = bytes.clone();
            let at = rng.below(damaged.len() as u64) as usize;
            damaged[at] ^= 1 + rng.below(255) as u8;
            damaged.truncate(damaged.len() - rng.below(4) as usize);
            // The chain and its signature tell whether it is what was sent; here it must only stay
            // within bounds.
            if let Ok(other) = unpack(&damaged) {
                let events = other.push.map_or(0, |push| push.events.len());
                prop_assert!((1..=MAX_PUSH_EVENTS).contains(&events));
            }
        }
    }
}
