//! The phone: a Leptos app over the pure core, with storage, keys and sync of its own.
//!
//! [`store`] keeps the shop on this phone and tells the screens what is in it; `net` brings it
//! together with the server. Screens decide nothing: they show what the core answers and pass on
//! what a person wants.

pub mod crypto;
pub mod store;

/// Starts the app.
pub fn start() {
    console_error_panic_hook::set_once();
}
