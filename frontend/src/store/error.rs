//! What can go wrong with the phone's storage.

use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::DomException;

use crate::parts::NotHere;
use crate::platform::words_of;

/// The phone's storage could not do what was asked. Whatever was shown as saved before is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// No room is left. Nothing of the append was written. A person has to free space on the phone.
    DiskFull,
    /// The browser keeps nothing here (some private windows, or storage switched off). A person has
    /// to open the app in a normal window.
    Refused,
    /// Another tab runs a newer version of the app, or this storage was written by one. A person
    /// has to load this tab again.
    NewerApp,
    /// The browser closed or deleted the storage while the app was open. A person has to load the
    /// app again.
    Gone,
    /// Stored bytes are not what was written. The log on the server, or the export, is the way back.
    Damaged(&'static str),
    /// A part of the app that is needed for it has not come to this phone yet.
    PartMissing,
    /// Anything else, in the browser's words, for the details on the screen.
    Failed(String),
}

impl StoreError {
    /// What a failure that the browser reports means here.
    pub fn from_js(error: &JsValue) -> StoreError {
        let Some(exception) = error.dyn_ref::<DomException>() else {
            return StoreError::Failed(words_of(error));
        };
        match exception.name().as_str() {
            "QuotaExceededError" => StoreError::DiskFull,
            "VersionError" => StoreError::NewerApp,
            "InvalidStateError" => StoreError::Gone,
            "SecurityError" | "NotAllowedError" => StoreError::Refused,
            name => StoreError::Failed(format!("{name}: {}", exception.message())),
        }
    }
}

impl From<NotHere> for StoreError {
    fn from(_: NotHere) -> StoreError {
        StoreError::PartMissing
    }
}

impl From<JsValue> for StoreError {
    fn from(error: JsValue) -> StoreError {
        StoreError::from_js(&error)
    }
}
