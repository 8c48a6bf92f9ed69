//! Which shops are on this phone, and whether there was one before.
//!
//! The databases themselves say which shops are here. Local storage only remembers which one was
//! open last. Both, and everything else of this address, can be evicted by the browser at once;
//! a cookie lives apart and remembers that there was something to lose.

use js_sys::{Array, Function, Promise, Reflect};
use shared::ids::ShopId;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlDocument;

use super::schema;
use crate::platform::remembered;

const CURRENT: &str = "pakka.shop";

/// The shop that this phone had before it joined the current one.
const OLD: &str = "pakka.old";

/// Says nothing but that a shop was here.
const COOKIE: &str = "pakka_was_here=1";

/// As long as browsers keep a cookie: 400 days (RFC 6265bis). Renewed with every start.
const COOKIE_AGE_S: u32 = 400 * 24 * 60 * 60;

/// The shops on this phone, the one that was open last first.
pub async fn shops() -> Vec<ShopId> {
    let mut shops = databases().await;
    for first in [OLD, CURRENT].into_iter().filter_map(noted) {
        // Not every browser lists its databases.
        shops.retain(|shop| *shop != first);
        shops.insert(0, first);
    }
    shops
}

fn noted(as_what: &str) -> Option<ShopId> {
    remembered::get(as_what)?.parse().ok().map(ShopId)
}

/// From now on this phone opens another shop, if it is there, else the old one.
pub fn move_on(from: ShopId, to: ShopId) {
    remembered::set(OLD, &from.to_string());
    remember(to);
}

/// The old shop is here no more.
pub fn forget_old() {
    remembered::forget(OLD);
}

/// Remembers the shop that is open, and that there is one.
pub fn remember(shop: ShopId) {
    // Without local storage the databases are listed.
    remembered::set(CURRENT, &shop.to_string());
    if let Some(document) = document() {
        let cookie = format!("{COOKIE}; Max-Age={COOKIE_AGE_S}; Path=/; SameSite=Strict");
        let _ = document.set_cookie(&cookie);
    }
}

/// Forgets which shop was open last.
pub fn forget_current() {
    remembered::forget(CURRENT);
}

/// Was a shop kept at this address before, whatever storage says now?
pub fn was_here() -> bool {
    let cookies = document().and_then(|document| document.cookie().ok());
    cookies.is_some_and(|cookies| cookies.split("; ").any(|cookie| cookie == COOKIE))
}

fn document() -> Option<HtmlDocument> {
    web_sys::window()?.document()?.dyn_into().ok()
}

/// The databases that browsers list; none where they do not.
async fn databases() -> Vec<ShopId> {
    let listed = async {
        let factory = Reflect::get(&js_sys::global(), &"indexedDB".into())?;
        let list: Function = Reflect::get(&factory, &"databases".into())?.dyn_into()?;
        let listed: Promise = list.call0(&factory)?.dyn_into()?;
        JsFuture::from(listed).await
    };
    let listed: Result<JsValue, JsValue> = listed.await;
    let names = listed.map(|list| Array::from(&list)).unwrap_or_default();
    let names = names.iter().filter_map(|database| {
        Reflect::get(&database, &"name".into())
            .ok()
            .and_then(|name| name.as_string())
    });
    names.filter_map(|name| schema::shop_of(&name)).collect()
}
