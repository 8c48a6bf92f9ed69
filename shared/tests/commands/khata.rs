//! Entries of the khata.

use shared::command::KhataRejection;
use shared::event::{CreditGiven, Paid, Particulars, PaymentReceived};
use shared::testing::given::*;

#[test]
fn goods_on_credit_are_owed() {
    let given = shop().when(credit(PRIYA, 670_00)).then([CreditGiven {
        particulars: Particulars::on(monday()),
        customer: PRIYA,
        amount: rupees(670),
        lines: None,
        due: None,
    }
    .into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(670));
    assert_eq!(given.ledger.balance(AMIT).khata, rupees(0));
}

#[test]
fn a_payment_lowers_what_is_owed() {
    let given = shop()
        .given(credit(PRIYA, 670_00))
        .when(payment(PRIYA, 300_00))
        .then([PaymentReceived {
            particulars: Particulars::on(monday()),
            customer: PRIYA,
            amount: rupees(300),
            paid: Paid::CASH,
            allocations: None,
        }
        .into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(370));
}

#[test]
fn a_withdrawal_over_the_advance_says_what_is_available() {
    shop()
        .given(deposit(PRIYA, 500_00))
        .when(withdrawal(PRIYA, 5_000_00))
        .rejected(KhataRejection::AdvanceTooSmall {
            available: rupees(500),
            asked: rupees(5_000),
        });
}
