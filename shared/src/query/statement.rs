//! A customer's statement, the cut of the log that it was made from, and what changed since.

use std::collections::BTreeMap;

use super::Books;
use super::account::{Account, AccountLine};
use super::row::EntryRow;
use crate::bytes::Hash;
use crate::calendar::BusinessDay;
use crate::event::CutPoint;
use crate::ids::{CustomerId, DeviceNo, EventId};
use crate::ledger::{Balance, Ledger};

/// The most rows of one page of a statement.
pub const MAX_STATEMENT_ROWS: usize = 1000;

/// A customer's entries between two days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The canonical page.
    pub customer: CustomerId,
    /// The first day.
    pub from: BusinessDay,
    /// The last day, which belongs to the statement.
    pub to: BusinessDay,
    /// What stood before the first day.
    pub opening: Balance,
    /// At most [`MAX_STATEMENT_ROWS`] rows in the order of the khata, with running balances.
    pub rows: Vec<EntryRow>,
    /// How many rows there are in all pages.
    pub total: usize,
    /// What stood after the last day.
    pub closing: Balance,
    /// What of the log it was made from.
    pub cut: Vec<CutPoint>,
}

/// A customer's statement between two days, both included, with `skip` rows left out at the start.
///
/// `heads` are the chain heads of the devices, which the ledger does not know; see [`cut`].
pub fn statement(
    books: Books<'_>,
    customer: CustomerId,
    from: BusinessDay,
    to: BusinessDay,
    heads: &BTreeMap<DeviceNo, Hash>,
    skip: usize,
) -> Statement {
    let account = Account::of(books.ledger, customer);
    let lines = account.between(from, to);
    let rows = lines.iter().skip(skip).take(MAX_STATEMENT_ROWS);
    Statement {
        customer: books.ledger.canonical(customer),
        from,
        to,
        opening: account.as_of(from.plus_days(-1)),
        rows: rows.map(|line| books.account_row(customer, line)).collect(),
        total: lines.len(),
        closing: account.as_of(to),
        cut: cut(books.ledger, heads),
    }
}

/// How far every device's chain was read. A device whose chain head the caller does not know stands
/// there with a hash of zeroes.
pub fn cut(ledger: &Ledger, heads: &BTreeMap<DeviceNo, Hash>) -> Vec<CutPoint> {
    let lanes = ledger.lanes.iter();
    lanes
        .map(|(device, lane)| CutPoint {
            device: device.0,
            seq: lane.last_seq,
            hash: heads.get(device).copied().unwrap_or_default(),
        })
        .collect()
}

/// Something that a statement does not show because it came later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An entry that was not there, which may have been taken back since.
    Added(EntryRow),
    /// An entry that counted and has been taken back since.
    TakenBack(EntryRow),
}

impl Change {
    /// The entry.
    pub const fn row(&self) -> &EntryRow {
        match self {
            Change::Added(row) | Change::TakenBack(row) => row,
        }
    }
}

/// What came to a customer's page after a cut, in the order of the khata.
///
/// Entries of a revoked phone that the owner let in are always listed: the cut may cover them, but
/// whether they counted by then it does not say. Of pages that were merged since, only what came
/// after the cut is listed.
pub fn changes_since(books: Books<'_>, customer: CustomerId, cut: &[CutPoint]) -> Vec<Change> {
    let covered: BTreeMap<u32, u32> = cut.iter().map(|point| (point.device, point.seq)).collect();
    let is_covered = |id: EventId| covered.get(&id.device.0).is_some_and(|&seq| id.seq <= seq);
    let account = Account::of(books.ledger, customer);
    let change = |line: &AccountLine<'_>| {
        let id = line.id();
        if !is_covered(id.0) || books.ledger.released.contains(&id.0) {
            return Some(Change::Added(books.account_row(customer, line)));
        }
        let reversals = books.ledger.reversals.get(&id)?;
        if reversals.keys().copied().any(is_covered) {
            return None;
        }
        Some(Change::TakenBack(books.account_row(customer, line)))
    };
    account.lines().iter().filter_map(change).collect()
}
