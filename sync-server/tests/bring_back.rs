//! `pakka-server restore`: a new folder gets what is in an exported file or in a copy of the
//! database, and phones go on against it.

mod jig;

use std::fs;
use std::path::{Path, PathBuf};

use device::{Device, DeviceError};
use jig::child::run;
use jig::native::{add_customer, assert_equal, founder, give, join, sync};
use jig::{Phone, Server};
use shared::export::{Header, Writer, known_devices};
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::sync::engine::Stop;
use shared::sync::wire::Verdict;
use shared::text::Field;
use shared::verify::{KnownDevice, Origin, Run, Signer};

fn exported(data: &Path, folder: &Path) -> PathBuf {
    let file = folder.join("khata.pakka");
    let (path, data) = (file.display().to_string(), data.display().to_string());
    let (done, _, words) = run(&["export", "--data", &data, &path], &[]);
    assert!(done, "{words}");
    file
}

fn restore(file: &Path, data: &Path) -> (bool, String, String) {
    let (file, data) = (file.display().to_string(), data.display().to_string());
    run(&["restore", &file, "--data", &data], &[])
}

/// The folder is gone, but for the key of the server if that was kept.
fn lose(data: &Path, keep_key: bool) {
    let key = fs::read(data.join("server.key")).expect("a key");
    fs::remove_dir_all(data).expect("gone");
    if keep_key {
        fs::create_dir_all(data).expect("a folder");
        fs::write(data.join("server.key"), key).expect("kept");
    }
}

/// A shop with two devices, a file of it, and entries that came later.
async fn shop_and_file(
    server: &mut Server,
    folder: &Path,
) -> (Device, Device, CustomerId, PathBuf) {
    let mut owner = founder(server).await;
    let mut helper = join(server, &mut owner, "Helper").await;
    let priya = add_customer(&mut owner, "Priya");
    give(&mut owner, priya, 670);
    sync(&mut owner).await;
    sync(&mut helper).await;
    let file = exported(&server.data(), folder);
    give(&mut helper, priya, 5);
    sync(&mut helper).await;
    sync(&mut owner).await;
    server.stop().await;
    (owner, helper, priya, file)
}

#[tokio::test]
async fn a_file_and_the_key_make_the_same_server_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::new().await;
    let (mut owner, mut helper, priya, file) = shop_and_file(&mut server, folder.path()).await;
    let before = owner.log_so_far().to_vec();
    lose(&server.data(), true);
    let (done, words, wrong) = restore(&file, &server.data());
    assert!(done, "{wrong}");
    assert!(words.contains("Phones go on by themselves"), "{words}");
    server.start().await;
    give(&mut helper, priya, 1);
    for _ in 0..2 {
        sync(&mut owner).await;
        sync(&mut helper).await;
    }
    assert_equal(&[&owner, &helper]);
    assert!(owner.log_so_far().starts_with(&before), "places and times");
    assert_eq!(owner.ledger().balance(priya).khata, Paise(676_00));
    // The names were not in the file: the phones have brought their keys.
    let new = join(&server, &mut owner, "Helper").await;
    let name = new.ledger().customers[&priya].name.get().expect("named");
    assert_eq!(
        new.keys().words(name, Field::Name).as_deref(),
        Some("Priya")
    );
}

#[tokio::test]
async fn without_the_key_the_owner_lets_the_log_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::new().await;
    let (mut owner, mut helper, priya, file) = shop_and_file(&mut server, folder.path()).await;
    lose(&server.data(), false);
    let (done, words, wrong) = restore(&file, &server.data());
    assert!(done, "{wrong}");
    assert!(words.contains("new key"), "{words}");
    server.start().await;
    for device in [&mut helper, &mut owner] {
        let stopped = device.sync_until_quiet().await;
        assert!(
            matches!(
                stopped,
                Err(DeviceError::SyncStopped(Stop::LogRewritten(_)))
            ),
            "{stopped:?}"
        );
    }
    owner.let_log_go_on().await.expect("the owner's word");
    for _ in 0..2 {
        sync(&mut owner).await;
        sync(&mut helper).await;
    }
    assert_equal(&[&owner, &helper]);
    assert_eq!(owner.ledger().balance(priya).khata, Paise(675_00));
}

#[tokio::test]
async fn a_copy_of_the_database_is_brought_back_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::new().await;
    let (mut owner, mut helper, priya, _) = shop_and_file(&mut server, folder.path()).await;
    let copy = folder.path().join("backup.db");
    fs::copy(server.data().join("log.db"), &copy).expect("copied");
    lose(&server.data(), true);
    let (done, _, wrong) = restore(&copy, &server.data());
    assert!(done, "{wrong}");
    server.start().await;
    for _ in 0..2 {
        sync(&mut owner).await;
        sync(&mut helper).await;
    }
    assert_equal(&[&owner, &helper]);
    assert_eq!(owner.ledger().balance(priya).khata, Paise(675_00));
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_the_first_bad_entry_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::new().await;
    let (owner, _, _, file) = shop_and_file(&mut server, folder.path()).await;
    let last = owner.own_events().last().expect("an entry");
    let mut bytes = fs::read(&file).expect("the file");
    let mut places = bytes.windows(last.0.len());
    let place = places.position(|part| part == last.0).expect("in the file");
    bytes[place + 4] ^= 1;
    fs::write(&file, bytes).expect("damaged");
    lose(&server.data(), true);
    let (done, _, words) = restore(&file, &server.data());
    assert!(!done);
    let named = format!("1-{}", owner.own_events().len());
    assert!(words.contains("BAD") && words.contains(&named), "{words}");
    let left = fs::read_dir(server.data()).expect("a folder").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["server.key"], "nothing is half there");
}

#[tokio::test]
async fn a_folder_that_has_a_shop_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::new().await;
    let (_, _, _, file) = shop_and_file(&mut server, folder.path()).await;
    let before = fs::read(server.data().join("log.db")).expect("a database");
    let (done, _, words) = restore(&file, &server.data());
    assert!(!done);
    assert!(words.contains("is not empty"), "{words}");
    let after = fs::read(server.data().join("log.db")).expect("a database");
    assert_eq!(after, before);
}

/// What a phone saves as the last resort.
fn saved_by(phone: &Phone) -> Vec<u8> {
    let accepted = phone
        .chunks
        .iter()
        .filter(|it| it.verdict == Verdict::Accepted);
    let accepted = accepted.flat_map(|chunk| chunk.events.iter().flatten());
    let own = KnownDevice {
        device: phone.number,
        key: phone.key.public(),
    };
    let mut writer = Writer::new(&Header {
        origin: Origin {
            shop: phone.shop,
            server: Some(Signer {
                generation: phone.log.generation(),
                key: phone.server_key.expect("claimed"),
            }),
            devices: known_devices(own, accepted.map(|bytes| bytes.0.as_slice())),
        },
        device: phone.number,
    });
    for chunk in &phone.chunks {
        let run = Run {
            position: chunk.position,
            device: chunk.device,
            first_seq: chunk.first_seq,
            received: chunk.received,
            verdict: chunk.verdict,
            branch_of: chunk.branch_of,
            end_hash: None,
            signature: None,
        };
        let events: Vec<&[u8]> = chunk
            .events
            .iter()
            .flatten()
            .map(|it| it.0.as_slice())
            .collect();
        writer.run(&run, &events);
    }
    let sent = phone.log.chain(phone.number).map_or(0, |head| head.seq);
    let unsent: Vec<&[u8]> = phone.events[sent as usize..]
        .iter()
        .map(|it| it.0.as_slice())
        .collect();
    let last = phone.head().seq;
    writer.unsent(phone.number, sent + 1, &unsent, &phone.sign(last));
    writer.finish()
}

#[tokio::test]
async fn a_phones_file_brings_back_what_it_had_not_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::new().await;
    let mut phone = server.shop().await;
    phone.credit();
    phone.sync().await;
    let written: Vec<_> = (0..3).map(|_| phone.credit()).collect();
    let file = folder.path().join("phone.pakka");
    fs::write(&file, saved_by(&phone)).expect("written");
    server.stop().await;
    lose(&server.data(), true);
    let (done, words, wrong) = restore(&file, &server.data());
    assert!(done, "{wrong}");
    let all = phone.head().seq;
    assert!(
        words.contains(&format!("{all} entries")),
        "{words} {written:?}"
    );
    let data = server.data().display().to_string();
    let (good, words, _) = run(&["verify", "--data", &data], &[]);
    assert!(good, "{words}");
}
