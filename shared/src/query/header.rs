//! The head of a customer's page.

use super::directory::{Directory, Person};
use super::settle::{Settlement, purchase, settle_account};
use super::{Account, Books};
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::{Language, Messages, TenderBy};
use crate::ids::CustomerId;
use crate::ledger::{Customer, What};
use crate::money::Paise;
use crate::text::{Field, Opened};

/// Debts settled within this many days on average make a prompt payer.
pub const PROMPT_DAYS: u32 = 7;

/// Fewer settled debts than this say nothing about a payer yet.
pub const MIN_SETTLED: usize = 3;

/// So many of the latest settled debts are looked at.
pub const RECENT_SETTLED: usize = 20;

/// What kind of payer a customer is, with the reason. The first rule that fits decides, in the
/// order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Owes, and has paid nothing for as many days as the shop allows.
    AtRisk {
        /// Days without any payment.
        days_unpaid: u32,
    },
    /// Has bought, and never on credit.
    PaysAtOnce,
    /// Fewer than [`MIN_SETTLED`] debts have been settled so far.
    New {
        /// How many were.
        settled: usize,
    },
    /// Settles within [`PROMPT_DAYS`].
    Prompt {
        /// Days from credit to settling, the average of the latest [`RECENT_SETTLED`].
        days: u32,
    },
    /// Settles within the days that the shop allows.
    Regular {
        /// Days from credit to settling, the average of the latest [`RECENT_SETTLED`].
        days: u32,
    },
    /// Settles later than that.
    Slow {
        /// Days from credit to settling, the average of the latest [`RECENT_SETTLED`].
        days: u32,
    },
}

/// The head of a customer's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Name, telephone, balance, last payment, since when something is owed.
    pub person: Person,
    /// The address.
    pub address: Option<Opened>,
    /// The shop's note about the customer.
    pub note: Option<Opened>,
    /// The language of messages.
    pub language: Option<Language>,
    /// When a message is offered.
    pub messages: Messages,
    /// Customer since: the day that the page was opened, or of the first entry if that is earlier.
    pub since: Option<BusinessDay>,
    /// Everything ever bought, on credit or paid at once; returns are not taken off.
    pub purchases: Paise,
    /// Everything ever paid: payments, and money at a sale.
    pub payments: Paise,
    /// Everything that came back, however it was refunded.
    pub returns: Paise,
    /// Entries that count.
    pub entries: usize,
    /// Entries that were taken back.
    pub taken_back: usize,
    /// The business date of the last entry that counts.
    pub last_entry: Option<BusinessDay>,
    /// How much may be owed: the customer's own limit, or else the shop's.
    pub limit: Option<Paise>,
    /// Room under the limit; below zero it was passed.
    pub room: Option<Paise>,
    /// The date of the oldest entry that is not settled in full.
    pub oldest_unpaid: Option<BusinessDay>,
    /// Days for which the debt has stood without a payment.
    pub days_unpaid: Option<u32>,
    /// Owes, and has paid nothing for as many days as the shop allows.
    pub late: bool,
    /// What kind of payer.
    pub class: Class,
}

/// The head of a customer's page at a moment, or `None` if nothing at all is known of the customer.
pub fn header(books: Books<'_>, customer: CustomerId, now: TimeMs) -> Option<Header> {
    let (ledger, today) = (books.ledger, now.day());
    let canonical = ledger.canonical(customer);
    let pages = ledger.pages(canonical);
    let page = pages.iter().find_map(|page| ledger.customers.get(page))?;
    let person = Directory::default().person(books, canonical, pages.clone());

    let mut sums = Sums::default();
    let account = Account::of(ledger, canonical);
    for line in account.lines() {
        if line.reversed {
            sums.taken_back += 1;
        } else {
            sums.add(&line.entry.what);
        }
    }
    let settlement = settle_account(ledger, &account);
    let overdue_days = ledger.shop.overdue_days();
    let limit = ledger.credit_limit(canonical);
    let opened = person.pages.iter().filter_map(|page| {
        let added = ledger.customers.get(page)?.added.as_ref()?;
        Some(added.at.day())
    });
    Some(Header {
        address: read(books, page, page.address.value(), Field::Address),
        note: read(books, page, page.note.value(), Field::Note),
        language: page.language.value().copied(),
        messages: page.messages.get().copied().unwrap_or_default(),
        since: opened.chain(sums.first).min(),
        purchases: sums.purchases,
        payments: sums.payments,
        returns: sums.returns,
        entries: sums.entries,
        taken_back: sums.taken_back,
        last_entry: sums.last,
        limit,
        room: limit.map(|limit| room(limit, person.balance.khata)),
        oldest_unpaid: settlement.oldest_unpaid(),
        days_unpaid: person.days_unpaid(today),
        late: person.is_overdue(today, overdue_days),
        class: class(&person, &settlement, sums.purchases, today, overdue_days),
        person,
    })
}

fn room(limit: Paise, khata: Paise) -> Paise {
    let mut room = limit;
    room -= khata;
    room
}

fn read(
    books: Books<'_>,
    page: &Customer,
    text: Option<&crate::text::Text>,
    field: Field,
) -> Option<Opened> {
    let text = text?;
    Some(if page.erased {
        Opened::Erased
    } else {
        books.keys.open(text, field)
    })
}

#[derive(Default)]
struct Sums {
    purchases: Paise,
    payments: Paise,
    returns: Paise,
    entries: usize,
    taken_back: usize,
    first: Option<BusinessDay>,
    last: Option<BusinessDay>,
}

impl Sums {
    /// Adds an entry that counts; they come in the order of their dates.
    fn add(&mut self, what: &What) {
        let on = what.particulars().on;
        self.entries += 1;
        self.first.get_or_insert(on);
        self.last = Some(on);
        self.purchases += purchase(what);
        match what {
            What::Payment(entry) => self.payments += entry.amount,
            What::Return(entry) => self.returns += entry.amount,
            What::Sale(sale) => {
                let money = sale
                    .tenders
                    .iter()
                    .filter(|tender| matches!(tender.by, TenderBy::Money(_)));
                self.payments += money.map(|tender| tender.amount).sum();
            }
            _ => {}
        }
    }
}

fn class(
    person: &Person,
    settlement: &Settlement,
    purchases: Paise,
    today: BusinessDay,
    overdue_days: u16,
) -> Class {
    if let Some(days_unpaid) = person.days_unpaid(today)
        && person.is_overdue(today, overdue_days)
    {
        return Class::AtRisk { days_unpaid };
    }
    let settled = settlement.settled.len();
    if purchases.is_positive() && settled == 0 && settlement.open.is_empty() {
        return Class::PaysAtOnce;
    }
    if settled < MIN_SETTLED {
        return Class::New { settled };
    }
    let recent = &settlement.settled[settled.saturating_sub(RECENT_SETTLED)..];
    let days: i64 = recent
        .iter()
        .map(|debt| i64::from(debt.settled_on.0) - i64::from(debt.on.0))
        .sum();
    let count = recent.len() as i64;
    // Half a day counts as a day.
    let days = u32::try_from((days + count / 2) / count).unwrap_or(0);
    if days <= PROMPT_DAYS {
        Class::Prompt { days }
    } else if days <= u32::from(overdue_days) {
        Class::Regular { days }
    } else {
        Class::Slow { days }
    }
}
