//! "But I paid!": what the books say about a claim, and what to do next.

use super::Books;
use super::past::recorded;
use super::report;
use super::row::EntryRow;
use super::settle::standing;
use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::{CustomerId, EntryId};
use crate::ledger::{Entry, What};
use crate::money::Paise;

/// The most candidates that are shown beside the matches.
pub const MAX_CANDIDATES: usize = 5;

/// What is claimed to have happened. One kind never proves another: a sale is no payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// Goods were bought, on credit or not.
    Purchase,
    /// The khata was paid.
    Payment,
    /// Goods were brought back.
    Return,
    /// Money was left as an advance.
    Deposit,
    /// An advance was taken back out.
    Withdrawal,
    /// A debt was settled out of an advance.
    AdvanceUse,
    /// A debt moved to or from another customer.
    Transfer,
    /// An amount was given up.
    WriteOff,
}

impl ClaimKind {
    /// The kind of an entry.
    pub const fn of(what: &What) -> ClaimKind {
        match what {
            What::Credit(_) | What::Sale(_) => ClaimKind::Purchase,
            What::Payment(_) => ClaimKind::Payment,
            What::Return(_) => ClaimKind::Return,
            What::Deposit(_) => ClaimKind::Deposit,
            What::Withdrawal(_) => ClaimKind::Withdrawal,
            What::AdvanceUse(_) => ClaimKind::AdvanceUse,
            What::Transfer(_) => ClaimKind::Transfer,
            What::WriteOff(_) => ClaimKind::WriteOff,
        }
    }
}

/// What someone says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// With whom.
    pub customer: CustomerId,
    /// What.
    pub kind: ClaimKind,
    /// How much.
    pub amount: Paise,
    /// The first day on which it may have been.
    pub from: BusinessDay,
    /// The last day on which it may have been, included.
    pub to: BusinessDay,
}

/// What the books say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// At least one entry that counts says the same.
    Proved,
    /// No entry that counts does.
    NotFound,
}

/// An entry with all that speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The entry: its id is its place in the chain of its device; who wrote it, who saw it, whether
    /// it was taken back.
    pub row: EntryRow,
    /// When it was recorded: the device's clock, held between what the device wrote before and the
    /// server's clock.
    pub recorded: TimeMs,
    /// How many later events of its device are chained to it, so that it cannot be changed without
    /// changing them.
    pub chained_after: u32,
}

/// In what an entry differs from a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differences {
    /// It is of this other kind, and so proves nothing.
    pub kind: Option<ClaimKind>,
    /// Its amount less the claimed one.
    pub amount: Paise,
    /// By how many days it lies before (below zero) or after the claimed days.
    pub days: i32,
    /// It stands on the page of this other customer.
    pub page: Option<CustomerId>,
}

/// An entry that is near the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The entry.
    pub evidence: Evidence,
    /// In what it differs.
    pub differs: Differences,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Show this entry.
    Show(EntryId),
    /// The entry was corrected: show both.
    ShowCorrection {
        /// What was claimed and corrected.
        entry: EntryId,
        /// What counts instead.
        replacement: EntryId,
    },
    /// The entry was taken back: tell who did it and why.
    TellWhyTakenBack(EntryId),
    /// It stands on another customer's page: ask whether it belongs here.
    AskAboutPage(CustomerId, EntryId),
    /// It stands here on another day: ask about the date.
    AskAboutDay(EntryId),
    /// An entry of those days has another amount: ask about the amount.
    AskAboutAmount(EntryId),
    /// That amount stands here as something else: tell what it was.
    TellKind(EntryId),
    /// Entries are in the log that are not counted: it may be among them.
    CountFirst {
        /// How many.
        uncounted: u64,
    },
    /// Nothing is near: ask for a receipt, a UPI reference or a witness.
    AskForProof,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the books say.
    pub verdict: Verdict,
    /// Every entry of this customer, kind, amount and time, the oldest first; those that were taken
    /// back prove nothing.
    pub matches: Vec<Evidence>,
    /// At most [`MAX_CANDIDATES`] others, the nearest first.
    pub candidates: Vec<Candidate>,
    /// What to do next.
    pub next: NextStep,
}

/// What the books say about a claim.
pub fn dispute(books: Books<'_>, claim: &Claim) -> Answer {
    let page = books.ledger.canonical(claim.customer);
    let mut matches: Vec<Found<'_>> = Vec::new();
    let mut near: Vec<Found<'_>> = Vec::new();
    report::for_each_entry(books.ledger, |id, entry, reversed| {
        let stands_on = entry.what.customers().into_iter().flatten();
        let mut pages = stands_on.map(|page| books.ledger.canonical(page));
        let differs = match pages.clone().find(|&on| on == page) {
            Some(_) => Differences::between(claim, entry, None),
            None => match pages.next() {
                Some(other) => Differences::between(claim, entry, Some(other)),
                None => return,
            },
        };
        let found = Found {
            id,
            entry,
            reversed,
            differs,
        };
        if differs.weight() == 0 {
            matches.push(found);
        } else if differs.weight() <= MAX_WEIGHT {
            keep_nearest(&mut near, found);
        }
    });
    matches.sort_by_key(|found| {
        let (on, at) = (found.entry.what.particulars().on, found.entry.at);
        (on, at, found.entry.stamp(found.id))
    });
    let counts = matches.iter().find(|found| !found.reversed);
    let next = match (counts, matches.first()) {
        (Some(found), _) => NextStep::Show(found.id),
        (None, Some(found)) => after_taken_back(books, found.id),
        (None, None) => after_nothing(books, near.iter().find(|found| !found.reversed)),
    };
    let candidates = near.iter().map(|found| Candidate {
        evidence: books.evidence(found.differs.page.unwrap_or(page), found),
        differs: found.differs,
    });
    Answer {
        verdict: match counts {
            Some(_) => Verdict::Proved,
            None => Verdict::NotFound,
        },
        next,
        candidates: candidates.collect(),
        matches: matches
            .iter()
            .map(|found| books.evidence(page, found))
            .collect(),
    }
}

/// An entry that fits or is near.
struct Found<'l> {
    id: EntryId,
    entry: &'l Entry,
    reversed: bool,
    differs: Differences,
}

/// Another amount or another day may be a slip of memory; another kind or page is further off. What
/// differs in more than this much is not near.
const MAX_WEIGHT: u8 = 5;

impl Differences {
    fn between(claim: &Claim, entry: &Entry, page: Option<CustomerId>) -> Differences {
        let kind = ClaimKind::of(&entry.what);
        let on = entry.what.particulars().on;
        let mut amount = entry.what.amount();
        amount -= claim.amount;
        let days = if on < claim.from {
            on.0.saturating_sub(claim.from.0)
        } else {
            on.0.saturating_sub(claim.to.0).max(0)
        };
        Differences {
            kind: (kind != claim.kind).then_some(kind),
            amount,
            days,
            page,
        }
    }

    /// How far off, from 0 for an entry that says what was claimed.
    const fn weight(&self) -> u8 {
        let slips = (self.amount.0 != 0) as u8 + (self.days != 0) as u8;
        let errors = self.kind.is_some() as u8 + self.page.is_some() as u8;
        // Something else on another page would prove nothing to anybody.
        if self.page.is_some() && slips + errors > 1 {
            return u8::MAX;
        }
        slips * 2 + errors * 3
    }
}

impl Found<'_> {
    /// The nearest comes first; of equals that which counts, then by days, then by amount.
    fn rank(&self) -> (u8, bool, u32, Paise, EntryId) {
        let (days, amount) = (self.differs.days.unsigned_abs(), self.differs.amount);
        let weight = self.differs.weight();
        (weight, self.reversed, days, amount.magnitude(), self.id)
    }
}

/// Keeps the nearest [`MAX_CANDIDATES`], in order.
fn keep_nearest<'l>(near: &mut Vec<Found<'l>>, found: Found<'l>) {
    let place = near.partition_point(|other| other.rank() < found.rank());
    if place < MAX_CANDIDATES {
        near.truncate(MAX_CANDIDATES - 1);
        near.insert(place, found);
    }
}

fn after_taken_back(books: Books<'_>, entry: EntryId) -> NextStep {
    match standing(books.ledger, entry) {
        same if same == entry => NextStep::TellWhyTakenBack(entry),
        replacement => NextStep::ShowCorrection { entry, replacement },
    }
}

fn after_nothing(books: Books<'_>, nearest: Option<&Found<'_>>) -> NextStep {
    let uncounted = books.ledger.uncounted();
    match nearest {
        Some(Found { id, differs, .. }) if differs.weight() <= 3 => match differs {
            Differences { kind: Some(_), .. } => NextStep::TellKind(*id),
            Differences {
                page: Some(page), ..
            } => NextStep::AskAboutPage(*page, *id),
            Differences { days: 0, .. } => NextStep::AskAboutAmount(*id),
            _ => NextStep::AskAboutDay(*id),
        },
        _ if uncounted > 0 => NextStep::CountFirst { uncounted },
        _ => NextStep::AskForProof,
    }
}

impl Books<'_> {
    fn evidence(self, page: CustomerId, found: &Found<'_>) -> Evidence {
        let id = found.id.0;
        let lane = self.ledger.lanes.get(&id.device);
        Evidence {
            row: self.row(Some(page), found.id, found.entry),
            recorded: recorded(self.ledger, self.receipts, found.id).unwrap_or(found.entry.at),
            chained_after: lane.map_or(0, |lane| lane.last_seq.saturating_sub(id.seq)),
        }
    }
}
