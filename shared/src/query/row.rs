//! An entry as a row of a page.

use super::Books;
use super::account::{Account, AccountLine};
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::{Paid, ReasonCode, Refund, Tender, TenderBy};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId, Stamp};
use crate::ledger::{Balance, Entry, Reversal, What};
use crate::money::Paise;
use crate::text::{Field, Opened, Text};

/// The most rows of one page of entries.
pub const MAX_ENTRY_ROWS: usize = 200;

/// The most names of goods in a row.
pub const MAX_LINE_NAMES: usize = 3;

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// Goods given on credit.
    Credit,
    /// A payment.
    Payment,
    /// Goods that came back; the customer owes less.
    KhataReturn,
    /// Goods that came back; money was given for them and the khata stays as it was.
    MoneyReturn,
    /// Money left with the shop.
    Deposit,
    /// Money taken back out of the advance.
    Withdrawal,
    /// An advance that settled a debt.
    AdvanceUse,
    /// A debt that moved to another customer.
    TransferOut,
    /// A debt that came from another customer.
    TransferIn,
    /// An amount that was given up.
    WriteOff,
    /// A sale with a bill, paid in whatever way.
    Sale,
}

/// Which of the two words stands beside the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The shop gave: the customer owes more or has less in advance.
    Gave,
    /// The shop got: the customer owes less or has more in advance.
    Got,
    /// Neither: nothing changed, or nothing changed hands.
    Neither,
}

/// The goods of an entry, in short.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinesSummary {
    /// How many lines there are.
    pub count: usize,
    /// The first [`MAX_LINE_NAMES`] names.
    pub names: Vec<String>,
}

/// How an entry was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The event that took it back, of several the first.
    pub event: EventId,
    /// What that device's clock said.
    pub at: TimeMs,
    /// Who did it, if it was not the reader.
    pub by: Option<StaffId>,
    /// Why.
    pub reason: ReasonCode,
    /// Why, in the person's own words.
    pub note: Option<Opened>,
    /// The entry that replaces it: then it was corrected.
    pub replacement: Option<EntryId>,
    /// How many times it was taken back, by devices that did not know of each other. The effect is
    /// that of one.
    pub times: usize,
}

/// An entry as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// The entry.
    pub id: EntryId,
    /// Whose page it stands on; `None` for a sale to nobody known.
    pub customer: Option<CustomerId>,
    /// The kind.
    pub kind: RowKind,
    /// Gave or got.
    pub direction: Direction,
    /// The business date.
    pub on: BusinessDay,
    /// What the device's clock said.
    pub at: TimeMs,
    /// When the server took it; `None` while it has not.
    pub received: Option<TimeMs>,
    /// It was written down on another day than it is dated.
    pub back_dated: bool,
    /// The amount as written, never below zero.
    pub amount: Paise,
    /// What it did to the customer's accounts: nothing once it was taken back.
    pub change: Balance,
    /// The accounts after it, in a list of all entries of a customer.
    pub running: Option<Balance>,
    /// How money changed hands, part by part; of a sale also what went to the khata or came out of
    /// the advance.
    pub parts: Vec<Tender>,
    /// The number of the bill.
    pub bill: Option<String>,
    /// The goods.
    pub lines: LinesSummary,
    /// The entry that it belongs to: what was returned, or what an advance settled.
    pub of: Option<EntryId>,
    /// The other customer of a transfer.
    pub other: Option<CustomerId>,
    /// When it was promised to be paid.
    pub due: Option<BusinessDay>,
    /// Why an amount was given up.
    pub reason: Option<ReasonCode>,
    /// Who wrote it, if it was not the reader.
    pub by: Option<StaffId>,
    /// The device that wrote it.
    pub device: DeviceNo,
    /// How it was taken back.
    pub taken_back: Option<TakenBack>,
    /// The entry that it replaces.
    pub replaces: Option<EntryId>,
    /// The note.
    pub note: Option<Opened>,
    /// Who saw it.
    pub witness: Option<Opened>,
}

/// One page of a customer's entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryPage {
    /// At most [`MAX_ENTRY_ROWS`] rows, the newest first.
    pub rows: Vec<EntryRow>,
    /// How many entries there are in all pages.
    pub total: usize,
    /// The balance after the newest of all.
    pub closing: Balance,
}

/// A customer's entries with running balances, the newest first, `skip` of them left out.
pub fn entries(books: Books<'_>, customer: CustomerId, skip: usize) -> EntryPage {
    let account = Account::of(books.ledger, customer);
    let newest_first = account.lines().iter().rev();
    let rows = newest_first.skip(skip).take(MAX_ENTRY_ROWS);
    EntryPage {
        rows: rows.map(|line| books.account_row(customer, line)).collect(),
        total: account.lines().len(),
        closing: account.closing(),
    }
}

/// One entry by itself, as it stands on the first page that it names.
pub fn entry(books: Books<'_>, id: EntryId) -> Option<EntryRow> {
    let entry = books.ledger.entries.get(&id)?;
    let [customer, _] = entry.what.customers();
    Some(books.row(customer, id, entry))
}

impl<'a> Books<'a> {
    /// The row of a line of a customer's account.
    pub(super) fn account_row(self, customer: CustomerId, line: &AccountLine<'_>) -> EntryRow {
        EntryRow {
            change: line.change,
            running: Some(line.running),
            ..self.row(Some(customer), line.id(), line.entry)
        }
    }

    /// The row of an entry on the page of `customer`, any page of theirs.
    pub(super) fn row(self, customer: Option<CustomerId>, id: EntryId, entry: &Entry) -> EntryRow {
        let Particulars {
            on,
            note,
            witness,
            replaces,
        } = particulars(&entry.what);
        let received = self.receipts.received(id.0.device, id.0.seq);
        let written = received.map_or(entry.at, |received| received.min(entry.at));
        let taken_back = self.taken_back(id);
        let kind = self.kind(customer, &entry.what);
        let lines = entry.what.lines();
        EntryRow {
            id,
            customer,
            kind,
            direction: direction(kind, &entry.what),
            on,
            at: entry.at,
            received,
            back_dated: written.day() != on,
            amount: entry.what.amount(),
            change: match customer {
                Some(customer) if taken_back.is_none() => self.change(&entry.what, customer),
                _ => Balance::default(),
            },
            running: None,
            parts: parts(&entry.what),
            bill: match &entry.what {
                What::Sale(sale) => Some(sale.bill.clone()),
                _ => None,
            },
            lines: summary(&entry.what, lines.iter().map(|line| line.name.as_str())),
            of: match &entry.what {
                What::Return(entry) => entry.of,
                What::AdvanceUse(entry) => entry.against,
                _ => None,
            },
            other: match &entry.what {
                What::Transfer(transfer) if kind == RowKind::TransferOut => Some(transfer.to),
                What::Transfer(transfer) => Some(transfer.from),
                _ => None,
            },
            due: match &entry.what {
                What::Credit(entry) => entry.due,
                _ => None,
            },
            reason: match &entry.what {
                What::WriteOff(entry) => Some(entry.reason.code),
                _ => None,
            },
            by: self.someone_else(entry.by),
            device: id.0.device,
            taken_back,
            replaces,
            note: note.map(|note| self.keys.open(note, Field::Note)),
            witness: witness.map(|witness| self.keys.open(witness, Field::Name)),
        }
    }

    /// What an entry that counts does to the accounts of a customer, over all merged pages.
    fn change(self, what: &What, customer: CustomerId) -> Balance {
        let canonical = self.ledger.canonical(customer);
        let mut change = Balance::default();
        for effect in what.effects().into_iter().flatten() {
            if self.ledger.canonical(effect.customer) == canonical {
                change += effect.change;
            }
        }
        change
    }

    fn kind(self, customer: Option<CustomerId>, what: &What) -> RowKind {
        match what {
            What::Credit(_) => RowKind::Credit,
            What::Payment(_) => RowKind::Payment,
            What::Return(entry) => match entry.refund {
                Refund::Khata => RowKind::KhataReturn,
                Refund::Money(_) => RowKind::MoneyReturn,
            },
            What::Deposit(_) => RowKind::Deposit,
            What::Withdrawal(_) => RowKind::Withdrawal,
            What::AdvanceUse(_) => RowKind::AdvanceUse,
            What::Transfer(entry) => {
                let page = customer.map(|page| self.ledger.canonical(page));
                if page == Some(self.ledger.canonical(entry.from)) {
                    RowKind::TransferOut
                } else {
                    RowKind::TransferIn
                }
            }
            What::WriteOff(_) => RowKind::WriteOff,
            What::Sale(_) => RowKind::Sale,
        }
    }

    /// Who did it, if it was someone known and not the reader.
    pub(super) fn someone_else(self, by: Option<StaffId>) -> Option<StaffId> {
        by.filter(|by| self.reader != Some(*by))
    }

    /// How an entry was taken back: the reversal with the least stamp.
    pub(super) fn taken_back(self, id: EntryId) -> Option<TakenBack> {
        let reversals = self.ledger.reversals.get(&id)?;
        let (&event, reversal) = first_reversal(reversals.iter())?;
        let note = reversal.reason.note.as_deref();
        Some(TakenBack {
            event,
            at: reversal.at,
            by: self.someone_else(reversal.by),
            reason: reversal.reason.code,
            note: note.map(|note| self.keys.open(note, Field::Note)),
            replacement: reversal
                .replacement
                .map(|entry| self.ledger.original(entry)),
            times: reversals.len(),
        })
    }
}

fn first_reversal<'r>(
    reversals: impl Iterator<Item = (&'r EventId, &'r Reversal)>,
) -> Option<(&'r EventId, &'r Reversal)> {
    reversals.min_by_key(|(id, reversal)| Stamp {
        clock: reversal.clock,
        id: **id,
    })
}

struct Particulars<'e> {
    on: BusinessDay,
    note: Option<&'e Text>,
    witness: Option<&'e Text>,
    replaces: Option<EntryId>,
}

fn particulars(what: &What) -> Particulars<'_> {
    let particulars = what.particulars();
    Particulars {
        on: particulars.on,
        note: particulars.note.as_deref(),
        witness: particulars.witness.as_deref(),
        replaces: particulars.replaces,
    }
}

fn direction(kind: RowKind, what: &What) -> Direction {
    match kind {
        RowKind::Credit | RowKind::Withdrawal | RowKind::TransferIn => Direction::Gave,
        RowKind::Payment | RowKind::KhataReturn | RowKind::Deposit | RowKind::TransferOut => {
            Direction::Got
        }
        RowKind::Sale if on_credit(what).is_positive() => Direction::Gave,
        RowKind::Sale | RowKind::MoneyReturn | RowKind::AdvanceUse | RowKind::WriteOff => {
            Direction::Neither
        }
    }
}

/// The part of an entry that was sold on credit.
pub(super) fn on_credit(what: &What) -> Paise {
    match what {
        What::Credit(entry) => entry.amount,
        What::Sale(sale) => {
            let tenders = sale.tenders.iter();
            let khata = tenders.filter(|tender| tender.by == TenderBy::Khata);
            khata.map(|tender| tender.amount).sum()
        }
        _ => Paise::ZERO,
    }
}

/// How money changed hands, part by part.
fn parts(what: &What) -> Vec<Tender> {
    let whole = |amount, paid: &Paid| {
        vec![Tender {
            amount,
            by: TenderBy::Money(paid.clone()),
        }]
    };
    match what {
        What::Payment(entry) => whole(entry.amount, &entry.paid),
        What::Deposit(entry) => whole(entry.amount, &entry.paid),
        What::Withdrawal(entry) => whole(entry.amount, &entry.paid),
        What::Return(entry) => match &entry.refund {
            Refund::Money(paid) => whole(entry.amount, paid),
            Refund::Khata => Vec::new(),
        },
        What::Sale(entry) => entry.tenders.clone(),
        What::Credit(_) | What::AdvanceUse(_) | What::Transfer(_) | What::WriteOff(_) => Vec::new(),
    }
}

fn summary<'e>(what: &'e What, sold: impl Iterator<Item = &'e str>) -> LinesSummary {
    let names: Vec<&str> = match what {
        What::Return(entry) => {
            let lines = entry.lines.as_deref().unwrap_or_default().iter();
            lines.map(|line| line.line.name.as_str()).collect()
        }
        _ => sold.collect(),
    };
    LinesSummary {
        count: names.len(),
        names: names
            .into_iter()
            .take(MAX_LINE_NAMES)
            .map(str::to_owned)
            .collect(),
    }
}
