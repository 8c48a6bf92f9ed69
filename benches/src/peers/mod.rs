//! The same events through our server and through others, one after the other in each run.

pub mod atuin;
mod node;

use device::Device;

use crate::ours::{Ours, Rate, join};
use crate::process::{Used, fsync_ms};
use crate::row::{Goal, Row, median};
use crate::shop::Year;
use crate::{Outcome, Settings};
use node::Peer;

/// Events for each system: fewer for the slower ones, so that a run ends.
const OURS: u32 = 200_000;
/// Long enough for a segment.
const QUICK_OURS: u32 = 10_000;
const ATUIN: usize = 50_000;
const QUICK: u32 = 50;
/// New devices that read sealed history one after the other: a single pull costs the server less
/// than a tick of the clock by which its processor time is told.
const PULLS: usize = 16;

/// What events cost in several runs, both ways.
#[derive(Default)]
struct Costs {
    push: Vec<Cost>,
    /// Of history; with us, sealed.
    pull: Vec<Cost>,
    /// With us, before it is sealed.
    pull_chunks: Vec<Cost>,
}

/// One way of so many events.
#[derive(Clone, Copy)]
pub struct Cost {
    events: f64,
    used: Used,
}

impl Cost {
    fn per_cpu_s(&self) -> f64 {
        self.events / self.used.cpu_s
    }

    fn per_s(&self) -> f64 {
        self.events / self.used.wall_s
    }
}

fn each(costs: &[Cost], value: fn(&Cost) -> f64) -> Vec<f64> {
    costs.iter().map(value).collect()
}

/// Measures ourselves and everybody who is installed.
pub async fn run(settings: &Settings) -> Outcome {
    let year = Year::write(settings.size(OURS, QUICK_OURS))?;
    let (mut ours, mut atuin) = (Costs::default(), Costs::default());
    let mut others = Peer::ALL.map(|peer| (peer, Costs::default()));
    let mut fsyncs_ms = Vec::new();
    for _ in 0..settings.runs() {
        fsyncs_ms.push(fsync_ms(tempfile::tempdir()?.path())?);
        measure_ours(settings, &year, &mut ours).await?;
        if let Some(program) = &settings.atuin {
            let events = first(&year.events, settings, ATUIN);
            let (push, pull) = atuin::measure(program, events).await?;
            atuin.push.push(push);
            atuin.pull.push(pull);
        }
        if let Some(folder) = &settings.node_peers {
            for (peer, costs) in &mut others {
                let documents = first(&year.documents, settings, peer.events());
                let (push, pull) = peer.measure(folder, documents).await?;
                costs.push.push(push);
                costs.pull.push(pull);
            }
        }
    }
    let fsync_ms = median(&fsyncs_ms);
    rows(
        &ours,
        (atuin::NAME, "atuin", &atuin),
        (4.0, Some(4.0)),
        fsync_ms,
    );
    for (peer, costs) in &others {
        let goals = (peer.goal(), None);
        rows(&ours, (peer.name(), peer.short(), costs), goals, fsync_ms);
    }
    Row::new(
        "pull_server",
        "Pull of history, the server's share",
        "events/CPU-s",
        &each(&ours.pull, Cost::per_cpu_s),
    )
    .goal(Goal::AtLeast(1_000_000.0))
    .with("fsync_ms", fsync_ms);
    Row::new(
        "pull_server_chunks",
        "Pull of what is not sealed yet, the server's share",
        "events/CPU-s",
        &each(&ours.pull_chunks, Cost::per_cpu_s),
    )
    .with("fsync_ms", fsync_ms);
    Ok(())
}

/// Our figures beside those of one peer.
fn rows(ours: &Costs, peer: (&str, &str, &Costs), goals: (f64, Option<f64>), fsync_ms: f64) {
    let (name, short, costs) = peer;
    let (push_goal, pull_goal) = goals;
    let both = [
        ("push", "Push, batches of 1,000", &ours.push, &costs.push),
        ("pull", "Pull of history", &ours.pull, &costs.pull),
    ];
    for (way, what, ours, peers) in both {
        let cpu = Row::new(
            &format!("{way}_cpu_{short}"),
            &format!("{what}, the server's share"),
            "events/CPU-s",
            &each(ours, Cost::per_cpu_s),
        );
        let wall = Row::new(
            &format!("{way}_wall_{short}"),
            &format!("{what}, on the wall, with a real client"),
            "events/s",
            &each(ours, Cost::per_s),
        );
        let (cpu, wall) = match way {
            "push" => (cpu.goal(Goal::TimesPeer(push_goal)), wall),
            _ => match pull_goal {
                Some(goal) => (cpu, wall.goal(Goal::TimesPeer(goal))),
                None => (cpu, wall),
            },
        };
        let reason = "the peer is not installed";
        for (row, value) in [
            (cpu, Cost::per_cpu_s as fn(&Cost) -> f64),
            (wall, Cost::per_s),
        ] {
            let row = row.with("fsync_ms", fsync_ms);
            match peers.is_empty() {
                true => drop(row.with("reason", reason)),
                false => drop(row.peer(name, &each(peers, value))),
            }
        }
    }
}

fn first<'a, T>(all: &'a [T], settings: &Settings, count: usize) -> &'a [T] {
    let count = settings.size(count as u32, count as u32 / QUICK) as usize;
    &all[..count.min(all.len())]
}

/// A device that worked alone for a year meets its server, and others read it all: checked, decoded
/// and folded.
async fn measure_ours(settings: &Settings, year: &Year, costs: &mut Costs) -> Outcome {
    let mut server = Ours::start(settings, 1, Rate::Raised).await?;
    let (mut owner, _folder) = year.device()?;
    server.claim(&mut owner).await?;
    costs.push.push(timed(&server, &mut owner, year).await?);
    let mut early = join(&mut owner, &server).await?;
    let mut late = Vec::new();
    for _ in 0..PULLS {
        late.push(join(&mut owner, &server).await?);
    }
    costs
        .pull_chunks
        .push(timed(&server, &mut early, year).await?);
    let (server, _) = server.sealed(settings, Rate::Raised).await?;
    let pulls = async {
        let mut last = None;
        for mut device in late {
            device.sync_until_quiet().await?;
            last = Some(device);
        }
        Ok(last)
    };
    let (used, last) = server.process.timed(pulls).await?;
    costs.pull.push(Cost {
        events: (year.events.len() * PULLS) as f64,
        used,
    });
    owner.sync_until_quiet().await?;
    if last.is_none_or(|last| last.ledger().checksum() != owner.ledger().checksum()) {
        return Err("The two devices do not have the same books.".into());
    }
    Ok(())
}

async fn timed(server: &Ours, device: &mut Device, year: &Year) -> Outcome<Cost> {
    let sync = async { Ok(device.sync_until_quiet().await?) };
    let (used, ()) = server.process.timed(sync).await?;
    Ok(Cost {
        events: year.events.len() as f64,
        used,
    })
}
