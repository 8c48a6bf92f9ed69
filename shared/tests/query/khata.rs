//! A customer's page: entries, running balances, header.

use crate::day;
use shared::event::{GoodsReturned, Paid, ReasonCode, Refund, TenderBy};
use shared::ledger::Balance;
use shared::query::{
    Account, Class, Direction, RowKind, entries, header, left_to_return, settle, totals,
};
use shared::testing::build::{Shop, rupees, upi};

fn khata(amount: i64) -> Balance {
    Balance {
        khata: rupees(amount),
        ..Balance::default()
    }
}

#[test]
fn the_khata_of_priya_comes_out_to_the_paisa() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let rohit = shop.customer("Rohit");
    shop.credit(priya, 670);
    shop.sale(Some(amit), 230, Paid::CASH);
    shop.day("02-06-2026");
    let payment = shop.payment(priya, 300, upi("612345674521"));
    shop.sale(Some(rohit), 110, Paid::CASH);
    assert_eq!(shop.ledger.balance(priya), khata(370));
    shop.returned(priya, 50, Refund::Khata);

    let page = entries(shop.books(), priya, 0);
    let running: Vec<_> = page.rows.iter().map(|row| row.running).collect();
    assert_eq!(running, [khata(320), khata(370), khata(670)].map(Some));
    assert_eq!(page.closing, shop.ledger.balance(priya));
    let paid = &page.rows[1];
    assert_eq!((paid.id, paid.kind), (payment, RowKind::Payment));
    assert_eq!(paid.direction, Direction::Got);
    let TenderBy::Money(money) = &paid.parts[0].by else {
        panic!("money came in");
    };
    assert_eq!(money.reference.as_deref(), Some("612345674521"));
    assert_eq!(shop.ledger.balance(amit), khata(0));
    assert_eq!(shop.ledger.balance(rohit), khata(0));
    assert_eq!(totals(&shop.ledger).will_get, rupees(320));
}

#[test]
fn a_return_refunded_in_cash_stands_on_the_page_and_leaves_the_khata_alone() {
    let mut shop = Shop::opened_on("01-06-2026");
    let amit = shop.customer("Amit");
    shop.sale(Some(amit), 230, Paid::CASH);
    shop.returned(amit, 40, Refund::Money(Paid::CASH));
    let page = entries(shop.books(), amit, 0);
    assert_eq!(page.rows[0].kind, RowKind::MoneyReturn);
    assert_eq!(page.rows[0].amount, rupees(40));
    assert_eq!(page.rows[0].change, khata(0));
    assert_eq!(page.closing, khata(0));
}

#[test]
fn an_advance_runs_as_the_bank_book_does() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.deposit(priya, 5_000);
    shop.deposit(priya, 2_000);
    shop.withdrawal(priya, 1_500);
    shop.deposit(priya, 3_000);
    shop.withdrawal(priya, 8_000);
    let account = Account::of(&shop.ledger, priya);
    let running: Vec<_> = account
        .lines()
        .iter()
        .map(|line| line.running.advance)
        .collect();
    assert_eq!(running, [5_000, 7_000, 5_500, 8_500, 500].map(rupees));
}

#[test]
fn a_back_dated_entry_stands_at_its_own_date_and_says_so() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.day("10-06-2026").credit(priya, 100);
    shop.day("12-06-2026");
    let now = shop.now;
    shop.day("08-06-2026");
    let mut late = shop.today();
    late.on = day("08-06-2026");
    shop.now = now;
    let entry = shop.entry(shared::event::CreditGiven {
        particulars: late,
        customer: priya,
        amount: rupees(30),
        lines: None,
        due: None,
    });
    let page = entries(shop.books(), priya, 0);
    assert_eq!(page.rows[1].id, entry);
    assert!(page.rows[1].back_dated);
    assert!(!page.rows[0].back_dated);
    assert_eq!(page.rows[0].running, Some(khata(130)));
    let account = Account::of(&shop.ledger, priya);
    assert_eq!(account.as_of(day("07-06-2026")), khata(0));
    assert_eq!(account.as_of(day("08-06-2026")), khata(30));
    assert_eq!(account.as_of(day("09-06-2026")), khata(30));
    assert_eq!(account.as_of(day("10-06-2026")), khata(130));
}

#[test]
fn a_corrected_entry_and_its_replacement_are_linked_both_ways() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let wrong = shop.credit(priya, 760);
    let mut particulars = shop.today();
    particulars.replaces = Some(wrong);
    let right = shop.entry(shared::event::CreditGiven {
        particulars,
        customer: priya,
        amount: rupees(670),
        lines: None,
        due: None,
    });
    let correction = shop.correct(wrong, right);
    let page = entries(shop.books(), priya, 0);
    assert_eq!(page.closing, khata(670));
    assert_eq!(page.rows[0].replaces, Some(wrong));
    let taken_back = page.rows[1].taken_back.clone().expect("corrected");
    assert_eq!(taken_back.event, correction);
    assert_eq!(taken_back.replacement, Some(right));
    assert_eq!(taken_back.reason, ReasonCode::WrongAmount);
    assert_eq!(page.rows[1].change, khata(0));
    assert_eq!(
        page.rows[1].amount,
        rupees(760),
        "what was written still stands"
    );
}

#[test]
fn the_author_is_told_only_if_it_is_someone_else() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let ravi = shared::ids::StaffId(shared::ids::EventId::new(1, 90));
    shop.by = Some(ravi);
    shop.credit(priya, 10);
    let mut books = shop.books();
    assert_eq!(entries(books, priya, 0).rows[0].by, Some(ravi));
    books.reader = Some(ravi);
    assert_eq!(entries(books, priya, 0).rows[0].by, None);
}

#[test]
fn merged_pages_are_one_customer_with_one_balance() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let again = shop.customer("Priya S");
    shop.credit(priya, 100);
    shop.credit(again, 50);
    shop.transfer(priya, again, 20);
    shop.merge(priya, again);
    for page in [priya, again] {
        let entries = entries(shop.books(), page, 0);
        assert_eq!(entries.total, 3);
        assert_eq!(entries.closing, khata(150));
        assert_eq!(
            entries.rows[0].change,
            khata(0),
            "from one page to the other"
        );
    }
}

#[test]
fn payments_settle_the_oldest_first_unless_they_say_otherwise() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let first = shop.credit(priya, 100);
    let second = shop.day("02-06-2026").credit(priya, 200);
    let third = shop.day("03-06-2026").credit(priya, 300);
    shop.day("04-06-2026").payment(priya, 150, Paid::CASH);
    let settlement = settle(&shop.ledger, priya);
    assert_eq!(settlement.settled[0].entry, first);
    assert_eq!(settlement.settled[0].settled_on, day("04-06-2026"));
    let open: Vec<_> = settlement
        .open
        .iter()
        .map(|open| (open.entry, open.open))
        .collect();
    assert_eq!(open, [(second, rupees(150)), (third, rupees(300))]);
    assert_eq!(settlement.oldest_unpaid(), Some(day("02-06-2026")));

    let particulars = shop.today();
    shop.entry(shared::event::PaymentReceived {
        particulars,
        customer: priya,
        amount: rupees(300),
        paid: Paid::CASH,
        allocations: Some(vec![shared::event::Allocation {
            entry: third,
            amount: rupees(300),
        }]),
    });
    let settlement = settle(&shop.ledger, priya);
    let open: Vec<_> = settlement
        .open
        .iter()
        .map(|open| (open.entry, open.open))
        .collect();
    assert_eq!(open, [(second, rupees(150))]);
    assert_eq!(settlement.surplus, rupees(0));
}

#[test]
fn the_header_says_what_kind_of_payer_and_why() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer_with("Priya", Some("98200 12345"), Some(2_000));
    let class = |shop: &Shop| header(shop.books(), priya, shop.now).expect("known").class;
    assert_eq!(class(&shop), Class::New { settled: 0 });
    shop.sale(Some(priya), 40, Paid::CASH);
    assert_eq!(class(&shop), Class::PaysAtOnce);
    for _ in 0..3 {
        shop.credit(priya, 100);
        shop.now = shop.now.plus_ms(5 * 24 * 60 * 60 * 1000);
        shop.payment(priya, 100, Paid::CASH);
    }
    assert_eq!(class(&shop), Class::Prompt { days: 5 });
    shop.credit(priya, 670);
    shop.now = shop.now.plus_ms(29 * 24 * 60 * 60 * 1000);
    assert_eq!(class(&shop), Class::Prompt { days: 5 });
    shop.now = shop.now.plus_ms(24 * 60 * 60 * 1000);
    assert_eq!(class(&shop), Class::AtRisk { days_unpaid: 30 });

    let header = header(shop.books(), priya, shop.now).expect("known");
    assert_eq!(header.person.name.words(), Some("Priya"));
    assert_eq!(header.since, Some(day("01-06-2026")));
    assert_eq!(header.purchases, rupees(1_010));
    assert_eq!(header.payments, rupees(340));
    assert_eq!(header.entries, 8);
    assert_eq!(header.limit, Some(rupees(2_000)));
    assert_eq!(header.room, Some(rupees(1_330)));
    assert!(header.late);
}

#[test]
fn of_a_sale_comes_back_at_most_what_has_not_come_back_before() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let sold = shop.credit(priya, 670);
    let paid = shop.payment(priya, 300, Paid::CASH);
    let left = |shop: &Shop, entry| left_to_return(&shop.ledger, entry);
    assert_eq!(left(&shop, sold), Some(rupees(670)));
    assert_eq!(left(&shop, paid), None, "a payment sold nothing");

    let back = |shop: &mut Shop, amount| {
        let body = GoodsReturned {
            particulars: shop.today(),
            customer: Some(priya),
            amount: rupees(amount),
            refund: Refund::Khata,
            of: Some(sold),
            lines: None,
        };
        shop.entry(body)
    };
    let oil = back(&mut shop, 180);
    back(&mut shop, 50);
    shop.returned(priya, 20, Refund::Khata);
    assert_eq!(left(&shop, sold), Some(rupees(440)));
    shop.reverse(oil, ReasonCode::WrongAmount);
    assert_eq!(left(&shop, sold), Some(rupees(620)));

    let instead = shop.credit(priya, 600);
    shop.correct(sold, instead);
    assert_eq!(left(&shop, sold), None, "it was corrected");
    assert_eq!(left(&shop, instead), Some(rupees(550)));
}
