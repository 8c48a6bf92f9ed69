//! A whole log in the server's files, verified by its own program: every chain, every signature,
//! the tree and the signed head.

use std::process::Command;
use std::time::Instant;

use crate::ours::{DATA, Ours, Rate};
use crate::process::waited_for_cpu_s;
use crate::row::{Goal, Row};
use crate::shop::Year;
use crate::{Outcome, Settings};

const EVENTS: u32 = 200_000;
const QUICK: u32 = 4_000;
/// The goal is for so many.
const MILLION: f64 = 1_000_000.0;

pub async fn run(settings: &Settings) -> Outcome {
    let year = Year::write(settings.size(EVENTS, QUICK))?;
    let mut server = Ours::start(settings, 1, Rate::Raised).await?;
    let (mut owner, _folder) = year.device()?;
    server.claim(&mut owner).await?;
    owner.sync_until_quiet().await?;
    let events = owner.last_seq();
    let folder = server.stop_and_keep()?;
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..settings.runs() {
        let (before, started) = (waited_for_cpu_s()?, Instant::now());
        let told = Command::new(&settings.server)
            .args(["verify", "--data"])
            .arg(folder.path().join(DATA))
            .output()?;
        let millions = f64::from(events) / MILLION;
        wall.push(started.elapsed().as_secs_f64() / millions);
        cpu.push((waited_for_cpu_s()? - before) / millions);
        let words = String::from_utf8_lossy(&told.stdout);
        if !told.status.success() || !words.contains(&format!("good. {events} entries")) {
            return Err(format!("The log was not found good: {words}").into());
        }
    }
    let goal = Goal::AtMost(2.0);
    let what = "A whole log verified by the server's program, for 1,000,000 events";
    Row::new("verify", what, "s", &wall).goal(goal);
    Row::new("verify_cpu", &format!("{what}, processor"), "CPU-s", &cpu).goal(goal);
    Ok(())
}
