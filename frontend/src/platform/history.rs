//! The address bar: where the app is, going on, and going back.
//!
//! Every screen has an address, so a reload and the phone's back button do what
//! a person expects. How deep the app is in its own history stands in the
//! history's state; at depth 0 (opened from a link) back goes to the parent
//! screen instead of out of the app.

use leptos::prelude::{ArcRwSignal, Get as _, GetUntracked as _, Set as _};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use super::window;

/// Path and query of the address bar, for instance `/customer/1-4` and
/// `?show=due`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Begins with a slash.
    pub path: String,
    /// Empty, or begins with a question mark.
    pub query: String,
}

thread_local! {
    static ADDRESS: ArcRwSignal<Address> = ArcRwSignal::new(read());
}

/// The address now; tracked.
pub fn address() -> Address {
    ADDRESS.with(|address| address.get())
}

/// The address now, for event handlers.
pub fn address_untracked() -> Address {
    ADDRESS.with(|address| address.get_untracked())
}

/// Follows the back button and takes over clicks on links inside the app.
/// Called once, at start.
pub fn start() {
    let moved = Closure::<dyn FnMut()>::new(follow);
    let clicked = Closure::<dyn FnMut(web_sys::MouseEvent)>::new(click);
    let window = window();
    let _ = window.add_event_listener_with_callback("popstate", moved.as_ref().unchecked_ref());
    let _ = window.add_event_listener_with_callback("click", clicked.as_ref().unchecked_ref());
    // Both live as long as the page.
    moved.forget();
    clicked.forget();
}

/// Opens a screen; back returns to this one.
pub fn go(address: &str) {
    let state = JsValue::from_f64(depth() + 1.0);
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&state, "", Some(address));
    }
    follow();
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// Changes the address in place: a filter, or a form that is done.
pub fn replace(address: &str) {
    let state = JsValue::from_f64(depth());
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&state, "", Some(address));
    }
    follow();
}

/// Goes back, or to `parent` when the app was opened right here.
pub fn back(parent: &str) {
    match window().history() {
        Ok(history) if depth() > 0.0 => {
            let _ = history.back();
        }
        _ => replace(parent),
    }
}

/// A value of the query, decoded: `q` of `/?q=pri` is `pri`.
pub fn query_value(name: &str) -> Option<String> {
    let address = address_untracked();
    let pairs = address.query.strip_prefix('?')?;
    let value = pairs.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then_some(value)
    })?;
    js_sys::decode_uri_component(value).ok().map(String::from)
}

/// A path with a query; empty values are left out.
pub fn with_query(path: &str, values: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(name);
        address.push('=');
        address.push_str(&String::from(js_sys::encode_uri_component(value)));
    }
    address
}

fn depth() -> f64 {
    window()
        .history()
        .and_then(|history| history.state())
        .ok()
        .and_then(|state| state.as_f64())
        .unwrap_or(0.0)
}

fn read() -> Address {
    let location = window().location();
    Address {
        path: location.pathname().unwrap_or_default(),
        query: location.search().unwrap_or_default(),
    }
}

fn follow() {
    let now = read();
    ADDRESS.with(|address| {
        if address.get_untracked() != now {
            address.set(now);
        }
    });
}

/// A plain click on a link of this origin stays inside the app.
fn click(event: web_sys::MouseEvent) {
    if event.default_prevented()
        || event.button() != 0
        || event.ctrl_key()
        || event.meta_key()
        || event.shift_key()
        || event.alt_key()
    {
        return;
    }
    let link = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .and_then(|element| {
            element
                .closest("a[href^='/']:not([target]):not([download])")
                .ok()
        })
        .flatten();
    if let Some(address) = link.and_then(|link| link.get_attribute("href")) {
        event.prevent_default();
        go(&address);
    }
}
