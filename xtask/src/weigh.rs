//! What a phone downloads the first time, compressed as it is sent.

use crate::sh::{Result, fail};
use crate::{app, stage};
use std::fs;
use std::path::Path;

/// What the first load may weigh when it is as light as it should be.
const FIRST_LOAD_GOAL_BYTES: u64 = 200_000;

/// What it may weigh until then: a little more than it does. It only ever goes down.
const FIRST_LOAD_LIMIT_BYTES: u64 = 446_000;

/// The weight of the built app, file by file; a failure if it is over the limit.
///
/// Only one language is fetched to begin with: the heaviest is counted. The
/// others follow in the background and are shown apart.
pub fn weigh() -> Result<String> {
    let dist = app::dist();
    if !dist.join("index.html").is_file() {
        return fail("There is no built app yet: run `cargo xtask run` first.");
    }
    let mut first = vec![];
    let mut languages = vec![];
    for file in stage::kept_offline(&dist)? {
        let name = stage::name_in(&dist, &file);
        let entry = (sent_bytes(&file)?, name);
        if entry.1.starts_with("locales/") {
            languages.push(entry);
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

    let total: u64 = first.iter().map(|(bytes, _)| bytes).sum();
    let later: u64 = languages.iter().map(|(bytes, _)| bytes).sum();
    let mut report = String::new();
    for (bytes, name) in &first {
        report.push_str(&format!("{bytes:>9}  {name}\n"));
    }
    report.push_str(&format!(
        "{total:>9}  first load, bytes as sent (goal {FIRST_LOAD_GOAL_BYTES}, \
         limit {FIRST_LOAD_LIMIT_BYTES})\n\
         {later:>9}  other languages, in the background\n"
    ));
    if total > FIRST_LOAD_LIMIT_BYTES {
        return fail(format!("{report}The app is too heavy."));
    }
    Ok(report)
}

fn sent_bytes(file: &Path) -> Result<u64> {
    let mut compressed = file.as_os_str().to_owned();
    compressed.push(".br");
    let sent = fs::metadata(compressed).or_else(|_| fs::metadata(file))?;
    Ok(sent.len())
}
