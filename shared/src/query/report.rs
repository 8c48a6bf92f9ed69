//! What happened in the shop in a month, on a day, or between any two days.

use std::collections::BTreeMap;

use super::Books;
use super::row::{EntryRow, MAX_ENTRY_ROWS};
use crate::calendar::{BusinessDay, Month};
use crate::event::{Mode, Refund, TenderBy};
use crate::ids::EntryId;
use crate::ledger::{Balance, Entry, Ledger, What};
use crate::money::Paise;

/// Amounts by the way that money changed hands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByMode(pub BTreeMap<Mode, Paise>);

impl ByMode {
    /// The amount of one mode.
    pub fn of(&self, mode: Mode) -> Paise {
        self.0.get(&mode).copied().unwrap_or_default()
    }

    /// All modes together.
    pub fn total(&self) -> Paise {
        self.0.values().copied().sum()
    }

    fn add(&mut self, mode: Mode, amount: Paise) {
        *self.0.entry(mode).or_default() += amount;
    }
}

/// What happened in the shop between two days. Entries that were taken back are counted apart and
/// in no sum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The first day.
    pub from: BusinessDay,
    /// The last day, which belongs to the report.
    pub to: BusinessDay,
    /// Entries that count.
    pub entries: usize,
    /// Entries that were taken back.
    pub taken_back: usize,
    /// Bills among the entries.
    pub bills: usize,
    /// Sales that were paid at once.
    pub sales: ByMode,
    /// Goods on credit, and the parts of bills that went to the khata.
    pub credit_sales: Paise,
    /// The parts of bills that were paid out of advances.
    pub advance_sales: Paise,
    /// Payments.
    pub payments: ByMode,
    /// Returns that lowered a khata.
    pub khata_returns: Paise,
    /// Returns for which money was given back.
    pub money_returns: ByMode,
    /// Advances that were left with the shop.
    pub deposits: ByMode,
    /// Advances that were taken back out.
    pub withdrawals: ByMode,
    /// Debts that were settled out of advances.
    pub advances_used: Paise,
    /// Amounts that were given up.
    pub write_offs: Paise,
    /// Debts that moved between customers; they change no sum.
    pub transfers: Paise,
    /// What all customers together owed and had in advance before the first day.
    pub opening: Balance,
    /// The same after the last day.
    pub closing: Balance,
    /// Entries in the log that no sum counts yet.
    pub uncounted: u64,
}

impl Report {
    /// Returns, however they were refunded.
    pub fn returns(&self) -> Paise {
        let mut sum = self.khata_returns;
        sum += self.money_returns.total();
        sum
    }

    /// By how much the khata of the shop changed.
    pub fn khata_change(&self) -> Paise {
        let mut change = self.closing.khata;
        change -= self.opening.khata;
        change
    }

    /// What came in by this mode.
    pub fn money_in(&self, mode: Mode) -> Paise {
        let ways = [&self.sales, &self.payments, &self.deposits];
        ways.iter().map(|way| way.of(mode)).sum()
    }

    /// What went out by this mode.
    pub fn money_out(&self, mode: Mode) -> Paise {
        let ways = [&self.money_returns, &self.withdrawals];
        ways.iter().map(|way| way.of(mode)).sum()
    }

    /// What came in by this mode, less what went out: of cash, how much more the till holds.
    pub fn money(&self, mode: Mode) -> Paise {
        let mut money = self.money_in(mode);
        money -= self.money_out(mode);
        money
    }

    fn add(&mut self, entry: &Entry, reversed: bool) {
        if reversed {
            self.taken_back += 1;
            return;
        }
        self.entries += 1;
        self.closing += change(entry);
        match &entry.what {
            What::Credit(entry) => self.credit_sales += entry.amount,
            What::Payment(entry) => self.payments.add(entry.paid.mode, entry.amount),
            What::Return(entry) => match &entry.refund {
                Refund::Khata => self.khata_returns += entry.amount,
                Refund::Money(paid) => self.money_returns.add(paid.mode, entry.amount),
            },
            What::Deposit(entry) => self.deposits.add(entry.paid.mode, entry.amount),
            What::Withdrawal(entry) => self.withdrawals.add(entry.paid.mode, entry.amount),
            What::AdvanceUse(entry) => self.advances_used += entry.amount,
            What::Transfer(entry) => self.transfers += entry.amount,
            What::WriteOff(entry) => self.write_offs += entry.amount,
            What::Sale(sale) => {
                self.bills += 1;
                for tender in &sale.tenders {
                    match &tender.by {
                        TenderBy::Money(paid) => self.sales.add(paid.mode, tender.amount),
                        TenderBy::Khata => self.credit_sales += tender.amount,
                        TenderBy::Advance => self.advance_sales += tender.amount,
                    }
                }
            }
        }
    }
}

/// What an entry does to the accounts of all customers together.
fn change(entry: &Entry) -> Balance {
    let mut change = Balance::default();
    for effect in entry.what.effects().into_iter().flatten() {
        change += effect.change;
    }
    change
}

/// What happened between two days, both included.
pub fn report(ledger: &Ledger, from: BusinessDay, to: BusinessDay) -> Report {
    let mut report = Report {
        from,
        to,
        uncounted: ledger.uncounted(),
        ..Report::default()
    };
    for_each_entry(ledger, |_, entry, reversed| {
        let on = entry.what.particulars().on;
        if on > to {
            return;
        }
        if on >= from {
            report.add(entry, reversed);
        } else if !reversed {
            report.opening += change(entry);
        }
    });
    report.closing += report.opening;
    report
}

/// What happened in a month, its last day included.
pub fn month_report(ledger: &Ledger, month: Month) -> Report {
    report(ledger, month.first_day(), month.last_day())
}

/// The most days of one answer of [`day_reports`]: about three years.
pub const MAX_REPORT_DAYS: i32 = 1_100;

/// What happened on each day between two days on which anything was written, the oldest first; of a
/// longer time the last [`MAX_REPORT_DAYS`].
pub fn day_reports(ledger: &Ledger, from: BusinessDay, to: BusinessDay) -> Vec<Report> {
    let from = from.max(to.plus_days(1 - MAX_REPORT_DAYS));
    let mut days: BTreeMap<BusinessDay, Report> = BTreeMap::new();
    let mut running = Balance::default();
    for_each_entry(ledger, |_, entry, reversed| {
        let on = entry.what.particulars().on;
        if (from..=to).contains(&on) {
            days.entry(on).or_default().add(entry, reversed);
        } else if on < from && !reversed {
            running += change(entry);
        }
    });
    let uncounted = ledger.uncounted();
    let reports = days.into_iter().map(|(day, mut report)| {
        (report.from, report.to, report.uncounted) = (day, day, uncounted);
        report.opening = running;
        running += report.closing;
        report.closing = running;
        report
    });
    reports.collect()
}

/// One page of the day book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayBook {
    /// At most [`MAX_ENTRY_ROWS`] rows, the newest first.
    pub rows: Vec<EntryRow>,
    /// How many entries there are in all pages.
    pub total: usize,
}

/// All entries of the shop between two days, both included, the newest first, `skip` of them left
/// out.
pub fn day_book(books: Books<'_>, from: BusinessDay, to: BusinessDay, skip: usize) -> DayBook {
    let mut found: Vec<(EntryId, &Entry)> = Vec::new();
    for_each_entry(books.ledger, |id, entry, _| {
        if (from..=to).contains(&entry.what.particulars().on) {
            found.push((id, entry));
        }
    });
    found.sort_by_key(|(id, entry)| (entry.what.particulars().on, entry.at, entry.stamp(*id)));
    let newest_first = found.iter().rev().skip(skip).take(MAX_ENTRY_ROWS);
    let row = |&(id, entry): &(EntryId, &Entry)| {
        let [customer, _] = entry.what.customers();
        books.row(customer, id, entry)
    };
    DayBook {
        rows: newest_first.map(row).collect(),
        total: found.len(),
    }
}

/// Visits all entries of the shop in the order of their ids, and whether each was taken back.
pub(super) fn for_each_entry<'l>(
    ledger: &'l Ledger,
    mut visit: impl FnMut(EntryId, &'l Entry, bool),
) {
    // Both in the order of their ids; what is not here may have been taken back as well.
    let mut taken_back = ledger.reversals.keys().peekable();
    for (&id, entry) in &ledger.entries {
        while taken_back.next_if(|target| **target < id).is_some() {}
        visit(id, entry, taken_back.next_if_eq(&&id).is_some());
    }
}
