//! What needs a person, and when it is settled.

use shared::event::{
    GoodsReturned, Line, Paid, ReasonCode, Refund, Resolution, ReturnedLine, SaleRecorded, Subject,
    TaskKind, TaskResolved, Tender, TenderBy,
};
use shared::ids::{DeviceNo, EntryId};
use shared::ledger::Standing;
use shared::money::Paise;
use shared::quantity::{Quantity, Unit};
use shared::query::{Directory, Name, Task, held, tasks};
use shared::testing::build::{Shop, rupees, upi};

const MINUTE_MS: i64 = 60_000;

fn open(shop: &Shop) -> Vec<Task> {
    tasks(shop.books(), &Directory::new(shop.books()))
}

fn settle(shop: &mut Shop, task: &Task) {
    shop.write(TaskResolved {
        task: task.kind,
        subject: task.subject.clone(),
        resolution: Resolution::Fine,
        evidence: task.evidence.iter().copied().collect(),
        covers: task.amount,
        reason: None,
    });
}

/// The only open task.
fn only(shop: &Shop) -> Task {
    let mut open = open(shop);
    assert_eq!(open.len(), 1, "{open:?}");
    open.remove(0)
}

#[test]
fn the_same_customer_added_on_two_phones_is_noticed_by_number_or_name() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer_with("Priya Sharma", Some("+91 98200 12345"), None);
    shop.apart_on_device(2);
    let again = shop.customer_with("Priya S", Some("9820012345"), None);
    let task = only(&shop);
    assert_eq!(task.kind, TaskKind::DuplicateCustomer);
    assert_eq!(task.subject, Subject::Customer(priya));
    assert!(task.evidence.contains(&priya.0) && task.evidence.contains(&again.0));

    let third = shop.customer_with("priya  sharma", None, None);
    assert!(
        only(&shop).evidence.contains(&third.0),
        "same name, no number against it"
    );
    shop.merge(priya, again);
    shop.merge(priya, third);
    assert!(open(&shop).is_empty());
}

#[test]
fn namesakes_with_numbers_of_their_own_are_two_people() {
    let mut shop = Shop::opened_on("01-06-2026");
    shop.customer_with("Ramesh", Some("9820012345"), None);
    shop.customer_with("Ramesh", Some("9820054321"), None);
    assert!(open(&shop).is_empty());
}

#[test]
fn a_settled_duplicate_opens_again_when_a_third_page_comes() {
    let mut shop = Shop::opened_on("01-06-2026");
    shop.customer("Ramesh");
    shop.customer("Ramesh");
    let task = only(&shop);
    settle(&mut shop, &task);
    assert!(open(&shop).is_empty());
    shop.customer("Ramesh");
    assert_eq!(only(&shop).evidence.len(), 3);
}

#[test]
fn a_limit_passed_by_two_phones_at_once_is_open_until_the_amount_is_covered() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer_with("Priya", None, Some(1_000));
    shop.credit(priya, 800);
    assert!(open(&shop).is_empty());
    shop.apart_on_device(2);
    shop.credit(priya, 700);
    let task = only(&shop);
    assert_eq!(task.kind, TaskKind::LimitPassed);
    assert_eq!(task.amount, Some(rupees(500)));
    settle(&mut shop, &task);
    assert!(open(&shop).is_empty());
    shop.payment(priya, 100, Paid::CASH);
    assert!(open(&shop).is_empty(), "less than what was covered");
    shop.credit(priya, 101);
    assert_eq!(only(&shop).amount, Some(rupees(501)));
}

#[test]
fn a_decision_about_a_page_holds_after_it_was_merged() {
    let mut shop = Shop::opened_on("01-06-2026");
    let first = shop.customer("Priya Matunga");
    let second = shop.customer_with("Priya", None, Some(100));
    shop.credit(second, 150);
    let task = only(&shop);
    assert_eq!(task.subject, Subject::Customer(second));
    settle(&mut shop, &task);
    shop.merge(first, second);
    assert!(open(&shop).is_empty());
}

#[test]
fn one_upi_reference_on_two_payments_is_noticed() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let first = shop.payment(priya, 300, upi("6123 4567 4521"));
    shop.apart_on_device(2);
    let second = shop.sale(Some(amit), 300, upi("612345674521"));
    let task = only(&shop);
    assert_eq!(task.kind, TaskKind::SameReference);
    assert_eq!(task.subject, Subject::Reference("612345674521".into()));
    assert!(task.evidence.iter().eq([&first.0, &second.0]));
    shop.reverse(second, ReasonCode::PaymentFailed);
    assert!(open(&shop).is_empty());
}

#[test]
fn an_advance_overdrawn_by_two_phones_at_once_is_noticed() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.deposit(priya, 500);
    shop.withdrawal(priya, 400);
    shop.apart_on_device(2);
    shop.withdrawal(priya, 300);
    let task = only(&shop);
    assert_eq!(task.kind, TaskKind::AdvanceOverdrawn);
    assert_eq!(task.amount, Some(rupees(200)));
}

/// A sale of three bottles at ₹40, and a way to return some of them.
fn bottles(shop: &mut Shop) -> EntryId {
    let line = bottles_line(3);
    let particulars = shop.today();
    shop.entry(SaleRecorded {
        particulars,
        bill: "1-000001".into(),
        total: line.amount,
        tenders: vec![Tender {
            amount: line.amount,
            by: TenderBy::Money(Paid::CASH),
        }],
        customer: None,
        lines: Some(vec![line]),
        discount: None,
        round_off: None,
        charges: None,
        place_of_supply: None,
        buyer_gstin: None,
        document: None,
        handed_over: None,
        order: None,
    })
}

fn bottles_line(count: i64) -> Line {
    Line {
        name: "Oil 1 l".into(),
        quantity: Quantity::whole(count),
        unit: Unit::Piece,
        price: rupees(40),
        amount: rupees(40 * count),
        item: None,
        batch: None,
        mrp: None,
        discount: None,
        hsn: None,
        rate: None,
        tax: None,
        cost: None,
    }
}

fn bring_back(shop: &mut Shop, of: EntryId, count: i64, amount: Paise) -> EntryId {
    let particulars = shop.today();
    shop.entry(GoodsReturned {
        particulars,
        customer: None,
        amount,
        refund: Refund::Money(Paid::CASH),
        of: Some(of),
        lines: Some(vec![ReturnedLine {
            line: bottles_line(count),
            of_line: Some(0),
            scrapped: false,
        }]),
    })
}

#[test]
fn more_returned_than_sold_is_noticed_by_amount_and_by_number() {
    let mut shop = Shop::opened_on("01-06-2026");
    let sale = bottles(&mut shop);
    bring_back(&mut shop, sale, 2, rupees(80));
    assert!(open(&shop).is_empty());
    shop.apart_on_device(2);
    let second = bring_back(&mut shop, sale, 2, rupees(40));
    let task = only(&shop);
    assert_eq!(task.kind, TaskKind::ReturnedTooMuch);
    assert_eq!(task.subject, Subject::Entry(sale));
    assert_eq!(
        task.amount, None,
        "four bottles of three, but no rupee too much"
    );
    shop.reverse(second, ReasonCode::WrongAmount);
    assert!(open(&shop).is_empty());
    bring_back(&mut shop, sale, 1, rupees(45));
    assert_eq!(only(&shop).amount, Some(rupees(5)));
}

#[test]
fn goods_of_a_corrected_sale_come_back_to_the_correction() {
    let mut shop = Shop::opened_on("01-06-2026");
    let wrong = bottles(&mut shop);
    bring_back(&mut shop, wrong, 3, rupees(120));
    let right = bottles(&mut shop);
    shop.correct(wrong, right);
    assert!(open(&shop).is_empty(), "nor is its bill number there twice");
}

#[test]
fn two_people_who_took_back_the_same_entry_are_told() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let entry = shop.credit(priya, 100);
    shop.reverse(entry, ReasonCode::WrongAmount);
    shop.apart_on_device(2);
    shop.reverse(entry, ReasonCode::WrittenTwice);
    let task = only(&shop);
    assert_eq!(task.kind, TaskKind::ReversedTwice);
    assert_eq!(task.evidence.len(), 2);
    assert_eq!(
        shop.ledger.balance(priya).khata,
        rupees(0),
        "two have the effect of one"
    );
}

#[test]
fn a_bill_number_on_two_bills_is_noticed() {
    let mut shop = Shop::opened_on("01-06-2026");
    bottles(&mut shop);
    shop.apart_on_device(2);
    bottles(&mut shop);
    assert_eq!(only(&shop).kind, TaskKind::SameBillNumber);
}

#[test]
fn a_clock_more_than_ten_minutes_ahead_is_noticed() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let now = shop.now;
    for (minutes, off) in [(10, false), (11, true)] {
        let mut shop = shop.clone();
        shop.now = now.plus_ms(minutes * MINUTE_MS);
        let first = shop.credit(priya, 100);
        shop.now = now.plus_ms(minutes * MINUTE_MS);
        shop.credit(priya, 100);
        shop.now = now;
        shop.sync();
        let found = open(&shop);
        assert_eq!(!found.is_empty(), off, "{minutes} minutes");
        if off {
            let task = only(&shop);
            assert_eq!(task.subject, Subject::Device(DeviceNo(1)));
            assert!(task.evidence.iter().eq([&first.0]), "one a day is enough");
        }
    }
}

#[test]
fn a_clock_behind_what_the_phone_already_knew_is_noticed() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.apart_on_device(2).credit(priya, 10);
    shop.sync();
    assert!(open(&shop).is_empty());
    let noon = shop.now.plus_ms(120 * MINUTE_MS);
    shop.now = noon;
    shop.apart_on_device(1).credit(priya, 20);
    shop.credit(priya, 20);
    shop.sync();

    let mut apart = shop.clone();
    apart.now = noon.plus_ms(-60 * MINUTE_MS);
    apart.apart_on_device(2).credit(priya, 30);
    apart.now = noon.plus_ms(60 * MINUTE_MS);
    apart.sync();
    assert!(
        open(&apart).is_empty(),
        "it did not know of the other entries: it was offline"
    );

    shop.now = noon.plus_ms(-60 * MINUTE_MS);
    let behind = shop.on_device(2).credit(priya, 30);
    shop.now = noon.plus_ms(60 * MINUTE_MS);
    shop.sync();
    let task = only(&shop);
    assert_eq!(task.subject, Subject::Device(DeviceNo(2)));
    assert!(task.evidence.iter().eq([&behind.0]));
}

#[test]
fn the_owner_sees_what_a_revoked_phone_wrote() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    shop.apart_on_device(2);
    let first = shop.write_as(credit(&shop, priya, 70), Standing::Held);
    let second = shop.write_as(credit(&shop, priya, 30), Standing::Held);
    shop.apart_on_device(1);
    assert_eq!(shop.ledger.balance(priya).khata, rupees(0));
    let groups = held(shop.books());
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0].events, [first]);
    assert_eq!(groups[0].device, DeviceNo(2));
    assert_eq!(groups[0].items[0].amount, Some(rupees(70)));
    assert_eq!(
        groups[0].items[0].customer,
        Some((priya, Name::Words("Priya".into())))
    );
    shop.write(shared::event::HeldReleased {
        events: vec![first],
    });
    shop.write(shared::event::HeldRefused {
        events: vec![second],
        reason: None,
    });
    assert_eq!(shop.ledger.balance(priya).khata, rupees(70));
    let groups = held(shop.books());
    assert_eq!(groups.len(), 1);
    assert!(groups[0].refused);
}

fn credit(
    shop: &Shop,
    customer: shared::ids::CustomerId,
    amount: i64,
) -> shared::event::CreditGiven {
    shared::event::CreditGiven {
        particulars: shop.today(),
        customer,
        amount: rupees(amount),
        lines: None,
        due: None,
    }
}
