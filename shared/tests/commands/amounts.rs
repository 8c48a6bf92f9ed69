//! Amounts and lines.

use shared::bytes::Fixed;
use shared::command::{AmountRejection, EraseCustomer, MAX_LINES, MAX_NAME_CHARS};
use shared::event::{CustomerAdded, CustomersMerged, Line, Paid, Tax};
use shared::ids::{CustomerId, DeviceNo, EventId};
use shared::money::{MAX_ENTRY_PAISE, Paise, RateBp};
use shared::quantity::{MAX_LINE_QUANTITY, Quantity};
use shared::testing::given::*;
use shared::text::Text;

use crate::{Refused, refused};

/// More than one command may erase: a customer with more pages than a group has events.
fn customer_of_1001_pages() -> Given {
    let mut given = shop();
    let page = |number: u32| CustomerAdded {
        name: Text::from("Page"),
        key: Fixed([number as u8; 16]),
        phone: None,
        address: None,
        note: None,
        language: None,
        limit: None,
        messages: None,
        origin: None,
    };
    let first = CustomerId(EventId::new(2, 1));
    given = given.event(DeviceNo(2), page(0));
    for number in 1..=1000 {
        given = given.event(DeviceNo(2), page(number));
        let with = CustomerId(EventId::new(2, 2 * number));
        given = given.event(
            DeviceNo(2),
            CustomersMerged {
                customer: first,
                with,
            },
        );
    }
    given
}

fn with(line: Line, change: impl FnOnce(&mut Line)) -> Line {
    let mut line = line;
    change(&mut line);
    line
}

pub fn all_refused() -> Vec<Refused> {
    let atta = || line("Atta", 1, 250_00);
    let limit = MAX_ENTRY_PAISE;
    let crore_and_a_paisa = Paise(limit.0 + 1);
    let many = |count: usize, name: &str| cash_sale(vec![line(name, 1, 1_00); count]);
    vec![
        refused(
            "Nothing is no amount",
            shop().when(credit(PRIYA, 0)),
            AmountRejection::NotPositive { asked: Paise(0) },
        ),
        refused(
            "Less than nothing is no amount",
            shop().when(payment(PRIYA, -1)),
            AmountRejection::NotPositive { asked: Paise(-1) },
        ),
        refused(
            "A deposit of 0 is refused",
            shop().when(deposit(PRIYA, 0)),
            AmountRejection::NotPositive { asked: Paise(0) },
        ),
        refused(
            "A withdrawal of −1 is refused",
            shop()
                .given(deposit(PRIYA, 500_00))
                .when(withdrawal(PRIYA, -1)),
            AmountRejection::NotPositive { asked: Paise(-1) },
        ),
        refused(
            "An entry carries at most one crore",
            shop().when(credit(PRIYA, crore_and_a_paisa.0)),
            AmountRejection::TooLarge {
                asked: crore_and_a_paisa,
                limit,
            },
        ),
        refused(
            "A price is not below nothing",
            shop().when(cash_sale(vec![
                line("Bread", 1, 40_00),
                with(line("Milk", 1, 30_00), |line| line.mrp = Some(Paise(-1))),
            ])),
            AmountRejection::Negative { asked: Paise(-1) },
        ),
        refused(
            "Nobody sells nothing of a good",
            shop().when(cash_sale(vec![line("Atta", 0, 250_00)])),
            AmountRejection::QuantityOutOfRange {
                line: 1,
                asked: Quantity(0),
                limit: MAX_LINE_QUANTITY,
            },
        ),
        refused(
            "A line comes to its quantity times its price",
            shop().when(cash_sale(vec![with(atta(), |line| {
                line.amount = rupees(200);
            })])),
            AmountRejection::LineDoesNotAddUp {
                line: 1,
                expected: rupees(250),
                amount: rupees(200),
            },
        ),
        refused(
            "The tax of a line is what its rate makes of its amount",
            shop().when(cash_sale(vec![with(atta(), |line| {
                line.rate = Some(RateBp::percent(5));
                line.tax = Some(Tax {
                    cgst: Paise(6_25),
                    sgst: Paise(6_25),
                    igst: Paise(0),
                    cess: Paise(0),
                });
            })])),
            AmountRejection::TaxDoesNotAddUp {
                line: 1,
                expected: Paise(11_90),
                tax: Paise(12_50),
            },
        ),
        refused(
            "What was given on credit comes to its lines",
            shop().when(shared::command::GiveCredit {
                lines: vec![atta()],
                ..credit(PRIYA, 300_00)
            }),
            AmountRejection::LinesDoNotAddUp {
                lines: rupees(250),
                amount: rupees(300),
            },
        ),
        refused(
            "A bill has an end",
            shop().when(many(MAX_LINES + 1, "Toffee")),
            AmountRejection::TooManyLines { limit: 1500 },
        ),
        refused(
            "An entry is not longer than an event may be",
            shop().when(many(MAX_LINES, &"n".repeat(MAX_NAME_CHARS))),
            AmountRejection::TooLong {
                limit_bytes: 64 * 1024,
            },
        ),
        refused(
            "One command does not do more than a group of events holds",
            customer_of_1001_pages().when(EraseCustomer {
                customer: CustomerId(EventId::new(2, 1)),
            }),
            AmountRejection::TooManyAtOnce { limit: 1000 },
        ),
    ]
}

#[test]
fn one_crore_and_one_paisa_are_the_ends_of_what_an_entry_carries() {
    let given = shop()
        .given(credit(PRIYA, MAX_ENTRY_PAISE.0))
        .given(credit(AMIT, 1));
    assert_eq!(given.ledger.balance(PRIYA).khata, MAX_ENTRY_PAISE);
    assert_eq!(given.ledger.balance(AMIT).khata, Paise(1));
}

#[test]
fn a_line_of_price_0_may_stand_on_a_bill() {
    shop().given(cash_sale(vec![
        line("Rice", 1, 60_00),
        line("Carry bag", 1, 0),
    ]));
}

#[test]
fn a_bill_of_600_lines_is_written_like_any_other() {
    shop().given(cash_sale(vec![
        line(
            "HAND WARMER SCOTTY DOG DESIGN",
            2,
            2_10
        );
        600
    ]));
}

#[test]
fn references_are_kept_without_blanks_around_them() {
    let paid = Paid {
        app: Some("  ".into()),
        ..upi(" 412345678901 ")
    };
    let given = shop().given(shared::command::DepositAdvance {
        paid,
        ..deposit(PRIYA, 10_00)
    });
    let shared::ledger::What::Deposit(deposit) = &given.ledger.entries[&given.last_entry()].what
    else {
        panic!("a deposit");
    };
    assert_eq!(deposit.paid, upi("412345678901"));
}
