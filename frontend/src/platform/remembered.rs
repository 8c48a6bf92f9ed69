//! Short texts that the browser remembers for this address, beside the shop's storage. A browser
//! without local storage forgets them, which harms nothing.

use js_sys::JSON;
use web_sys::Storage;

use super::window;

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// What was remembered under a key.
pub fn get(key: &str) -> Option<String> {
    let text = storage()?.get_item(key).ok()??;
    JSON::parse(&text).ok()?.as_string()
}

/// Remembers a text, as JSON, which `boot.js` reads as well.
pub fn set(key: &str, text: &str) {
    if let Some(storage) = storage()
        && let Ok(text) = JSON::stringify(&text.into())
    {
        let _ = storage.set_item(key, &String::from(text));
    }
}

/// Forgets what was remembered under a key.
pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}
