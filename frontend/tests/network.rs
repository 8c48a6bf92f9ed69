//! What answers is not always the server, and one tab of many talks to it.

#![cfg(target_arch = "wasm32")]

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use common::until;
use frontend::net::http::{Address, AskError};
use frontend::net::pairing::{Invitation, Joining, PairingError};
use frontend::net::tabs::{Channel, Lead, News};
use frontend::store::turn::Turns;
use gloo_net::http::Method;
use shared::bytes::Fixed;
use shared::ids::ShopId;
use shared::sync::wire::ClaimAnswer;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

/// Long enough for a server on this machine.
const WAIT_MS: u32 = 10_000;

fn new_shop() -> ShopId {
    ShopId(Uuid::from_bytes(frontend::crypto::random()))
}

#[wasm_bindgen_test]
async fn a_page_in_html_is_not_the_server() {
    // The tests come from a server too, one that knows nothing of Pakka.
    let here = Address::here().expect("an address").with(Fixed([7; 32]));
    let answer = here.ask::<ClaimAnswer>(Method::GET, "/", None, WAIT_MS);
    assert_eq!(answer.await, Err(AskError::NotTheServer));
    let missing = here.tell(Method::GET, "/api/v1/pairings", None, WAIT_MS);
    assert_eq!(missing.await, Err(AskError::NotTheServer));
}

#[wasm_bindgen_test]
async fn where_nothing_listens_no_answer_comes() {
    let nobody = Address {
        url: "http://127.0.0.1:1".into(),
        token: None,
    };
    let answer = nobody.ask::<ClaimAnswer>(Method::POST, "/api/v1/claim", None, WAIT_MS);
    assert_eq!(answer.await, Err(AskError::Unreachable));
}

#[wasm_bindgen_test]
async fn a_phone_that_asks_again_shows_the_same_digits() {
    let invitation = Invitation::parse("28T5-CY4T").expect("a code");
    let first = Joining::begin(invitation.clone(), "Ravi's phone", None).await;
    let first = first.expect("begun");
    let asked = first.wait().await;
    assert_eq!(asked, Err(PairingError::Server(AskError::NotTheServer)));
    let again = Joining::begin(invitation, "Ravi's phone", None).await;
    assert_eq!(again.expect("begun").digits(), first.digits());
}

#[wasm_bindgen_test]
async fn one_tab_syncs_and_the_next_takes_over_when_it_closes() {
    let shop = new_shop();
    let granted = Rc::new(RefCell::new(Vec::new()));
    let ask = |name: &'static str| {
        let granted = granted.clone();
        Lead::ask(shop, move || granted.borrow_mut().push(name))
    };
    let first = ask("first");
    until(|| *granted.borrow() == ["first"]).await;
    let second = ask("second");
    let third = ask("third");
    // Closed before its time came: it never leads.
    drop(second);
    drop(first);
    until(|| *granted.borrow() == ["first", "third"]).await;
    drop(third);
}

#[wasm_bindgen_test]
async fn tabs_of_one_shop_hear_each_other_and_no_other_shop() {
    let (shop, other) = (new_shop(), new_shop());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listen = |shop, name: &'static str| {
        let heard = heard.clone();
        Channel::open(shop, move |news| heard.borrow_mut().push((name, news)))
    };
    let one = listen(shop, "one").expect("open");
    let _two = listen(shop, "two").expect("open");
    let _stranger = listen(other, "stranger").expect("open");
    one.tell(&News::Written { keys: true });
    one.tell(&News::SyncNow);
    until(|| heard.borrow().len() == 2).await;
    let all = [
        ("two", News::Written { keys: true }),
        ("two", News::SyncNow),
    ];
    assert_eq!(*heard.borrow(), all);
}

#[wasm_bindgen_test]
async fn turns_are_taken_in_the_order_of_asking() {
    let turns = Turns::default();
    let order = Rc::new(RefCell::new(Vec::new()));
    let busy = Rc::new(Cell::new(false));
    let held = turns.take().await;
    for number in 0..5 {
        let (turns, order, busy) = (turns.clone(), order.clone(), busy.clone());
        spawn_local(async move {
            let _turn = turns.take().await;
            assert!(!busy.replace(true), "one at a time");
            let _ = wasm_bindgen_futures::JsFuture::from(js_sys::Promise::resolve(
                &wasm_bindgen::JsValue::NULL,
            ))
            .await;
            busy.set(false);
            order.borrow_mut().push(number);
        });
    }
    drop(held);
    until(|| order.borrow().len() == 5).await;
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
}
