//! The layer of `faults/disk` below the server, and what its undo files say after a crash.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use shared::testing::rng::Rng;
use tempfile::TempDir;

use super::child::Process;

/// What a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// A disk that can forget, with a folder for a server.
pub struct Disk {
    data: TempDir,
    undo: TempDir,
    layer: PathBuf,
}

/// What a crash makes of all that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// None of it is there.
    Lost,
    /// Any sectors of it are there, and any others not.
    Torn,
}

impl Disk {
    /// A new disk.
    pub fn new() -> Disk {
        Disk {
            data: tempfile::tempdir().expect("a folder"),
            undo: tempfile::tempdir().expect("a folder"),
            layer: layer(),
        }
    }

    /// The server's folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Starts the server on it.
    pub fn start(&self) -> Process {
        Process::start_with(self.data(), &self.environment())
    }

    /// Starts the server on a disk that only says that it syncs.
    pub fn start_lying(&self) -> Process {
        let mut environment = self.environment();
        environment.push(("PAKKA_DISK_LIES", OsStr::new("1")));
        Process::start_with(self.data(), &environment)
    }

    fn environment(&self) -> Vec<(&str, &OsStr)> {
        vec![
            ("LD_PRELOAD", self.layer.as_os_str()),
            ("PAKKA_DISK_FOLDER", self.data().as_os_str()),
            ("PAKKA_DISK_UNDO", self.undo.path().as_os_str()),
        ]
    }

    /// After the server was killed: the power was cut as well. Gives how many bytes of changes had
    /// not been synced.
    pub fn crash(&self, crash: Crash, rng: &mut Rng) -> u64 {
        let mut unsynced = 0;
        let files = fs::read_dir(self.undo.path()).expect("a folder");
        let mut names: Vec<_> = files.map(|it| it.expect("a file").file_name()).collect();
        names.sort();
        for name in names {
            let changes = Change::read(&self.undo.path().join(&name));
            let file = self.data().join(&name);
            if !changes.is_empty() && file.exists() {
                unsynced += changes
                    .iter()
                    .map(|it| it.old.len() as u64)
                    .sum::<u64>()
                    .max(1);
                let latest = fs::read(&file).expect("a file");
                let synced = undone(latest.clone(), &changes);
                let left = match crash {
                    Crash::Lost => synced,
                    Crash::Torn => torn(&synced, &latest, rng),
                };
                fs::write(&file, left).expect("written");
            }
            fs::remove_file(self.undo.path().join(&name)).expect("removed");
        }
        unsynced
    }
}

/// Builds the layer, if it is not there yet.
fn layer() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "faults-disk"])
        .args(["--message-format", "json-render-diagnostics"])
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "the layer is built");
    let messages = String::from_utf8(built.stdout).expect("text");
    let files = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(message["filenames"].as_array()?.clone()))
        .flatten();
    let mut files = files.filter_map(|file| Some(PathBuf::from(file.as_str()?)));
    let layer = files.find(|file| file.ends_with("libfaults_disk.so"));
    layer.expect("a library")
}

/// One change of a file and what it covered.
struct Change {
    size: usize,
    offset: usize,
    old: Vec<u8>,
}

impl Change {
    /// The whole records of an undo file; see `faults/disk`.
    fn read(undo: &Path) -> Vec<Change> {
        let bytes = fs::read(undo).expect("an undo file");
        let mut rest = bytes.as_slice();
        let mut changes = Vec::new();
        let number = |rest: &mut &[u8]| {
            let (number, after) = rest.split_first_chunk()?;
            *rest = after;
            Some(u64::from_le_bytes(*number) as usize)
        };
        while let (Some(size), Some(offset), Some(length)) =
            (number(&mut rest), number(&mut rest), number(&mut rest))
        {
            let Some((old, after)) = rest.split_at_checked(length) else {
                break;
            };
            rest = after;
            changes.push(Change {
                size,
                offset,
                old: old.to_vec(),
            });
        }
        changes
    }
}

/// What a file was before the changes.
fn undone(mut file: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes.iter().rev() {
        let end = change.offset + change.old.len();
        file.resize(file.len().max(end), 0);
        if !change.old.is_empty() {
            file[change.offset..end].copy_from_slice(&change.old);
        }
        file.resize(change.size, 0);
    }
    file
}

/// Each sector as it was or as it was to be.
fn torn(synced: &[u8], latest: &[u8], rng: &mut Rng) -> Vec<u8> {
    let sector = |of: &[u8], at: usize| {
        let end = of.len().min(at + SECTOR_BYTES);
        of.get(at..end).unwrap_or_default().to_vec()
    };
    let mut left = Vec::with_capacity(latest.len());
    for at in (0..synced.len().max(latest.len())).step_by(SECTOR_BYTES) {
        let (old, new) = (sector(synced, at), sector(latest, at));
        let kept = if rng.chance(50) { new } else { old };
        if !kept.is_empty() {
            left.resize(at, 0);
            left.extend(kept);
        }
    }
    left
}
