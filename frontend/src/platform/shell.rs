//! What `boot.js` knows and the app shows: a new version that waits, and the
//! browser's offer to install. They speak through attributes of `<html>` and
//! events of the window, which `boot.js` describes.

use leptos::prelude::{ArcRwSignal, Get as _, Set as _};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;

use super::{root, window};

thread_local! {
    static OFFERS: ArcRwSignal<Offers> = ArcRwSignal::new(read());
}

/// What may be offered to the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// A new version is stored and waits.
    pub update: bool,
    /// The browser would put the app on the home screen.
    pub install: bool,
}

/// What may be offered now; tracked.
pub fn offers() -> Offers {
    OFFERS.with(|offers| offers.get())
}

/// Listens to `boot.js`. Called once, at start.
pub fn start() {
    let changed = Closure::<dyn FnMut()>::new(|| OFFERS.with(|offers| offers.set(read())));
    let _ =
        window().add_event_listener_with_callback("pakka-shell", changed.as_ref().unchecked_ref());
    changed.forget(); // lives as long as the page
}

/// Changes to the new version; the page reloads.
pub fn update() {
    send("pakka-update");
}

/// Shows the browser's own question.
pub fn install() {
    send("pakka-install");
}

/// Does not ask again on this visit.
pub fn not_now() {
    OFFERS.with(|offers| offers.set(Offers::default()));
}

fn send(name: &str) {
    if let Ok(event) = web_sys::Event::new(name) {
        let _ = window().dispatch_event(&event);
    }
}

fn read() -> Offers {
    let ready = |name| root().and_then(|root| root.get_attribute(name)).as_deref() == Some("ready");
    Offers {
        update: ready("data-update"),
        install: ready("data-install"),
    }
}
