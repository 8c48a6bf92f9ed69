//! On what and of what was measured.

use crate::sh::{command, output, root};
use std::fs;
use std::thread::available_parallelism;

/// The machine and the commit, in one sentence.
pub fn in_words() -> String {
    let cores = available_parallelism().map_or(1, usize::from);
    let model = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "processor".into());
    let memory_kib = line_of("/proc/meminfo", "MemTotal")
        .and_then(|line| line.trim_end_matches("kB").trim().parse::<f64>().ok());
    let memory_gib = memory_kib.unwrap_or_default() / 1_048_576.0;
    let kernel = output(command("uname").arg("-sr")).unwrap_or_default();
    let folder = std::env::temp_dir();
    let files = output(
        command("stat")
            .args(["--file-system", "--format=%T"])
            .arg(folder),
    );
    let commit = output(
        command("git")
            .args(["rev-parse", "--short", "HEAD"])
            .current_dir(root()),
    );
    format!(
        "{cores} cores of {model}, {memory_gib:.0} GiB, {kernel}, files on {}; commit {}",
        files.unwrap_or_default(),
        commit.unwrap_or_default(),
    )
}

fn line_of(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.split_once(':'));
    value.map(|(_, value)| value.trim().to_owned())
}
