//! Why a device could not do what was wanted, in words.

use std::path::PathBuf;

use shared::command::{Question, Rejection};
use shared::sync::engine::{Problem, Stop};

use crate::http::CallError;
use crate::journal::JournalError;
use crate::keys::BadKey;
use crate::sync::{problem_in_words, stop_in_words};

/// Why a device could not do what was wanted. What it had saved before is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The books do not take it.
    #[error("{0}")]
    Rejected(Rejection),
    /// The books ask first.
    #[error("{0}")]
    Asked(Question),
    /// The key pair.
    #[error("{0}")]
    Key(#[from] BadKey),
    /// The storage.
    #[error("{0}")]
    Storage(#[from] JournalError),
    /// There is a device in this folder already.
    #[error("there is a device in {} already", .0.display())]
    HasDevice(PathBuf),
    /// There is no device in this folder.
    #[error("there is no device in {}", .0.display())]
    NoDevice(PathBuf),
    /// It belongs to no server yet.
    #[error("this device belongs to no server yet")]
    NoServer,
    /// A request.
    #[error("{0}")]
    Call(#[from] CallError),
    /// The pairing was not used in time.
    #[error("the pairing was not used within five minutes; offer a new one")]
    PairingLapsed,
    /// The sync needs a person.
    #[error("{}; nothing is lost", stop_in_words(*.0))]
    SyncStopped(Stop),
    /// The sync did not get through in time.
    #[error("{}; nothing is lost, try again", problem_in_words(*.0))]
    SyncGaveUp(Problem),
}
