//! What the browser offers beside the page: address bar, themes, sharing,
//! vibration, installing and updating.

pub mod clock;
pub mod history;
pub mod remembered;
pub mod share;
pub mod shell;
pub mod theme;

use wasm_bindgen::{JsCast as _, JsValue};

/// The window; the app runs nowhere else.
pub fn window() -> web_sys::Window {
    web_sys::window().expect("the app runs in a window")
}

/// `<html>`, which carries the theme and the language.
pub fn root() -> Option<web_sys::Element> {
    window().document()?.document_element()
}

/// A short buzz after a save, where the phone can and the person wants motion.
pub fn buzz() {
    let _ = window().navigator().vibrate_with_duration(20);
}

/// What the browser says of a failure.
pub fn words_of(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => error.to_string().into(),
        None => error.as_string().unwrap_or_default(),
    }
}
