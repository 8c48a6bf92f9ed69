//! The bills of a real shop, loaded and synced, against what a spreadsheet makes of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::TestServer;
use device::load::{Load, LoadError};
use device::{Device, NewShop};
use shared::calendar::BusinessDay;
use shared::event::{Language, Mode};
use shared::ledger::Ledger;
use shared::query::{day_reports, report, totals};
use shared::text::{Field, KeyRing};

fn bills_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testdata/online-retail-2010-12.csv")
}

/// What a spreadsheet makes of the file: sums over the rows, by text alone, in paise.
#[derive(Default)]
struct Spreadsheet {
    rows: usize,
    /// Quantity × price of every row, by customer number.
    by_customer: BTreeMap<String, i64>,
    /// Quantity × price of the rows without a customer.
    cash: i64,
    /// By day: on credit, for cash, returned to khatas, returned for cash.
    by_day: BTreeMap<String, [i64; 4]>,
    /// The bills that do not come to nothing.
    bills: BTreeSet<String>,
    /// The lines of the file that belong to a bill that comes to nothing.
    nothing: BTreeSet<u64>,
}

fn spreadsheet() -> Spreadsheet {
    let text = std::fs::read_to_string(bills_file()).expect("the file");
    let mut sheet = Spreadsheet::default();
    let mut zero_rows: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (row, number) in text.lines().skip(1).zip(2..) {
        let cells: Vec<&str> = row.split(';').collect();
        let [invoice, _, _, quantity, date, price, customer, _] = cells.as_slice() else {
            panic!("line {number} has not eight cells");
        };
        let (rupees, paise) = price.split_once(',').unwrap_or((price, "00"));
        let price: i64 = format!("{rupees}{paise:0<2}").parse().expect("a price");
        let quantity: i64 = quantity.parse().expect("a quantity");
        let amount = quantity * price;
        sheet.rows += 1;
        let day = date.split(' ').next().expect("a date").to_owned();
        let column = usize::from(amount < 0) * 2 + usize::from(customer.is_empty());
        sheet.by_day.entry(day).or_default()[column] += amount.abs();
        if customer.is_empty() {
            sheet.cash += amount;
        } else {
            *sheet.by_customer.entry((*customer).to_owned()).or_default() += amount;
        }
        if amount == 0 {
            zero_rows
                .entry((*invoice).to_owned())
                .or_default()
                .push(number);
        } else {
            sheet.bills.insert((*invoice).to_owned());
        }
    }
    zero_rows.retain(|invoice, _| !sheet.bills.contains(invoice));
    sheet.nothing = zero_rows.into_values().flatten().collect();
    sheet
}

fn open_shop(load: &Load, folder: Option<&Path>) -> Device {
    let shop = NewShop {
        name: "Online Retail".to_owned(),
        owner: "Owner".to_owned(),
        device: "Loader".to_owned(),
        language: Language::English,
        at: load.begins(),
    };
    Device::found(shop, folder).expect("a shop")
}

fn read() -> Load {
    Load::read(std::fs::File::open(bills_file()).expect("the file")).expect("bills")
}

/// Asserts that the books say what the spreadsheet says.
fn assert_equals_spreadsheet(ledger: &Ledger, keys: &KeyRing, sheet: &Spreadsheet) {
    let mut balances = BTreeMap::new();
    for (&id, customer) in &ledger.customers {
        let name = keys.words(customer.name.get().expect("a name"), Field::Name);
        let name = name.expect("a readable name");
        let number = name.strip_prefix("Customer ").expect("a number").to_owned();
        assert!(
            balances
                .insert(number, ledger.balance(id).khata.0)
                .is_none()
        );
    }
    assert_eq!(balances, sheet.by_customer);

    let totals = totals(ledger);
    let owed = |sign: i64| {
        sheet
            .by_customer
            .values()
            .map(|sum| (sum * sign).max(0))
            .sum()
    };
    assert_eq!((totals.will_get.0, totals.will_give.0), (owed(1), owed(-1)));

    let (first, last) = (
        BusinessDay::from_ymd(2010, 12, 1),
        BusinessDay::from_ymd(2010, 12, 31),
    );
    let (first, last) = (first.expect("a day"), last.expect("a day"));
    let days = day_reports(ledger, first, last);
    let by_day = days.iter().map(|day| {
        let (sold, back) = (day.sales.of(Mode::Cash), day.money_returns.of(Mode::Cash));
        let sums = [day.credit_sales, sold, day.khata_returns, back];
        (day.from, sums.map(|sum| sum.0))
    });
    let expected = sheet
        .by_day
        .iter()
        .map(|(day, sums)| (BusinessDay::parse(day).expect("a day"), *sums));
    let by_day: BTreeMap<BusinessDay, [i64; 4]> = by_day.collect();
    assert_eq!(by_day, expected.collect());

    let all = report(ledger, first, last);
    assert_eq!(all.money(Mode::Cash).0, sheet.cash, "the till");
    assert_eq!(
        all.khata_change().0,
        sheet.by_customer.values().sum::<i64>()
    );
    assert_eq!(all.entries, sheet.bills.len());
}

#[tokio::test]
async fn the_books_of_a_real_shop_equal_the_spreadsheet_on_every_device() {
    let sheet = spreadsheet();
    assert_eq!((sheet.rows, sheet.by_customer.len()), (10_000, 323));
    let server = TestServer::start().await;
    let load = read();
    let mut loader = open_shop(&load, None);
    let report = load.write(&mut loader, || {}).expect("loads");

    // What was left out is worth nothing, and all of it is said.
    let left_out: BTreeSet<u64> = report.left_out().map(|row| row.line).collect();
    assert_eq!(left_out, sheet.nothing);
    assert_eq!(report.taken_in as usize, sheet.rows - sheet.nothing.len());
    assert_eq!(report.customers, 323);
    assert_equals_spreadsheet(loader.ledger(), loader.keys(), &sheet);

    loader
        .claim(&server.url, &server.claim_code)
        .await
        .expect("claims");
    loader.sync_until_quiet().await.expect("syncs");
    let phone = server.join(&mut loader, "Phone").await;
    assert_equals_spreadsheet(phone.ledger(), phone.keys(), &sheet);
    assert_eq!(phone.ledger().uncounted(), 0);
    assert_eq!(phone.ledger().entries.len(), sheet.bills.len());
}

#[test]
fn a_file_is_never_loaded_twice() {
    let load = read();
    let mut loader = open_shop(&load, None);
    load.write(&mut loader, || {}).expect("loads");
    let (books, last_seq) = (loader.ledger().checksum(), loader.last_seq());
    let refused = read().write(&mut loader, || {}).expect_err("loaded before");
    assert!(
        matches!(refused, LoadError::AlreadyLoaded(467)),
        "{refused}"
    );
    assert_eq!(
        (loader.ledger().checksum(), loader.last_seq()),
        (books, last_seq)
    );
}

#[test]
fn a_load_that_was_interrupted_goes_on_where_it_was() {
    let sheet = spreadsheet();
    let folder = tempfile::tempdir().expect("a folder");
    let load = read();
    let mut loader = open_shop(&load, Some(folder.path()));
    let mut bills = 0;
    let interrupted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        load.write(&mut loader, || {
            bills += 1;
            assert_ne!(bills, 250, "the power goes");
        })
    }));
    assert!(interrupted.is_err());
    drop(loader);

    let mut loader = Device::open(folder.path()).expect("opens");
    assert_eq!(
        loader.ledger().entries.len(),
        200,
        "what was saved together"
    );
    read().write(&mut loader, || {}).expect("goes on");
    assert_equals_spreadsheet(loader.ledger(), loader.keys(), &sheet);
    drop(loader);
    let loader = Device::open(folder.path()).expect("opens");
    assert_equals_spreadsheet(loader.ledger(), loader.keys(), &sheet);
}

#[test]
fn a_row_that_cannot_stand_is_reported_with_its_line_and_the_rest_is_taken_in() {
    let file = "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n\
        1;A;Tin;2;1/12/2010 08:26;2,50;17850;India\n\
        1;B;Lid;x;1/12/2010 08:26;2,50;17850;India\n\
        2;C;;1;1/12/2010 08:27;3;;India\n\
        3;D;Gold;1000000;1/12/2010 08:28;100;;India\n\
        4;E;Te\u{202e}a;1;1/12/2010 08:29;5;;India\n";
    let load = Load::read(file.as_bytes()).expect("bills");
    let mut loader = open_shop(&load, None);
    let report = load.write(&mut loader, || {}).expect("loads");
    let said: Vec<(u64, bool)> = report
        .remarks
        .iter()
        .map(|said| (said.line, said.remark.is_taken_in()))
        .collect();
    assert_eq!(said, [(3, false), (4, true), (5, false), (6, true)]);
    assert!(
        report.remarks[2]
            .remark
            .to_string()
            .contains("more than the ₹1,00,00,000.00")
    );
    assert_eq!((report.rows, report.taken_in), (5, 3));
    assert_eq!(loader.ledger().entries.len(), 3);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.csv");
    report.write(&path).expect("writes");
    let written = std::fs::read_to_string(path).expect("reads");
    assert_eq!(written.lines().count(), 5);
    assert!(
        written.contains("5,3,no,\"the bill was refused"),
        "{written}"
    );
}
