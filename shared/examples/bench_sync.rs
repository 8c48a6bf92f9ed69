//! How fast pushes are judged and logs are read, without disk, network and signatures (a check of a
//! signature costs about 35 µs for each push). One JSON object per line:
//! `cargo run --release --package shared --features testing --example bench_sync`
//!
//! The events are those of a made-up shop (`shared::testing::demo`). Judging includes both hash
//! chains, the tree and the decoding; reading includes the check of the root. Every figure is the
//! best of [`RUNS`] runs, because other work on the machine only ever slows a run down.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench is no part of the core: it has a clock"
)]

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

use shared::bytes::{Bytes, Hash};
use shared::calendar::BusinessDay;
use shared::chain;
use shared::event::{Body, Event, PublicKey, Role, decode, encode};
use shared::ids::{DeviceNo, EventId, ShopId};
use shared::sync::engine::{Activity, Cursor, Engine, Input, Output, Stored};
use shared::sync::judge::{LogState, judge};
use shared::sync::log::ChainHead;
use shared::sync::wire::{MAX_ANSWER_BYTES, PROTOCOL, Push, Signature, SyncRequest};
use shared::testing::demo;
use shared::testing::device::{NOW, enrolled, key, verify};
use shared::testing::phone::GENERATION;
use shared::testing::server::Server;

const EVENTS: u32 = 100_000;
const RUNS: usize = 7;
/// Saturday, 31 January 2026.
const UNTIL: BusinessDay = BusinessDay(20_484);

fn main() {
    let shop = Shop::new();
    for batch in [1_000, 10] {
        let requests = shop.requests(batch);
        let (state, ms) = best(|| {
            requests.iter().fold(shop.claimed(), |state, request| {
                let judged = judge(&state, DeviceNo::FOUNDER, request, NOW, |_, _, _| true);
                let after = judged.expect("a sound request").after;
                after.expect("new events")
            })
        });
        assert_eq!(state.log.size(), shop.events.len() as u64);
        let rate = shop.events.len() as f64 / ms / 1000.0;
        row(
            &format!("judge batches of {batch}"),
            rate,
            "million events/s",
            None,
        );
    }
    let mut server = Server::claimed(shop.id, GENERATION, shop.key, key(0));
    for request in shop.requests(1_000) {
        let judged = judge(
            &server.state,
            DeviceNo::FOUNDER,
            &request,
            NOW,
            |_, _, _| true,
        );
        server.commit(&request, &judged.expect("a sound request"));
    }
    let (_, ms) = best(|| pull(&shop, &mut server));
    let rate = shop.events.len() as f64 / ms / 1000.0;
    row(
        "serve and read the log",
        rate,
        "million events/s",
        Some(1.0),
    );
    idle(&shop, &mut server);
}

/// One device's chain of a year, ending with the enrolment of a second device.
struct Shop {
    id: ShopId,
    key: PublicKey,
    events: Vec<Bytes>,
    heads: Vec<ChainHead>,
}

impl Shop {
    fn new() -> Shop {
        let books = demo::Books::new(demo::Size {
            devices: 1,
            ..demo::Size::year(EVENTS, 2026, UNTIL)
        });
        let mut events: Vec<Event> = books.flat_map(|written| written.events).collect();
        let mut last = events.last().expect("a year has events").clone();
        last.envelope.id = EventId {
            seq: last.envelope.id.seq + 1,
            ..last.envelope.id
        };
        last.envelope.group = None;
        last.body = enrolled(2, Role::Cashier).into();
        events.push(last);
        let id = events.iter().find_map(|event| match &event.body {
            Body::ShopOpened(body) => Some(body.shop),
            _ => None,
        });
        let key = events.iter().find_map(|event| match &event.body {
            Body::DeviceEnrolled(body) => Some(body.key),
            _ => None,
        });
        let (id, key) = (id.expect("it opened"), key.expect("it enrolled itself"));
        let events: Vec<Bytes> = events.iter().map(|event| Bytes(encode(event))).collect();
        let mut heads = vec![ChainHead::genesis(id, &key)];
        for bytes in &events {
            assert!(decode(&bytes.0, None).is_ok());
            heads.push(heads[heads.len() - 1].after(&bytes.0));
        }
        Shop {
            id,
            key,
            events,
            heads,
        }
    }

    fn claimed(&self) -> LogState {
        LogState::claimed(self.id, GENERATION, self.key, key(0))
    }

    fn requests(&self, batch: usize) -> Vec<SyncRequest> {
        let pushes = self
            .events
            .chunks(batch)
            .enumerate()
            .map(|(index, events)| {
                let before = self.heads[index * batch];
                let last = self.heads[index * batch + events.len()];
                SyncRequest {
                    protocol: PROTOCOL,
                    generation: Some(GENERATION),
                    position: 0,
                    root: if index == 0 {
                        chain::digest(&[])
                    } else {
                        Hash::default()
                    },
                    last_seq: last.seq,
                    last_hash: last.hash,
                    keys_after: 0,
                    want_bytes: MAX_ANSWER_BYTES,
                    push: Some(Push {
                        first_seq: before.seq + 1,
                        previous: before.hash,
                        events: events.to_vec(),
                        signature: Signature::default(),
                    }),
                    keys: None,
                    segments: None,
                }
            });
        pushes.collect()
    }
}

/// A second device reads the whole log with the engine; gives it as it rests.
fn pull(shop: &Shop, server: &mut Server) -> Engine {
    let device = DeviceNo(2);
    let stored = Stored {
        key: key(2),
        cursor: Cursor::start(shop.id, GENERATION, key(0), device, &key(2)),
        outbox: Vec::new(),
        keys: Vec::new(),
    };
    let mut engine = Engine::new(device, stored, 1);
    let mut queue = VecDeque::from(engine.handle(Input::Started { online: true }));
    while let Some(output) = queue.pop_front() {
        let input = match output {
            Output::Send(ticket, request) => {
                let answer = server.sync(device, &request, NOW).expect("an answer");
                Input::Answered(ticket, NOW, Box::new(answer))
            }
            Output::Verify(ticket, check) => {
                let sound = verify(&check.key, &check.message, &check.signature);
                Input::Verified(ticket, sound)
            }
            Output::Persist(ticket, _) => Input::Persisted(ticket),
            _ => continue,
        };
        queue.extend(engine.handle(input));
    }
    assert_eq!(engine.status().activity, Activity::Settled);
    assert_eq!(engine.cursor().log.size(), shop.events.len() as u64);
    engine
}

/// What goes over the line when there is nothing new.
fn idle(shop: &Shop, server: &mut Server) {
    let mut engine = pull(shop, server);
    for output in engine.handle(Input::SyncNow) {
        if let Output::Send(_, request) = output {
            let answer = server.sync(DeviceNo(2), &request, NOW).expect("an answer");
            let length = |bytes: Vec<u8>| bytes.len() as f64;
            let request = length(minicbor::to_vec(&*request).expect("in memory"));
            let answer = length(minicbor::to_vec(&answer).expect("in memory"));
            row("idle request", request, "bytes", Some(300.0));
            row("idle answer", answer, "bytes", Some(300.0));
        }
    }
    let state = minicbor::to_vec(&server.state).expect("in memory");
    row(
        "state of a shop with two devices",
        state.len() as f64,
        "bytes",
        None,
    );
}

fn row(name: &str, value: f64, unit: &str, goal: Option<f64>) {
    let goal = goal.map_or_else(|| "null".to_owned(), |goal| goal.to_string());
    // A rate is good when it is high, a time or a size when it is low.
    let is = if unit.ends_with("/s") {
        "at least"
    } else {
        "at most"
    };
    println!(
        r#"{{"name":"{name}","value":{value:.4},"unit":"{unit}","goal":{goal},"goal_is":"{is}","peer":null,"ratio":null}}"#
    );
}

/// The result, and the least time in ms of several runs.
fn best<T>(mut run: impl FnMut() -> T) -> (T, f64) {
    let mut least_ms = f64::MAX;
    let mut result = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        let value = black_box(run());
        least_ms = least_ms.min(start.elapsed().as_secs_f64() * 1000.0);
        result = Some(value);
    }
    (result.expect("at least one run"), least_ms)
}
