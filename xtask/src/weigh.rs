//! What a phone downloads the first time, compressed as it is sent.

use crate::sh::{Result, fail};
use crate::{app, parts, stage};
use std::fs;
use std::path::Path;

/// What the first load may weigh when it is as light as it should be.
const FIRST_LOAD_GOAL_BYTES: u64 = 200_000;

/// What it may weigh until then: a little more than it does. It only ever goes down.
const FIRST_LOAD_LIMIT_BYTES: u64 = 240_000;

/// The weight of the built app, file by file; a failure if it is over the limit.
///
/// Only one language is fetched to begin with: the heaviest is counted. The
/// others and the parts of the app that no first screen needs follow in the
/// background and are shown apart.
pub fn weigh() -> Result<String> {
    let dist = app::dist();
    if !dist.join("index.html").is_file() {
        return fail("There is no built app yet: run `cargo xtask run` first.");
    }
    let mut first = vec![];
    let mut languages = vec![];
    let mut later = vec![];
    for file in stage::kept_offline(&dist)? {
        let name = stage::name_in(&dist, &file);
        let entry = (sent_bytes(&file)?, name);
        if entry.1.starts_with("locales/") {
            languages.push(entry);
        } else if parts::is_part(&entry.1) {
            later.push(entry);
        } else {
            first.push(entry);
        }
    }
    let worker = dist.join("sw.js");
    first.push((sent_bytes(&worker)?, "sw.js".to_owned()));
    languages.sort();
    first.extend(languages.pop());
    first.sort();
    first.reverse();

    let total = sum(&first);
    let mut report = lines(&first);
    report.push_str(&format!(
        "{total:>9}  first load, bytes as sent (goal {FIRST_LOAD_GOAL_BYTES}, \
         limit {FIRST_LOAD_LIMIT_BYTES})\n{}\
         {:>9}  parts, in the background or when first needed\n\
         {:>9}  other languages, in the background\n",
        lines(&later),
        sum(&later),
        sum(&languages),
    ));
    if total > FIRST_LOAD_LIMIT_BYTES {
        return fail(format!("{report}The app is too heavy."));
    }
    Ok(report)
}

fn lines(files: &[(u64, String)]) -> String {
    let line = |(bytes, name): &(u64, String)| format!("{bytes:>9}  {name}\n");
    files.iter().map(line).collect()
}

fn sum(files: &[(u64, String)]) -> u64 {
    files.iter().map(|(bytes, _)| bytes).sum()
}

fn sent_bytes(file: &Path) -> Result<u64> {
    let mut compressed = file.as_os_str().to_owned();
    compressed.push(".br");
    let sent = fs::metadata(compressed).or_else(|_| fs::metadata(file))?;
    Ok(sent.len())
}
