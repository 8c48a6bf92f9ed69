//! A device's storage is copied, and both write on: on the real server the copy becomes a device of its
//! own, and nothing is lost or doubled.

mod jig;

use std::path::Path;

use device::{Device, DeviceError};
use jig::native::{add_customer, copy, founder, give, join_as, sync};
use jig::{Phone, Server};
use shared::bytes::{Fixed, Hash};
use shared::command::EnrolDevice;
use shared::event::Role;
use shared::ids::DeviceNo;
use shared::money::Paise;
use shared::sync::wire::{BranchAnswer, BranchRequest, Fork};
use shared::verify::Depth;
use sync_server::audit::{Report, verify_folder};

/// Copies the folder of a device that is closed, and opens both.
fn copied(helper: Device, from: &Path, to: &Path) -> (Device, Device) {
    drop(helper);
    copy(from, to);
    let open = |folder| Device::open(folder).expect("opens");
    (open(from), open(to))
}

/// The whole log: every signature, the server's own events among them.
async fn assert_proves_itself(server: &Server) {
    let reports = verify_folder(&server.data(), None, Depth::EverySignature, |_, _| {}).await;
    let reports = reports.expect("opened");
    assert!(reports.iter().all(Report::is_good), "{reports:?}");
}

async fn assert_same(devices: &mut [&mut Device]) {
    for device in devices.iter_mut() {
        sync(device).await;
    }
    for device in devices.iter_mut() {
        sync(device).await;
    }
    let sums = devices.iter().map(|device| device.ledger().checksum());
    let sums: Vec<Hash> = sums.collect();
    assert!(sums.windows(2).all(|pair| pair[0] == pair[1]), "one shop");
}

#[tokio::test]
async fn both_go_on_after_a_copy_and_the_log_proves_every_entry_once() {
    let server = Server::new().await;
    let mut owner = founder(&server).await;
    let folders = tempfile::tempdir().expect("a folder");
    let [first, second] = ["first", "second"].map(|name| folders.path().join(name));
    let mut helper = join_as(&server, &mut owner, "Helper", Role::Manager, Some(&first)).await;
    let priya = add_customer(&mut helper, "Priya");
    sync(&mut helper).await;
    let (mut helper, mut copy) = copied(helper, &first, &second);

    give(&mut helper, priya, 100);
    sync(&mut helper).await;
    // The copy adds a customer, whose name only its own key opens, and writes for both.
    let amit = add_customer(&mut copy, "Amit");
    give(&mut copy, amit, 30);
    give(&mut copy, priya, 7);
    let bytes = copy.own_events().to_vec();
    sync(&mut copy).await;
    assert_ne!(copy.number(), helper.number());
    assert_eq!(copy.own_events(), bytes, "nothing was written anew");

    give(&mut copy, priya, 3);
    give(&mut helper, priya, 50);
    assert_same(&mut [&mut owner, &mut helper, &mut copy]).await;
    let owes = |device: &Device| device.ledger().balance(priya).khata;
    assert_eq!(owes(&owner), Paise(160 * 100));
    assert_eq!(owner.ledger().customers.len(), 2);

    // What it is survives a restart, and what it writes then.
    drop(copy);
    let mut copy = Device::open(&second).expect("opens");
    give(&mut copy, priya, 40);
    assert_same(&mut [&mut owner, &mut helper, &mut copy]).await;
    assert_eq!(owes(&owner), Paise(200 * 100));
    let branch = owner.ledger().devices.get(&copy.number()).expect("known");
    assert_eq!(*branch.branch_of.value().expect("a copy"), helper.number());

    // The owner lets it go on, and it is a device like any other.
    let keep = EnrolDevice {
        device: copy.number(),
        key: copy.public_key(),
        role: Role::Manager,
        name: "Second counter".into(),
        staff: None,
    };
    owner.execute(keep).expect("confirmed");
    give(&mut copy, priya, 1);
    assert_same(&mut [&mut owner, &mut helper, &mut copy]).await;
    assert_eq!(owes(&owner), Paise(201 * 100));
    assert!(!owner.ledger().devices[&copy.number()].is_unconfirmed_copy());
    assert_proves_itself(&server).await;
}

#[tokio::test]
async fn a_copy_of_a_copy_and_a_copy_that_wrote_nothing_end_with_everything() {
    let server = Server::new().await;
    let mut owner = founder(&server).await;
    let folders = tempfile::tempdir().expect("a folder");
    let [first, second, third, fourth] =
        ["first", "second", "third", "fourth"].map(|name| folders.path().join(name));
    let mut helper = join_as(&server, &mut owner, "Helper", Role::Manager, Some(&first)).await;
    let priya = add_customer(&mut helper, "Priya");
    sync(&mut helper).await;
    let (helper, mut copy) = copied(helper, &first, &second);
    let (mut helper, mut idle) = copied(helper, &first, &fourth);
    give(&mut helper, priya, 100);
    sync(&mut helper).await;
    give(&mut copy, priya, 20);
    sync(&mut copy).await;
    let number = copy.number();
    let (mut copy, mut again) = copied(copy, &second, &third);
    give(&mut copy, priya, 3);
    sync(&mut copy).await;
    give(&mut again, priya, 4);
    sync(&mut again).await;
    assert_eq!(copy.number(), number);
    let numbers = [helper.number(), copy.number(), again.number()];
    assert!(numbers[0] != numbers[1] && numbers[1] != numbers[2]);
    sync(&mut idle).await;
    assert_eq!(idle.number(), helper.number(), "it simply catches up");
    assert_same(&mut [&mut owner, &mut helper, &mut copy, &mut again, &mut idle]).await;
    assert_eq!(owner.ledger().balance(priya).khata, Paise(127 * 100));
    assert_proves_itself(&server).await;
}

#[tokio::test]
async fn a_copy_of_entries_that_another_copy_has_brought_stops_and_keeps_them() {
    let server = Server::new().await;
    let mut owner = founder(&server).await;
    let folders = tempfile::tempdir().expect("a folder");
    let [first, second, third] = ["first", "second", "third"].map(|name| folders.path().join(name));
    let mut helper = join_as(&server, &mut owner, "Helper", Role::Manager, Some(&first)).await;
    let priya = add_customer(&mut helper, "Priya");
    sync(&mut helper).await;
    let (mut helper, mut copy) = copied(helper, &first, &second);
    give(&mut helper, priya, 100);
    sync(&mut helper).await;
    give(&mut copy, priya, 20);
    let (mut copy, mut same) = copied(copy, &second, &third);
    sync(&mut copy).await;
    let stopped = same.sync_until_quiet().await;
    assert!(
        matches!(stopped, Err(DeviceError::SyncStopped(_))),
        "{stopped:?}"
    );
    assert_eq!(
        same.ledger().balance(priya).khata,
        Paise(20 * 100),
        "it keeps them"
    );
    assert_same(&mut [&mut owner, &mut helper, &mut copy]).await;
    assert_eq!(owner.ledger().balance(priya).khata, Paise(120 * 100));
}

#[tokio::test]
async fn nobody_becomes_a_device_without_the_key_of_the_one_that_was_copied() {
    let server = Server::new().await;
    let owner = founder(&server).await;
    let request = BranchRequest {
        shop: owner.shop(),
        fork: Fork {
            of: DeviceNo::FOUNDER,
            from_seq: 1,
            previous: Hash::default(),
            next: Hash::default(),
        },
        key: owner.public_key(),
        token: Fixed([7; 32]),
        signature: Fixed([0; 64]),
    };
    let stranger = Phone::new(&server.url());
    let refused = stranger
        .post::<BranchAnswer>("/api/v1/branch", &request)
        .await;
    assert_eq!(refused.expect_err("not signed").code(), "bad_signature");
    let before = owner.log_so_far().len();
    let mut owner = owner;
    sync(&mut owner).await;
    assert_eq!(owner.log_so_far().len(), before, "nothing was written");
}
