//! The same customer on two pages.

use std::collections::BTreeMap;

use super::Task;
use crate::event::{Subject, TaskKind};
use crate::ids::CustomerId;
use crate::query::directory::{Directory, Person};
use crate::query::search::national_number;

/// Fewer digits than this are no telephone number to know someone by.
const MIN_NUMBER_DIGITS: usize = 6;

/// Finds pages with the same telephone number, or with the same name where no two different numbers
/// speak against it. Pages that hang together make one task.
pub(super) fn find(directory: &Directory, found: &mut Vec<Task>) {
    let mut by_number: BTreeMap<&str, Vec<CustomerId>> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, Vec<&Person>> = BTreeMap::new();
    for person in directory.people() {
        if let Some(number) = number(person) {
            by_number.entry(number).or_default().push(person.id);
        }
        if !person.folded.is_empty() {
            by_name.entry(&person.folded).or_default().push(person);
        }
    }
    let mut joined = Joined::default();
    for same in by_number.values() {
        joined.join(same.iter().copied());
    }
    for same in by_name.values() {
        // Someone without a number may be any of the others. If all have one, those who share it
        // are joined already, and the rest are namesakes.
        if same.iter().any(|person| number(person).is_none()) {
            joined.join(same.iter().map(|person| person.id));
        }
    }
    let mut groups: BTreeMap<CustomerId, Vec<CustomerId>> = BTreeMap::new();
    for &page in joined.least.keys() {
        groups.entry(joined.least_of(page)).or_default().push(page);
    }
    let tasks = groups.into_iter().filter(|(_, pages)| pages.len() > 1);
    found.extend(tasks.map(|(least, pages)| Task {
        kind: TaskKind::DuplicateCustomer,
        subject: Subject::Customer(least),
        evidence: pages.into_iter().map(|page| page.0).collect(),
        amount: None,
    }));
}

fn number(person: &Person) -> Option<&str> {
    let number = national_number(&person.digits);
    (number.len() >= MIN_NUMBER_DIGITS).then_some(number)
}

/// Sets of pages (union-find), each known by its least.
#[derive(Default)]
struct Joined {
    least: BTreeMap<CustomerId, CustomerId>,
}

impl Joined {
    fn least_of(&self, mut page: CustomerId) -> CustomerId {
        while let Some(&less) = self.least.get(&page)
            && less != page
        {
            page = less;
        }
        page
    }

    fn join(&mut self, pages: impl Iterator<Item = CustomerId>) {
        let mut set: Option<CustomerId> = None;
        for page in pages {
            self.least.entry(page).or_insert(page);
            let own = self.least_of(page);
            let other = set.unwrap_or(own);
            let (least, greater) = (own.min(other), own.max(other));
            self.least.insert(greater, least);
            set = Some(least);
        }
    }
}
