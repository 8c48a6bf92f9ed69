//! How much a customer may owe, and who may let more pass.

use shared::command::{
    ChangeShop, Details, KhataRejection, Question, QuestionKind, TransferAmount, UpdateCustomer,
    Why,
};
use shared::event::{
    Body, Kind, Patch, Reason, ReasonCode, Resolution, Subject, TaskKind, TaskResolved,
};
use shared::ids::{CustomerId, EntryId, EventId};
use shared::money::Paise;
use shared::testing::given::*;

use crate::{Accepted, Refused, accepted, asked, refused};

fn transfer(from: CustomerId, to: CustomerId, paise: i64) -> TransferAmount {
    TransferAmount {
        details: Details::on(monday()),
        from,
        to,
        amount: Paise(paise),
    }
}

fn limit(customer: CustomerId, rupees_owed: i64) -> UpdateCustomer {
    UpdateCustomer {
        limit: Patch::Set(rupees(rupees_owed)),
        ..UpdateCustomer::of(customer)
    }
}

fn regular() -> Why {
    Why {
        code: ReasonCode::Agreed,
        note: None,
    }
}

/// Priya may owe ₹500 and owes ₹400.
fn limited() -> Given {
    staffed_shop()
        .given(limit(PRIYA, 500))
        .given(credit(PRIYA, 400_00))
}

pub fn all_accepted() -> Vec<Accepted> {
    vec![accepted(
        "The owner passes a limit with a reason, which settles the review beside the entry",
        shop()
            .given(limit(PRIYA, 500))
            .because(regular())
            .when(credit(PRIYA, 670_00)),
        [Kind::CreditGiven, Kind::TaskResolved],
    )]
}

pub fn all_refused() -> Vec<Refused> {
    let limited = limited();
    vec![
        refused(
            "A cashier gives no credit over the limit",
            limited.clone().by(CASHIER).when(credit(PRIYA, 100_01)),
            KhataRejection::LimitPassed {
                owed: rupees(400),
                asked: Paise(100_01),
                limit: rupees(500),
            },
        ),
        refused(
            "A reason does not give a cashier the right",
            limited
                .clone()
                .by(CASHIER)
                .because(regular())
                .when(credit(PRIYA, 100_01)),
            KhataRejection::LimitPassed {
                owed: rupees(400),
                asked: Paise(100_01),
                limit: rupees(500),
            },
        ),
        refused(
            "The shop's limit holds for whoever has none of their own",
            staffed_shop()
                .given(ChangeShop {
                    credit_limit: Patch::Set(rupees(300)),
                    ..ChangeShop::default()
                })
                .by(CASHIER)
                .when(credit(AMIT, 301_00)),
            KhataRejection::LimitPassed {
                owed: rupees(0),
                asked: rupees(301),
                limit: rupees(300),
            },
        ),
        refused(
            "What is moved to a customer counts against the limit",
            limited
                .clone()
                .given(limit(AMIT, 100))
                .by(CASHIER)
                .when(transfer(PRIYA, AMIT, 400_00)),
            KhataRejection::LimitPassed {
                owed: rupees(0),
                asked: rupees(400),
                limit: rupees(100),
            },
        ),
        asked(
            "An owner is asked before a limit is passed",
            limited.clone().when(credit(PRIYA, 100_01)),
            Question::OverLimit {
                owed: rupees(400),
                asked: Paise(100_01),
                limit: rupees(500),
            },
        ),
        asked(
            "A yes without a reason does not pass a limit",
            limited
                .confirming(QuestionKind::OverLimit)
                .when(credit(PRIYA, 100_01)),
            Question::OverLimit {
                owed: rupees(400),
                asked: Paise(100_01),
                limit: rupees(500),
            },
        ),
    ]
}

#[test]
fn the_owners_override_settles_exactly_what_goes_past_the_limit() {
    let given = shop()
        .given(limit(PRIYA, 500))
        .given(credit(PRIYA, 400_00))
        .because(regular());
    let outcome = given.when(credit(PRIYA, 170_00));
    let settled: Vec<&Body> = outcome.result().expect("passes").bodies().skip(1).collect();
    let expected = TaskResolved {
        task: TaskKind::LimitPassed,
        subject: Subject::Customer(PRIYA),
        resolution: Resolution::Fine,
        evidence: vec![EventId::new(1, 8)],
        covers: Some(rupees(70)),
        reason: Some(Reason {
            code: ReasonCode::Agreed,
            note: None,
        }),
    };
    assert_eq!(settled, [&Body::from(expected)]);
    let given = outcome.happened();
    assert_eq!(given.last_entry(), EntryId(EventId::new(1, 8)));
}

#[test]
fn up_to_the_limit_nobody_is_asked_and_a_reason_changes_nothing() {
    staffed_shop()
        .given(limit(PRIYA, 500))
        .because(regular())
        .by(CASHIER)
        .when(credit(PRIYA, 500_00))
        .then_kinds([Kind::CreditGiven]);
}
