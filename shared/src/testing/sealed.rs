//! The log of a made-up shop as a server seals it.

use super::demo::{Books, Size};
use super::device::SHOP;
use super::phone::GENERATION;
use super::rng::Rng;
use crate::bytes::{Bytes, Fixed};
use crate::calendar::{BusinessDay, TimeMs};
use crate::chain::digest;
use crate::event::encode;
use crate::sync::segment::{ChainEnd, Segment};
use crate::sync::wire::{Chunk, Verdict};

/// How many events a device hands in at once: alone on a good line, some after a while.
const BATCHES: [usize; 3] = [1, 3, 10];

/// How long a push takes to arrive, at most.
const WAY_MS: u64 = 3_000;

/// The log of a demonstration with so many events in a year until the end of March 2026, cut into
/// segments of at least so many events.
pub fn segments(events: u32, seed: u64, least: usize) -> Vec<Segment> {
    let until = BusinessDay::from_ymd(2026, 3, 31).expect("a day");
    cut(chunks(Size::year(events, seed, until)), least)
}

/// The log of a demonstration of this size, in the pushes that its devices make.
pub fn chunks(size: Size) -> Vec<Chunk> {
    let mut rng = Rng::new(size.seed ^ 0x5ea1);
    let mut waiting: Vec<Vec<(u32, Bytes)>> = vec![Vec::new(); size.devices as usize];
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut position = 1;
    let mut received = TimeMs(0);
    let mut hand_in = |device: usize, at: TimeMs, events: Vec<(u32, Bytes)>, rng: &mut Rng| {
        let Some((first_seq, _)) = events.first() else {
            return;
        };
        received = received.max(at.plus_ms(50 + rng.below(WAY_MS) as i64));
        chunks.push(Chunk {
            position,
            device: crate::ids::DeviceNo(device as u32 + 1),
            first_seq: *first_seq,
            count: events.len() as u32,
            received,
            verdict: Verdict::Accepted,
            events: Some(events.into_iter().map(|(_, bytes)| bytes).collect()),
            branch_of: None,
        });
        position += u64::from(chunks.last().map_or(0, |chunk| chunk.count));
    };
    let mut end = TimeMs(0);
    for written in Books::new(size) {
        let device = written.device.0 as usize - 1;
        for event in &written.events {
            end = event.envelope.at;
            waiting[device].push((event.envelope.id.seq, Bytes(encode(event))));
        }
        if waiting[device].len() >= *rng.pick(&BATCHES) {
            hand_in(device, end, core::mem::take(&mut waiting[device]), &mut rng);
        }
    }
    for (device, events) in waiting.into_iter().enumerate() {
        hand_in(device, end, events, &mut rng);
    }
    chunks
}

/// Chunks in segments of at least so many events each, the rest in a last one.
pub fn cut(chunks: Vec<Chunk>, least: usize) -> Vec<Segment> {
    let mut segments: Vec<Vec<Chunk>> = vec![Vec::new()];
    let mut events = 0;
    for chunk in chunks {
        if events >= least {
            segments.push(Vec::new());
            events = 0;
        }
        events += chunk.count as usize;
        segments.last_mut().expect("one at least").push(chunk);
    }
    segments.into_iter().map(segment).collect()
}

/// A segment of these chunks. Hashes and signatures in it are made up.
pub fn segment(chunks: Vec<Chunk>) -> Segment {
    let mut ends: Vec<ChainEnd> = Vec::new();
    for chunk in &chunks {
        let seq = chunk.first_seq - 1 + chunk.count;
        let hash = digest(&[&chunk.device.0.to_be_bytes(), &seq.to_be_bytes()]);
        let half = digest(&[&hash.0]);
        let end = ChainEnd {
            device: chunk.device,
            seq,
            hash,
            signature: Some(Fixed(core::array::from_fn(|at| match at < 32 {
                true => hash.0[at],
                false => half.0[at - 32],
            }))),
        };
        match ends.iter_mut().find(|known| known.device == end.device) {
            Some(known) => *known = end,
            None => ends.push(end),
        }
    }
    ends.sort_by_key(|end| end.device);
    Segment {
        shop: SHOP,
        generation: GENERATION,
        chunks,
        ends,
    }
}
