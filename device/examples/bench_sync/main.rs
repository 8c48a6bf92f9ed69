//! How fast a device and a real server bring each other up to date.
//!
//! The server runs in a process of its own (this program again), so that its processor time and
//! memory are its own; everything is on, signatures and full durability too. Says how long things
//! took on this machine at this moment: only ratios between runs on one machine mean much.

mod process;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use device::{Device, Joining, NewShop, Traffic};
use process::{Server, Used};
use shared::calendar::BusinessDay;
use shared::event::{Language, Role};
use shared::testing::demo::{Demo, Size, Turn};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Events of the shop, unless the first argument says another number.
const EVENTS: u32 = 100_000;
const IDLE_SYNCS: u32 = 300;
const SMALL_BATCHES: u32 = 1_000;
const SMALL_BATCH: usize = 10;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some(process::SERVE) {
        let folder = arguments.next().ok_or("a folder")?;
        return process::serve(Path::new(&folder));
    }
    let events = first.map_or(Ok(EVENTS), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(events))
}

async fn run(events: u32) -> Outcome {
    in_bulk(events).await?;
    in_small_batches().await
}

/// A device that worked alone for a year meets its server, and a second one reads it all.
async fn in_bulk(events: u32) -> Outcome {
    let server = Server::start()?;
    let mut owner = found()?;
    let (mut demo, made) = (demo(events), Instant::now());
    write(&mut owner, &mut demo, events as usize)?;
    let count = f64::from(owner.last_seq());
    let took = made.elapsed().as_secs_f64();
    say("demo_made", count / took, "events/s", None);

    owner.claim(&server.url, &server.claim_code).await?;
    let (used, traffic) = timed(&server, &mut owner).await?;
    say("push_wall", count / used.wall_s, "events/s", None);
    say("push_server_cpu", count / used.cpu_s, "events/cpu-s", None);
    say(
        "push_wire",
        traffic.sent_bytes as f64 / count,
        "bytes/event",
        None,
    );

    let mut reader = join(&mut owner, &server).await?;
    let (used, traffic) = timed(&server, &mut reader).await?;
    let lanes = reader.ledger().lanes.values();
    let read = f64::from(lanes.map(|lane| lane.last_seq).sum::<u32>());
    say("pull_wall", read / used.wall_s, "events/s", None);
    say(
        "pull_server_cpu",
        read / used.cpu_s,
        "events/cpu-s",
        Some(1_000_000.0),
    );
    say(
        "pull_wire",
        traffic.received_bytes as f64 / read,
        "bytes/event",
        None,
    );
    if reader.ledger().checksum() != owner.ledger().checksum() {
        return Err("The two devices do not have the same books.".into());
    }

    idle(&mut owner).await?;
    say(
        "server_memory",
        server.memory_bytes()? / 1_048_576.0,
        "MiB",
        None,
    );
    say("bulk_stored", server.stop()? / count, "bytes/event", None);
    Ok(())
}

/// Nothing new: how long, and how many bytes.
async fn idle(device: &mut Device) -> Outcome {
    device.sync_until_quiet().await?;
    let before = device.traffic();
    let mut times = Vec::new();
    for _ in 0..IDLE_SYNCS {
        let started = Instant::now();
        device.sync_until_quiet().await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let traffic = since(device, before);
    if traffic.requests < u64::from(IDLE_SYNCS) {
        return Err("Not every sync asked the server.".into());
    }
    let requests = traffic.requests as f64;
    say("idle_p50", times[times.len() / 2], "ms", Some(2.0));
    say("idle_p99", times[times.len() * 99 / 100], "ms", None);
    say(
        "idle_sent",
        traffic.sent_bytes as f64 / requests,
        "bytes",
        Some(300.0),
    );
    say(
        "idle_received",
        traffic.received_bytes as f64 / requests,
        "bytes",
        Some(300.0),
    );
    Ok(())
}

/// Ten events at a time, as a busy counter sends them.
async fn in_small_batches() -> Outcome {
    let server = Server::start()?;
    let mut owner = found()?;
    let mut demo = demo(2 * SMALL_BATCHES * SMALL_BATCH as u32);
    owner.claim(&server.url, &server.claim_code).await?;
    owner.sync_until_quiet().await?;
    let (first, before, cpu_s) = (owner.last_seq(), owner.traffic(), server.cpu_s()?);
    let mut times = Vec::new();
    for _ in 0..SMALL_BATCHES {
        write(&mut owner, &mut demo, SMALL_BATCH)?;
        let started = Instant::now();
        owner.sync_until_quiet().await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let count = f64::from(owner.last_seq() - first);
    let traffic = since(&owner, before);
    let cpu_s = server.cpu_s()? - cpu_s;
    say("batch10_p50", times[times.len() / 2], "ms", None);
    say("batch10_server_cpu", count / cpu_s, "events/cpu-s", None);
    say(
        "batch10_wire",
        traffic.sent_bytes as f64 / count,
        "bytes/event",
        Some(40.0),
    );
    say(
        "batch10_stored",
        server.stop()? / count,
        "bytes/event",
        Some(120.0),
    );
    Ok(())
}

/// One sync with what it cost.
async fn timed(server: &Server, device: &mut Device) -> Outcome<(Used, Traffic)> {
    let (before, cpu_s, started) = (device.traffic(), server.cpu_s()?, Instant::now());
    device.sync_until_quiet().await?;
    let used = Used {
        wall_s: started.elapsed().as_secs_f64(),
        // At least one tick: what is not measured is not infinitely fast.
        cpu_s: (server.cpu_s()? - cpu_s).max(process::TICK_S),
    };
    Ok((used, since(device, before)))
}

fn since(device: &Device, before: Traffic) -> Traffic {
    let now = device.traffic();
    Traffic {
        requests: now.requests - before.requests,
        refused: now.refused - before.refused,
        sent_bytes: now.sent_bytes - before.sent_bytes,
        received_bytes: now.received_bytes - before.received_bytes,
    }
}

fn until() -> BusinessDay {
    BusinessDay::from_ymd(2026, 3, 31).expect("a day")
}

fn demo(events: u32) -> Demo {
    Demo::new(Size {
        devices: 1,
        ..Size::year(events, 1, until())
    })
}

fn found() -> Outcome<Device> {
    let shop = NewShop {
        name: "Lakshmi Kirana".to_owned(),
        owner: "Lakshmi".to_owned(),
        device: "Counter".to_owned(),
        language: Language::English,
        at: until().plus_days(-364).start(),
    };
    Ok(Device::found(shop, None)?)
}

/// Writes until the shop ends, or this many events came.
fn write(device: &mut Device, demo: &mut Demo, events: usize) -> Outcome {
    let mut written = 0;
    while written < events
        && let Some(turn) = demo.turn()
    {
        if let Turn::Act { at, .. } = turn {
            let command = demo.command(0, at, device.ledger());
            let events = device.execute_at(at, command)?;
            demo.done(0, &events);
            written += events.len();
        }
    }
    device.save()?;
    Ok(())
}

/// A second device, which has read nothing yet.
async fn join(owner: &mut Device, server: &Server) -> Outcome<Device> {
    let offer = owner.offer_pairing(Role::Manager).await?;
    let joining = Joining::new(&server.url, &offer.secret, "Second")?;
    joining.ask(0).await?;
    let joiner = owner.joiner(&offer).await?.ok_or("nobody asked to join")?;
    owner.confirm(&joiner, Role::Manager).await?;
    Ok(joining.join(None).await?)
}

fn say(name: &str, value: f64, unit: &str, goal: Option<f64>) {
    let value = (value * 100.0).round() / 100.0;
    let line = serde_json::json!({
        "name": format!("sync_{name}"),
        "value": value,
        "unit": unit,
        "goal": goal,
        "peer": null,
        "ratio": null,
    });
    println!("{line}");
}
