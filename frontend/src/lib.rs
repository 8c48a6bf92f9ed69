//! The phone: a Leptos app over the pure core, with storage, keys and sync of its own.
//!
//! [`store`] keeps the shop on this phone and tells the screens what is in it; `net` brings it
//! together with the server. `app` says which screen stands at which address; the screens are
//! made of `components` and decide nothing: they show what the core answers and pass on what a
//! person wants.

mod app;
mod components;
pub mod crypto;
mod i18n;
pub mod net;
mod pages;
mod parts;
mod place;
mod platform;
pub mod store;

use leptos::prelude::mount_to_body;
use wasm_bindgen_futures::spawn_local;

/// Starts the app.
pub fn start() {
    console_error_panic_hook::set_once();
    platform::history::start();
    platform::shell::start();
    platform::theme::Theme::remembered().show();
    spawn_local(store::begin());
    spawn_local(open());
}

/// Loads the words, then shows the app. Without the words of the chosen language
/// it starts in English; without those it shows their keys, but it starts.
async fn open() {
    let language = i18n::remembered().unwrap_or_else(i18n::guessed);
    if i18n::load(language).await.is_err() {
        let _ = i18n::load(&i18n::LANGUAGES[0]).await;
    }
    mount_to_body(app::App);
}
