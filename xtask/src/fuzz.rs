//! `cargo xtask fuzz`: the targets of `fuzz/` under libFuzzer, one after the other.
//!
//! Every test run replays the corpus and some mutations without it (`fuzz/tests/replay.rs`).

use crate::sh::{Result, cargo, fail, read, root, run, say, target_dir};
use crate::tools;
use clap::Args;
use std::fs;

/// What to fuzz, and for how long.
#[derive(Args)]
pub struct FuzzArgs {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only this target
    target: Option<String>,
}

/// The longest input that is tried, in bytes.
const MAX_INPUT_BYTES: u32 = 64 * 1024;

/// Fuzzes. What libFuzzer finds worth keeping goes to `target/fuzz/corpus`; an input that breaks
/// something to `target/fuzz/found`, with the words that replay it.
pub fn fuzz(args: &FuzzArgs) -> Result<()> {
    tools::for_fuzz()?;
    tools::tidy()?;
    let known = targets()?;
    let chosen: Vec<&String> = match &args.target {
        None => known.iter().collect(),
        Some(target) => known.iter().filter(|known| *known == target).collect(),
    };
    if chosen.is_empty() {
        return fail(format!(
            "There is no such target; there are {}",
            known.join(", ")
        ));
    }
    for target in chosen {
        say(format!("fuzzing {target} for {} seconds", args.seconds));
        let work = target_dir().join("fuzz");
        let (found, grown) = (work.join("found"), work.join("corpus").join(target));
        fs::create_dir_all(&found)?;
        fs::create_dir_all(&grown)?;
        run(cargo()
            .args([
                "fuzz",
                "run",
                "--fuzz-dir",
                "fuzz/libfuzzer",
                "--target-dir",
            ])
            .arg(work.join("target"))
            .arg(target)
            // The first folder is written to.
            .arg(grown)
            .arg(root().join("fuzz/corpus").join(target))
            .arg("--")
            .arg(format!("-max_total_time={}", args.seconds))
            .arg(format!("-max_len={MAX_INPUT_BYTES}"))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .current_dir(root())
            // Instrumentation is a feature of the compiler that is not stable yet.
            .env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}

/// The targets, as the package with them lists them.
fn targets() -> Result<Vec<String>> {
    let manifest = read(&root().join("fuzz/libfuzzer/Cargo.toml"))?;
    let manifest = String::from_utf8_lossy(&manifest);
    let bins = manifest.split("[[bin]]").skip(1);
    let names = bins.filter_map(|bin| bin.split('"').nth(1));
    Ok(names.map(str::to_owned).collect())
}
