//! The list of customers and the totals.

use shared::event::{CustomerErased, Paid};
use shared::ids::{CustomerId, EventId};
use shared::query::{CustomerFilter, CustomerSort, Directory, MAX_LIST_ROWS, Name, totals};
use shared::testing::build::{Shop, rupees};

fn listed(shop: &Shop, filter: CustomerFilter, search: &str) -> Vec<CustomerId> {
    let directory = Directory::new(shop.books());
    let today = shop.now.day();
    let list = directory.list(filter, search, CustomerSort::LastActivity, today, 0);
    assert_eq!(list.total, list.rows.len());
    list.rows.iter().map(|row| row.id).collect()
}

#[test]
fn who_was_written_down_last_comes_first() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let rohit = shop.customer("Rohit");
    shop.credit(priya, 370);
    shop.credit(amit, 50);
    assert_eq!(listed(&shop, CustomerFilter::All, ""), [amit, priya, rohit]);
    shop.payment(priya, 20, Paid::CASH);
    assert_eq!(listed(&shop, CustomerFilter::All, ""), [priya, amit, rohit]);
}

#[test]
fn a_customer_is_found_by_name_telephone_or_amount() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer_with("Priya Sharma", Some("+91 98200 12345"), None);
    let sita = shop.customer_with("सीता देवी", None, None);
    shop.credit(priya, 370);
    shop.deposit(sita, 500);
    for typed in ["priya", "SHAR", "98200", "370", "₹370.00"] {
        assert_eq!(
            listed(&shop, CustomerFilter::All, typed),
            [priya],
            "{typed}"
        );
    }
    for typed in ["सीता", "देव", "500"] {
        assert_eq!(listed(&shop, CustomerFilter::All, typed), [sita], "{typed}");
    }
    assert!(listed(&shop, CustomerFilter::All, "amit").is_empty());
}

#[test]
fn overdue_is_who_owes_and_has_not_paid_for_thirty_days() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let rohit = shop.customer("Rohit");
    shop.credit(priya, 100);
    shop.credit(amit, 100);
    shop.credit(rohit, 100);
    shop.payment(rohit, 100, Paid::CASH);
    shop.day("21-06-2026").payment(amit, 10, Paid::CASH);
    shop.day("30-06-2026").credit(rohit, 70);
    assert!(listed(&shop, CustomerFilter::Overdue, "").is_empty());
    shop.day("01-07-2026");
    assert_eq!(listed(&shop, CustomerFilter::Overdue, ""), [priya]);
    let directory = Directory::new(shop.books());
    let rohit = directory.get(rohit).expect("there");
    let today = shop.now.day();
    assert_eq!(rohit.days_since_payment(today), Some(30));
    assert_eq!(
        rohit.days_unpaid(today),
        Some(1),
        "the new debt is a day old"
    );
}

#[test]
fn a_merged_customer_appears_once_with_the_whole_balance() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let again = shop.customer_with("Priya S", Some("9820012345"), None);
    shop.credit(priya, 100);
    shop.payment(again, 150, Paid::CASH);
    assert_eq!(totals(&shop.ledger).will_get, rupees(100));
    shop.merge(again, priya);
    assert_eq!(listed(&shop, CustomerFilter::All, ""), [priya]);
    assert_eq!(listed(&shop, CustomerFilter::All, "98200"), [priya]);
    let totals = totals(&shop.ledger);
    assert_eq!((totals.will_get, totals.will_give), (rupees(0), rupees(50)));
}

#[test]
fn an_entry_before_its_customer_counts_as_waiting() {
    let mut shop = Shop::opened_on("01-06-2026");
    let unknown = CustomerId(EventId::new(2, 1));
    shop.credit(unknown, 80);
    let totals = totals(&shop.ledger);
    assert_eq!(
        (totals.will_get, totals.waiting_get),
        (rupees(80), rupees(80))
    );
    let directory = Directory::new(shop.books());
    assert_eq!(directory.get(unknown).expect("listed").name, Name::Waiting);
}

#[test]
fn a_name_that_cannot_be_read_says_why() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let mut directory = Directory::new(shop.books());
    shop.write(CustomerErased {
        customer: priya,
        keys: Vec::new(),
    });
    directory.update(shop.books());
    assert_eq!(directory.get(priya).expect("there").name, Name::Erased);
    let strange = shared::text::KeyRing::new(shared::testing::samples::SHOP);
    let mut books = shop.books();
    books.keys = &strange;
    let directory = Directory::new(books);
    assert_eq!(directory.get(amit).expect("there").name, Name::NoKey);
}

#[test]
fn money_of_someone_put_away_is_never_hidden() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.credit(priya, 100);
    shop.archive(priya);
    assert!(listed(&shop, CustomerFilter::All, "").is_empty());
    assert_eq!(listed(&shop, CustomerFilter::Archived, ""), [priya]);
    assert_eq!(listed(&shop, CustomerFilter::Due, ""), [priya]);
    assert_eq!(totals(&shop.ledger).will_get, rupees(100));
}

#[test]
fn a_long_list_comes_in_pages_that_leave_nobody_out() {
    let mut shop = Shop::opened_on("01-06-2026");
    let everyone = MAX_LIST_ROWS + 5;
    for number in 0..everyone {
        let unnamed = CustomerId(EventId::new(2, number as u32 + 1));
        shop.credit(unnamed, 1 + number as i64);
    }
    let directory = Directory::new(shop.books());
    let today = shop.now.day();
    let page = |skip| directory.list(CustomerFilter::Due, "", CustomerSort::Amount, today, skip);
    let (first, second) = (page(0), page(MAX_LIST_ROWS));
    assert_eq!((first.rows.len(), first.total), (MAX_LIST_ROWS, everyone));
    assert_eq!((second.rows.len(), second.total), (5, everyone));
    assert_eq!(
        first.rows[0].khata,
        rupees(everyone as i64),
        "who owes most comes first"
    );
    assert_eq!(second.rows[4].khata, rupees(1));
}

#[test]
fn by_name_those_without_one_come_last() {
    let mut shop = Shop::opened_on("01-06-2026");
    let unknown = CustomerId(EventId::new(2, 1));
    shop.credit(unknown, 5);
    let rohit = shop.customer("rohit");
    let amit = shop.customer("Amit");
    let directory = Directory::new(shop.books());
    let today = shop.now.day();
    let list = directory.list(CustomerFilter::All, "", CustomerSort::Name, today, 0);
    let ids: Vec<_> = list.rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, [amit, rohit, unknown]);
}
