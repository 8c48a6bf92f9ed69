//! What the tests of a live shop begin with. Each file of tests uses its share.

#![allow(dead_code, reason = "every file of tests compiles all of it")]

use frontend::store::{NewShop, Shop, create_shop};
use shared::calendar::BusinessDay;
use shared::command::{AddCustomer, Details, GiveCredit};
use shared::event::Language;
use shared::ids::{CustomerId, EntryId, ShopId};
use shared::money::Paise;
use wasm_bindgen_futures::JsFuture;

pub async fn new_shop() -> Shop {
    create_shop(NewShop {
        name: "Lakshmi Kirana".into(),
        owner: "Lakshmi".into(),
        device: "Counter".into(),
        language: Language::Hindi,
    })
    .await
    .expect("a shop")
}

pub fn id(shop: Shop) -> ShopId {
    shop.peek(|books| books.identity.shop)
}

/// Another tab, or the app after a reload.
pub async fn open(shop: ShopId) -> Shop {
    Shop::open(shop, |_| {}, || {}, |_| {})
        .await
        .expect("readable")
        .expect("founded")
}

pub async fn add(shop: Shop, name: &str) -> CustomerId {
    let added = shop.execute(AddCustomer::named(name));
    CustomerId(added.await.expect("added").first())
}

pub fn today(shop: Shop) -> BusinessDay {
    let opened = shop.peek(|books| books.ledger.shop.opened_on.get().copied());
    opened.expect("opened")
}

pub fn credit(shop: Shop, customer: CustomerId, rupees: i64) -> GiveCredit {
    GiveCredit {
        details: Details::on(today(shop)),
        customer,
        amount: Paise(rupees * 100),
        lines: Vec::new(),
        due: None,
    }
}

pub async fn give(shop: Shop, customer: CustomerId, rupees: i64) -> EntryId {
    let given = shop.execute(credit(shop, customer, rupees));
    EntryId(given.await.expect("given").first())
}

pub fn owes(shop: Shop, customer: CustomerId) -> Paise {
    shop.peek(|books| books.ledger.balance(customer).khata)
}

/// Lets other tasks and tabs go on until something is so.
pub async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        let turn = js_sys::Promise::new(&mut |resolve, _| {
            let window = web_sys::window().expect("a window");
            window.set_timeout_with_callback(&resolve).expect("a timer");
        });
        JsFuture::from(turn).await.expect("a turn");
    }
    panic!("it never came to be");
}
