//! What someone asks: pure functions over the ledger, with plain answers that hold numbers, days
//! and enums. The words that a person reads are the app's.
//!
//! Names and notes are opened with the key ring of the reader ([`Books`]). What depends on an order
//! (running balances, settling the oldest first) is computed here, over entries sorted by
//! (business date, time, stamp), which are all fixed in the event: so every phone shows the same.
//!
//! | Question | Here |
//! |---|---|
//! | What will the shop get and give? | [`totals()`] |
//! | Who owes? Who is late? Where is Priya? | [`Directory`] |
//! | How does this customer stand, and what kind of payer is it? | [`header()`] |
//! | What is written on this page? | [`entries`], [`entry`], [`Account`] |
//! | What did this customer owe, entry by entry, and what came later? | [`statement()`], [`changes_since`] |
//! | What does each payment settle? | [`settle()`] |
//! | What happened on a day, in a month? | [`report()`], [`month_report`], [`day_reports`], [`day_book`] |
//! | How did it stand on a past day? | [`balance_as_of`], [`balance_as_known`], [`balances_as_of`] |
//! | What of a sale can still come back? | [`left_to_return`] |
//! | "But I paid!" | [`dispute()`] |
//! | What needs a person? | [`tasks`] |
//! | What did a revoked phone write? | [`held()`] |
//! | Which phones are copies that the owner has not confirmed? | [`copies()`] |

mod account;
mod copies;
mod customers;
mod directory;
mod dispute;
mod header;
mod held;
mod name;
mod past;
mod report;
mod returns;
mod review;
mod row;
mod search;
mod settle;
mod statement;
mod totals;

pub use account::{Account, AccountLine, entry_count};
pub use copies::{CopiedDevice, copies};
pub use customers::{CustomerFilter, CustomerList, CustomerRow, CustomerSort, MAX_LIST_ROWS};
pub use directory::{Directory, Person};
pub use dispute::{
    Answer, Candidate, Claim, ClaimKind, Differences, Evidence, MAX_CANDIDATES, NextStep, Verdict,
    dispute,
};
pub use header::{Class, Header, MIN_SETTLED, PROMPT_DAYS, RECENT_SETTLED, header};
pub use held::{Held, HeldItem, MAX_HELD_GROUPS, held};
pub use name::{Name, customer_name, device_name, staff_name};
pub use past::{Known, balance_as_known, balance_as_of, balances_as_of, recorded};
pub use report::{
    ByMode, DayBook, MAX_REPORT_DAYS, Report, day_book, day_reports, month_report, report,
};
pub use returns::left_to_return;
pub use review::{CLOCK_TOLERANCE_MS, Task, tasks};
pub use row::{
    Direction, EntryPage, EntryRow, LinesSummary, MAX_ENTRY_ROWS, MAX_LINE_NAMES, RowKind,
    TakenBack, entries, entry,
};
pub use settle::{Open, Settled, Settlement, settle};
pub use statement::{Change, MAX_STATEMENT_ROWS, Statement, changes_since, cut, statement};
pub use totals::{Totals, totals};

use crate::ids::StaffId;
use crate::ledger::{Ledger, Receipts};
use crate::text::KeyRing;

/// The ledger, and what a reader needs to read it.
#[derive(Debug, Clone, Copy)]
pub struct Books<'a> {
    /// The state.
    pub ledger: &'a Ledger,
    /// The keys that the reader holds.
    pub keys: &'a KeyRing,
    /// When the server took which events.
    pub receipts: &'a Receipts,
    /// The member of staff who reads, to whom their own name need not be told.
    pub reader: Option<StaffId>,
}
