//! Real faults, in numbers that no run of the tests has the time for: the server is killed, its power
//! is cut, its disk fails, a phone's browser is killed.

use crate::app::Profile;
use crate::sh::{Result, cargo, command, root, run, say};
use crate::{run as build, tools};
use clap::Args;

/// How often.
#[derive(Args)]
pub struct FaultsArgs {
    /// How often the server is killed, its power is cut and its disk fails, each
    #[arg(long, default_value_t = 1000)]
    rounds: u64,
    /// How often a phone's browser is killed in the middle of entries; 0 for not at all
    #[arg(long, default_value_t = 200)]
    browser_rounds: u64,
    /// A few rounds without optimisation, only to see that it runs
    #[arg(long, conflicts_with_all = ["rounds", "browser_rounds"])]
    quick: bool,
}

/// Each way in which a disk fails once.
const QUICK_ROUNDS: u64 = 7;
const QUICK_BROWSER_ROUNDS: u64 = 3;

/// Runs them all, and prints the counts. `cargo xtask test` has the same in a few rounds.
pub fn faults(args: &FaultsArgs) -> Result<()> {
    let (rounds, browser_rounds, profile) = match args.quick {
        true => (QUICK_ROUNDS, QUICK_BROWSER_ROUNDS, Profile::Dev),
        false => (args.rounds, args.browser_rounds, Profile::Release),
    };
    tools::for_checks()?;
    say("the server is killed, its power is cut, its disk fails");
    run(cargo()
        .args(["nextest", "run", "--package", "sync-server"])
        .args(["--test", "crash", "--test", "faults", "--test", "native"])
        .arg("--no-capture")
        // In which nothing is cut off for taking long.
        .args(["--profile", "faults"])
        .env("PAKKA_FAULT_ROUNDS", rounds.to_string()))?;
    if browser_rounds == 0 {
        return Ok(());
    }
    tools::for_app()?;
    tools::for_tests()?;
    build::build_all(profile)?;
    say("a phone's browser is killed");
    run(command("node_modules/.bin/playwright")
        // As long as it takes.
        .args(["test", "crash", "--global-timeout", "0"])
        .current_dir(root().join("e2e"))
        .env("PAKKA_SERVER", build::binary("pakka-server", profile))
        .env("PAKKA_CRASH_ROUNDS", browser_rounds.to_string()))
}
