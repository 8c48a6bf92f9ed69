//! A disk that can forget what was not synced, below a program that knows nothing of it: loaded with
//! `LD_PRELOAD`, it stands between the program and the C library.
//!
//! Writes go through at once, so that every read sees them. Before each, what lay there is written
//! to an undo file; a sync that has ended empties the undo file. After the program was killed, the
//! undo files hold exactly what it takes to bring back the last synced state, or any mixture of the
//! two states, which is what a power cut leaves.
//!
//! Settings are in the environment: `PAKKA_DISK_FOLDER`, the folder whose databases are watched;
//! `PAKKA_DISK_UNDO`, the folder for undo files, which must lie elsewhere; `PAKKA_DISK_LIES`, set for a
//! disk that says that it has synced and has not.
//!
//! An undo file has the name of its file and consists of records, numbers little-endian: the length
//! of the file before the change (u64), the offset of the change (u64), how many old bytes follow
//! (u64), and these. A record that is not whole belongs to a change that was not made.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use libc::{off_t, size_t, ssize_t};

/// What was set in the environment; nothing is watched without it.
struct Settings {
    folder: PathBuf,
    undo: PathBuf,
    lies: bool,
}

fn settings() -> Option<&'static Settings> {
    static SETTINGS: OnceLock<Option<Settings>> = OnceLock::new();
    let read = || {
        Some(Settings {
            folder: std::env::var_os("PAKKA_DISK_FOLDER")?.into(),
            undo: std::env::var_os("PAKKA_DISK_UNDO")?.into(),
            lies: std::env::var_os("PAKKA_DISK_LIES").is_some(),
        })
    };
    SETTINGS.get_or_init(read).as_ref()
}

/// One change at a time: a record and its change belong together.
fn lock() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The undo file of a database file; `None` for all that is not watched.
///
/// The memory that SQLite shares between connections (`-shm`) is rebuilt after a crash and never
/// synced, so it is no part of the disk.
fn undo_of(file: &Path) -> Option<PathBuf> {
    let settings = settings()?;
    let name = file.file_name()?.to_str()?;
    let is_data = name.contains(".db") && !name.ends_with("-shm");
    (file.parent() == Some(&settings.folder) && is_data).then(|| settings.undo.join(name))
}

fn undo_of_open(fd: c_int) -> Option<PathBuf> {
    settings()?;
    undo_of(&fs::read_link(format!("/proc/self/fd/{fd}")).ok()?)
}

/// Notes what lies where a change of an open file begins, up to `length` bytes of it.
fn note(undo: &Path, fd: c_int, offset: u64, length: u64) -> std::io::Result<()> {
    // SAFETY: the caller holds the file open for the time of this call, and it is not closed here.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
    // It is not opened once more: closing that would drop the locks that SQLite holds on it.
    let size = file.metadata()?.len();
    let mut old = vec![0; size.saturating_sub(offset).min(length) as usize];
    file.read_exact_at(&mut old, offset)?;
    let mut record = Vec::with_capacity(24 + old.len());
    for number in [size, offset, old.len() as u64] {
        record.extend_from_slice(&number.to_le_bytes());
    }
    record.extend_from_slice(&old);
    let mut undo = OpenOptions::new().create(true).append(true).open(undo)?;
    undo.write_all(&record)
}

/// The same function as the C library has it.
macro_rules! real {
    ($name:ident: fn($($type:ty),*) -> $result:ty) => {{
        static REAL: OnceLock<usize> = OnceLock::new();
        let address = *REAL.get_or_init(|| {
            let name = concat!(stringify!($name), "\0");
            // SAFETY: the name ends with a zero.
            unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr().cast()) as usize }
        });
        // SAFETY: the C library has a function of this name and type.
        unsafe { std::mem::transmute::<usize, unsafe extern "C" fn($($type),*) -> $result>(address) }
    }};
}

fn before_write(fd: c_int, offset: Option<u64>, length: size_t) -> Option<MutexGuard<'static, ()>> {
    let undo = undo_of_open(fd)?;
    let guard = lock();
    let offset = offset.unwrap_or_else(|| {
        // SAFETY: asks for the place in a file that the caller holds open.
        unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) }.unsigned_abs()
    });
    note(&undo, fd, offset, length as u64).expect("an undo record can be written");
    Some(guard)
}

fn before_truncate(fd: c_int, length: off_t) -> Option<MutexGuard<'static, ()>> {
    let undo = undo_of_open(fd)?;
    let guard = lock();
    note(&undo, fd, length.unsigned_abs(), u64::MAX).expect("an undo record can be written");
    Some(guard)
}

/// Runs a sync and then forgets how to undo what came before it.
fn synced(fd: c_int, sync: impl FnOnce() -> c_int) -> c_int {
    let Some(undo) = undo_of_open(fd) else {
        return sync();
    };
    let _guard = lock();
    if settings().is_some_and(|settings| settings.lies) {
        return 0;
    }
    let done = sync();
    if done == 0 && undo.exists() {
        File::create(&undo).expect("an undo file can be emptied");
    }
    done
}

/// See `write(2)`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    let _guard = before_write(fd, None, count);
    let real = real!(write: fn(c_int, *const c_void, size_t) -> ssize_t);
    // SAFETY: the caller's arguments, unchanged.
    unsafe { real(fd, bytes, count) }
}

/// See `pwrite(2)`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off_t,
) -> ssize_t {
    let _guard = before_write(fd, Some(offset.unsigned_abs()), count);
    let real = real!(pwrite: fn(c_int, *const c_void, size_t, off_t) -> ssize_t);
    // SAFETY: the caller's arguments, unchanged.
    unsafe { real(fd, bytes, count, offset) }
}

/// See `pwrite(2)`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off_t,
) -> ssize_t {
    // SAFETY: the caller's arguments; offsets have 64 bits in both.
    unsafe { pwrite(fd, bytes, count, offset) }
}

/// See `ftruncate(2)`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    let _guard = before_truncate(fd, length);
    let real = real!(ftruncate: fn(c_int, off_t) -> c_int);
    // SAFETY: the caller's arguments, unchanged.
    unsafe { real(fd, length) }
}

/// See `ftruncate(2)`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    // SAFETY: the caller's arguments; lengths have 64 bits in both.
    unsafe { ftruncate(fd, length) }
}

/// See `fsync(2)`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    let real = real!(fsync: fn(c_int) -> c_int);
    // SAFETY: the caller's argument, unchanged.
    synced(fd, || unsafe { real(fd) })
}

/// See `fdatasync(2)`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    let real = real!(fdatasync: fn(c_int) -> c_int);
    // SAFETY: the caller's argument, unchanged.
    synced(fd, || unsafe { real(fd) })
}

/// See `unlink(2)`: a removed file has nothing to be undone.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let real = real!(unlink: fn(*const c_char) -> c_int);
    if !path.is_null() {
        // SAFETY: the caller's path ends with a zero.
        let file = Path::new(OsStr::from_bytes(
            unsafe { CStr::from_ptr(path) }.to_bytes(),
        ));
        if let Some(undo) = undo_of(file)
            && undo.exists()
        {
            let _guard = lock();
            File::create(&undo).expect("an undo file can be emptied");
        }
    }
    // SAFETY: the caller's argument, unchanged.
    unsafe { real(path) }
}
