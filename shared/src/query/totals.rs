//! What the shop will get and give.

use std::collections::BTreeMap;

use crate::ids::CustomerId;
use crate::ledger::{Balance, Ledger};
use crate::money::Paise;

/// The two numbers on top of the khata.
///
/// `will_get − will_give` is the sum of all khatas less the sum of all advances, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// What customers owe: khatas above zero, and advances below it.
    pub will_get: Paise,
    /// What the shop owes: khatas below zero, and advances.
    pub will_give: Paise,
    /// The part of `will_get` that belongs to customers whose page has not come yet.
    pub waiting_get: Paise,
    /// The part of `will_give` that belongs to customers whose page has not come yet.
    pub waiting_give: Paise,
    /// Entries in the log that no total counts yet.
    pub uncounted: u64,
}

/// What the shop will get and give, over all customers, those put away included.
pub fn totals(ledger: &Ledger) -> Totals {
    let mut customers: BTreeMap<CustomerId, (Balance, bool)> = BTreeMap::new();
    for (&page, customer) in &ledger.customers {
        let (balance, known) = customers.entry(ledger.canonical(page)).or_default();
        *balance += customer.balance;
        *known |= customer.added.is_some();
    }
    let mut totals = Totals {
        uncounted: ledger.uncounted(),
        ..Totals::default()
    };
    for (balance, known) in customers.into_values() {
        let (get, give) = (will_get(balance), will_give(balance));
        totals.will_get += get;
        totals.will_give += give;
        if !known {
            totals.waiting_get += get;
            totals.waiting_give += give;
        }
    }
    totals
}

/// What one customer owes on either account.
pub(super) fn will_get(balance: Balance) -> Paise {
    let mut sum = balance.khata.max(Paise::ZERO);
    sum += balance.advance.min(Paise::ZERO).negated();
    sum
}

/// What the shop owes one customer on either account.
pub(super) fn will_give(balance: Balance) -> Paise {
    let mut sum = balance.khata.min(Paise::ZERO).negated();
    sum += balance.advance.max(Paise::ZERO);
    sum
}
