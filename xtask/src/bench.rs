//! The benches: every example named `bench_*` of a crate.
//!
//! A bench prints one JSON object per line on stdout with the keys `name`,
//! `value`, `unit`, `goal`, `peer` and `ratio` (`null` where there is none),
//! and whatever else it has to say on stderr.

use crate::sh::{Result, cargo, fail, root, say, shown};
use clap::Args;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const CRATES: [&str; 3] = ["shared", "sync-server", "device"];
const KEYS: [&str; 6] = ["name", "value", "unit", "goal", "peer", "ratio"];

/// Which benches to run.
#[derive(Args)]
pub struct BenchArgs {
    /// Only benches whose name contains this
    #[arg(default_value = "")]
    filter: String,
}

/// Runs the benches one after the other.
pub fn bench(args: &BenchArgs) -> Result<()> {
    for package in CRATES {
        for example in examples_of(package)? {
            if example.contains(&args.filter) {
                run_one(package, &example)?;
            }
        }
    }
    Ok(())
}

fn examples_of(package: &str) -> Result<Vec<String>> {
    let dir = root().join(package).join("examples");
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_rust = path.extension().is_some_and(|kind| kind == "rs");
        if name.starts_with("bench_") && (is_rust || path.join("main.rs").is_file()) {
            names.push(name.into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn run_one(package: &str, example: &str) -> Result<()> {
    say(format!("{package}: {example}"));
    let mut command = cargo();
    command
        .args(["run", "--quiet", "--release", "--package", package])
        .args(["--all-features", "--example", example])
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().expect("was piped");
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        if let Some(key) = missing_key(&line) {
            let _ = child.kill();
            return fail(format!("{example} printed a line without {key}: {line}"));
        }
        println!("{line}");
    }
    if child.wait()?.success() {
        return Ok(());
    }
    fail(format!("`{}` failed", shown(&command)))
}

fn missing_key(line: &str) -> Option<&'static str> {
    match serde_json::from_str(line) {
        Ok(Value::Object(result)) => KEYS.into_iter().find(|key| !result.contains_key(*key)),
        _ => Some("JSON"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_has_all_its_keys() {
        let whole = r#"{"name":"fold","value":31,"unit":"ms","goal":100,"peer":null,"ratio":null}"#;
        assert_eq!(missing_key(whole), None);
        assert_eq!(missing_key(r#"{"name":"fold"}"#), Some("value"));
        assert_eq!(missing_key("folding …"), Some("JSON"));
    }
}
