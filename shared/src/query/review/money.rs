//! Limits passed, advances overdrawn, references and bill numbers used twice, too much returned,
//! entries taken back twice.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Task;
use crate::event::{Line, Mode, Paid, ReturnedLine, Subject, TaskKind, TenderBy};
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
struct Seen<'l> {
    references: Vec<(Cow<'l, str>, EventId)>,
    bills: Vec<(Cow<'l, str>, EventId)>,
    returns: BTreeMap<EntryId, Vec<EntryId>>,
}

impl<'l> Seen<'l> {
    fn add(&mut self, ledger: &Ledger, id: EntryId, what: &'l What) {
        match what {
            What::Payment(entry) => self.money_in(id, &entry.paid),
            What::Deposit(entry) => self.money_in(id, &entry.paid),
            What::Sale(sale) => {
                for tender in &sale.tenders {
                    if let TenderBy::Money(paid) = &tender.by {
                        self.money_in(id, paid);
                    }
                }
                // Another shop's bills are numbered in a series of its own.
                if sale.particulars.origin.is_none() {
                    self.bills.push((Cow::Borrowed(&sale.bill), id.0));
                }
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

    fn money_in(&mut self, id: EntryId, paid: &'l Paid) {
        if let (Mode::Upi, Some(reference)) = (paid.mode, &paid.reference) {
            let reference = written_alike(reference);
            if !reference.is_empty() {
                self.references.push((reference, id.0));
            }
        }
    }
}

/// A reference as it is compared: without blanks, in capitals.
fn written_alike(reference: &str) -> Cow<'_, str> {
    let differs = |letter: char| letter.is_whitespace() || letter.is_ascii_lowercase();
    if !reference.contains(differs) {
        return Cow::Borrowed(reference);
    }
    let letters = reference.chars().filter(|letter| !letter.is_whitespace());
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// A task for every text that several entries have in common.
fn twice(kind: TaskKind, seen: Vec<(Cow<'_, str>, EventId)>) -> Vec<Task> {
    // Sorting numbers is many times faster than sorting texts all over the memory.
    let texts = seen.into_iter();
    let mut seen: Vec<_> = texts.map(|(text, id)| (fnv1a(&text), text, id)).collect();
    seen.sort_unstable_by_key(|(hash, _, id)| (*hash, *id));
    let mut tasks = Vec::new();
    let alike = seen.chunk_by_mut(|one, other| one.0 == other.0);
    for alike in alike.filter(|alike| alike.len() > 1) {
        alike.sort_unstable();
        for same in alike.chunk_by(|one, other| one.1 == other.1) {
            // Two parts of one bill may have been paid together.
            let evidence: BTreeSet<EventId> = same.iter().map(|(_, _, id)| *id).collect();
            if evidence.len() > 1 {
                tasks.push(Task {
                    kind,
                    subject: Subject::Reference(same[0].1.clone().into_owned()),
                    evidence,
                    amount: None,
                });
            }
        }
    }
    tasks
}

/// The FNV-1a hash of a text (Fowler, Noll, Vo): equal texts have equal hashes.
fn fnv1a(text: &str) -> u64 {
    let bytes = text.bytes();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
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
