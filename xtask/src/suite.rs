//! `cargo xtask test`: everything, from cheap to dear, with the true counts.

use crate::app::{self, Profile};
use crate::counts::{self, Counts};
use crate::sh::{Result, cargo, command, output, root, say, target_dir, tee};
use crate::{run, sim, tools, weigh};
use clap::Args;
use std::fs;
use std::process::Command;
use std::time::Instant;

const SIM_SEEDS: u64 = 2000;
const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];
/// The app is checked for the browser, everything else for this machine.
const NATIVE: [&str; 4] = ["--workspace", "--exclude", "frontend", "--all-features"];

/// What to test.
#[derive(Args)]
pub struct TestArgs {
    /// Only the steps whose name contains this
    #[arg(default_value = "")]
    filter: String,
}

/// One step of the tests.
struct Step {
    name: &'static str,
    run: fn() -> Outcome,
}

struct Outcome {
    succeeded: bool,
    /// Absent for a check that is not made of tests.
    counts: Option<Counts>,
}

const CHECKS: [Step; 4] = [
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "clippy, app",
        run: clippy_app,
    },
    Step {
        name: "unit, property and server tests",
        run: nextest,
    },
];

const ALL: [Step; 12] = [
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "clippy, app",
        run: clippy_app,
    },
    Step {
        name: "unit, property and server tests",
        run: nextest,
    },
    Step {
        name: "examples in the docs",
        run: doctests,
    },
    Step {
        name: "docs",
        run: docs,
    },
    Step {
        name: "docs, app",
        run: docs_app,
    },
    Step {
        name: "app tests in Chromium",
        run: wasm_tests,
    },
    Step {
        name: "app build and weight",
        run: app_weight,
    },
    Step {
        name: "simulator",
        run: simulator,
    },
    Step {
        name: "every byte of an export, changed",
        run: every_byte,
    },
    Step {
        name: "end-to-end tests in Chromium",
        run: end_to_end,
    },
];

/// Runs every check and every test.
pub fn test(args: &TestArgs) -> Result<()> {
    tools::for_app()?;
    tools::for_tests()?;
    tools::tidy()?;
    let steps = ALL.iter().filter(|step| step.name.contains(&args.filter));
    run_steps(steps.collect())
}

/// Runs the quick checks.
pub fn check() -> Result<()> {
    tools::for_checks()?;
    tools::tidy()?;
    run_steps(CHECKS.iter().collect())
}

/// Goes on after a failure, so that one run shows all that is wrong.
fn run_steps(steps: Vec<&Step>) -> Result<()> {
    let mut table = format!(
        "\n{:<34}{:>8}{:>8}{:>9}\n",
        "step", "passed", "failed", "seconds"
    );
    let mut total = Counts::default();
    let mut all_succeeded = true;
    for step in steps {
        say(step.name);
        let started = Instant::now();
        let outcome = (step.run)();
        let seconds = started.elapsed().as_secs_f64();
        let mut counts = outcome.counts.unwrap_or_default();
        if !outcome.succeeded && counts.failed == 0 {
            // It did not even come to a failed test: that counts as one.
            counts.failed = 1;
        }
        let [passed, failed] = match outcome.counts {
            None if outcome.succeeded => ["ok".to_owned(), "-".to_owned()],
            _ => [counts.passed.to_string(), counts.failed.to_string()],
        };
        table += &format!("{:<34}{passed:>8}{failed:>8}{seconds:>9.1}\n", step.name);
        all_succeeded &= outcome.succeeded;
        total += counts;
    }
    println!("{table}\n{} passed, {} failed", total.passed, total.failed);
    if all_succeeded {
        return Ok(());
    }
    std::process::exit(1); // the last line printed stays the last line
}

fn format() -> Outcome {
    check_with(cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Outcome {
    check_with(cargo().arg("clippy").args(NATIVE).args([
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn clippy_app() -> Outcome {
    check_with(
        cargo()
            .args(["clippy", "--package", "frontend", "--all-targets"])
            .args(WASM)
            .args(["--", "--deny", "warnings"]),
    )
}

fn docs() -> Outcome {
    check_with(deny_doc_warnings(cargo().arg("doc").args(NATIVE)))
}

fn docs_app() -> Outcome {
    check_with(deny_doc_warnings(
        cargo().args(["doc", "--package", "frontend"]).args(WASM),
    ))
}

fn deny_doc_warnings(command: &mut Command) -> &mut Command {
    command
        .args(["--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", "-D warnings")
}

fn nextest() -> Outcome {
    let (succeeded, printed) = tee(cargo()
        // The app as well: its tables of words and colours are tested natively.
        .args(["nextest", "run", "--workspace", "--all-features"])
        .arg("--no-fail-fast"));
    tests_with(succeeded, counts::of_nextest(&printed))
}

fn doctests() -> Outcome {
    let (succeeded, printed) = tee(cargo()
        .args(["test", "--doc", "--no-fail-fast"])
        .args(NATIVE));
    tests_with(succeeded, counts::of_cargo_test(&printed))
}

fn wasm_tests() -> Outcome {
    let Some(driver) = output(command("sh").args(["-c", "command -v chromedriver"])) else {
        eprintln!("chromedriver was not found");
        return failed();
    };
    let (succeeded, printed) = tee(cargo()
        .args(["test", "--package", "frontend", "--no-fail-fast"])
        .args(WASM)
        .env("CHROMEDRIVER", driver)
        .env("WASM_BINDGEN_USE_BROWSER", "1"));
    tests_with(succeeded, counts::of_cargo_test(&printed))
}

fn app_weight() -> Outcome {
    match app::build(Profile::Release).and_then(|()| weigh::weigh()) {
        Ok(report) => {
            print!("{report}");
            Outcome {
                succeeded: true,
                counts: None,
            }
        }
        Err(failure) => {
            eprintln!("{failure}");
            failed()
        }
    }
}

fn simulator() -> Outcome {
    let (succeeded, _) = tee(&mut sim::command(SIM_SEEDS, 1));
    Outcome {
        succeeded,
        counts: None,
    }
}

/// The tests that only an optimised build ends soon enough.
fn every_byte() -> Outcome {
    let (succeeded, printed) = tee(cargo()
        .args(["test", "--profile", "sim", "--package", "shared"])
        .args(["--features", "plant", "--test", "export", "--", "--ignored"]));
    tests_with(succeeded, counts::of_cargo_test(&printed))
}

fn end_to_end() -> Outcome {
    let built = run::build_all(Profile::Release)
        .and_then(|()| run::build("device", "pakka-device", Profile::Release));
    if let Err(failure) = built {
        eprintln!("{failure}");
        return failed();
    }
    let report = target_dir().join("e2e-report.json");
    let _ = fs::remove_file(&report); // an old report must not pass for a new one
    let (succeeded, _) = tee(command("node_modules/.bin/playwright")
        .args(["test", "--reporter=list,json"])
        .current_dir(root().join("e2e"))
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report)
        .env(
            "PAKKA_SERVER",
            run::binary("pakka-server", Profile::Release),
        )
        .env(
            "PAKKA_DEVICE",
            run::binary("pakka-device", Profile::Release),
        ));
    let counts = fs::read_to_string(report)
        .ok()
        .and_then(|report| counts::of_playwright(&report));
    tests_with(succeeded, counts)
}

fn check_with(command: &mut Command) -> Outcome {
    let (succeeded, _) = tee(command);
    Outcome {
        succeeded,
        counts: None,
    }
}

/// A run whose counts cannot be read has not shown that anything passed.
fn tests_with(succeeded: bool, counts: Option<Counts>) -> Outcome {
    let counted = counts.unwrap_or_default();
    Outcome {
        succeeded: succeeded && counts.is_some() && counted.failed == 0,
        counts: Some(counted),
    }
}

fn failed() -> Outcome {
    Outcome {
        succeeded: false,
        counts: None,
    }
}
