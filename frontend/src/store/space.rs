//! How much room the browser gives, and whether it promised to keep what is here.

use js_sys::{Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::Shop;

/// What the browser says of the storage of this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// It promised not to clear this storage by itself. `None`: it does not say.
    pub persisted: Option<bool>,
    /// What is in use, the app itself included.
    pub used_bytes: Option<u64>,
    /// What may be used.
    pub quota_bytes: Option<u64>,
}

/// Asks the browser to keep this storage, and what room there is. Browsers decide by themselves:
/// an installed app is nearly always granted.
pub async fn ask() -> Space {
    let Some(window) = web_sys::window() else {
        return Space::default();
    };
    let storage = window.navigator().storage();
    if storage.is_undefined() {
        return Space::default();
    }
    let persisted = match answer(storage.persisted()).await {
        Some(kept) if kept.is_truthy() => Some(true),
        Some(_) => answer(storage.persist()).await.map(|kept| kept.is_truthy()),
        None => None,
    };
    let estimate = answer(storage.estimate()).await;
    let bytes = |name: &str| {
        let number = Reflect::get(estimate.as_ref()?, &name.into()).ok()?;
        number.as_f64().map(|bytes| bytes as u64)
    };
    Space {
        persisted,
        used_bytes: bytes("usage"),
        quota_bytes: bytes("quota"),
    }
}

async fn answer(asked: Result<Promise, JsValue>) -> Option<JsValue> {
    JsFuture::from(asked.ok()?).await.ok()
}

/// What the page about storage shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    /// What the browser says.
    pub space: Space,
    /// Entries that are on this phone only.
    pub unconfirmed: u32,
    /// How often a quick copy of the books was found to be wrong and made anew.
    pub wrong_snapshots: u32,
    /// How many parts of the log were damaged here and came again from the server.
    pub mended: u32,
    /// The browser refused to keep the phone's key out of reach, as some private windows do: it
    /// lies in storage as bytes.
    pub software_key: bool,
}

impl Shop {
    /// How the storage of this phone stands. Asks the browser to keep it, once more.
    pub async fn storage(self) -> Storage {
        let space = ask().await;
        let wrong_snapshots = self.live().db.wrong_snapshots().await.unwrap_or(0);
        let mended = self.live().db.mended().await.unwrap_or(0);
        self.peek(|books| Storage {
            space,
            mended,
            unconfirmed: books.unconfirmed(),
            wrong_snapshots,
            software_key: books.identity.key.software,
        })
    }
}
