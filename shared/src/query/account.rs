//! One customer's two accounts, entry by entry.

use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::{CustomerId, EntryId, Stamp};
use crate::ledger::{Balance, Entry, Ledger, Posting};

/// One entry in a customer's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLine<'l> {
    /// The business date.
    pub on: BusinessDay,
    /// What the device's clock said.
    pub at: TimeMs,
    /// The stamp, which settles ties and names the entry.
    pub stamp: Stamp,
    /// The entry.
    pub entry: &'l Entry,
    /// What the entry did to the accounts: nothing once it was taken back.
    pub change: Balance,
    /// The accounts after this entry.
    pub running: Balance,
    /// It was taken back.
    pub reversed: bool,
}

impl AccountLine<'_> {
    /// The name of the entry.
    pub const fn id(&self) -> EntryId {
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
pub struct Account<'l> {
    lines: Vec<AccountLine<'l>>,
}

impl<'l> Account<'l> {
    /// The account of a customer over all merged pages.
    pub fn of(ledger: &'l Ledger, customer: CustomerId) -> Account<'l> {
        let mut lines: Vec<AccountLine<'l>> = Vec::new();
        for page in ledger.pages(customer) {
            for_each_entry(ledger, page, |id, entry, posting| {
                lines.push(AccountLine {
                    on: posting.on,
                    at: entry.at,
                    stamp: entry.stamp(id),
                    entry,
                    change: posting.counted(),
                    running: Balance::default(),
                    reversed: posting.reversed,
                });
            });
        }
        lines.sort_by_key(AccountLine::place);
        // A transfer between two pages of one customer stands on both: one entry, which changes
        // nothing.
        lines.dedup_by(|next, kept| {
            let same = next.stamp == kept.stamp;
            if same {
                kept.change += next.change;
            }
            same
        });
        let mut running = Balance::default();
        for line in &mut lines {
            running += line.change;
            line.running = running;
        }
        Account { lines }
    }

    /// All entries, the oldest first.
    pub fn lines(&self) -> &[AccountLine<'l>] {
        &self.lines
    }

    /// The entries of these days, both included.
    pub fn between(&self, from: BusinessDay, to: BusinessDay) -> &[AccountLine<'l>] {
        let start = self.lines.partition_point(|line| line.on < from);
        let end = self.lines.partition_point(|line| line.on <= to);
        self.lines.get(start..end).unwrap_or_default()
    }

    /// The balance at the end of a day.
    pub fn as_of(&self, day: BusinessDay) -> Balance {
        let end = self.lines.partition_point(|line| line.on <= day);
        end.checked_sub(1)
            .map_or_else(Balance::default, |last| self.lines[last].running)
    }

    /// The balance after all entries.
    pub fn closing(&self) -> Balance {
        self.lines
            .last()
            .map_or_else(Balance::default, |last| last.running)
    }
}

/// How many entries stand on a customer's pages, those taken back included.
pub fn entry_count(ledger: &Ledger, customer: CustomerId) -> usize {
    let pages = ledger.pages(customer);
    let pages = pages.iter().filter_map(|page| ledger.customers.get(page));
    let entries = pages.flat_map(|page| page.entries.keys());
    entries.filter(|&&id| !ledger.is_copy(id)).count()
}

/// Visits the entries of one page in the order of their ids, each with what it does there.
pub(super) fn for_each_entry<'l>(
    ledger: &'l Ledger,
    page: CustomerId,
    mut visit: impl FnMut(EntryId, &'l Entry, &'l Posting),
) {
    let Some(customer) = ledger.customers.get(&page) else {
        return;
    };
    let mut entries = ledger.entries.finder();
    for (&id, posting) in &customer.entries {
        if let Some(entry) = entries.find(id) {
            visit(id, entry, posting);
        }
    }
}
