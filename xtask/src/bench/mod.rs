//! `cargo xtask bench`: builds what is measured, measures it, and keeps the figures.
//!
//! A bench prints one JSON object per line on stdout with at least the keys `name`, `value`, `unit`,
//! `goal`, `peer` and `ratio` (`null` where there is none), and whatever else it has to say on
//! stderr. The lines are passed on; the tables in `BENCHMARKS.md` are made of them.

mod machine;
mod table;

use crate::app::Profile;
use crate::sh::{Result, cargo, command, fail, root, run as run_to_end, say, shown, target_dir};
use crate::{run, tools};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const KEYS: [&str; 6] = ["name", "value", "unit", "goal", "peer", "ratio"];

/// What to measure.
#[derive(Args)]
pub struct BenchArgs {
    /// What to measure; everything unless named
    topics: Vec<Topic>,
    /// Small sizes, to see that everything runs: nothing is kept of it
    #[arg(long)]
    quick: bool,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// Events to books, and books to answers, without any server
    Fold,
    /// The server: many shops at once, beside raw SQLite, idle phones, memory
    Server,
    /// Bytes on the wire and on the server's disk
    Wire,
    /// The server beside atuin-server, express-pouchdb and Actual's sync server
    Peers,
    /// The app in a real browser, beside PouchDB
    Phone,
}

impl Topic {
    const fn name(self) -> &'static str {
        match self {
            Topic::Fold => "fold",
            Topic::Server => "server",
            Topic::Wire => "wire",
            Topic::Peers => "peers",
            Topic::Phone => "phone",
        }
    }
}

/// Measures one topic after the other.
pub fn bench(args: &BenchArgs) -> Result<()> {
    let topics = match args.topics.as_slice() {
        [] => Topic::value_variants(),
        named => named,
    };
    for &topic in topics {
        say(format!("measuring: {}", topic.name()));
        let figures = match topic {
            Topic::Fold => fold()?,
            Topic::Server | Topic::Wire | Topic::Peers => native(topic, args.quick)?,
            Topic::Phone => phone(args.quick)?,
        };
        if !args.quick {
            table::keep(topic.name(), &figures)?;
        }
    }
    Ok(())
}

/// Every example of the core that is named `bench_*`.
fn fold() -> Result<Vec<Value>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("shared/examples"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if name.starts_with("bench_") {
            names.push(name.into_owned());
        }
    }
    names.sort();
    let mut figures = Vec::new();
    for name in names {
        let mut command = cargo();
        command
            .args(["run", "--quiet", "--release", "--package", "shared"])
            .args(["--all-features", "--example", &name]);
        figures.extend(printed(&mut command)?);
    }
    Ok(figures)
}

fn native(topic: Topic, quick: bool) -> Result<Vec<Value>> {
    run::build("sync-server", "pakka-server", Profile::Release)?;
    run::build("benches", "pakka-bench", Profile::Release)?;
    let mut command = command(run::binary("pakka-bench", Profile::Release));
    command
        .arg(topic.name())
        .arg("--server")
        .arg(run::binary("pakka-server", Profile::Release));
    if topic == Topic::Peers {
        tools::for_peers()?;
        command
            .args(["--atuin", tools::ATUIN_SERVER, "--node-peers"])
            .arg(tools::node_peers());
    }
    if quick {
        command.arg("--quick");
    }
    printed(&mut command)
}

/// Playwright prints much else on stdout, so that its figures come in a file.
fn phone(quick: bool) -> Result<Vec<Value>> {
    tools::for_tests()?;
    tools::for_node_peers()?;
    run::build_all(Profile::Release)?;
    run::build("device", "pakka-device", Profile::Release)?;
    let file: PathBuf = target_dir().join("bench-phone.jsonl");
    // Figures of an earlier run must not pass for new ones.
    let _ = fs::remove_file(&file);
    let mut command = command("node_modules/.bin/playwright");
    command
        .args(["test", "--config", "bench.config.ts"])
        .current_dir(root().join("e2e"))
        .stdout(Stdio::from(std::io::stderr()))
        .env("PAKKA_BENCH_ROWS", &file)
        .env(
            "PAKKA_SERVER",
            run::binary("pakka-server", Profile::Release),
        )
        .env(
            "PAKKA_DEVICE",
            run::binary("pakka-device", Profile::Release),
        );
    if quick {
        command.env("PAKKA_BENCH_QUICK", "1");
    }
    let ended = run_to_end(&mut command);
    let figures = pass_on(&file)?;
    // What was measured before a failure was shown; only a whole run is kept.
    ended.map(|()| figures)
}

fn pass_on(file: &Path) -> Result<Vec<Value>> {
    let lines = fs::read_to_string(file).unwrap_or_default();
    lines.lines().map(figure).collect()
}

fn printed(command: &mut Command) -> Result<Vec<Value>> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().expect("was piped");
    let mut figures = Vec::new();
    for line in BufReader::new(stdout).lines() {
        match figure(&line?) {
            Ok(figure) => figures.push(figure),
            Err(failure) => {
                let _ = child.kill();
                return Err(failure);
            }
        }
    }
    if child.wait()?.success() {
        return Ok(figures);
    }
    fail(format!("`{}` failed", shown(command)))
}

fn figure(line: &str) -> Result<Value> {
    let figure = match serde_json::from_str(line) {
        Ok(Value::Object(figure)) => figure,
        _ => return fail(format!("a bench printed what is not a figure: {line}")),
    };
    if let Some(key) = KEYS.into_iter().find(|key| !figure.contains_key(*key)) {
        return fail(format!("a bench printed a figure without {key}: {line}"));
    }
    println!("{line}");
    Ok(Value::Object(figure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_all_its_keys() {
        let whole = r#"{"name":"fold","value":31,"unit":"ms","goal":100,"peer":null,"ratio":null}"#;
        assert!(figure(whole).is_ok());
        assert!(figure(r#"{"name":"fold"}"#).is_err());
        assert!(figure("folding …").is_err());
    }
}
