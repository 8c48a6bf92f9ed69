//! Reports of a month, a day, any time.

use shared::calendar::Month;
use shared::event::{Mode, Paid, ReasonCode, Refund, TenderBy};
use shared::query::{Report, day_book, day_reports, month_report, report};
use shared::testing::build::{Shop, rupees, upi};

use crate::day;

const JUNE: Month = Month {
    year: 2026,
    month: 6,
};

/// The khata example: Monday and Tuesday of one week, and a return.
fn khata_example() -> (Shop, shared::ids::CustomerId) {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let rohit = shop.customer("Rohit");
    shop.credit(priya, 670);
    shop.sale(Some(amit), 230, Paid::CASH);
    shop.day("02-06-2026");
    shop.payment(priya, 300, upi("612345674521"));
    shop.sale(Some(rohit), 110, Paid::CASH);
    shop.returned(priya, 50, Refund::Khata);
    (shop, amit)
}

#[test]
fn the_month_of_the_khata_example_comes_out_to_the_paisa() {
    let (mut shop, amit) = khata_example();
    let month = month_report(&shop.ledger, JUNE);
    assert_eq!(month.entries, 5);
    assert_eq!(month.sales.of(Mode::Cash), rupees(340));
    assert_eq!(month.credit_sales, rupees(670));
    assert_eq!(month.payments.of(Mode::Upi), rupees(300));
    assert_eq!(month.payments.total(), rupees(300));
    assert_eq!(month.returns(), rupees(50));
    assert_eq!(month.khata_change(), rupees(320));

    shop.returned(amit, 40, Refund::Money(Paid::CASH));
    let after = month_report(&shop.ledger, JUNE);
    assert_eq!(after.money(Mode::Cash), rupees(300));
    assert_eq!(after.money_out(Mode::Cash), rupees(40));
    assert_eq!(after.returns(), rupees(90));
    assert_eq!(
        after.khata_change(),
        rupees(320),
        "money was given back: the khata stays"
    );
    assert_eq!(shop.ledger.balance(amit).khata, rupees(0));
}

#[test]
fn the_last_day_of_the_month_is_in_the_month() {
    let mut shop = Shop::opened_on("01-05-2026");
    let priya = shop.customer("Priya");
    for date in ["31-05-2026", "01-06-2026", "30-06-2026", "01-07-2026"] {
        shop.day(date).credit(priya, 10);
    }
    let june = month_report(&shop.ledger, JUNE);
    assert_eq!(june.entries, 2);
    assert_eq!(june.opening.khata, rupees(10));
    assert_eq!(june.closing.khata, rupees(30));
}

#[test]
fn an_entry_after_half_past_six_in_the_evening_utc_belongs_to_the_next_day_in_india() {
    let mut shop = Shop::opened_on("01-08-2026");
    let priya = shop.customer("Priya");
    shop.now = day("31-08-2026").start().plus_ms(28 * 60 * 60 * 1000); // 31-08 22:30 UTC
    shop.credit(priya, 10);
    let august = day("31-08-2026").month();
    assert_eq!(month_report(&shop.ledger, august).entries, 0);
    assert_eq!(month_report(&shop.ledger, august.next()).entries, 1);
}

#[test]
fn what_was_taken_back_is_counted_apart_and_in_no_sum() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let wrong = shop.credit(priya, 100);
    let sale = shop.sale(None, 60, Paid::CASH);
    shop.day("01-07-2026")
        .reverse(wrong, ReasonCode::WrittenTwice);
    shop.reverse(sale, ReasonCode::WrongAmount);
    let june = month_report(&shop.ledger, JUNE);
    assert_eq!((june.entries, june.taken_back), (0, 2));
    assert_eq!(june.khata_change(), rupees(0));
    assert_eq!(june.money(Mode::Cash), rupees(0));
    assert_eq!(
        day_book(shop.books(), JUNE.first_day(), JUNE.last_day(), 0).total,
        2
    );
}

#[test]
fn every_way_of_paying_a_bill_goes_to_its_own_sum() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    shop.deposit(priya, 500);
    shop.sale_by(
        Some(priya),
        &[
            (100, TenderBy::Money(Paid::CASH)),
            (50, TenderBy::Money(upi("1"))),
            (200, TenderBy::Khata),
            (150, TenderBy::Advance),
        ],
    );
    shop.withdrawal(priya, 20);
    shop.use_advance(priya, 30);
    shop.transfer(priya, amit, 40);
    shop.write_off(amit, 5);
    let june = month_report(&shop.ledger, JUNE);
    assert_eq!(june.bills, 1);
    assert_eq!(june.sales.total(), rupees(150));
    assert_eq!(june.credit_sales, rupees(200));
    assert_eq!(june.advance_sales, rupees(150));
    assert_eq!(june.deposits.of(Mode::Cash), rupees(500));
    assert_eq!(june.money_in(Mode::Cash), rupees(600));
    assert_eq!(june.money_out(Mode::Cash), rupees(20));
    assert_eq!((june.transfers, june.write_offs), (rupees(40), rupees(5)));
    assert_eq!(june.khata_change(), rupees(200 - 30 - 5));
    assert_eq!(june.closing.advance, rupees(500 - 150 - 20 - 30));
}

#[test]
fn the_days_add_up_to_the_month() {
    let (shop, _) = khata_example();
    let month = month_report(&shop.ledger, JUNE);
    let days = day_reports(&shop.ledger, JUNE.first_day(), JUNE.last_day());
    let dates: Vec<_> = days.iter().map(|day| day.from.to_string()).collect();
    assert_eq!(dates, ["01-06-2026", "02-06-2026"]);
    assert_eq!(
        days.iter().map(|day| day.entries).sum::<usize>(),
        month.entries
    );
    assert_eq!(days[0].opening, month.opening);
    assert_eq!(days[0].closing, days[1].opening);
    assert_eq!(days[1].closing, month.closing);
    for one in days {
        assert_eq!(
            one,
            Report {
                ..report(&shop.ledger, one.from, one.from)
            }
        );
    }
}

#[test]
fn the_day_book_shows_the_newest_first() {
    let (shop, _) = khata_example();
    let book = day_book(shop.books(), day("02-06-2026"), day("02-06-2026"), 1);
    assert_eq!(book.total, 3);
    let amounts: Vec<_> = book.rows.iter().map(|row| row.amount).collect();
    assert_eq!(
        amounts,
        [rupees(110), rupees(300)],
        "the newest of all was left out"
    );
}
