//! Runs the simulator over many seeds: `cargo xtask sim --seeds 10000 --seed 1`.
//!
//! A seed that fails prints how to run it again, and the program ends with a failure. With
//! `--planted` it runs worlds with known bugs instead, and fails if one of them is not found.
// How long a run takes is no part of any seed.
#![allow(clippy::disallowed_methods)]

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use shared::testing::sim::{self, Summary};

const USAGE: &str = "usage: sim [--seeds COUNT] [--seed FIRST] [--planted]";

/// How often the progress is shown, in seeds.
const PROGRESS_SEEDS: u64 = 100;

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    match arguments.planted {
        false => run(arguments.first, arguments.count),
        true => planted::run(arguments.first, arguments.count),
    }
}

fn run(first: u64, count: u64) -> ExitCode {
    let started = Instant::now();
    let all = Mutex::new(Summary::default());
    let done = AtomicU64::new(0);
    let sound = in_threads(count, |index| {
        let summary = sim::run(first + index);
        *all.lock().expect("adding up cannot fail") += summary;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(PROGRESS_SEEDS) {
            print!("\r{done} of {count} seeds");
            let _ = std::io::stdout().flush();
        }
    });
    if !sound {
        return ExitCode::FAILURE;
    }
    let all = all.into_inner().expect("adding up cannot fail");
    let seconds = started.elapsed().as_secs_f64();
    println!("\r{count} seeds in {seconds:.1} s:\n{all}");
    println!("nothing lost, nothing doubled, nobody stuck, all books the same");
    ExitCode::SUCCESS
}

/// Does something for every number below `count`, on all cores; false if it failed anywhere.
fn in_threads(count: u64, each: impl Fn(u64) + Sync) -> bool {
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get());
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let workers = (0..threads).map(|_| {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    each(index);
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
    })
}

#[cfg(feature = "plant")]
mod planted {
    use std::process::ExitCode;
    use std::sync::Mutex;

    use shared::testing::planted::Planted;
    use shared::testing::sim;

    /// Looks for each known bug, and says how soon it was found.
    pub fn run(first: u64, count: u64) -> ExitCode {
        // Bugs are meant to be found here: one line each will do.
        std::panic::set_hook(Box::new(|_| {}));
        let found = Mutex::new(Vec::new());
        let all = Planted::ALL;
        super::in_threads(all.len() as u64, |index| {
            let planted = all[index as usize];
            let finding = sim::find(planted, first..first + count);
            let mut found = found.lock().expect("no thread fails here");
            match finding {
                Some((seed, how)) => {
                    println!("{planted:?}: seed {seed}: {how}");
                    found.push(planted);
                }
                None => println!("{planted:?}: NOT FOUND in {count} seeds"),
            }
        });
        let found = found.into_inner().expect("no thread fails here");
        println!("{} of {} known bugs were found", found.len(), all.len());
        match found.len() == all.len() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}

#[cfg(not(feature = "plant"))]
mod planted {
    /// There is nothing to find in this build.
    pub fn run(_first: u64, _count: u64) -> std::process::ExitCode {
        eprintln!("this program was built without the known bugs: feature `plant`");
        std::process::ExitCode::FAILURE
    }
}

/// What to run.
struct Arguments {
    first: u64,
    count: u64,
    planted: bool,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
        let mut read = Arguments {
            first: 1,
            count: 500,
            planted: false,
        };
        while let Some(name) = words.next() {
            match name.as_str() {
                "--planted" => read.planted = true,
                "--seed" => read.first = words.next()?.parse().ok()?,
                "--seeds" => read.count = words.next()?.parse().ok()?,
                _ => return None,
            }
        }
        Some(read)
    }
}
