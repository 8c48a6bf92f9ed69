//! Balances and statements of the past.

use std::collections::BTreeMap;

use shared::bytes::Fixed;
use shared::calendar::{FinancialYear, TimeMs};
use shared::event::{CreditGiven, Paid, Particulars, ReasonCode, Refund};
use shared::ids::{CustomerId, DeviceNo, EntryId};
use shared::ledger::Receipts;
use shared::query::{
    Change, Known, balance_as_known, balance_as_of, balances_as_of, changes_since, recorded,
    statement,
};
use shared::testing::build::{Shop, rupees};

use crate::day;

const HOUR_MS: i64 = 60 * 60 * 1000;

fn credit_dated(shop: &mut Shop, customer: CustomerId, amount: i64, on: &str) -> EntryId {
    shop.entry(CreditGiven {
        particulars: Particulars::on(day(on)),
        customer,
        amount: rupees(amount),
        lines: None,
        due: None,
    })
}

fn khata_known(shop: &Shop, customer: CustomerId, on: &str, known: &str) -> i64 {
    let known = Known::at(&shop.ledger, &shop.receipts, day(known).end());
    let balance = balance_as_known(&shop.ledger, customer, day(on), &known);
    balance.khata.0 / 100
}

#[test]
fn on_or_before_a_day_is_by_the_calendar_and_not_by_the_digits() {
    let mut shop = Shop::opened_on("01-01-2023");
    let priya = shop.customer("Priya");
    let dates = [
        ("05-09-2024", 1),
        ("16-08-2024", 2),
        ("01-12-2026", 4),
        ("31-01-2024", 8),
        ("15-08-2024", 16),
        ("16-08-2023", 32),
    ];
    for (date, amount) in dates {
        credit_dated(&mut shop, priya, amount, date);
    }
    let balance = balance_as_of(&shop.ledger, priya, day("15-08-2024"));
    assert_eq!(balance.khata, rupees(8 + 16 + 32));
}

#[test]
fn the_past_knows_returns() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.credit(priya, 670);
    shop.day("02-06-2026").returned(priya, 50, Refund::Khata);
    shop.day("03-06-2026").payment(priya, 300, Paid::CASH);
    let khata = |date| balance_as_of(&shop.ledger, priya, day(date)).khata;
    assert_eq!(khata("31-05-2026"), rupees(0));
    assert_eq!(khata("01-06-2026"), rupees(670));
    assert_eq!(khata("02-06-2026"), rupees(620));
    assert_eq!(khata("03-06-2026"), rupees(320));
}

#[test]
fn a_back_dated_entry_is_in_the_past_but_was_not_known_then() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.credit(priya, 100);
    shop.day("10-06-2026");
    credit_dated(&mut shop, priya, 30, "02-06-2026");
    assert_eq!(
        balance_as_of(&shop.ledger, priya, day("02-06-2026")).khata,
        rupees(130)
    );
    assert_eq!(khata_known(&shop, priya, "02-06-2026", "02-06-2026"), 100);
    assert_eq!(khata_known(&shop, priya, "02-06-2026", "10-06-2026"), 130);
}

#[test]
fn a_reversal_has_always_been_so_but_was_known_from_its_own_day_on() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let wrong = shop.credit(priya, 100);
    shop.day("05-06-2026")
        .reverse(wrong, ReasonCode::WrittenTwice);
    assert_eq!(
        balance_as_of(&shop.ledger, priya, day("01-06-2026")).khata,
        rupees(0)
    );
    assert_eq!(khata_known(&shop, priya, "01-06-2026", "04-06-2026"), 100);
    assert_eq!(khata_known(&shop, priya, "01-06-2026", "05-06-2026"), 0);
}

#[test]
fn a_clock_that_runs_ahead_is_held_to_the_time_at_which_the_server_had_the_entry() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let noon = shop.now;
    shop.day("01-06-2027");
    let entry = credit_dated(&mut shop, priya, 100, "01-06-2026");
    assert_eq!(khata_known(&shop, priya, "01-06-2026", "02-06-2026"), 0);
    shop.now = noon.plus_ms(HOUR_MS);
    shop.sync();
    assert_eq!(khata_known(&shop, priya, "01-06-2026", "02-06-2026"), 100);
    assert_eq!(
        recorded(&shop.ledger, &shop.receipts, entry),
        Some(shop.now)
    );
}

#[test]
fn a_clock_that_goes_back_is_held_to_what_was_recorded_before() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.day("10-06-2026");
    let first = shop.now;
    shop.credit(priya, 100);
    shop.day("08-06-2026");
    let second = shop.credit(priya, 30);
    assert_eq!(recorded(&shop.ledger, &shop.receipts, second), Some(first));
    assert_eq!(khata_known(&shop, priya, "30-06-2026", "09-06-2026"), 0);
    assert_eq!(khata_known(&shop, priya, "30-06-2026", "10-06-2026"), 130);
}

#[test]
fn the_balances_of_all_are_those_of_each() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let again = shop.customer("Priya S");
    shop.credit(priya, 100);
    shop.day("02-06-2026").transfer(priya, amit, 40);
    shop.deposit(again, 10);
    shop.day("03-06-2026").merge(priya, again);
    let known = Known::at(&shop.ledger, &shop.receipts, shop.now);
    for date in ["31-05-2026", "01-06-2026", "02-06-2026"] {
        let all = balances_as_of(&shop.ledger, day(date), None);
        let all_known = balances_as_of(&shop.ledger, day(date), Some(&known));
        assert_eq!(all, all_known, "nothing came later");
        for customer in [priya, amit] {
            let one = balance_as_of(&shop.ledger, customer, day(date));
            assert_eq!(all.get(&customer).copied().unwrap_or_default(), one);
        }
        assert!(!all.contains_key(&again));
    }
}

#[test]
fn a_statement_opens_with_what_the_one_before_closed_with() {
    let mut shop = Shop::opened_on("01-01-2025");
    let priya = shop.customer("Priya");
    for (date, amount) in [("31-03-2026", 100), ("01-04-2026", 20), ("31-03-2027", 3)] {
        shop.day(date);
        credit_dated(&mut shop, priya, amount, date);
    }
    let heads = BTreeMap::from([(DeviceNo(1), Fixed([5; 32]))]);
    let year = |year: FinancialYear| {
        let (from, to) = (year.first_day(), year.last_day());
        statement(shop.books(), priya, from, to, &heads, 0)
    };
    let (before, this) = (year(FinancialYear(2025)), year(FinancialYear(2026)));
    assert_eq!(before.closing.khata, rupees(100));
    assert_eq!(this.opening, before.closing);
    assert_eq!(this.total, 2, "1 April and 31 March are both in the year");
    assert_eq!(this.rows[1].running, Some(this.closing));
    assert_eq!(this.closing.khata, rupees(123));
    let [point] = this.cut.as_slice() else {
        panic!("one device wrote");
    };
    assert_eq!(
        (point.device, point.seq, point.hash),
        (1, 5, Fixed([5; 32]))
    );
}

#[test]
fn what_came_after_a_statement_is_told() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let kept = shop.credit(priya, 100);
    let wrong = shop.credit(priya, 20);
    let gone = shop.credit(priya, 7);
    shop.reverse(gone, ReasonCode::WrongAmount);
    let (from, to) = (day("01-06-2026"), day("30-06-2026"));
    let before = statement(shop.books(), priya, from, to, &BTreeMap::new(), 0);
    assert!(changes_since(shop.books(), priya, &before.cut).is_empty());

    shop.day("03-06-2026")
        .reverse(wrong, ReasonCode::WrittenTwice);
    shop.apart_on_device(2);
    shop.reverse(gone, ReasonCode::WrongAmount);
    let late = credit_dated(&mut shop, priya, 5, "01-06-2026");
    let changes = changes_since(shop.books(), priya, &before.cut);
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.row().id, matches!(change, Change::Added(_))))
        .collect();
    assert_eq!(told, [(wrong, false), (late, true)]);
    let after = statement(shop.books(), priya, from, to, &BTreeMap::new(), 0);
    assert!(after.rows.iter().any(|row| row.id == kept));
    assert_eq!(after.closing.khata, rupees(105));
}

#[test]
fn nothing_of_a_chain_was_received_later_than_what_follows_it() {
    let times = [(1, 500), (3, 900), (5, 400), (7, 600)].map(|(seq, ms)| (seq, TimeMs(ms)));
    let received = |order: [usize; 4]| {
        let mut receipts = Receipts::default();
        for index in order {
            let (first, time) = times[index];
            receipts.add(DeviceNo(1), first, 2, time);
        }
        [1, 4, 5, 8].map(|seq| receipts.received(DeviceNo(1), seq).expect("received").0)
    };
    assert_eq!(received([0, 1, 2, 3]), [400, 400, 400, 600]);
    assert_eq!(
        received([3, 2, 1, 0]),
        [400, 400, 400, 600],
        "in whatever order it is told"
    );
    assert_eq!(received([2, 0, 3, 1]), [400, 400, 400, 600]);
}
