//! Which payment settles what: chosen entries first, then the oldest.

use std::collections::BTreeMap;

use super::account::Account;
use super::row::on_credit;
use crate::calendar::BusinessDay;
use crate::event::Refund;
use crate::ids::{CustomerId, EntryId};
use crate::ledger::{Ledger, What};
use crate::money::Paise;

/// What is left open of an entry that was given on credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// The entry.
    pub entry: EntryId,
    /// Its business date.
    pub on: BusinessDay,
    /// When it was promised to be paid.
    pub due: Option<BusinessDay>,
    /// What it added to the khata.
    pub amount: Paise,
    /// What of that is not settled.
    pub open: Paise,
}

/// An entry that was given on credit and has been settled in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The entry.
    pub entry: EntryId,
    /// Its business date.
    pub on: BusinessDay,
    /// The business date of what settled the last of it.
    pub settled_on: BusinessDay,
}

/// How a khata is settled, entry by entry.
///
/// `Σ open − surplus` is always the khata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settlement {
    /// Entries with something left open, the oldest first.
    pub open: Vec<Open>,
    /// Entries that were settled in full, the oldest first.
    pub settled: Vec<Settled>,
    /// What came in beyond all that was given.
    pub surplus: Paise,
}

impl Settlement {
    /// The date of the oldest entry with something left open.
    pub fn oldest_unpaid(&self) -> Option<BusinessDay> {
        self.open.first().map(|open| open.on)
    }
}

struct Debt {
    open: Open,
    settled_on: BusinessDay,
}

/// Something that lowers the khata, and what of it is not used up.
struct Credit {
    on: BusinessDay,
    left: Paise,
}

/// How a customer's khata is settled: what a payment, return or advance was meant for comes first,
/// the rest settles the oldest entries.
///
/// Something meant for an entry that was corrected settles its replacement.
pub fn settle(ledger: &Ledger, customer: CustomerId) -> Settlement {
    settle_account(ledger, &Account::of(ledger, customer))
}

/// See [`settle`].
pub(super) fn settle_account(ledger: &Ledger, account: &Account<'_>) -> Settlement {
    let mut debts: Vec<Debt> = Vec::new();
    let mut credits: Vec<Credit> = Vec::new();
    let mut meant: Vec<(usize, EntryId, Paise)> = Vec::new();
    for line in account.lines() {
        let (khata, what) = (line.change.khata, &line.entry.what);
        if khata.is_positive() {
            debts.push(Debt {
                open: Open {
                    entry: line.id(),
                    on: line.on,
                    due: match what {
                        What::Credit(entry) => entry.due,
                        _ => None,
                    },
                    amount: khata,
                    open: khata,
                },
                settled_on: line.on,
            });
        } else if khata != Paise::ZERO {
            let credit = credits.len();
            meant.extend(
                targets(what)
                    .into_iter()
                    .map(|(target, amount)| (credit, target, amount)),
            );
            credits.push(Credit {
                on: line.on,
                left: khata.negated(),
            });
        }
    }
    if !meant.is_empty() {
        let ids = debts.iter().map(|debt| debt.open.entry);
        let place: BTreeMap<EntryId, usize> = ids.zip(0..).collect();
        for (credit, target, amount) in meant {
            if let Some(&debt) = place.get(&standing(ledger, target)) {
                move_over(&mut credits[credit], &mut debts[debt], amount);
            }
        }
    }
    let mut oldest = 0;
    for credit in &mut credits {
        while credit.left.is_positive() && oldest < debts.len() {
            let everything = credit.left;
            move_over(credit, &mut debts[oldest], everything);
            if !debts[oldest].open.open.is_positive() {
                oldest += 1;
            }
        }
    }
    let surplus = credits.iter().map(|credit| credit.left).sum();
    let (open, settled): (Vec<Debt>, Vec<Debt>) = debts
        .into_iter()
        .partition(|debt| debt.open.open.is_positive());
    Settlement {
        open: open.into_iter().map(|debt| debt.open).collect(),
        settled: settled.iter().map(Debt::settled).collect(),
        surplus,
    }
}

impl Debt {
    const fn settled(&self) -> Settled {
        Settled {
            entry: self.open.entry,
            on: self.open.on,
            settled_on: self.settled_on,
        }
    }
}

fn move_over(credit: &mut Credit, debt: &mut Debt, at_most: Paise) {
    let amount = at_most.min(credit.left).min(debt.open.open);
    if amount.is_positive() {
        credit.left -= amount;
        debt.open.open -= amount;
        debt.settled_on = debt.settled_on.max(credit.on);
    }
}

/// What an entry was meant to settle.
fn targets(what: &What) -> Vec<(EntryId, Paise)> {
    match what {
        What::Payment(entry) => {
            let allocations = entry.allocations.as_deref().unwrap_or_default().iter();
            allocations.map(|part| (part.entry, part.amount)).collect()
        }
        What::AdvanceUse(entry) => {
            let against = entry.against.iter();
            against.map(|&target| (target, entry.amount)).collect()
        }
        What::Return(entry) if entry.refund == Refund::Khata => {
            let of = entry.of.iter();
            of.map(|&target| (target, entry.amount)).collect()
        }
        _ => Vec::new(),
    }
}

/// The entry that stands for another after all corrections.
pub(super) fn standing(ledger: &Ledger, entry: EntryId) -> EntryId {
    let mut entry = ledger.original(entry);
    // Each replacement was written after its target, so the way ends; the limit is for logs that
    // claim otherwise.
    for _ in 0..MAX_CORRECTIONS {
        let reversals = ledger.reversals.get(&entry);
        let replacement =
            reversals.and_then(|all| all.values().find_map(|reversal| reversal.replacement));
        match replacement {
            Some(next) => entry = ledger.original(next),
            None => break,
        }
    }
    entry
}

/// Corrections of corrections are followed this far.
const MAX_CORRECTIONS: usize = 64;

/// What a customer bought with an entry, on credit or not.
pub(super) fn purchase(what: &What) -> Paise {
    match what {
        What::Sale(sale) => sale.total,
        other => on_credit(other),
    }
}
