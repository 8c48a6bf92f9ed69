//! Things that need a person, found by looking: nothing is stored but what people decided.
//!
//! A task is named by its kind and subject, and shows a set of events, an amount, or both. It is
//! open as long as some of that is not covered by what someone decided about the same kind and
//! subject. So it is the same on every phone that holds the same entries and keys, whatever their
//! order, and it opens again when something new comes.

mod clock;
mod duplicate;
mod money;

use std::collections::{BTreeMap, BTreeSet};

use super::{Books, Directory};
use crate::event::{Subject, TaskKind};
use crate::ids::{CustomerId, EventId};
use crate::ledger::{Ledger, TaskKey};
use crate::money::Paise;

pub use clock::CLOCK_TOLERANCE_MS;

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The kind.
    pub kind: TaskKind,
    /// What it is about.
    pub subject: Subject,
    /// The events that show it: of a duplicate customer those that opened the pages, of a clock
    /// the first entry of each day that shows it. Empty where the amount alone shows it.
    pub evidence: BTreeSet<EventId>,
    /// How far past the limit, how far overdrawn, how much too much came back.
    pub amount: Option<Paise>,
}

/// All open tasks, by kind and subject.
///
/// Duplicates are found among the names and numbers that `directory` could open.
pub fn tasks(books: Books<'_>, directory: &Directory) -> Vec<Task> {
    let covered = covered(books.ledger);
    let mut tasks = all(books, directory);
    tasks.retain(|task| task.is_open(&covered));
    tasks
}

/// All tasks, those that were settled included.
fn all(books: Books<'_>, directory: &Directory) -> Vec<Task> {
    let mut found = Vec::new();
    duplicate::find(directory, &mut found);
    money::find(books, directory, &mut found);
    clock::find(books.ledger, books.receipts, &mut found);
    found.sort_by(|one, other| (one.kind, &one.subject).cmp(&(other.kind, &other.subject)));
    found
}

/// What people have decided about one task.
#[derive(Debug, Default)]
struct Covered {
    evidence: BTreeSet<EventId>,
    amount: Option<Paise>,
}

/// All decisions by task. A decision about a page that was merged since is one about the canonical
/// page.
fn covered(ledger: &Ledger) -> BTreeMap<TaskKey, Covered> {
    let mut covered: BTreeMap<TaskKey, Covered> = BTreeMap::new();
    let canonical = |id: EventId| ledger.canonical(CustomerId(id)).0;
    for (key, decisions) in &ledger.resolutions {
        let mut key = key.clone();
        if let Subject::Customer(customer) = &mut key.subject {
            *customer = ledger.canonical(*customer);
        }
        let pages = key.kind == TaskKind::DuplicateCustomer;
        let of_task = covered.entry(key).or_default();
        for decision in decisions.values() {
            let evidence = decision.evidence.iter().copied();
            if pages {
                of_task.evidence.extend(evidence.map(canonical));
            } else {
                of_task.evidence.extend(evidence);
            }
            of_task.amount = of_task.amount.max(decision.covers);
        }
    }
    covered
}

impl Task {
    fn is_open(&self, covered: &BTreeMap<TaskKey, Covered>) -> bool {
        let key = TaskKey {
            kind: self.kind,
            subject: self.subject.clone(),
        };
        let Some(covered) = covered.get(&key) else {
            return true;
        };
        !self.evidence.is_subset(&covered.evidence) || self.amount > covered.amount
    }
}
