//! Nothing new: what a phone's look costs that finds everything as it was.

use std::time::Instant;

use crate::ours::{Ours, Rate};
use crate::row::{Goal, Row, percentile};
use crate::shop::Shop;
use crate::{Outcome, Settings};

const SYNCS: u32 = 500;
const QUICK_SYNCS: u32 = 50;
const EVENTS: u32 = 1000;

pub async fn run(settings: &Settings) -> Outcome {
    let mut server = Ours::start(settings, 1, Rate::Raised).await?;
    let mut shop = Shop::found(EVENTS, 1, None)?;
    shop.write(EVENTS as usize, |_| ())?;
    let device = &mut shop.device;
    server.claim(device).await?;
    device.sync_until_quiet().await?;
    device.sync_until_quiet().await?;
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let before = device.traffic();
    let syncs = settings.size(SYNCS, QUICK_SYNCS);
    for _ in 0..settings.runs() {
        let mut times_ms = Vec::new();
        for _ in 0..syncs {
            let started = Instant::now();
            device.sync_until_quiet().await?;
            times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        p50.push(percentile(&times_ms, 50));
        p99.push(percentile(&times_ms, 99));
    }
    let now = device.traffic();
    let requests = (now.requests - before.requests) as f64;
    if requests < f64::from(syncs) {
        return Err("Not every sync asked the server.".into());
    }
    let sent = (now.sent_bytes - before.sent_bytes) as f64 / requests;
    let received = (now.received_bytes - before.received_bytes) as f64 / requests;
    Row::new("idle", "Idle sync, median", "ms", &p50)
        .goal(Goal::AtMost(2.0))
        .with("p99_ms", percentile(&p99, 50));
    Row::new(
        "idle_sent",
        "Idle sync, body of the request",
        "bytes",
        &[sent],
    )
    .goal(Goal::AtMost(300.0));
    Row::new(
        "idle_received",
        "Idle sync, body of the answer",
        "bytes",
        &[received],
    )
    .goal(Goal::AtMost(300.0));
    Ok(())
}
