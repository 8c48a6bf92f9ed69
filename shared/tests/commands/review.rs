//! What a person decides about things that need one.

use shared::command::{
    AccessRejection, MAX_EVIDENCE, RefuseHeld, ReleaseHeld, ResolveTask, ReviewRejection,
    TextField, TextRejection, UpdateCustomer, Why,
};
use shared::event::{
    Body, CreditGiven, HeldRefused, HeldReleased, Kind, Particulars, Patch, ReasonCode, Resolution,
    Role, Subject, TaskKind,
};
use shared::ids::EventId;
use shared::ledger::Receipts;
use shared::query::{Books, Directory, tasks};
use shared::testing::given::*;

use crate::{Accepted, Refused, accepted, refused};

fn over_limit(evidence: Vec<EventId>) -> ResolveTask {
    ResolveTask {
        task: TaskKind::LimitPassed,
        subject: Subject::Customer(PRIYA),
        resolution: Resolution::Fine,
        evidence,
        covers: Some(rupees(70)),
        why: Some(Why::new(ReasonCode::Agreed)),
    }
}

const LATE: EventId = EventId::new(2, 1);

/// A revoked phone sends an entry that it made before it knew.
fn late_entry() -> Given {
    staffed_shop().held(COUNTER, [credit_given(50)])
}

fn credit_given(amount: i64) -> Body {
    let body = CreditGiven {
        particulars: Particulars::on(monday()),
        customer: PRIYA,
        amount: rupees(amount),
        lines: None,
        due: None,
    };
    body.into()
}

fn release(events: Vec<EventId>) -> ReleaseHeld {
    ReleaseHeld { events }
}

fn refuse(events: Vec<EventId>) -> RefuseHeld {
    RefuseHeld {
        events,
        why: Some(Why::new(ReasonCode::WrittenTwice)),
    }
}

pub fn all_accepted() -> Vec<Accepted> {
    vec![
        accepted(
            "A manager settles a task",
            staffed_shop()
                .given(credit(PRIYA, 570_00))
                .by(MANAGER)
                .when(over_limit(vec![EventId::new(1, 6)])),
            [Kind::TaskResolved],
        ),
        accepted(
            "The owner lets a late entry into the books",
            late_entry().when(release(vec![LATE])),
            [Kind::HeldReleased],
        ),
        accepted(
            "The owner keeps a late entry out of the books",
            late_entry().when(refuse(vec![LATE])),
            [Kind::HeldRefused],
        ),
        accepted(
            "What was refused may still be let in",
            late_entry()
                .given(refuse(vec![LATE]))
                .when(release(vec![LATE])),
            [Kind::HeldReleased],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let unknown = EventId::new(1, 99);
    let not_held = ReviewRejection::NotHeld {
        event: EventId::new(1, 4),
    };
    vec![
        refused(
            "A resolution settles something",
            shop().when(ResolveTask {
                covers: None,
                ..over_limit(Vec::new())
            }),
            ReviewRejection::CoversNothing,
        ),
        refused(
            "A resolution names only so much",
            shop().when(over_limit(vec![EventId::new(1, 1); MAX_EVIDENCE + 1])),
            ReviewRejection::TooMuchEvidence { limit: 1000 },
        ),
        refused(
            "Nobody settles what they have not seen",
            shop().when(over_limit(vec![unknown])),
            ReviewRejection::UnknownEvidence { event: unknown },
        ),
        refused(
            "A reference that a task is about is written down",
            shop().when(ResolveTask {
                subject: Subject::Reference(" ".into()),
                ..over_limit(Vec::new())
            }),
            TextRejection::Empty {
                field: TextField::Reference,
            },
        ),
        refused(
            "A cashier settles no task",
            staffed_shop().by(CASHIER).when(over_limit(Vec::new())),
            AccessRejection::NotAllowed {
                needed: Role::Manager,
                role: Role::Cashier,
            },
        ),
        refused(
            "Only the owner decides about a revoked phone's entries",
            late_entry().by(MANAGER).when(release(vec![LATE])),
            AccessRejection::NotAllowed {
                needed: Role::Owner,
                role: Role::Manager,
            },
        ),
        refused(
            "What counts already is not let in",
            late_entry().when(release(vec![LATE, EventId::new(1, 4)])),
            not_held,
        ),
        refused(
            "What was let in is not refused",
            late_entry()
                .given(release(vec![LATE]))
                .when(refuse(vec![LATE])),
            ReviewRejection::NotHeld { event: LATE },
        ),
        refused(
            "An entry is refused once",
            late_entry()
                .given(refuse(vec![LATE]))
                .when(refuse(vec![LATE])),
            ReviewRejection::AlreadyRefused { event: LATE },
        ),
        refused(
            "A decision is about something",
            late_entry().when(release(Vec::new())),
            ReviewRejection::NothingChosen,
        ),
    ]
}

#[test]
fn a_late_entry_counts_when_the_owner_lets_it_in_and_not_before() {
    let given = late_entry();
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
    assert_eq!(given.ledger.uncounted(), 1);
    let given = given
        .when(release(vec![LATE]))
        .then([HeldReleased { events: vec![LATE] }.into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(50));
    assert_eq!(given.ledger.uncounted(), 0);
}

#[test]
fn a_refused_entry_stays_out() {
    let given = late_entry()
        .when(RefuseHeld {
            why: None,
            ..refuse(vec![LATE])
        })
        .then([HeldRefused {
            events: vec![LATE],
            reason: None,
        }
        .into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
}

#[test]
fn what_was_written_in_one_step_is_let_in_in_one_step() {
    let given = staffed_shop().held(COUNTER, [credit_given(50), credit_given(20)]);
    let second = EventId::new(2, 2);
    let given = given.when(release(vec![second])).then([HeldReleased {
        events: vec![LATE, second],
    }
    .into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(70));
}

/// The tasks about limits that are open now.
fn open_limits(given: &Given) -> usize {
    let books = Books {
        ledger: &given.ledger,
        keys: &given.keys,
        receipts: &Receipts::default(),
        reader: None,
    };
    let tasks = tasks(books, &Directory::new(books));
    let limits = tasks
        .iter()
        .filter(|task| task.kind == TaskKind::LimitPassed);
    limits.count()
}

#[test]
fn a_limit_that_the_owner_let_pass_leaves_nothing_to_review_until_more_is_owed() {
    let given = shop()
        .given(UpdateCustomer {
            limit: Patch::Set(rupees(500)),
            ..UpdateCustomer::of(PRIYA)
        })
        .because(Why::new(ReasonCode::Agreed))
        .given(credit(PRIYA, 570_00));
    assert_eq!(open_limits(&given), 0);
    let given = given.event(COUNTER, credit_given(1));
    assert_eq!(open_limits(&given), 1);
    let given = given.given(ResolveTask {
        covers: Some(rupees(71)),
        ..over_limit(Vec::new())
    });
    assert_eq!(open_limits(&given), 0);
}
