//! The storage of a native device: one append-only file of records.
//!
//! The records of one append stand in one frame with a length and a checksum, and are forced to
//! the disk before anything in them is called saved. A frame that a power cut left half-written is
//! cut off when the file is opened: it was never called saved. The file is read whole at the start,
//! which is enough for tools, tests and loads; phones have a storage of their own.
//!
//! Only what must be forgotten has the file written anew, beside itself and then in its place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};
use shared::chain::digest;

/// The most bytes of one append.
pub const MAX_APPEND_BYTES: usize = 64 * 1024 * 1024;

const LENGTH_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 8;
const FRAME_BYTES: usize = LENGTH_BYTES + CHECKSUM_BYTES;

/// An append-only file of records, held by one process at a time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// The end of what is saved.
    end: u64,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk.
    #[error("the storage cannot be read or written: {0}")]
    Disk(#[from] io::Error),
    /// Another process holds it.
    #[error("another program is using this device's storage")]
    InUse,
    /// A whole frame that cannot be read: the file was changed, or is of a newer version.
    #[error("the storage is damaged at byte {0}; nothing was changed")]
    Damaged(u64),
    /// More than may be appended at once.
    #[error("{0} bytes are more than the storage takes at once")]
    TooLong(usize),
}

impl Journal {
    /// Opens or makes the file and reads its records.
    pub fn open<T>(path: &Path) -> Result<(Journal, Vec<T>), JournalError>
    where
        T: for<'b> Decode<'b, ()>,
    {
        let mut journal = Journal {
            path: path.to_owned(),
            file: held(path)?,
            end: 0,
        };
        let (records, whole, length) = journal.read()?;
        if whole < length {
            journal.file.set_len(whole as u64)?;
            journal.file.sync_all()?;
        }
        journal.end = whole as u64;
        journal.file.seek(SeekFrom::Start(journal.end))?;
        sync_folder(path)?;
        Ok((journal, records))
    }

    /// The records, the length of the whole frames, and the length of the file.
    fn read<T>(&mut self) -> Result<(Vec<T>, usize, usize), JournalError>
    where
        T: for<'b> Decode<'b, ()>,
    {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        let (records, whole) = parse(&bytes)?;
        Ok((records, whole, bytes.len()))
    }

    /// Takes something out of the records, wherever `forget` finds it and says so: afterwards it
    /// stands nowhere in the file. After a failure or a power cut the file is as it was.
    pub fn forget<T>(&mut self, forget: impl Fn(&mut T) -> bool) -> Result<(), JournalError>
    where
        T: Encode<()> + for<'b> Decode<'b, ()>,
    {
        let read = self.read::<T>();
        self.file.seek(SeekFrom::Start(self.end))?;
        let (mut records, ..) = read?;
        let found = records
            .iter_mut()
            .filter_map(|record| forget(record).then_some(()));
        if found.count() == 0 {
            return Ok(());
        }
        let aside = self.path.with_extension("new");
        let mut anew = Journal {
            file: held(&aside)?,
            path: self.path.clone(),
            end: 0,
        };
        anew.file.set_len(0)?;
        for record in &records {
            anew.append(core::slice::from_ref(record))?;
        }
        fs::rename(&aside, &self.path)?;
        *self = anew;
        Ok(sync_folder(&self.path)?)
    }

    /// Appends records, all or none, and forces them to the disk.
    pub fn append<T: Encode<()>>(&mut self, records: &[T]) -> Result<(), JournalError> {
        let payload = minicbor::to_vec(records).expect("writing to memory cannot fail");
        if payload.len() > MAX_APPEND_BYTES {
            return Err(JournalError::TooLong(payload.len()));
        }
        let length = payload.len() as u32;
        let frame = [
            &length.to_be_bytes(),
            checksum(&payload).as_slice(),
            &payload,
        ]
        .concat();
        let written = self.write(&frame);
        if written.is_err() {
            // A full disk may have taken a part, which must not stand before the next frame.
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
        }
        Ok(written?)
    }

    fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        self.file.write_all(frame)?;
        self.file.sync_data()?;
        self.end += frame.len() as u64;
        Ok(())
    }
}

/// The file, made where it is missing, and held by this process alone.
fn held(path: &Path) -> Result<File, JournalError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = digest(&[b"pakka/journal/v1", payload]);
    core::array::from_fn(|index| hash.0[index])
}

/// The records, and the length of the file up to the end of the last whole frame.
fn parse<T>(bytes: &[u8]) -> Result<(Vec<T>, usize), JournalError>
where
    T: for<'b> Decode<'b, ()>,
{
    let mut records = Vec::new();
    let mut at = 0;
    while let Some((payload, sum, next)) = frame(bytes, at) {
        let sound = checksum(payload) == sum;
        if !sound && next == bytes.len() {
            break; // The last frame: its bytes did not all reach the disk.
        }
        match minicbor::decode::<Vec<T>>(payload) {
            Ok(appended) if sound => records.extend(appended),
            _ => return Err(JournalError::Damaged(at as u64)),
        }
        at = next;
    }
    Ok((records, at))
}

/// The payload and checksum of the frame at `at`, and where the next begins.
fn frame(bytes: &[u8], at: usize) -> Option<(&[u8], [u8; CHECKSUM_BYTES], usize)> {
    let head = bytes.get(at..at + FRAME_BYTES)?;
    let (length, sum) = head.split_at(LENGTH_BYTES);
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    let next = (at + FRAME_BYTES).checked_add(length)?;
    let payload = bytes.get(at + FRAME_BYTES..next)?;
    Some((payload, sum.try_into().ok()?, next))
}

/// A new file's name is safe only when its folder was forced to the disk too.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Vec<u32> {
        Journal::open(path).expect("opens").1
    }

    #[test]
    fn what_was_appended_is_there_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut journal, records) = Journal::open::<u32>(&path).expect("opens");
        assert_eq!(records, []);
        journal.append(&[1u32, 2]).expect("appends");
        journal.append(&[3u32]).expect("appends");
        drop(journal);
        assert_eq!(read(&path), [1, 2, 3]);
    }

    #[test]
    fn what_is_forgotten_stands_nowhere_in_the_file_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.journal");
        let (mut journal, _) = Journal::open::<String>(&path).expect("opens");
        for word in ["name", "secret", "sum"] {
            journal.append(&[word.to_owned()]).expect("appends");
        }
        // What a power cut left of an earlier try.
        std::fs::write(path.with_extension("new"), "half").expect("writes");
        let erase = |word: &mut String| {
            let is_secret = word == "secret";
            if is_secret {
                word.clear();
            }
            is_secret
        };
        journal.forget(erase).expect("forgets");
        journal.append(&["more".to_owned()]).expect("appends");
        journal.forget(erase).expect("there is nothing left of it");
        let bytes = std::fs::read(&path).expect("reads");
        assert!(!bytes.windows(6).any(|part| part == b"secret"));
        assert!(!path.with_extension("new").exists());
        let in_use = Journal::open::<String>(&path).expect_err("in use");
        assert!(matches!(in_use, JournalError::InUse));
        drop(journal);
        let (_, words) = Journal::open::<String>(&path).expect("opens");
        assert_eq!(words, ["name", "", "sum", "more"]);
    }

    #[test]
    fn a_record_torn_at_any_byte_is_cut_off_and_writing_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open::<u32>(&path).expect("opens");
        journal.append(&[1u32]).expect("appends");
        drop(journal);
        let whole = std::fs::read(&path).expect("reads");
        for torn in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes.extend(&whole[..torn]);
            std::fs::write(&path, bytes).expect("writes");
            let (mut journal, records) = Journal::open::<u32>(&path).expect("opens");
            assert_eq!(records, [1]);
            journal.append(&[9u32]).expect("appends");
            drop(journal);
            assert_eq!(read(&path), [1, 9]);
        }
    }

    #[test]
    fn damage_before_the_end_is_said_and_nothing_is_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open::<u32>(&path).expect("opens");
        journal.append(&[1u32]).expect("appends");
        journal.append(&[2u32]).expect("appends");
        drop(journal);
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[FRAME_BYTES] ^= 1;
        std::fs::write(&path, &bytes).expect("writes");
        let damaged = Journal::open::<u32>(&path).expect_err("damaged");
        assert!(matches!(damaged, JournalError::Damaged(0)));
        assert_eq!(std::fs::read(&path).expect("reads"), bytes);
    }

    #[test]
    fn two_programs_never_write_the_same_storage() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let _held = Journal::open::<u32>(&path).expect("opens");
        let refused = Journal::open::<u32>(&path).expect_err("in use");
        assert!(matches!(refused, JournalError::InUse));
    }
}
