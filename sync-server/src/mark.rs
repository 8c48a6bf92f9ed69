//! Sees at the start that the file of the logs is not the one that was left: that an older copy was
//! put in its place.
//!
//! A random number stands in the file of the logs and, with the identity of that file on this disk,
//! in a file beside it. It is drawn anew at each start and each proper stop, so a copy that was put
//! back has an older number, or is another file. A folder that was moved looks the same; the server
//! then waits a little for its phones, and nothing else comes of it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::identity::write_secret;
use crate::store::StoreError;
use crate::store::sqlite::{LOG_FILE, Sqlite};

/// The file that holds the mark.
const MARK_FILE: &str = "log.mark";

/// Whether the file of the logs is another than the one that was left, or an older copy of it.
///
/// # Errors
///
/// The store cannot be read.
pub async fn was_put_back(store: &Sqlite, folder: &Path) -> Result<bool, StoreError> {
    let number = store.mark().await?;
    if number == 0 {
        // Nobody has left anything here yet, or a server of before has.
        return Ok(false);
    }
    let left = fs::read_to_string(folder.join(MARK_FILE));
    Ok(left.ok() != Some(mark(number, folder)?))
}

/// Leaves a new mark.
///
/// # Errors
///
/// It could not be written.
pub async fn renew(store: &Sqlite, folder: &Path) -> Result<(), StoreError> {
    let number = i32::from_le_bytes(crate::random()) | 1;
    store.set_mark(number).await?;
    let mark = mark(number, folder)?;
    write_secret(folder, MARK_FILE, mark.as_bytes()).map_err(failed)
}

fn mark(number: i32, folder: &Path) -> Result<String, StoreError> {
    let file = fs::metadata(folder.join(LOG_FILE)).map_err(failed)?;
    // Numbers of files are used again; not every disk knows when a file was made.
    let made = file.created().ok();
    let made = made.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let made_ns = made.map_or(0, |since| since.as_nanos());
    Ok(format!(
        "{number} {} {} {made_ns}\n",
        file.dev(),
        file.ino()
    ))
}

fn failed(error: io::Error) -> StoreError {
    StoreError(format!("{MARK_FILE}: {error}"))
}
