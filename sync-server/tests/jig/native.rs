//! Native devices of a shop: the real engine, and books that can be looked at.

use std::fs;
use std::path::Path;

use device::{Device, Joining, NewShop, now, today};
use shared::command::{AddCustomer, Details, GiveCredit};
use shared::event::{Language, Role};
use shared::ids::CustomerId;
use shared::money::Paise;
use tempfile::TempDir;

use super::Server;

pub fn add_customer(device: &mut Device, name: &str) -> CustomerId {
    let events = device.execute(AddCustomer::named(name)).expect("adds");
    CustomerId(events[0].envelope.id)
}

pub fn give(device: &mut Device, customer: CustomerId, rupees: i64) {
    let credit = GiveCredit {
        details: Details::on(today()),
        customer,
        amount: Paise(rupees * 100),
        lines: Vec::new(),
        due: None,
    };
    device.execute(credit).expect("gives");
}

pub async fn sync(device: &mut Device) {
    device.sync_until_quiet().await.expect("syncs");
}

pub async fn founder(server: &Server) -> Device {
    let shop = NewShop {
        name: "Lakshmi Kirana".to_owned(),
        owner: "Lakshmi".to_owned(),
        device: "Counter".to_owned(),
        language: Language::Hindi,
        at: now(),
    };
    let mut founder = Device::found(shop, None).expect("a shop");
    let code = server.claim_code().await.to_string();
    founder.claim(&server.url(), &code).await.expect("claims");
    sync(&mut founder).await;
    founder
}

/// A manager's device that keeps nothing on the disk.
pub async fn join(server: &Server, owner: &mut Device, name: &str) -> Device {
    join_as(server, owner, name, Role::Manager, None).await
}

pub async fn join_as(
    server: &Server,
    owner: &mut Device,
    name: &str,
    role: Role,
    folder: Option<&Path>,
) -> Device {
    let offer = owner.offer_pairing(role).await.expect("offers");
    let joining = Joining::new(&server.url(), &offer.secret, name).expect("a joiner");
    joining.ask(0).await.expect("asks");
    let joiner = owner.joiner(&offer).await.expect("looks").expect("asked");
    owner.confirm(&joiner, role).await.expect("confirms");
    let mut joined = joining.join(folder).await.expect("joins");
    sync(&mut joined).await;
    joined
}

/// All of them hold the same log and the same books, and nothing waits.
pub fn assert_equal(devices: &[&Device]) {
    for device in devices {
        assert_eq!(device.log_so_far(), devices[0].log_so_far());
        assert_eq!(device.ledger().checksum(), devices[0].ledger().checksum());
        assert_eq!(device.waiting(), 0);
    }
}

/// Copies the files of a folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// The server stops, what it has is copied aside, and it goes on.
pub async fn back_up(server: &mut Server) -> TempDir {
    let backup = tempfile::tempdir().expect("a folder");
    server.stop().await;
    copy(&server.data(), backup.path());
    server.start().await;
    backup
}
