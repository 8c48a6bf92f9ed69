//! Taking entries back, and putting others in their place.

use shared::command::{
    CorrectEntry, Details, KhataRejection, QuestionKind, ReverseEntry, UpdateCustomer, Why,
    compose, decide,
};
use shared::event::{
    CreditGiven, EntryCorrected, EntryReversed, Kind, Particulars, Patch, Reason, ReasonCode,
};
use shared::ids::{DeviceNo, EntryId, EventId};
use shared::testing::given::*;
use shared::text::Field;

use crate::{Accepted, accepted};

pub fn all_accepted() -> Vec<Accepted> {
    let given = shop().given(credit(PRIYA, 670_00));
    let entry = given.last_entry();
    vec![
        accepted(
            "An entry is taken back",
            given.clone().when(reversal(entry)),
            [Kind::EntryReversed],
        ),
        accepted(
            "An entry is replaced in one step",
            given.clone().when(correction(entry, credit(PRIYA, 760_00))),
            [Kind::EntryCorrected, Kind::CreditGiven],
        ),
        accepted(
            "What was a payment all along is written as one",
            given
                .confirming(QuestionKind::MoreThanOwed)
                .when(correction(entry, payment(PRIYA, 670_00))),
            [Kind::EntryCorrected, Kind::PaymentReceived],
        ),
    ]
}

fn wrong_amount() -> Reason {
    Reason {
        code: ReasonCode::WrongAmount,
        note: None,
    }
}

#[test]
fn a_reversal_takes_the_effect_of_its_entry_back_and_the_entry_stays() {
    let given = shop().given(credit(PRIYA, 670_00));
    let target = given.last_entry();
    let given = given.when(reversal(target)).then([EntryReversed {
        target,
        reason: wrong_amount(),
        witness: None,
    }
    .into()]);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
    assert!(given.ledger.entries.contains_key(&target));
}

#[test]
fn a_correction_and_its_replacement_name_each_other() {
    let given = shop().given(credit(PRIYA, 670_00));
    let target = given.last_entry();
    let replacement = EntryId(EventId::new(1, 8));
    let given = given.when(correction(target, credit(PRIYA, 760_00))).then([
        EntryCorrected {
            target,
            replacement,
            reason: wrong_amount(),
            witness: None,
        }
        .into(),
        CreditGiven {
            particulars: Particulars {
                replaces: Some(target),
                ..Particulars::on(monday())
            },
            customer: PRIYA,
            amount: rupees(760),
            lines: None,
            due: None,
        }
        .into(),
    ]);
    assert_eq!(given.last_entry(), replacement);
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(760));
}

#[test]
fn a_replacement_says_what_led_to_it() {
    let given = shop().given(credit(PRIYA, 670_00));
    let target = given.last_entry();
    let command = correction(target, credit(PRIYA, 760_00));
    let decision = decide(&given.ledger, &given.context(), command).expect("corrected");
    let events = compose(&given.ledger, &given.context(), decision);
    assert_eq!(events[1].envelope.cause, Some(target.0));
    assert_eq!(events[0].envelope.group, events[1].envelope.group);
}

#[test]
fn a_replacement_is_decided_as_if_the_entry_had_never_been() {
    let given = shop()
        .given(deposit(PRIYA, 500_00))
        .given(withdrawal(PRIYA, 500_00));
    let withdrawn = given.last_entry();
    let given = given.given(correction(withdrawn, withdrawal(PRIYA, 400_00)));
    assert_eq!(given.ledger.balance(PRIYA).advance, rupees(100));
    let corrected = given.last_entry();
    given
        .when(correction(corrected, withdrawal(PRIYA, 501_00)))
        .rejected(KhataRejection::AdvanceTooSmall {
            available: rupees(500),
            asked: rupees(501),
        });
}

#[test]
fn a_replacement_within_the_limit_passes_without_a_question() {
    let given = shop()
        .given(UpdateCustomer {
            limit: Patch::Set(rupees(700)),
            ..UpdateCustomer::of(PRIYA)
        })
        .given(credit(PRIYA, 670_00));
    let entry = given.last_entry();
    given.given(correction(entry, credit(PRIYA, 700_00)));
}

#[test]
fn an_override_behind_a_replacement_names_the_replacement() {
    let given = shop()
        .given(UpdateCustomer {
            limit: Patch::Set(rupees(500)),
            ..UpdateCustomer::of(PRIYA)
        })
        .given(credit(PRIYA, 400_00));
    let entry = given.last_entry();
    let given = given
        .because(Why::new(ReasonCode::Agreed))
        .when(correction(entry, credit(PRIYA, 600_00)))
        .then_kinds([Kind::EntryCorrected, Kind::CreditGiven, Kind::TaskResolved]);
    let replacement = given.last_entry();
    let resolved = given.ledger.resolutions.values().flat_map(|r| r.values());
    let evidence: Vec<EventId> = resolved.flat_map(|r| r.evidence.iter().copied()).collect();
    assert_eq!(evidence, [replacement.0]);
}

#[test]
fn an_entry_moves_to_the_customer_whom_it_was_meant_for() {
    let given = shop().given(credit(PRIYA, 670_00));
    let entry = given.last_entry();
    let given = given.given(CorrectEntry {
        why: Why::new(ReasonCode::WrongCustomer),
        ..correction(entry, credit(AMIT, 670_00))
    });
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
    assert_eq!(given.ledger.balance(AMIT).khata, rupees(670));
}

#[test]
fn what_a_refused_replacement_would_have_replaced_still_stands() {
    let given = shop().given(deposit(PRIYA, 500_00));
    let entry = given.last_entry();
    let given = given
        .when(correction(entry, withdrawal(PRIYA, 1_00)))
        .rejected(KhataRejection::AdvanceTooSmall {
            available: rupees(0),
            asked: rupees(1),
        });
    assert_eq!(given.ledger.balance(PRIYA).advance, rupees(500));
    assert!(!given.ledger.is_reversed(entry));
}

#[test]
fn the_reason_and_the_witness_are_sealed_with_the_customers_key() {
    let given = shop().given(credit(PRIYA, 670_00));
    let target = given.last_entry();
    let given = given.given(ReverseEntry {
        why: Why {
            code: ReasonCode::Other,
            note: Some(" Counted twice ".into()),
        },
        witness: Some("Amit".into()),
        ..reversal(target)
    });
    let reversals = &given.ledger.reversals[&target];
    let reversal = reversals.values().next().expect("reversed");
    let note = reversal.reason.note.as_deref().expect("a note");
    assert_eq!(
        given.keys.words(note, Field::Note).as_deref(),
        Some("Counted twice")
    );
    let witness = reversal.witness.as_deref().expect("a witness");
    assert_eq!(
        given.keys.words(witness, Field::Name).as_deref(),
        Some("Amit")
    );
}

#[test]
fn an_entry_of_another_phone_is_taken_back_like_any_other() {
    let elsewhere = CreditGiven {
        particulars: Particulars::on(monday()),
        customer: PRIYA,
        amount: rupees(50),
        lines: None,
        due: None,
    };
    let target = EntryId(EventId::new(2, 1));
    let given = staffed_shop()
        .event(DeviceNo(2), elsewhere)
        .given(reversal(target));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
}

#[test]
fn a_late_correction_keeps_the_day_of_the_entry() {
    let given = shop().given(credit(PRIYA, 670_00));
    let entry = given.last_entry();
    let given = given.on(tuesday()).given(correction(
        entry,
        shared::command::GiveCredit {
            details: Details::on(monday()),
            ..credit(PRIYA, 760_00)
        },
    ));
    let replacement = &given.ledger.entries[&given.last_entry()];
    assert_eq!(replacement.what.particulars().on, monday());
    assert_eq!(replacement.at.day(), tuesday());
}
