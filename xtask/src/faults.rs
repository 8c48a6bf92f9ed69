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
}

/// Runs them all, and prints the counts. `cargo xtask test` has the same in a few rounds.
pub fn faults(args: &FaultsArgs) -> Result<()> {
    tools::for_checks()?;
    say("the server is killed, its power is cut, its disk fails");
    run(cargo()
        .args(["nextest", "run", "--package", "sync-server"])
        .args(["--test", "crash", "--test", "faults", "--test", "native"])
        .arg("--no-capture")
        .env("PAKKA_FAULT_ROUNDS", args.rounds.to_string()))?;
    if args.browser_rounds == 0 {
        return Ok(());
    }
    tools::for_app()?;
    tools::for_tests()?;
    build::build_all(Profile::Release)?;
    say("a phone's browser is killed");
    run(command("node_modules/.bin/playwright")
        // As long as it takes.
        .args(["test", "crash", "--global-timeout", "0"])
        .current_dir(root().join("e2e"))
        .env(
            "PAKKA_SERVER",
            build::binary("pakka-server", Profile::Release),
        )
        .env("PAKKA_CRASH_ROUNDS", args.browser_rounds.to_string()))
}
