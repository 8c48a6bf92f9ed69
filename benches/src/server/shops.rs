//! A thousand shops at once, each sending what its counter wrote: real devices that sign, push,
//! check the answer and read their events back at their positions.

use std::rc::Rc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::ours::{Ours, Rate};
use crate::process::Used;
use crate::row::{Goal, Row, percentile};
use crate::shop::Shop;
use crate::{Outcome, Settings};

const SHOPS: u32 = 1000;
const QUICK_SHOPS: u32 = 40;
/// How often each shop sends. A device may send twenty requests at once: no limit is raised.
const ROUNDS: u32 = 10;
const BATCH: usize = 10;
/// Requests under way at once.
const UNDER_WAY: usize = 64;

/// What one run showed.
struct Seen {
    events: f64,
    used: Used,
    times_ms: Vec<f64>,
    fsync_ms: f64,
    memory_now_mib: f64,
    memory_most_mib: f64,
}

pub async fn run(settings: &Settings) -> Outcome {
    let mut runs = Vec::new();
    for _ in 0..settings.runs() {
        runs.push(once(settings).await?);
    }
    let each = |value: fn(&Seen) -> f64| runs.iter().map(value).collect::<Vec<f64>>();
    let fsync_ms = crate::row::median(&each(|run| run.fsync_ms));
    let shops = settings.size(SHOPS, QUICK_SHOPS);
    let what =
        |what: &str| format!("{shops} shops, batches of {BATCH}, {UNDER_WAY} at once: {what}");
    Row::new(
        "shops_per_core",
        &what("events"),
        "events/CPU-s",
        &each(|run| run.events / run.used.cpu_s),
    )
    .goal(Goal::AtLeast(20_000.0))
    .with("fsync_ms", fsync_ms);
    Row::new(
        "shops_wall",
        &what("events on the wall, client on the same cores"),
        "events/s",
        &each(|run| run.events / run.used.wall_s),
    )
    .with("fsync_ms", fsync_ms);
    Row::new(
        "shops_p99",
        &what("99 of 100 syncs, as the client sees them"),
        "ms",
        &each(|run| percentile(&run.times_ms, 99)),
    )
    .goal(Goal::AtMost(50.0 + fsync_ms))
    .with("p50_ms", percentile(&runs[0].times_ms, 50))
    .with("fsync_ms", fsync_ms);
    Row::new(
        "shops_memory",
        &format!("Memory of the server with {shops} active shops"),
        "MiB",
        &each(|run| run.memory_now_mib),
    )
    .goal(Goal::AtMost(64.0))
    .with(
        "most_mib",
        crate::row::median(&each(|run| run.memory_most_mib)),
    );
    Ok(())
}

async fn once(settings: &Settings) -> Outcome<Seen> {
    let shops = settings.size(SHOPS, QUICK_SHOPS);
    let mut server = Ours::start(settings, shops as usize, Rate::Usual).await?;
    let all = open(&mut server).await?;
    let (used, (events, times_ms)) = server.process.timed(sell(all)).await?;
    Ok(Seen {
        events,
        used,
        times_ms,
        fsync_ms: server.fsync_ms()?,
        memory_now_mib: server.process.memory_mib("VmRSS")?,
        memory_most_mib: server.process.memory_mib("VmHWM")?,
    })
}

/// A shop for each code, every one on the server.
async fn open(server: &mut Ours) -> Outcome<Vec<Shop>> {
    let places = Rc::new(Semaphore::new(UNDER_WAY));
    let mut tasks = JoinSet::new();
    for (seed, code) in (0..).zip(server.claim_codes.drain(..)) {
        let (places, url) = (Rc::clone(&places), server.url.clone());
        tasks.spawn_local(async move {
            let _place = places.acquire().await.map_err(|error| error.to_string())?;
            let shop = Shop::found(ROUNDS * BATCH as u32 * 2, seed, None);
            let mut shop = shop.map_err(|error| error.to_string())?;
            let claimed = shop.device.claim(&url, &code).await;
            claimed.map_err(|error| error.to_string())?;
            let synced = shop.device.sync_until_quiet().await;
            synced.map_err(|error| error.to_string())?;
            Ok::<_, String>(shop)
        });
    }
    let mut shops = Vec::with_capacity(tasks.len());
    while let Some(opened) = tasks.join_next().await {
        shops.push(opened??);
    }
    Ok(shops)
}

/// Everybody sells and sends, in turn. Gives the events and how long each sync took.
async fn sell(shops: Vec<Shop>) -> Outcome<(f64, Vec<f64>)> {
    let places = Rc::new(Semaphore::new(UNDER_WAY));
    let mut tasks = JoinSet::new();
    for mut shop in shops {
        let places = Rc::clone(&places);
        tasks.spawn_local(async move {
            let (mut events, mut times_ms) = (0, Vec::new());
            for _ in 0..ROUNDS {
                let _place = places.acquire().await.map_err(|error| error.to_string())?;
                let written = shop.write(BATCH, |_| ());
                events += written.map_err(|error| error.to_string())?;
                let started = Instant::now();
                let synced = shop.device.sync_until_quiet().await;
                synced.map_err(|error| error.to_string())?;
                times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
            }
            Ok::<_, String>((events, times_ms))
        });
    }
    let (mut events, mut times_ms) = (0, Vec::new());
    while let Some(done) = tasks.join_next().await {
        let (more, times) = done??;
        events += more;
        times_ms.extend(times);
    }
    Ok((events as f64, times_ms))
}
