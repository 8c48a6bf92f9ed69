//! Limits passed, advances overdrawn, references and bill numbers used twice, too much returned,
//! entries taken back twice.

use std::collections::{BTreeMap, BTreeSet};

use super::Task;
use crate::event::{Line, Mode, ReturnedLine, Subject, TaskKind, TenderBy};
use crate::ids::{EntryId, EventId};
use crate::ledger::{Ledger, What};
use crate::money::Paise;
use crate::quantity::Quantity;
use crate::query::Books;
use crate::query::directory::Directory;
use crate::query::report::for_each_entry;
use crate::query::settle::standing;

pub(super) fn find(books: Books<'_>, directory: &Directory, found: &mut Vec<Task>) {
    for person in directory.people() {
        let subject = Subject::Customer(person.id);
        if let Some(limit) = books.ledger.credit_limit(person.id)
            && person.balance.khata > limit
        {
            let mut past = person.balance.khata;
            past -= limit;
            found.push(of_amount(TaskKind::LimitPassed, subject.clone(), past));
        }
        let overdrawn = person.balance.advance.negated();
        if overdrawn.is_positive() {
            found.push(of_amount(TaskKind::AdvanceOverdrawn, subject, overdrawn));
        }
    }
    let mut seen = Seen::default();
    for_each_entry(books.ledger, |id, entry, reversed| {
        if !reversed {
            seen.add(books.ledger, id, &entry.what);
        }
    });
    found.extend(twice(TaskKind::SameReference, seen.references));
    found.extend(twice(TaskKind::SameBillNumber, seen.bills));
    for (sold, returns) in seen.returns {
        found.extend(returned_too_much(books.ledger, sold, &returns));
    }
    found.extend(reversed_twice(books.ledger));
}

fn of_amount(kind: TaskKind, subject: Subject, amount: Paise) -> Task {
    Task {
        kind,
        subject,
        evidence: BTreeSet::new(),
        amount: Some(amount),
    }
}

/// What is gathered of the entries that count.
#[derive(Default)]
struct Seen {
    references: BTreeMap<String, BTreeSet<EventId>>,
    bills: BTreeMap<String, BTreeSet<EventId>>,
    returns: BTreeMap<EntryId, Vec<EntryId>>,
}

impl Seen {
    fn add(&mut self, ledger: &Ledger, id: EntryId, what: &What) {
        let mut money_in = |paid: &crate::event::Paid| {
            if let (Mode::Upi, Some(reference)) = (paid.mode, &paid.reference) {
                let reference = written_alike(reference);
                if !reference.is_empty() {
                    self.references.entry(reference).or_default().insert(id.0);
                }
            }
        };
        match what {
            What::Payment(entry) => money_in(&entry.paid),
            What::Deposit(entry) => money_in(&entry.paid),
            What::Sale(sale) => {
                for tender in &sale.tenders {
                    if let TenderBy::Money(paid) = &tender.by {
                        money_in(paid);
                    }
                }
                self.bills
                    .entry(sale.bill.clone())
                    .or_default()
                    .insert(id.0);
            }
            What::Return(entry) => {
                if let Some(sold) = entry.of {
                    let sold = standing(ledger, sold);
                    self.returns.entry(sold).or_default().push(id);
                }
            }
            _ => {}
        }
    }
}

/// A reference as it is compared: without blanks, in capitals.
fn written_alike(reference: &str) -> String {
    let letters = reference.chars().filter(|letter| !letter.is_whitespace());
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

fn twice(kind: TaskKind, seen: BTreeMap<String, BTreeSet<EventId>>) -> impl Iterator<Item = Task> {
    let twice = seen.into_iter().filter(|(_, entries)| entries.len() > 1);
    twice.map(move |(reference, evidence)| Task {
        kind,
        subject: Subject::Reference(reference),
        evidence,
        amount: None,
    })
}

/// Compares what came back with what was sold: by amount, and by quantity where lines are named.
/// Of a sale that was taken back, anything is too much.
fn returned_too_much(ledger: &Ledger, sold: EntryId, returns: &[EntryId]) -> Option<Task> {
    let sale = &ledger.entries.get(&sold)?.what;
    let reversed = ledger.is_reversed(sold);
    let (amount_sold, lines): (Paise, &[Line]) = match sale {
        _ if reversed => (Paise::ZERO, &[]),
        What::Credit(_) | What::Sale(_) => (sale.amount(), sale.lines()),
        // What was returned is no sale: there is nothing to compare with.
        _ => return None,
    };
    let mut excess = Paise::ZERO;
    let mut back: BTreeMap<u16, Quantity> = BTreeMap::new();
    for id in returns {
        if let Some(What::Return(entry)) = ledger.entries.get(id).map(|entry| &entry.what) {
            excess += entry.amount;
            for ReturnedLine { line, of_line, .. } in entry.lines.as_deref().unwrap_or_default() {
                if let Some(index) = of_line {
                    let quantity = back.entry(*index).or_default();
                    quantity.0 = quantity.0.saturating_add(line.quantity.0);
                }
            }
        }
    }
    excess -= amount_sold;
    let too_many = |(index, quantity): (&u16, &Quantity)| {
        let line = lines.get(usize::from(*index));
        line.is_some_and(|line| *quantity > line.quantity)
    };
    let too_much = excess.is_positive() || back.iter().any(too_many);
    too_much.then(|| Task {
        kind: TaskKind::ReturnedTooMuch,
        subject: Subject::Entry(sold),
        evidence: returns.iter().map(|id| id.0).collect(),
        amount: excess.is_positive().then_some(excess),
    })
}

/// Entries that devices took back without knowing of each other. The effect is that of one, but if
/// both corrected the entry, two replacements stand.
fn reversed_twice(ledger: &Ledger) -> impl Iterator<Item = Task> {
    let twice = ledger.reversals.iter().filter(|(_, reversals)| {
        let devices: BTreeSet<_> = reversals.keys().map(|id| id.device).collect();
        devices.len() > 1
    });
    twice.map(|(&target, reversals)| Task {
        kind: TaskKind::ReversedTwice,
        subject: Subject::Entry(target),
        evidence: reversals.keys().copied().collect(),
        amount: None,
    })
}
