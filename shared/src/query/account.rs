//! One customer's two accounts, entry by entry.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::iter::Peekable;

use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::{CustomerId, EntryId, Stamp};
use crate::ledger::{Balance, Entry, Ledger};

/// One entry on a customer's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The business date.
    pub on: BusinessDay,
    /// What the device's clock said.
    pub at: TimeMs,
    /// The stamp, which settles ties and names the entry.
    pub stamp: Stamp,
    /// What the entry did to the accounts: nothing once it was taken back.
    pub change: Balance,
    /// The accounts after this entry.
    pub running: Balance,
    /// It was taken back.
    pub reversed: bool,
}

impl Posting {
    /// The entry.
    pub const fn entry(&self) -> EntryId {
        EntryId(self.stamp.id)
    }

    /// The order of a khata page: business date, time, stamp.
    const fn place(&self) -> (BusinessDay, TimeMs, Stamp) {
        (self.on, self.at, self.stamp)
    }
}

/// A customer's entries in the order of the khata, with running balances.
///
/// Made in one pass over the customer's entries and one sort; afterwards any date is a binary
/// search away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    postings: Vec<Posting>,
}

impl Account {
    /// The account of a customer over all merged pages.
    pub fn of(ledger: &Ledger, customer: CustomerId) -> Account {
        let pages = ledger.pages(customer);
        let mut postings = Vec::new();
        for &page in &pages {
            for_each_entry(ledger, page, |id, entry, reversed| {
                postings.push(Posting {
                    on: entry.what.particulars().on,
                    at: entry.at,
                    stamp: entry.stamp(id),
                    change: change(entry, page, reversed),
                    running: Balance::default(),
                    reversed,
                });
            });
        }
        postings.sort_by_key(Posting::place);
        // A transfer between two pages of one customer stands on both: one entry, which changes
        // nothing.
        postings.dedup_by(|next, kept| {
            let same = next.stamp == kept.stamp;
            if same {
                kept.change += next.change;
            }
            same
        });
        let mut running = Balance::default();
        for posting in &mut postings {
            running += posting.change;
            posting.running = running;
        }
        Account { postings }
    }

    /// All entries, the oldest first.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// The entries of these days, both included.
    pub fn between(&self, from: BusinessDay, to: BusinessDay) -> &[Posting] {
        let start = self.postings.partition_point(|posting| posting.on < from);
        let end = self.postings.partition_point(|posting| posting.on <= to);
        self.postings.get(start..end).unwrap_or_default()
    }

    /// The balance at the end of a day.
    pub fn as_of(&self, day: BusinessDay) -> Balance {
        let end = self.postings.partition_point(|posting| posting.on <= day);
        end.checked_sub(1)
            .map_or_else(Balance::default, |last| self.postings[last].running)
    }

    /// The balance after all entries.
    pub fn closing(&self) -> Balance {
        self.postings
            .last()
            .map_or_else(Balance::default, |last| last.running)
    }
}

/// How many entries stand on a customer's pages, those taken back included.
pub fn entry_count(ledger: &Ledger, customer: CustomerId) -> usize {
    let pages = ledger.pages(customer);
    let pages = pages.iter().filter_map(|page| ledger.customers.get(page));
    pages.map(|page| page.entries.len()).sum()
}

/// What an entry does to the accounts of one page.
pub(super) fn change(entry: &Entry, page: CustomerId, reversed: bool) -> Balance {
    let mut change = Balance::default();
    if !reversed {
        for effect in entry.what.effects().into_iter().flatten() {
            if effect.customer == page {
                change += effect.change;
            }
        }
    }
    change
}

/// Visits the entries of one page in the order of their ids, and whether each was taken back.
pub(super) fn for_each_entry<'l>(
    ledger: &'l Ledger,
    page: CustomerId,
    mut visit: impl FnMut(EntryId, &'l Entry, bool),
) {
    let Some(customer) = ledger.customers.get(&page) else {
        return;
    };
    let ids = &customer.entries;
    let Some(&first) = ids.first() else {
        return;
    };
    let mut entries = Finder::new(&ledger.entries, first, ids.len());
    let mut reversals = Finder::new(&ledger.reversals, first, ids.len());
    for &id in ids {
        if let Some(entry) = entries.find(id) {
            visit(id, entry, reversals.find(id).is_some());
        }
    }
}

/// Finds ascending ids in a map: by walking along it when many are asked for, else one by one.
pub(super) enum Finder<'l, V> {
    Walk(Peekable<Range<'l, EntryId, V>>),
    Jump(&'l BTreeMap<EntryId, V>),
}

/// A look-up takes about as long as walking over this many neighbours.
const NEIGHBOURS_PER_LOOKUP: usize = 16;

impl<'l, V> Finder<'l, V> {
    pub(super) fn new(
        map: &'l BTreeMap<EntryId, V>,
        first: EntryId,
        wanted: usize,
    ) -> Finder<'l, V> {
        if map.len() / NEIGHBOURS_PER_LOOKUP < wanted {
            Finder::Walk(map.range(first..).peekable())
        } else {
            Finder::Jump(map)
        }
    }

    pub(super) fn find(&mut self, id: EntryId) -> Option<&'l V> {
        match self {
            Finder::Walk(range) => {
                while range.next_if(|(at, _)| **at < id).is_some() {}
                range.next_if(|(at, _)| **at == id).map(|(_, value)| value)
            }
            Finder::Jump(map) => map.get(&id),
        }
    }
}
