//! A person who asks to be forgotten after the entries were sealed in segments: what says who it was
//! is gone from everywhere, what was given and got stays, and so do the proofs.

mod jig;

use std::path::PathBuf;

use device::{Device, today};
use jig::native::{add_customer, founder, give, join, sync};
use jig::{Server, files_with};
use shared::bytes::KeyId;
use shared::command::{AddCustomer, Details, EraseCustomer, ReceivePayment};
use shared::event::Paid;
use shared::export::{Part, Reader};
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::query::{Books, Name, Statement, Totals, customer_name, statement, totals};
use shared::text::{Field, Opened};
use shared::verify::Depth;
use sync_server::audit::{Report, export, verify_file, verify_folder};

/// Enough for a segment.
const ENTRIES: i64 = 7_000;

const NO_FILE: [PathBuf; 0] = [];

fn nobody(_: u64, _: u64) {}

fn books(device: &Device) -> Books<'_> {
    Books {
        ledger: device.ledger(),
        keys: device.keys(),
        receipts: device.receipts(),
        reader: None,
    }
}

fn name(device: &Device, customer: CustomerId) -> Name {
    customer_name(books(device), customer)
}

/// The end of a page, and the sums of the whole khata.
fn sums(device: &Device, customer: CustomerId) -> (Statement, Totals) {
    let page = statement(
        books(device),
        customer,
        today(),
        today(),
        &Default::default(),
        ENTRIES as usize - 100,
    );
    // What was read since is another cut.
    let page = Statement {
        cut: Vec::new(),
        ..page
    };
    (page, totals(device.ledger()))
}

fn notes(page: &Statement) -> Vec<&Opened> {
    page.rows
        .iter()
        .filter_map(|row| row.note.as_ref())
        .collect()
}

fn good(reports: &[Report]) -> u64 {
    let [report] = reports else {
        panic!("one shop: {reports:?}");
    };
    assert!(report.is_good(), "{report}");
    report.good.events
}

/// A customer with a phone number, many entries with a note here and there, and nothing owed.
fn priya(owner: &mut Device) -> CustomerId {
    let added = owner
        .execute(AddCustomer {
            phone: Some("9820012345".to_owned()),
            ..AddCustomer::named("Priya")
        })
        .expect("adds");
    let priya = CustomerId(added[0].envelope.id);
    for _ in 0..ENTRIES {
        give(owner, priya, 1);
    }
    let paid = ReceivePayment {
        details: Details {
            note: Some("Her son paid".to_owned()),
            ..Details::on(today())
        },
        customer: priya,
        amount: Paise(ENTRIES * 100),
        paid: Paid::CASH,
        allocations: Vec::new(),
    };
    owner.execute(paid).expect("receives");
    priya
}

/// The texts of a page, as one who still reads the bytes finds them with the keys of a device.
fn readable(device: &Device, customer: CustomerId) -> Vec<Opened> {
    let page = &device.ledger().customers[&customer];
    let name = page.name.get().map(|text| (text, Field::Name));
    let phone = page.phone.get().and_then(Option::as_ref);
    let texts = name
        .into_iter()
        .chain(phone.map(|text| (text, Field::Phone)));
    texts
        .map(|(text, field)| device.keys().open(text, field))
        .collect()
}

#[tokio::test]
async fn a_person_erased_after_the_log_was_sealed_is_forgotten_and_sums_and_proofs_stay() {
    let mut server = Server::new().await;
    let mut owner = founder(&server).await;
    let mut away = join(&server, &mut owner, "Away").await;
    let priya = priya(&mut owner);
    let amit = add_customer(&mut owner, "Amit");
    give(&mut owner, amit, 90);
    sync(&mut owner).await;
    sync(&mut away).await;
    let sealed = server.running().archive().seal_all().await;
    assert_eq!(sealed.expect("sealed"), 2, "one segment");
    let page = &owner.ledger().customers[&priya];
    let id: KeyId = page.added.as_ref().expect("added").key;
    let key = owner.keys().get(&id).expect("held").0;
    assert!(!files_with(&server.data(), &key).is_empty());
    assert_eq!(name(&away, priya), Name::Words("Priya".to_owned()));
    let before = sums(&owner, priya);
    let note = Opened::Words("Her son paid".to_owned());
    assert_eq!(notes(&before.0), [&note]);
    let reports = verify_folder(&server.data(), None, Depth::EverySignature, nobody).await;
    let events = good(&reports.expect("opened"));

    // One phone is off while she is erased on the other.
    owner
        .execute(EraseCustomer { customer: priya })
        .expect("erases");
    sync(&mut owner).await;
    assert_eq!(name(&owner, priya), Name::Erased);
    assert_eq!(
        name(&away, priya),
        Name::Words("Priya".to_owned()),
        "it cannot know yet"
    );

    // Her key is in no file of the server, at work or at rest, nor in what is exported.
    assert_eq!(files_with(&server.data(), &key), NO_FILE);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.pakka");
    let exported = export(&server.data(), None, true, &file, nobody).await;
    assert_eq!(exported.expect("exported"), events + 1);
    assert_eq!(files_with(folder.path(), &key), NO_FILE);
    let bytes = std::fs::read(&file).expect("read");
    let amit_key = owner.ledger().customers[&amit]
        .added
        .as_ref()
        .expect("added")
        .key;
    let mut keys = Vec::new();
    for part in Reader::new(&bytes).expect("an export") {
        if let Part::Keys(more) = part.expect("whole") {
            keys.extend(more);
        }
    }
    let kept = |id: KeyId| keys.iter().any(|key| key.id == id && key.key.is_some());
    assert!(kept(amit_key), "the keys of the others are exported");
    assert!(!kept(id));

    // The sealed part of the log is as it was, and everything is still proved.
    let reports = verify_folder(&server.data(), None, Depth::EverySignature, nobody).await;
    assert_eq!(good(&reports.expect("opened")), events + 1);
    let report = verify_file(&file, Depth::EverySignature, nobody);
    assert!(report.expect("opened").is_good());
    server.stop().await;
    assert_eq!(files_with(&server.data(), &key), NO_FILE);
    server.start().await;

    // The phone that was off loses the name with the next sync.
    sync(&mut away).await;
    assert_eq!(name(&away, priya), Name::Erased);
    // One that was never here reads the segment, and all sums, without the name.
    let new = join(&server, &mut owner, "New").await;
    sync(&mut away).await;
    sync(&mut owner).await;
    for device in [&owner, &away, &new] {
        assert_eq!(readable(device, priya), [Opened::Erased, Opened::Erased]);
        assert_eq!(device.keys().get(&id), None);
        assert_eq!(name(device, priya), Name::Erased);
        assert_eq!(name(device, amit), Name::Words("Amit".to_owned()));
        let (page, totals) = sums(device, priya);
        assert_eq!(totals, before.1);
        assert_eq!(
            (page.total, page.closing),
            (before.0.total, before.0.closing)
        );
        let amounts = |page: &Statement| page.rows.iter().map(|row| row.amount).collect::<Vec<_>>();
        assert_eq!(amounts(&page), amounts(&before.0));
        assert_eq!(notes(&page), [&Opened::Erased]);
        assert_eq!(device.ledger().checksum(), owner.ledger().checksum());
    }
}
