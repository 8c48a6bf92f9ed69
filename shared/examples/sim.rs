//! Runs the simulator over many seeds: `cargo xtask sim --seeds 10000 --seed 1`.
//!
//! A seed that fails prints how to run it again, and the program ends with a failure.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use shared::testing::sim::{self, Summary};

const USAGE: &str = "usage: sim [--seeds COUNT] [--seed FIRST]";

/// How often the progress is shown, in seeds.
const PROGRESS_SEEDS: u64 = 100;

fn main() -> ExitCode {
    let Some((first, count)) = arguments(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get());
    let (next, done, all) = (
        AtomicU64::new(0),
        AtomicU64::new(0),
        Mutex::new(Summary::default()),
    );
    let sound = thread::scope(|scope| {
        let workers = (0..threads).map(|_| {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let summary = sim::run(first + index);
                    *all.lock().expect("adding up cannot fail") += summary;
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(PROGRESS_SEEDS) {
                        print!("\r{done} of {count} seeds");
                        let _ = std::io::stdout().flush();
                    }
                }
            })
        });
        let workers: Vec<_> = workers.collect();
        // All of them, before anyone says that it went well.
        let results: Vec<bool> = workers
            .into_iter()
            .map(|worker| worker.join().is_ok())
            .collect();
        results.into_iter().all(|sound| sound)
    });
    if !sound {
        return ExitCode::FAILURE;
    }
    let all = all.into_inner().expect("adding up cannot fail");
    println!(
        "\r{count} seeds: {} phones wrote {} events ({} not accepted) and sent {} requests; {} \
         messages were lost or doubled, {} crashes, {} phones removed, {} restored from older \
         copies, {} copies wrote on: nothing lost, nothing doubled, all the same",
        all.phones,
        all.events,
        all.not_accepted,
        all.requests,
        all.lost_or_doubled,
        all.crashes,
        all.revoked,
        all.restored,
        all.forked,
    );
    ExitCode::SUCCESS
}

/// The first seed and how many.
fn arguments(mut arguments: impl Iterator<Item = String>) -> Option<(u64, u64)> {
    let (mut first, mut count) = (1, 500);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.parse().ok()?;
        match name.as_str() {
            "--seed" => first = value,
            "--seeds" => count = value,
            _ => return None,
        }
    }
    Some((first, count))
}
