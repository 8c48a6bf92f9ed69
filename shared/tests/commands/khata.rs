//! Entries of the khata.

use shared::command::{
    AmountRejection, KhataRejection, MAX_ALLOCATIONS, MergeCustomers, Question, QuestionKind,
    ReceivePayment, TransferAmount, UseAdvance, Why, WriteOff,
};
use shared::command::{Details, GiveCredit};
use shared::event::{
    AdvanceDeposited, AdvanceUsed, AdvanceWithdrawn, Allocation, AmountTransferred, CreditGiven,
    EntryReversed, Kind, Paid, Particulars, PaymentReceived, Reason, ReasonCode, WrittenOff,
};
use shared::ids::{CustomerId, DeviceNo, EntryId, EventId};
use shared::money::Paise;
use shared::testing::given::*;

use crate::{Accepted, Refused, accepted, asked, refused};

fn advance_use(customer: CustomerId, paise: i64, against: Option<EntryId>) -> UseAdvance {
    UseAdvance {
        details: Details::on(monday()),
        customer,
        amount: Paise(paise),
        against,
    }
}

fn transfer(from: CustomerId, to: CustomerId, paise: i64) -> TransferAmount {
    TransferAmount {
        details: Details::on(monday()),
        from,
        to,
        amount: Paise(paise),
    }
}

fn write_off(customer: CustomerId, paise: i64) -> WriteOff {
    WriteOff {
        details: Details::on(monday()),
        customer,
        amount: Paise(paise),
        why: Why::new(ReasonCode::Agreed),
    }
}

fn payment_of(customer: CustomerId, paise: i64, bills: &[(EntryId, i64)]) -> ReceivePayment {
    let allocations = bills.iter().map(|&(entry, paise)| Allocation {
        entry,
        amount: Paise(paise),
    });
    ReceivePayment {
        allocations: allocations.collect(),
        ..payment(customer, paise)
    }
}

/// Priya owes ₹670 by one bill.
fn priya_owes() -> (Given, EntryId) {
    let given = shop().given(credit(PRIYA, 670_00));
    let bill = given.last_entry();
    (given, bill)
}

pub fn all_accepted() -> Vec<Accepted> {
    let (owes, bill) = priya_owes();
    vec![
        accepted(
            "Goods are given on credit",
            shop().when(credit(PRIYA, 670_00)),
            [Kind::CreditGiven],
        ),
        accepted(
            "A payment settles a chosen bill",
            owes.clone()
                .when(payment_of(PRIYA, 300_00, &[(bill, 300_00)])),
            [Kind::PaymentReceived],
        ),
        accepted(
            "Money is left with the shop",
            shop().when(deposit(PRIYA, 5_000_00)),
            [Kind::AdvanceDeposited],
        ),
        accepted(
            "All of an advance is given back",
            shop()
                .given(deposit(PRIYA, 500_00))
                .when(withdrawal(PRIYA, 500_00)),
            [Kind::AdvanceWithdrawn],
        ),
        accepted(
            "An advance settles a bill in one step",
            owes.clone()
                .given(deposit(PRIYA, 1_000_00))
                .when(advance_use(PRIYA, 670_00, Some(bill))),
            [Kind::AdvanceUsed],
        ),
        accepted(
            "An amount moves to another customer in one step",
            owes.clone().when(transfer(PRIYA, AMIT, 670_00)),
            [Kind::AmountTransferred],
        ),
        accepted(
            "An amount is given up",
            owes.clone().when(write_off(PRIYA, 670_00)),
            [Kind::WrittenOff],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let (owes, bill) = priya_owes();
    let unknown = EntryId(EventId::new(1, 99));
    let second = EntryId(EventId::new(1, 7));
    let with_payment = owes.clone().given(payment(PRIYA, 100_00));
    let paid = with_payment.last_entry();
    let amits = owes.clone().given(credit(AMIT, 50_00));
    let amits_bill = amits.last_entry();
    let mut taken_back = owes.clone().given(credit(PRIYA, 10_00));
    let reversed = taken_back.last_entry();
    taken_back = taken_back.given(reversal(reversed));
    let advance_too_small = KhataRejection::AdvanceTooSmall {
        available: rupees(500),
        asked: rupees(5_000),
    };
    let with_advance = shop().given(deposit(PRIYA, 500_00));
    vec![
        refused(
            "A withdrawal over the advance says what is available",
            with_advance.clone().when(withdrawal(PRIYA, 5_000_00)),
            advance_too_small,
        ),
        refused(
            "No more of an advance is used than there is",
            with_advance
                .clone()
                .when(advance_use(PRIYA, 5_000_00, None)),
            advance_too_small,
        ),
        refused(
            "No more of an advance is used than is owed",
            with_advance
                .given(credit(PRIYA, 100_00))
                .when(advance_use(PRIYA, 200_00, None)),
            KhataRejection::MoreThanOwed {
                owed: rupees(100),
                asked: rupees(200),
            },
        ),
        refused(
            "No more is given up than is owed",
            owes.clone().when(write_off(PRIYA, 670_01)),
            KhataRejection::MoreThanOwed {
                owed: rupees(670),
                asked: Paise(670_01),
            },
        ),
        refused(
            "Nothing moves from a customer to the same customer",
            owes.clone().when(transfer(PRIYA, PRIYA, 1_00)),
            KhataRejection::TransferToSelf { customer: PRIYA },
        ),
        refused(
            "Two pages of one customer are the same customer",
            owes.clone()
                .given(MergeCustomers {
                    customer: PRIYA,
                    with: AMIT,
                })
                .when(transfer(PRIYA, AMIT, 1_00)),
            KhataRejection::TransferToSelf { customer: PRIYA },
        ),
        refused(
            "An entry that is not there cannot be taken back",
            shop().when(reversal(unknown)),
            KhataRejection::UnknownEntry { entry: unknown },
        ),
        refused(
            "A payment settles bills that are there",
            owes.clone()
                .when(payment_of(PRIYA, 10_00, &[(unknown, 10_00)])),
            KhataRejection::UnknownEntry { entry: unknown },
        ),
        refused(
            "An entry is taken back once",
            taken_back.clone().when(reversal(reversed)),
            KhataRejection::EntryReversed { entry: reversed },
        ),
        refused(
            "What was taken back is not corrected",
            taken_back
                .clone()
                .when(correction(reversed, credit(PRIYA, 20_00))),
            KhataRejection::EntryReversed { entry: reversed },
        ),
        refused(
            "Nothing settles a bill that was taken back",
            taken_back.when(payment_of(PRIYA, 10_00, &[(reversed, 10_00)])),
            KhataRejection::EntryReversed { entry: reversed },
        ),
        refused(
            "A customer's payment settles the customer's own bills",
            amits.when(payment_of(PRIYA, 50_00, &[(amits_bill, 50_00)])),
            KhataRejection::NotThisCustomers { entry: amits_bill },
        ),
        refused(
            "A payment does not settle a payment",
            with_payment.when(payment_of(PRIYA, 10_00, &[(paid, 10_00)])),
            KhataRejection::OwesNothing { entry: paid },
        ),
        refused(
            "A payment names a bill once",
            owes.clone()
                .when(payment_of(PRIYA, 20_00, &[(bill, 10_00), (bill, 10_00)])),
            KhataRejection::AllocatedTwice { entry: bill },
        ),
        refused(
            "A payment settles no bill by less than nothing to settle another by more",
            owes.clone().given(credit(PRIYA, 30_00)).when(payment_of(
                PRIYA,
                10_00,
                &[(bill, -10_00), (second, 20_00)],
            )),
            AmountRejection::NotPositive {
                asked: Paise(-10_00),
            },
        ),
        refused(
            "No more settles a bill than it put on the khata",
            owes.clone()
                .when(payment_of(PRIYA, 700_00, &[(bill, 671_00)])),
            KhataRejection::AllocationTooLarge {
                entry: bill,
                owed: rupees(670),
                asked: rupees(671),
            },
        ),
        refused(
            "No more of an advance settles a bill than it put on the khata",
            owes.clone()
                .given(credit(PRIYA, 30_00))
                .given(deposit(PRIYA, 1_000_00))
                .when(advance_use(PRIYA, 671_00, Some(bill))),
            KhataRejection::AllocationTooLarge {
                entry: bill,
                owed: rupees(670),
                asked: rupees(671),
            },
        ),
        refused(
            "No more is shared out than was paid",
            owes.clone()
                .when(payment_of(PRIYA, 100_00, &[(bill, 100_01)])),
            KhataRejection::AllocationsExceedPayment {
                allocated: Paise(100_01),
                amount: rupees(100),
            },
        ),
        refused(
            "A payment names only so many bills",
            owes.clone().when(payment_of(
                PRIYA,
                100_00,
                &vec![(bill, 1); MAX_ALLOCATIONS + 1],
            )),
            KhataRejection::TooManyAllocations { limit: 200 },
        ),
        refused(
            "Nobody promises to pay before the goods were given",
            shop().when(GiveCredit {
                due: Some(monday().plus_days(-1)),
                ..credit(PRIYA, 1_00)
            }),
            KhataRejection::DueBeforeEntry {
                due: monday().plus_days(-1),
                on: monday(),
            },
        ),
        asked(
            "A payment of more than is owed is asked about",
            owes.clone().when(payment(PRIYA, 700_00)),
            Question::MoreThanOwed {
                owed: rupees(670),
                asked: rupees(700),
            },
        ),
        asked(
            "So is moving more than is owed",
            owes.when(transfer(PRIYA, AMIT, 700_00)),
            Question::MoreThanOwed {
                owed: rupees(670),
                asked: rupees(700),
            },
        ),
    ]
}

#[test]
fn every_kind_of_entry_says_exactly_what_happened() {
    let particulars = || Particulars::on(monday());
    let (customer, amount) = (PRIYA, rupees(670));
    let given = shop().when(credit(PRIYA, 670_00)).then([CreditGiven {
        particulars: particulars(),
        customer,
        amount,
        lines: None,
        due: None,
    }
    .into()]);
    let bill = given.last_entry();
    assert_eq!(given.ledger.balance(PRIYA).khata, amount);
    let given = given
        .when(payment_of(PRIYA, 100_00, &[(bill, 60_00)]))
        .then([PaymentReceived {
            particulars: particulars(),
            customer,
            amount: rupees(100),
            paid: Paid::CASH,
            allocations: Some(vec![Allocation {
                entry: bill,
                amount: rupees(60),
            }]),
        }
        .into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(570));
    let given = given.when(deposit(PRIYA, 500_00)).then([AdvanceDeposited {
        particulars: particulars(),
        customer,
        amount: rupees(500),
        paid: Paid::CASH,
    }
    .into()]);
    assert_eq!(given.ledger.balance(PRIYA).advance, rupees(500));
    let given = given
        .when(withdrawal(PRIYA, 100_00))
        .then([AdvanceWithdrawn {
            particulars: particulars(),
            customer,
            amount: rupees(100),
            paid: Paid::CASH,
        }
        .into()]);
    assert_eq!(given.ledger.balance(PRIYA).advance, rupees(400));
    let given = given
        .when(advance_use(PRIYA, 300_00, Some(bill)))
        .then([AdvanceUsed {
            particulars: particulars(),
            customer,
            amount: rupees(300),
            against: Some(bill),
        }
        .into()]);
    assert_eq!(given.ledger.balance(PRIYA).advance, rupees(100));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(270));
    let given = given
        .when(transfer(PRIYA, AMIT, 200_00))
        .then([AmountTransferred {
            particulars: particulars(),
            from: PRIYA,
            to: AMIT,
            amount: rupees(200),
        }
        .into()]);
    assert_eq!(given.ledger.balance(AMIT).khata, rupees(200));
    let given = given.when(write_off(PRIYA, 70_00)).then([WrittenOff {
        particulars: particulars(),
        customer,
        amount: rupees(70),
        reason: Reason {
            code: ReasonCode::Agreed,
            note: None,
        },
    }
    .into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
}

#[test]
fn balances_are_those_of_all_pages_of_a_customer() {
    let given = shop()
        .given(credit(PRIYA, 100_00))
        .given(credit(AMIT, 50_00))
        .given(deposit(AMIT, 30_00))
        .given(MergeCustomers {
            customer: PRIYA,
            with: AMIT,
        })
        .given(payment(PRIYA, 150_00))
        .given(withdrawal(PRIYA, 30_00));
    assert_eq!(given.ledger.balance(AMIT).khata, rupees(0));
    assert_eq!(given.ledger.balance(AMIT).advance, rupees(0));
}

#[test]
fn a_payment_of_more_than_is_owed_leaves_the_shop_owing() {
    let (owes, _) = priya_owes();
    let given = owes
        .confirming(QuestionKind::MoreThanOwed)
        .given(payment(PRIYA, 700_00));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(-30));
}

#[test]
fn a_bill_that_another_phone_took_back_meanwhile_is_not_settled() {
    let (owes, bill) = priya_owes();
    owes.event(
        DeviceNo(2),
        EntryReversed {
            target: bill,
            reason: Reason {
                code: ReasonCode::WrittenTwice,
                note: None,
            },
            witness: None,
        },
    )
    .when(payment_of(PRIYA, 10_00, &[(bill, 10_00)]))
    .rejected(KhataRejection::EntryReversed { entry: bill });
}
