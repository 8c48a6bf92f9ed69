//! Several tabs of one phone: one of them syncs, and all hear of what one wrote.
//!
//! No SharedWorker: Chrome on Android has none.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise, Uint8Array};
use minicbor::{Decode, Encode};
use shared::ids::ShopId;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::store::StoreError;
use crate::store::records::{decode, encode};
use crate::store::status::Contact;

/// What tabs of one shop tell each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum News {
    /// Something was written: read it from the database.
    #[n(1)]
    Written {
        /// Keys as well.
        #[n(0)]
        keys: bool,
    },
    /// How the sync stands, from the tab that does it.
    #[n(2)]
    Contact(#[n(0)] Contact),
    /// A person asked for a sync now.
    #[n(3)]
    SyncNow,
    /// A tab that was opened just now asks how the sync stands.
    #[n(4)]
    Hello,
    /// The phone has joined another shop: open that.
    #[n(5)]
    Moved,
}

/// The channel between the tabs of one shop. A tab does not hear itself.
pub struct Channel {
    channel: BroadcastChannel,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Joins the tabs of a shop.
    pub fn open(
        shop: ShopId,
        mut heard: impl FnMut(News) + 'static,
    ) -> Result<Channel, StoreError> {
        let channel = BroadcastChannel::new(&format!("pakka-{shop}"))?;
        let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let bytes = event.data().dyn_into::<Uint8Array>();
            // A tab with another version of the app may say what this one does not know.
            if let Ok(news) = bytes
                .map_err(drop)
                .and_then(|bytes| decode(&bytes.to_vec(), "a message of another tab").map_err(drop))
            {
                heard(news);
            }
        });
        channel.set_onmessage(Some(listen.as_ref().unchecked_ref()));
        Ok(Channel {
            channel,
            _heard: listen,
        })
    }

    /// Tells the other tabs.
    pub fn tell(&self, news: &News) {
        // Fails only for a closed channel.
        let _ = self
            .channel
            .post_message(&Uint8Array::from(encode(news).as_slice()));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}

#[wasm_bindgen]
extern "C" {
    /// `navigator` with its locks, which web-sys holds back as unstable.
    #[wasm_bindgen(extends = web_sys::Navigator)]
    type LockingNavigator;

    #[wasm_bindgen(method, getter)]
    fn locks(this: &LockingNavigator) -> Option<Locks>;

    type Locks;

    #[wasm_bindgen(method)]
    fn request(this: &Locks, name: &str, granted: &JsValue) -> Promise;
}

/// The wish to be the tab that syncs a shop, and the right to it once granted. Given up when
/// dropped; the browser gives it up for a tab that is closed or crashes.
pub struct Lead(Rc<RefCell<Holding>>);

enum Holding {
    Waiting,
    Held(Function),
    Dropped,
}

impl Lead {
    /// Waits in the background until this tab is the one that syncs the shop, then calls `granted`.
    pub fn ask(shop: ShopId, granted: impl FnOnce() + 'static) -> Lead {
        let holding = Rc::new(RefCell::new(Holding::Waiting));
        let held = holding.clone();
        let on_grant = Closure::once_into_js(move |_lock: JsValue| {
            let until_released = Promise::new(&mut |release, _| {
                let mut held = held.borrow_mut();
                match *held {
                    Holding::Dropped => drop(release.call0(&JsValue::NULL)),
                    _ => *held = Holding::Held(release),
                }
            });
            if !matches!(*held.borrow(), Holding::Dropped) {
                granted();
            }
            until_released
        });
        if let Some(window) = web_sys::window() {
            let navigator: LockingNavigator = window.navigator().unchecked_into();
            match navigator.locks() {
                Some(locks) => drop(locks.request(&format!("pakka-sync-{shop}"), &on_grant)),
                // A browser from before 2022: every tab syncs for itself, which does no harm.
                None => drop(
                    on_grant
                        .unchecked_into::<Function>()
                        .call0(&JsValue::UNDEFINED),
                ),
            }
        }
        Lead(holding)
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if let Holding::Held(release) = self.0.replace(Holding::Dropped) {
            let _ = release.call0(&JsValue::NULL);
        }
    }
}
