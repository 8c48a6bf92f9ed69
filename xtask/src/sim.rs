//! The simulator: real code, many phones, a bad network, from seeds.

use crate::sh::{Result, cargo, root, run};
use clap::Args;
use std::process::Command;

/// What to simulate.
#[derive(Args)]
pub struct SimArgs {
    /// How many seeds to run
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first seed: a failure is repeated with `--seed S --seeds 1`
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Look for known bugs instead, each within so many seeds
    #[arg(long)]
    planted: bool,
}

/// Runs the simulator.
pub fn sim(args: &SimArgs) -> Result<()> {
    let mut command = command(args.seeds, args.seed);
    if args.planted {
        command.arg("--planted");
    }
    run(&mut command)
}

/// The call of the simulator, which lies in `shared/examples/sim.rs`.
pub fn command(seeds: u64, first_seed: u64) -> Command {
    let mut command = cargo();
    command
        .args(["run", "--quiet", "--profile", "sim", "--package"])
        .args(["shared", "--features", "plant", "--example", "sim", "--"])
        .args(["--seeds", &seeds.to_string()])
        .args(["--seed", &first_seed.to_string()])
        .current_dir(root());
    command
}
