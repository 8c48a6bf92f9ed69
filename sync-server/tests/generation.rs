//! A server that was set back has gone on before the devices came that hold what it lost: the owner
//! lets the log go on as it is, and the devices bring what it lacks.

mod jig;

use std::fs;
use std::path::Path;

use device::{Device, DeviceError};
use jig::Server;
use jig::native::{add_customer, assert_equal, back_up, copy, founder, give, join, join_as, sync};
use shared::command::RevokeDevice;
use shared::event::Role;
use shared::ids::DeviceNo;
use shared::money::Paise;
use shared::sync::engine::Stop;
use shared::text::Field;
use shared::verify::Depth;
use sync_server::audit::{self, Report};
use sync_server::server::open_store;
use sync_server::store::Store as _;

async fn sync_all(devices: &mut [&mut Device]) {
    for _ in 0..2 {
        for device in &mut *devices {
            sync(device).await;
        }
    }
}

/// The folder is lost, and the copy put in its place so long ago that the server waits for nobody
/// any more.
async fn set_back_long_ago(server: &mut Server, backup: &Path) {
    server.stop().await;
    fs::remove_dir_all(server.data()).expect("gone");
    copy(backup, &server.data());
    let store = open_store(&server.data()).await.expect("opens");
    store.set_mark(0).await.expect("written");
    store.close().await;
    server.start().await;
}

async fn reports(server: &Server) -> Vec<Report> {
    audit::verify_folder(&server.data(), None, Depth::EverySignature, |_, _| {})
        .await
        .expect("a folder")
}

#[tokio::test]
async fn the_owner_lets_the_log_go_on_and_every_device_brings_what_it_lacks() {
    let mut server = Server::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut owner = founder(&server).await;
    let mut helper = join(&server, &mut owner, "Phone").await;
    let mut third = join_as(
        &server,
        &mut owner,
        "Phone",
        Role::Cashier,
        Some(folder.path()),
    )
    .await;
    let priya = add_customer(&mut owner, "Priya");
    sync_all(&mut [&mut owner, &mut helper, &mut third]).await;
    let backup = back_up(&mut server).await;

    give(&mut owner, priya, 670);
    let amit = add_customer(&mut owner, "Amit");
    sync(&mut owner).await;
    sync(&mut helper).await;
    give(&mut helper, amit, 90);
    sync(&mut helper).await;
    sync(&mut owner).await;
    // One more device joins, and is lost with the one entry that it wrote.
    let mut lost = join_as(&server, &mut owner, "Phone", Role::Cashier, None).await;
    give(&mut lost, amit, 40);
    sync(&mut lost).await;
    sync(&mut owner).await;
    drop(lost);

    set_back_long_ago(&mut server, backup.path()).await;
    for _ in 0..9 {
        give(&mut third, priya, 1);
        sync(&mut third).await;
    }
    for device in [&mut owner, &mut helper] {
        let stopped = device.sync_until_quiet().await;
        assert!(
            matches!(
                stopped,
                Err(DeviceError::SyncStopped(Stop::LogRewritten(_)))
            ),
            "{stopped:?}"
        );
    }
    assert_eq!(owner.lacking_on_server().await.expect("an owner"), 5);
    let refused = helper.let_log_go_on().await.expect_err("not an owner");
    assert!(
        matches!(&refused, DeviceError::Call(call) if call.code() == Some("forbidden")),
        "{refused:?}"
    );
    owner.let_log_go_on().await.expect("the owner's word");
    give(&mut helper, amit, 5);
    sync_all(&mut [&mut owner, &mut helper, &mut third]).await;

    assert_equal(&[&owner, &helper, &third]);
    assert_eq!(owner.ledger().balance(priya).khata, Paise(679_00));
    assert_eq!(owner.ledger().balance(amit).khata, Paise(135_00));
    let reports = reports(&server).await;
    assert!(reports.iter().all(Report::is_good), "{reports:?}");

    // What stands in a folder is the same after a restart; a new device reads all of it.
    drop(third);
    let mut third = Device::open(folder.path()).expect("opens");
    let new = join_as(&server, &mut owner, "Phone", Role::Cashier, None).await;
    assert!(new.number() > DeviceNo(65_536), "{:?}", new.number());
    sync_all(&mut [&mut owner, &mut helper, &mut third]).await;
    assert_equal(&[&owner, &helper, &third, &new]);
    let name = new.ledger().customers[&amit].name.get().expect("named");
    assert_eq!(new.keys().words(name, Field::Name).as_deref(), Some("Amit"));
}

#[tokio::test]
async fn a_device_that_the_owner_removed_in_the_lost_part_stays_out() {
    let mut server = Server::new().await;
    let mut owner = founder(&server).await;
    let mut removed = join_as(&server, &mut owner, "Phone", Role::Cashier, None).await;
    let mut third = join_as(&server, &mut owner, "Phone", Role::Cashier, None).await;
    let priya = add_customer(&mut owner, "Priya");
    sync_all(&mut [&mut owner, &mut removed, &mut third]).await;
    let backup = back_up(&mut server).await;
    let device = removed.number();
    owner.execute(RevokeDevice { device }).expect("removes");
    sync(&mut owner).await;

    set_back_long_ago(&mut server, backup.path()).await;
    for _ in 0..2 {
        give(&mut third, priya, 1);
        sync(&mut third).await;
    }
    let _ = owner.sync_until_quiet().await;
    owner.let_log_go_on().await.expect("the owner's word");
    sync(&mut owner).await;
    give(&mut removed, priya, 1_000);
    let read = removed.log_so_far().to_vec();
    let stopped = removed.sync_until_quiet().await;
    assert!(
        matches!(stopped, Err(DeviceError::SyncStopped(Stop::Revoked))),
        "{stopped:?}"
    );
    assert!(read.starts_with(removed.log_so_far()), "nothing new");
    sync_all(&mut [&mut third, &mut owner]).await;
    assert_eq!(owner.ledger().balance(priya).khata, Paise(2_00));
    assert_eq!(owner.ledger().held.len(), 1, "it waits for the owner");
    assert_equal(&[&owner, &third]);
}

#[tokio::test]
async fn a_device_that_was_away_for_two_generations_comes_back_with_all_it_has() {
    let mut server = Server::new().await;
    let mut owner = founder(&server).await;
    let mut away = join(&server, &mut owner, "Phone").await;
    let mut third = join(&server, &mut owner, "Phone").await;
    let priya = add_customer(&mut owner, "Priya");
    sync_all(&mut [&mut owner, &mut away, &mut third]).await;
    for round in 0..2 {
        let backup = back_up(&mut server).await;
        give(&mut owner, priya, 10);
        sync(&mut owner).await;
        if round == 0 {
            give(&mut away, priya, 100);
            sync(&mut away).await;
            give(&mut away, priya, 1_000);
        }
        set_back_long_ago(&mut server, backup.path()).await;
        for _ in 0..3 {
            give(&mut third, priya, 1);
            sync(&mut third).await;
        }
        owner.let_log_go_on().await.expect("the owner's word");
        sync_all(&mut [&mut owner, &mut third]).await;
    }
    sync_all(&mut [&mut away, &mut owner, &mut third]).await;
    assert_equal(&[&owner, &away, &third]);
    assert_eq!(owner.ledger().balance(priya).khata, Paise(1_126_00));
}
