//! Whole signed logs, to verify and to tamper with.

use std::collections::BTreeMap;

use super::demo::{Books, Size};
use super::device::{self, sign, verify};
use crate::bytes::{Bytes, Fixed};
use crate::chain;
use crate::event::{Body, Event, PublicKey, encode};
use crate::export::{Header, Writer};
use crate::ids::{DeviceNo, ShopId};
use crate::sync::log::{ChainHead, Log};
use crate::sync::tree;
use crate::sync::wire::{Generation, Signature, TreeHead, Verdict};
use crate::verify::{Depth, Fault, KnownDevice, Origin, Run, Signer, Summary, Verifier};

/// A run of a made-up log is closed when it has so many events.
const RUN_EVENTS: usize = 10;

/// So many events of the last phone stay unsent.
const UNSENT_EVENTS: usize = 5;

const GENERATION: Generation = Fixed([7; 16]);

/// A log with all signatures, as a server holds it, and what one phone has not sent.
#[derive(Debug, Clone)]
pub struct Archive {
    /// What it is of.
    pub header: Header,
    /// The log.
    pub runs: Vec<(Run, Vec<Bytes>)>,
    /// Its head.
    pub head: TreeHead,
    /// Entries of a phone that stand in no log yet: phone, number of the first, entries, signature.
    pub unsent: (DeviceNo, u32, Vec<Bytes>, Signature),
}

impl Archive {
    /// A made-up shop of this size. Everyone's signature is what [`sign`] makes.
    pub fn demo(size: Size) -> Archive {
        let pushes = pushes(size);
        let opening = pushes[0].1.iter().map(|event| &event.body);
        let (mut shop, mut founder) = (device::SHOP, device::key(1));
        for body in opening {
            match body {
                Body::ShopOpened(body) => shop = body.shop,
                Body::DeviceEnrolled(body) if body.device == DeviceNo::FOUNDER => {
                    founder = body.key;
                }
                _ => {}
            }
        }
        let mut log = Log::new(shop, GENERATION);
        for (device, key) in [
            (DeviceNo::SERVER, device::key(0)),
            (DeviceNo::FOUNDER, founder),
        ] {
            log.begin(device, ChainHead::genesis(shop, &key));
        }
        let mut keys = BTreeMap::from([(DeviceNo::FOUNDER, founder)]);
        let mut runs = Vec::new();
        let (last, sent) = pushes.split_last().expect("a shop has entries");
        for (device, events) in sent {
            runs.push(append(&mut log, &mut keys, *device, events));
        }
        let (device, events) = last;
        let begins = log.chain(*device).expect("enrolled");
        let events: Vec<Bytes> = events.iter().map(|event| Bytes(encode(event))).collect();
        let end = events
            .iter()
            .fold(begins, |head, event| head.after(&event.0));
        let signature = sign(&keys[device], &head_message(shop, *device, end));
        let devices = vec![KnownDevice {
            device: DeviceNo::FOUNDER,
            key: founder,
        }];
        Archive {
            header: Header {
                origin: Origin {
                    shop,
                    server: Some(Signer {
                        generation: GENERATION,
                        key: device::key(0),
                    }),
                    devices,
                },
                device: *device,
            },
            runs,
            head: head_of(&log),
            unsent: (*device, begins.seq + 1, events, signature),
        }
    }

    /// So many events stand in the log.
    pub fn size(&self) -> u64 {
        self.runs
            .iter()
            .map(|(_, events)| events.len() as u64)
            .sum()
    }

    /// As a file.
    pub fn file(&self) -> Vec<u8> {
        let mut writer = Writer::new(&self.header);
        writer.head(&self.head);
        for (run, events) in &self.runs {
            writer.run(run, &slices(events));
        }
        let (device, first_seq, events, signature) = &self.unsent;
        writer.unsent(*device, *first_seq, &slices(events), signature);
        writer.keys(&[]);
        writer.finish()
    }

    /// Verifies the log, without a file.
    pub fn verify(&self, depth: Depth) -> Result<Summary, Fault> {
        let mut verifier = Verifier::new(&self.header.origin, depth, verify);
        verifier.expect(self.head)?;
        for (run, events) in &self.runs {
            verifier.run(run, &slices(events))?;
        }
        let (device, first_seq, events, signature) = &self.unsent;
        verifier.unsent(*device, *first_seq, &slices(events), signature)?;
        verifier.finish()
    }

    /// The server signs the log as it stands: what only a forger does who has its key.
    pub fn sign_again(&mut self) {
        let mut log = Log::new(self.header.origin.shop, GENERATION);
        let mut heads: BTreeMap<DeviceNo, ChainHead> = BTreeMap::new();
        let keys = self.runs.iter().flat_map(|(_, events)| events);
        let keys = keys
            .filter_map(|bytes| enrolled(&bytes.0))
            .collect::<Vec<_>>();
        for (device, key) in keys {
            let genesis = ChainHead::genesis(log.shop(), &key);
            log.begin(device, genesis);
            heads.entry(device).or_insert(genesis);
        }
        for (run, events) in &mut self.runs {
            for bytes in events.iter() {
                let head = heads.get_mut(&run.device).expect("enrolled");
                *head = head.after(&bytes.0);
                log.append(run.device, *head, run.received, run.verdict)
                    .expect("in sequence");
            }
            run.end_hash = run.end_hash.map(|_| heads[&run.device].hash);
        }
        self.head = head_of(&log);
    }
}

/// The bytes of events.
pub fn slices(events: &[Bytes]) -> Vec<&[u8]> {
    events.iter().map(|event| event.0.as_slice()).collect()
}

/// What devices send, one push after the other; the last is short.
fn pushes(size: Size) -> Vec<(DeviceNo, Vec<Event>)> {
    let mut pushes: Vec<(DeviceNo, Vec<Event>)> = Vec::new();
    for written in Books::new(size) {
        match pushes.last_mut() {
            Some((device, events)) if *device == written.device && events.len() < RUN_EVENTS => {
                events.extend(written.events);
            }
            _ => pushes.push((written.device, written.events)),
        }
    }
    let whole = pushes.pop().expect("a shop has entries");
    let (device, mut events) = whole;
    events.truncate(UNSENT_EVENTS);
    if events
        .last()
        .is_some_and(|event| event.envelope.group.is_some())
    {
        // Not in the middle of a command.
        events.retain(|event| event.envelope.group.is_none());
    }
    if !events.is_empty() {
        pushes.push((device, events));
    }
    pushes
}

fn append(
    log: &mut Log,
    keys: &mut BTreeMap<DeviceNo, PublicKey>,
    device: DeviceNo,
    events: &[Event],
) -> (Run, Vec<Bytes>) {
    let begins = log.chain(device).expect("enrolled");
    let position = log.size() + 1;
    let mut bytes = Vec::new();
    let mut end = begins;
    for event in events {
        bytes.push(Bytes(encode(event)));
        end = end.after(&bytes[bytes.len() - 1].0);
        if let Body::DeviceEnrolled(body) = &event.body {
            keys.insert(body.device, body.key);
        }
        log.accept(event);
        log.append(device, end, device::NOW, Verdict::Accepted)
            .expect("in sequence");
    }
    let run = Run {
        position,
        device,
        first_seq: begins.seq + 1,
        received: device::NOW,
        verdict: Verdict::Accepted,
        branch_of: None,
        end_hash: Some(end.hash),
        signature: Some(sign(&keys[&device], &head_message(log.shop(), device, end))),
    };
    (run, bytes)
}

fn enrolled(bytes: &[u8]) -> Option<(DeviceNo, PublicKey)> {
    match crate::event::decode(bytes, None) {
        Ok(crate::event::Decoded::Known(event)) => match event.body {
            Body::DeviceEnrolled(body) => Some((body.device, body.key)),
            _ => None,
        },
        _ => None,
    }
}

fn head_message(shop: ShopId, device: DeviceNo, head: ChainHead) -> Vec<u8> {
    chain::head_message(shop, device, head.seq, &head.hash)
}

fn head_of(log: &Log) -> TreeHead {
    let (size, root, at) = (log.size(), log.root(), device::NOW);
    let message = tree::head_message(log.shop(), &log.generation(), size, &root, at);
    TreeHead {
        size,
        root,
        at,
        signature: sign(&device::key(0), &message),
    }
}
