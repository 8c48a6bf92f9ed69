//! Builds, runs and tests Pakka: `cargo xtask run`, `cargo xtask test`.
//!
//! It installs the tools that it needs into the user's cache (see [`tools`]),
//! so that a machine with Rust, git and a C compiler is enough. It depends on
//! little so that it compiles in seconds.

mod app;
mod bench;
mod counts;
mod faults;
mod fingerprint;
mod fuzz;
mod parts;
mod run;
mod sh;
mod sim;
mod small;
mod stage;
mod suite;
mod tools;
mod weigh;

use app::Profile;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds, runs and tests Pakka.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install everything that building and testing need
    Setup,
    /// Build the app and the server, and start the server
    Run(run::RunArgs),
    /// Build the app and the server without starting them
    Build,
    /// Run every check and every test
    Test(suite::TestArgs),
    /// The quick checks: format, clippy, unit tests
    Check,
    /// Measure, also beside other systems: one JSON object per figure, and tables in BENCHMARKS.md
    Bench(bench::BenchArgs),
    /// Run the simulator: phones, a server and a bad network, from seeds
    Sim(sim::SimArgs),
    /// Kill the server, its disk and browsers many times: what was acknowledged has to be there
    Faults(faults::FaultsArgs),
    /// Fuzz the readers of bytes from elsewhere with libFuzzer
    Fuzz(fuzz::FuzzArgs),
    /// Print what the first load of the built app weighs
    Weigh,
    /// Finish a build of the app (called by Trunk as its hook)
    #[command(hide = true)]
    Stage,
    /// Wait for the started server, then fill a shop (called by `run`)
    #[command(hide = true)]
    Fill(run::FillArgs),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Setup => tools::install_all(),
        Task::Run(args) => run::run(&args),
        Task::Build => run::build_all(Profile::Release),
        Task::Test(args) => suite::test(&args),
        Task::Check => suite::check(),
        Task::Bench(args) => bench::bench(&args),
        Task::Sim(args) => sim::sim(&args),
        Task::Faults(args) => faults::faults(&args),
        Task::Fuzz(args) => fuzz::fuzz(&args),
        Task::Weigh => weigh::weigh().map(|report| print!("{report}")),
        Task::Stage => stage::stage(),
        Task::Fill(args) => run::fill(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}
