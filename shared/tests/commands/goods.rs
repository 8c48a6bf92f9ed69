//! Goods that come back.

use shared::command::{KhataRejection, RecordSale, ReturnGoods, ReturnRejection, SaleRejection};
use shared::event::{
    Body, GoodsReturned, Kind, Line, Paid, Particulars, Refund, ReturnedLine, Tender, TenderBy,
};
use shared::ids::EntryId;
use shared::quantity::{Quantity, Unit};
use shared::testing::given::*;

use crate::{Accepted, Refused, accepted, refused};

/// A sale of two dal at ₹120 and an atta at ₹250, paid in cash.
fn sold() -> (Given, EntryId) {
    let given = shop().given(cash_sale(vec![
        line("Dal", 2, 120_00),
        line("Atta", 1, 250_00),
    ]));
    let sale = given.last_entry();
    (given, sale)
}

fn back(of_line: u16, line: Line) -> ReturnedLine {
    ReturnedLine {
        line,
        of_line: Some(of_line),
        scrapped: false,
    }
}

/// These lines of this sale come back for cash.
fn of(sale: EntryId, lines: Vec<ReturnedLine>) -> ReturnGoods {
    let paise = lines.iter().map(|returned| returned.line.amount.0).sum();
    ReturnGoods {
        of: Some(sale),
        lines,
        ..goods_back(None, paise, Refund::Money(Paid::CASH))
    }
}

pub fn all_accepted() -> Vec<Accepted> {
    let (given, sale) = sold();
    vec![
        accepted(
            "Goods come back for cash",
            given
                .clone()
                .when(of(sale, vec![back(0, line("Dal", 1, 120_00))])),
            [Kind::GoodsReturned],
        ),
        accepted(
            "Goods of no sale in particular come back",
            shop().when(goods_back(Some(PRIYA), 50_00, Refund::Khata)),
            [Kind::GoodsReturned],
        ),
        accepted(
            "Less is refunded than was paid, where people agree on it",
            given.when(of(
                sale,
                vec![back(
                    1,
                    Line {
                        amount: rupees(200),
                        ..line("Atta", 1, 250_00)
                    },
                )],
            )),
            [Kind::GoodsReturned],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let (given, sale) = sold();
    let dal = |pieces, price| back(0, line("Dal", pieces, price));
    let one_back = given.clone().given(of(sale, vec![dal(1, 120_00)]));
    let to_priya = shop().given(RecordSale {
        customer: Some(PRIYA),
        ..cash_sale(vec![line("Soap", 1, 40_00)])
    });
    let priyas = to_priya.last_entry();
    let paid = shop()
        .given(credit(PRIYA, 50_00))
        .given(payment(PRIYA, 50_00));
    let payment = paid.last_entry();
    let kilo = ReturnedLine {
        line: Line {
            unit: Unit::Kilogram,
            ..line("Dal", 1, 120_00)
        },
        ..dal(1, 120_00)
    };
    let taken_back = given.clone().given(reversal(sale));
    vec![
        refused(
            "No more comes back than was sold",
            given.clone().when(of(sale, vec![dal(3, 80_00)])),
            ReturnRejection::MoreThanSold {
                sold: Quantity::whole(2),
                returned: Quantity(0),
                asked: Quantity::whole(3),
            },
        ),
        refused(
            "What came back before counts",
            one_back.clone().when(of(sale, vec![dal(2, 100_00)])),
            ReturnRejection::MoreThanSold {
                sold: Quantity::whole(2),
                returned: Quantity::whole(1),
                asked: Quantity::whole(2),
            },
        ),
        refused(
            "One line does not come back in two halves of more than the whole",
            given
                .clone()
                .when(of(sale, vec![dal(1, 10_00), dal(2, 10_00)])),
            ReturnRejection::MoreThanSold {
                sold: Quantity::whole(2),
                returned: Quantity(0),
                asked: Quantity::whole(3),
            },
        ),
        refused(
            "No more is refunded than the sale came to",
            one_back.when(ReturnGoods {
                of: Some(sale),
                ..goods_back(None, 371_00, Refund::Money(Paid::CASH))
            }),
            ReturnRejection::RefundTooLarge {
                total: rupees(490),
                refunded: rupees(120),
                asked: rupees(371),
            },
        ),
        refused(
            "Nothing comes back of a payment",
            paid.when(ReturnGoods {
                of: Some(payment),
                ..goods_back(Some(PRIYA), 50_00, Refund::Khata)
            }),
            ReturnRejection::NotASale { entry: payment },
        ),
        refused(
            "Nothing comes back of a sale that was taken back",
            taken_back.when(of(sale, vec![dal(1, 120_00)])),
            KhataRejection::EntryReversed { entry: sale },
        ),
        refused(
            "A sale has the lines that it has",
            given
                .clone()
                .when(of(sale, vec![back(2, line("Ghee", 1, 10_00))])),
            ReturnRejection::NoSuchLine { line: 3 },
        ),
        refused(
            "A line is named together with its sale",
            shop().when(ReturnGoods {
                of: None,
                ..of(sale, vec![dal(1, 120_00)])
            }),
            ReturnRejection::NoSuchLine { line: 1 },
        ),
        refused(
            "What was sold in packets does not come back in kilograms",
            given.when(of(sale, vec![kilo])),
            ReturnRejection::UnitDiffers { line: 1 },
        ),
        refused(
            "A refund to the khata is somebody's",
            shop().when(goods_back(None, 50_00, Refund::Khata)),
            SaleRejection::CustomerNeeded,
        ),
        refused(
            "What one customer bought does not come back as another's",
            to_priya.when(ReturnGoods {
                of: Some(priyas),
                ..goods_back(Some(AMIT), 40_00, Refund::Khata)
            }),
            KhataRejection::NotThisCustomers { entry: priyas },
        ),
    ]
}

#[test]
fn a_return_says_exactly_what_happened() {
    let (given, sale) = sold();
    let lines = || vec![back(0, line("Dal", 1, 120_00))];
    given
        .when(of(sale, lines()))
        .then([Body::from(GoodsReturned {
            particulars: Particulars::on(monday()),
            customer: None,
            amount: rupees(120),
            refund: Refund::Money(Paid::CASH),
            of: Some(sale),
            lines: Some(lines()),
        })]);
}

/// Named mistake: a return lowers the khata though it was refunded in cash.
#[test]
fn a_return_refunded_in_cash_or_by_upi_does_not_lower_the_khata() {
    let owes = shop().given(credit(PRIYA, 100_00));
    let given = owes
        .given(goods_back(Some(PRIYA), 40_00, Refund::Money(Paid::CASH)))
        .given(goods_back(
            Some(PRIYA),
            40_00,
            Refund::Money(upi("412345678901")),
        ));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(100));
    let given = given.given(goods_back(Some(PRIYA), 40_00, Refund::Khata));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(60));
}

#[test]
fn a_return_that_was_taken_back_may_come_again() {
    let (given, sale) = sold();
    let all = || of(sale, vec![back(0, line("Dal", 2, 120_00))]);
    let given = given.given(all());
    let first = given.last_entry();
    let given = given.given(reversal(first)).given(all());
    let second = given.last_entry();
    given.given(correction(second, all()));
}

#[test]
fn goods_given_on_credit_come_back_as_those_of_a_sale() {
    let given = shop().given(shared::command::GiveCredit {
        lines: vec![line("Dal", 2, 120_00)],
        ..credit(PRIYA, 240_00)
    });
    let bill = given.last_entry();
    let dal = |pieces| ReturnGoods {
        customer: Some(PRIYA),
        refund: Refund::Khata,
        ..of(bill, vec![back(0, line("Dal", pieces, 120_00))])
    };
    let given = given.given(dal(1));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(120));
    given
        .when(dal(2))
        .rejected(ReturnRejection::RefundTooLarge {
            total: rupees(240),
            refunded: rupees(120),
            asked: rupees(240),
        });
}

#[test]
fn a_part_of_the_total_that_was_on_the_khata_comes_back_to_the_khata() {
    let given = shop().given(RecordSale {
        customer: Some(PRIYA),
        tenders: vec![Tender {
            amount: rupees(240),
            by: TenderBy::Khata,
        }],
        ..cash_sale(vec![line("Dal", 2, 120_00)])
    });
    let sale = given.last_entry();
    let given = given.given(ReturnGoods {
        customer: Some(PRIYA),
        refund: Refund::Khata,
        ..of(sale, vec![back(0, line("Dal", 1, 120_00))])
    });
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(120));
}
