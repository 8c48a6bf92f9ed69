//! The live shop in a real browser: what a person does is saved, shown in every tab, and there
//! after a reload.

#![cfg(target_arch = "wasm32")]

mod common;

use common::{add, credit, give, id, new_shop, open, owes, today, until};
use frontend::crypto::verify;
use frontend::store::database::ShopDatabase;
use frontend::store::start::APP_VERSION;
use frontend::store::{Answers, EntryState, Refused, Shop, Stage, StoreError, stage};
use shared::command::{
    CustomerRejection, Details, EraseCustomer, ReceivePayment, Refusal, ReverseEntry, Why,
};
use shared::event::{Paid, ReasonCode, Role};
use shared::export::{self, Part, Reader};
use shared::ids::EntryId;
use shared::money::Paise;
use shared::text::{Field, Opened};
use shared::verify::Depth;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn a_shop_begins_without_any_server() {
    let shop = new_shop().await;
    assert_eq!(stage(), Stage::Open(shop));
    shop.peek(|books| {
        assert_eq!(books.ledger.shop.name.get(), Some(&"Lakshmi Kirana".into()));
        let owner = books.ledger.staff.values().next().expect("the owner");
        let name = books
            .keys
            .words(owner.name.get().expect("named"), Field::Name);
        assert_eq!(name.as_deref(), Some("Lakshmi"));
        assert!(books.staff().is_some(), "the owner is at the phone");
        let device = &books.ledger.devices[&books.device()];
        assert_eq!(device.role.get(), Some(&Role::Owner));
        assert_eq!(device.app.get().map(String::as_str), Some(APP_VERSION));
        assert!(books.is_filled());
    });
}

#[wasm_bindgen_test]
async fn a_reload_shows_what_was_there() {
    let shop = new_shop().await;
    let priya = add(shop, "Priya").await;
    give(shop, priya, 670).await;
    let again = open(id(shop)).await;
    assert_eq!(owes(again, priya), Paise(670_00));
    let (before, after) = (
        shop.peek(|books| books.ledger.checksum()),
        again.peek(|books| books.ledger.checksum()),
    );
    assert_eq!(before, after, "the same state, byte for byte");
    again.peek(|books| {
        let name = books.ledger.customers[&priya].name.get().expect("named");
        assert_eq!(
            books.keys.words(name, Field::Name).as_deref(),
            Some("Priya")
        );
    });
}

#[wasm_bindgen_test]
async fn what_one_tab_writes_the_other_shows() {
    let one = new_shop().await;
    let other = open(id(one)).await;
    let priya = add(one, "Priya").await;
    give(one, priya, 670).await;
    until(|| owes(other, priya) == Paise(670_00)).await;
    give(other, priya, 30).await;
    until(|| owes(one, priya) == Paise(700_00)).await;
}

#[wasm_bindgen_test]
async fn taps_in_two_tabs_at_once_are_all_written_once() {
    let one = new_shop().await;
    let priya = add(one, "Priya").await;
    let other = open(id(one)).await;
    let taps = js_sys::Array::new();
    for shop in [one, other, one, other, other, one] {
        taps.push(&wasm_bindgen_futures::future_to_promise(async move {
            give(shop, priya, 10).await;
            Ok(wasm_bindgen::JsValue::NULL)
        }));
    }
    let all = js_sys::Promise::all(&taps);
    wasm_bindgen_futures::JsFuture::from(all)
        .await
        .expect("given");
    let again = open(id(one)).await;
    assert_eq!(owes(again, priya), Paise(60_00));
    assert_eq!(again.peek(|books| books.ledger.entries.len()), 6);
    until(|| owes(one, priya) == Paise(60_00) && owes(other, priya) == Paise(60_00)).await;
}

#[wasm_bindgen_test]
async fn a_refusal_writes_nothing() {
    let shop = new_shop().await;
    let priya = add(shop, "Priya").await;
    let before = shop.peek(|books| books.last_seq());
    let refused = shop.execute(credit(shop, priya, 0)).await;
    assert!(matches!(refused, Err(Refused::Rules(Refusal::Rejected(_)))));
    assert_eq!(shop.peek(|books| books.last_seq()), before);
    assert_eq!(open(id(shop)).await.peek(|books| books.last_seq()), before);
}

#[wasm_bindgen_test]
async fn a_question_is_answered_and_asked_no_more() {
    let shop = new_shop().await;
    let priya = add(shop, "Priya").await;
    let payment = ReceivePayment {
        details: Details::on(today(shop)),
        customer: priya,
        amount: Paise(500_00),
        paid: Paid::CASH,
        allocations: Vec::new(),
    };
    let refused = shop.execute(payment.clone()).await;
    let Err(Refused::Rules(Refusal::Ask(question))) = refused else {
        panic!("more than is owed is asked about");
    };
    let answers = Answers {
        confirmed: vec![question.kind()],
        ..Answers::default()
    };
    shop.execute_with(payment, answers).await.expect("written");
    assert_eq!(owes(shop, priya), Paise(-500_00));
}

#[wasm_bindgen_test]
async fn without_a_server_every_entry_waits_on_the_phone_and_can_be_taken_out() {
    let shop = new_shop().await;
    let priya = add(shop, "Priya").await;
    let EntryId(entry) = give(shop, priya, 670).await;
    assert_eq!(shop.entry_state(entry), EntryState::Saved);
    let waiting = shop.contact().status.waiting;
    assert_eq!(waiting, shop.peek(|books| books.last_seq()));
    let file = shop.export().await.expect("readable");
    let any = |_: &_, _: &[u8], _: &_| true;
    let (header, summary) =
        export::verify(&file, Depth::EverySignature, any, |_| {}).expect("a sound file");
    assert_eq!(summary.unsent, u64::from(waiting));
    let (mut signed, mut keys) = (None, 0);
    for part in Reader::new(&file).expect("a file") {
        match part.expect("sound") {
            Part::Unsent(unsent) => signed = Some(unsent),
            Part::Keys(some) => keys += some.len(),
            _ => {}
        }
    }
    assert_eq!(keys, 2, "the shop's key and Priya's");
    let unsent = signed.expect("unsent");
    let identity = shop.peek(|books| books.identity.clone());
    assert_eq!(header.origin.devices[0].key, identity.key);
    let genesis = shared::chain::genesis(identity.shop, &identity.key);
    let events = unsent.events.iter();
    let hash = events.fold(genesis, |hash, event| shared::chain::next(&hash, event));
    let message = shared::chain::head_message(identity.shop, identity.device, waiting, &hash);
    let sound = verify(&identity.key, &message, &unsent.signature).await;
    assert_eq!(sound, Ok(true), "signed over the whole chain");
}

#[wasm_bindgen_test]
async fn an_erased_customer_cannot_be_read_on_this_phone_any_more() {
    let shop = new_shop().await;
    let priya = add(shop, "Priya").await;
    let EntryId(owing) = give(shop, priya, 670).await;
    let erase = EraseCustomer { customer: priya };
    let refused = shop.execute(erase.clone()).await;
    let not_settled = CustomerRejection::NotSettled {
        khata: Paise(670_00),
        advance: Paise(0),
    };
    assert_eq!(refused, Err(Refused::Rules(not_settled.into())));
    let given_up = ReverseEntry {
        target: EntryId(owing),
        why: Why::new(ReasonCode::Agreed),
        witness: None,
    };
    shop.execute(given_up).await.expect("taken back");
    let key = shop.peek(|books| books.ledger.customers[&priya].added.as_ref().map(|a| a.key));
    shop.execute(erase).await.expect("erased");

    let db = ShopDatabase::open(id(shop), || {}, |_| {})
        .await
        .expect("opened");
    let stored = db.load().await.expect("readable").expect("founded").keys;
    let stored = stored.iter().find(|stored| Some(stored.id) == key);
    assert_eq!(stored.map(|stored| stored.key), Some(None), "a tombstone");
    for shop in [shop, open(id(shop)).await] {
        let name = shop.peek(|books| {
            let name = books.ledger.customers[&priya].name.get().expect("named");
            books.keys.open(name, Field::Name)
        });
        assert_eq!(name, Opened::Erased);
    }
}

#[wasm_bindgen_test]
async fn damaged_storage_is_said_and_not_half_read() {
    let shop = new_shop().await;
    add(shop, "Priya").await;
    let db = frontend::store::idb::Database::open(frontend::store::idb::Open {
        name: &frontend::store::schema::database_name(id(shop)),
        version: frontend::store::schema::VERSION,
        upgrade: |_, _| Ok(()),
        blocked: Box::new(|| {}),
        lost: Box::new(|_| {}),
    })
    .await
    .expect("opened");
    let tx = db.write(&["tail"]).expect("a transaction");
    tx.store("tail")
        .expect("the tail")
        .delete(1.0)
        .expect("asked");
    tx.commit().await.expect("written");
    let opened = Shop::open(id(shop), |_| {}, || {}, |_| {}).await;
    assert_eq!(opened, Err(StoreError::Damaged("chain")));
}

#[wasm_bindgen_test]
async fn many_entries_are_packed_behind_the_screen_and_nothing_changes() {
    let shop = new_shop().await;
    let priya = add(shop, "Priya").await;
    for _ in 0..300 {
        give(shop, priya, 1).await;
    }
    let records = async || {
        let db = ShopDatabase::open(id(shop), || {}, |_| {}).await;
        let loaded = db.expect("opened").load().await.expect("readable");
        loaded.expect("founded").tail.len()
    };
    assert!(records().await > 300);
    let again = open(id(shop)).await;
    // Waits for its turn behind the packing, which a start of the app asks for.
    give(again, priya, 1).await;
    assert!(records().await < 10);
    assert_eq!(owes(open(id(shop)).await, priya), Paise(301_00));
    // The other tab goes on where it was, in the midst of a packed record.
    give(shop, priya, 1).await;
    assert_eq!(owes(open(id(shop)).await, priya), Paise(302_00));
}
