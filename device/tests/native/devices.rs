//! Native devices and a real server: what one writes, the others read.

use std::path::Path;

use crate::support::{TestServer, found};
use device::http::{Address, CallError};
use device::{Device, DeviceError, today};
use shared::command::{AddCustomer, Details, EraseCustomer, GiveCredit, ReceivePayment};
use shared::event::Paid;
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::text::Field;
use sync_server::config::Flags;

fn add_customer(device: &mut Device, name: &str) -> CustomerId {
    let events = device.execute(AddCustomer::named(name)).expect("adds");
    CustomerId(events[0].envelope.id)
}

fn give(device: &mut Device, customer: CustomerId, rupees: i64) {
    device
        .execute(GiveCredit {
            details: Details::on(today()),
            customer,
            amount: Paise(rupees * 100),
            lines: Vec::new(),
            due: None,
        })
        .expect("gives");
}

fn receive(device: &mut Device, customer: CustomerId, rupees: i64) {
    device
        .execute(ReceivePayment {
            details: Details::on(today()),
            customer,
            amount: Paise(rupees * 100),
            paid: Paid::CASH,
            allocations: Vec::new(),
        })
        .expect("receives");
}

#[tokio::test]
async fn two_devices_of_a_shop_come_to_the_same_books() {
    let server = TestServer::start().await;
    let mut owner = server.founder().await;
    let mut helper = server.join(&mut owner, "Helper").await;
    let priya = add_customer(&mut owner, "Priya");
    give(&mut owner, priya, 670);
    owner.sync_until_quiet().await.expect("syncs");
    helper.sync_until_quiet().await.expect("syncs");
    let name = &helper.ledger().customers[&priya].name;
    let name = name.get().expect("a name");
    assert_eq!(
        helper.keys().words(name, Field::Name).as_deref(),
        Some("Priya")
    );

    receive(&mut helper, priya, 300);
    helper.sync_until_quiet().await.expect("syncs");
    owner.sync_until_quiet().await.expect("syncs");
    assert_eq!(owner.ledger().balance(priya).khata, Paise(370_00));
    assert_eq!(owner.ledger().checksum(), helper.ledger().checksum());
    assert_eq!((owner.waiting(), helper.waiting()), (0, 0));
}

#[tokio::test]
async fn a_device_that_worked_alone_brings_everything_to_its_server_later() {
    let mut owner = found();
    let amit = add_customer(&mut owner, "Amit");
    for rupees in 1..=100 {
        give(&mut owner, amit, rupees);
    }
    let server = TestServer::start().await;
    owner
        .claim(&server.url, &server.claim_code)
        .await
        .expect("claims");
    owner.sync_until_quiet().await.expect("syncs");
    let helper = server.join(&mut owner, "Helper").await;
    assert_eq!(helper.ledger().balance(amit).khata, Paise(5050_00));
    assert_eq!(helper.ledger().checksum(), owner.ledger().checksum());
}

#[tokio::test]
async fn a_device_opened_again_goes_on_where_it_was() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut owner = server.founder_in(folder.path()).await;
    let priya = add_customer(&mut owner, "Priya");
    owner.sync_until_quiet().await.expect("syncs");
    give(&mut owner, priya, 40);
    let before = owner.ledger().checksum();
    drop(owner);

    let mut owner = Device::open(folder.path()).expect("opens");
    assert_eq!(owner.ledger().checksum(), before);
    assert_eq!(owner.waiting(), 1, "the credit was saved and not sent");
    give(&mut owner, priya, 2);
    owner.sync_until_quiet().await.expect("syncs");
    let helper = server.join(&mut owner, "Helper").await;
    assert_eq!(helper.ledger().balance(priya).khata, Paise(42_00));
}

#[tokio::test]
async fn an_erased_person_is_forgotten_in_the_folder_of_each_device() {
    let server = TestServer::start().await;
    let folders = tempfile::tempdir().expect("folders");
    let [here, there] = ["owner", "helper"].map(|name| folders.path().join(name));
    let mut owner = server.founder_in(&here).await;
    let priya = add_customer(&mut owner, "Priya");
    let amit = add_customer(&mut owner, "Amit");
    owner.sync_until_quiet().await.expect("syncs");
    let mut helper = server.join_in(&mut owner, "Helper", Some(&there)).await;
    give(&mut helper, amit, 40);
    helper.sync_until_quiet().await.expect("syncs");
    let key = |customer| {
        let page = owner.ledger().customers[&customer].added.as_ref();
        let key = owner.keys().get(&page.expect("added").key);
        key.expect("held").0
    };
    let (of_priya, of_amit) = (key(priya), key(amit));
    let holds = |folder: &Path, key: &[u8; 32]| {
        let bytes = std::fs::read(folder.join("device.journal")).expect("reads");
        bytes.windows(key.len()).any(|part| part == key)
    };
    assert!(holds(&here, &of_priya) && holds(&there, &of_priya));

    owner
        .execute(EraseCustomer { customer: priya })
        .expect("erases");
    assert!(!holds(&here, &of_priya), "with the tick");
    owner.sync_until_quiet().await.expect("syncs");
    helper.sync_until_quiet().await.expect("syncs");
    assert!(!holds(&there, &of_priya));
    assert!(holds(&here, &of_amit) && holds(&there, &of_amit));

    // Nothing else is different, and it goes on.
    let books = owner.ledger().checksum();
    drop((owner, helper));
    let mut owner = Device::open(&here).expect("opens");
    let mut helper = Device::open(&there).expect("opens");
    assert_eq!(owner.ledger().checksum(), books);
    give(&mut owner, amit, 2);
    owner.sync_until_quiet().await.expect("syncs");
    helper.sync_until_quiet().await.expect("syncs");
    assert_eq!(helper.ledger().balance(amit).khata, Paise(42_00));
    for device in [&owner, &helper] {
        let words = |customer| {
            let name = device.ledger().customers[&customer].name.get();
            device.keys().words(name.expect("a name"), Field::Name)
        };
        assert_eq!((words(priya), words(amit).as_deref()), (None, Some("Amit")));
    }
}

#[tokio::test]
async fn a_code_that_was_used_claims_nothing_again() {
    let server = TestServer::start().await;
    let _owner = server.founder().await;
    let mut other = found();
    let refused = other.claim(&server.url, &server.claim_code).await;
    let refused = refused.expect_err("used");
    assert!(
        refused.to_string().contains("the server refused"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_on_the_local_network_is_believed_by_its_authority_and_by_nothing_else() {
    let (server, authority) = TestServer::start_lan().await;
    let mut owner = found();
    let unknown = owner.claim(&server.url, &server.claim_code).await;
    assert!(matches!(
        unknown.expect_err("nobody vouches for it"),
        DeviceError::Call(CallError::Unreachable(_))
    ));
    let address = Address {
        url: server.url.clone(),
        authority: Some(authority),
    };
    owner
        .claim(address, &server.claim_code)
        .await
        .expect("claims");
    owner.sync_until_quiet().await.expect("syncs");
    assert_eq!(owner.waiting(), 0);
}

#[tokio::test]
async fn a_device_brought_back_from_an_older_copy_gets_what_it_wrote_since() {
    let server = TestServer::start().await;
    let folders = tempfile::tempdir().expect("folders");
    let (folder, copy) = (folders.path().join("device"), folders.path().join("copy"));
    let mut owner = server.founder_in(&folder).await;
    let priya = add_customer(&mut owner, "Priya");
    owner.sync_until_quiet().await.expect("syncs");
    std::fs::create_dir(&copy).expect("a folder");
    let file = "device.journal";
    std::fs::copy(folder.join(file), copy.join(file)).expect("copies");
    give(&mut owner, priya, 40);
    owner.sync_until_quiet().await.expect("syncs");
    let books = owner.ledger().checksum();
    drop(owner);

    let mut owner = Device::open(&copy).expect("opens");
    assert_eq!(owner.ledger().balance(priya).khata, Paise::ZERO);
    owner.sync_until_quiet().await.expect("syncs");
    assert_eq!(owner.ledger().checksum(), books);
    give(&mut owner, priya, 2);
    owner.sync_until_quiet().await.expect("syncs");
    drop(owner);
    let mut owner = Device::open(&copy).expect("opens");
    let helper = server.join(&mut owner, "Helper").await;
    assert_eq!(helper.ledger().balance(priya).khata, Paise(42_00));
}

#[tokio::test]
async fn a_device_that_asks_too_often_waits_as_it_is_told_and_loses_nothing() {
    const SYNCS: u32 = 60;
    let server = TestServer::start_with(Flags {
        rate: Some("10".to_owned()),
        ..Flags::default()
    })
    .await;
    let mut owner = server.founder().await;
    let priya = add_customer(&mut owner, "Priya");
    for _ in 0..SYNCS {
        give(&mut owner, priya, 1);
        owner.sync_until_quiet().await.expect("syncs");
        assert_eq!(owner.waiting(), 0);
    }
    let told_to_wait = owner.traffic().refused;
    assert!(told_to_wait > 0, "the server never asked for patience");
    let helper = server.join(&mut owner, "Helper").await;
    let khata = helper.ledger().balance(priya).khata;
    assert_eq!(khata, Paise(i64::from(SYNCS) * 100));
}
