//! "But I paid!"

use shared::event::{Paid, ReasonCode};
use shared::ids::CustomerId;
use shared::query::{Answer, Claim, ClaimKind, NextStep, Verdict, dispute};
use shared::testing::build::{Shop, rupees, upi};

use crate::day;

fn ask(shop: &Shop, customer: CustomerId, kind: ClaimKind, amount: i64) -> Answer {
    let claim = Claim {
        customer,
        kind,
        amount: rupees(amount),
        from: day("01-06-2026"),
        to: day("03-06-2026"),
    };
    dispute(shop.books(), &claim)
}

#[test]
fn a_payment_is_proved_by_a_payment() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let paid = shop
        .day("02-06-2026")
        .payment(priya, 300, upi("612345674521"));
    shop.sync();
    shop.credit(priya, 50);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    assert_eq!(answer.verdict, Verdict::Proved);
    assert_eq!(answer.next, NextStep::Show(paid));
    let [found] = answer.matches.as_slice() else {
        panic!("one payment");
    };
    assert_eq!(found.row.id, paid);
    assert_eq!(found.recorded, found.row.at);
    assert_eq!(found.chained_after, 1);
}

#[test]
fn a_sale_never_proves_a_payment() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let sale = shop.sale(Some(priya), 300, Paid::CASH);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    assert_eq!(answer.verdict, Verdict::NotFound);
    assert!(answer.matches.is_empty());
    assert_eq!(answer.candidates[0].evidence.row.id, sale);
    assert_eq!(answer.candidates[0].differs.kind, Some(ClaimKind::Purchase));
    assert_eq!(answer.next, NextStep::TellKind(sale));
}

#[test]
fn every_match_is_shown_and_not_the_first_only() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let first = shop.payment(priya, 300, Paid::CASH);
    let second = shop.day("02-06-2026").payment(priya, 300, Paid::CASH);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    let found: Vec<_> = answer.matches.iter().map(|found| found.row.id).collect();
    assert_eq!(found, [first, second]);
}

#[test]
fn an_entry_that_was_taken_back_proves_nothing_and_is_explained() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let paid = shop.payment(priya, 300, Paid::CASH);
    shop.reverse(paid, ReasonCode::PaymentFailed);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    assert_eq!(answer.verdict, Verdict::NotFound);
    assert_eq!(answer.next, NextStep::TellWhyTakenBack(paid));
    let why = answer.matches[0]
        .row
        .taken_back
        .as_ref()
        .expect("taken back");
    assert_eq!(why.reason, ReasonCode::PaymentFailed);
}

#[test]
fn a_corrected_entry_leads_to_its_replacement() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let entry = shop.payment(priya, 300, Paid::CASH);
    let replacement = shop.payment(priya, 30, Paid::CASH);
    shop.correct(entry, replacement);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    assert_eq!(answer.verdict, Verdict::NotFound);
    assert_eq!(answer.next, NextStep::ShowCorrection { entry, replacement });
}

#[test]
fn the_nearest_come_first_and_say_in_what_they_differ() {
    let mut shop = Shop::opened_on("01-05-2026");
    let priya = shop.customer("Priya");
    let long_ago = shop.day("02-05-2026").payment(priya, 300, Paid::CASH);
    let other_amount = shop.day("02-06-2026").payment(priya, 310, Paid::CASH);
    let next_day = shop.day("04-06-2026").payment(priya, 300, Paid::CASH);
    shop.credit(priya, 5);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    let near: Vec<_> = answer
        .candidates
        .iter()
        .map(|near| (near.evidence.row.id, near.differs.amount, near.differs.days))
        .collect();
    assert_eq!(
        near,
        [
            (other_amount, rupees(10), 0),
            (next_day, rupees(0), 1),
            (long_ago, rupees(0), -30),
        ]
    );
    assert_eq!(answer.next, NextStep::AskAboutAmount(other_amount));
}

#[test]
fn a_payment_on_another_page_is_found() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let amit = shop.customer("Amit");
    let paid = shop.payment(amit, 300, Paid::CASH);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    assert_eq!(answer.verdict, Verdict::NotFound);
    assert_eq!(answer.candidates[0].differs.page, Some(amit));
    assert_eq!(answer.next, NextStep::AskAboutPage(amit, paid));
}

#[test]
fn with_nothing_near_a_proof_is_asked_for_unless_entries_are_not_counted_yet() {
    let mut shop = Shop::opened_on("01-06-2026");
    let priya = shop.customer("Priya");
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    assert_eq!(answer.next, NextStep::AskForProof);
    let body = shared::event::EntryReversed {
        target: shared::ids::EntryId(shared::ids::EventId::new(9, 9)),
        reason: shared::testing::build::because(ReasonCode::Other),
        witness: None,
    };
    shop.write_as(body, shared::ledger::Standing::Quarantined);
    let answer = ask(&shop, priya, ClaimKind::Payment, 300);
    assert_eq!(answer.next, NextStep::CountFirst { uncounted: 1 });
}
