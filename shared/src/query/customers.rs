//! The list of customers: filters, search, order, pages.

use core::cmp::Reverse;

use super::directory::{Directory, Person};
use super::name::Name;
use super::search::Search;
use super::totals::{will_get, will_give};
use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::CustomerId;
use crate::money::Paise;

/// The most rows of one page of the list.
pub const MAX_LIST_ROWS: usize = 200;

/// Which customers. Someone who was put away and still owes or is owed something shows among
/// [`Due`](CustomerFilter::Due), [`Advance`](CustomerFilter::Advance) and
/// [`Overdue`](CustomerFilter::Overdue): money is never hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CustomerFilter {
    /// Everyone who was not put away.
    #[default]
    All,
    /// Those who owe something on either account.
    Due,
    /// Those to whom the shop owes something, their advances included.
    Advance,
    /// Those who owe and have paid nothing for as many days as the shop allows.
    Overdue,
    /// Those who were put away.
    Archived,
}

impl CustomerFilter {
    fn shows(self, person: &Person, today: BusinessDay, overdue_days: u16) -> bool {
        match self {
            CustomerFilter::All => !person.archived,
            CustomerFilter::Due => will_get(person.balance).is_positive(),
            CustomerFilter::Advance => will_give(person.balance).is_positive(),
            CustomerFilter::Overdue => person.is_overdue(today, overdue_days),
            CustomerFilter::Archived => person.archived,
        }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CustomerSort {
    /// Who was written down last comes first.
    #[default]
    LastActivity,
    /// Who owes most comes first, whom the shop owes most last.
    Amount,
    /// By name, those without one last.
    Name,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// The canonical page.
    pub id: CustomerId,
    /// The name.
    pub name: Name,
    /// What the customer owes; below zero the shop owes.
    pub khata: Paise,
    /// What the customer has left with the shop.
    pub advance: Paise,
    /// When something was last written here.
    pub last_activity: Option<TimeMs>,
    /// Days since the last payment.
    pub days_since_payment: Option<u32>,
    /// Days for which the debt has stood without a payment; `None` where nothing is owed.
    pub days_unpaid: Option<u32>,
    /// Owes, and has paid nothing for as many days as the shop allows.
    pub late: bool,
    /// Was put away.
    pub archived: bool,
}

/// One page of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomerList {
    /// At most [`MAX_LIST_ROWS`] rows.
    pub rows: Vec<CustomerRow>,
    /// How many customers there are in all pages.
    pub total: usize,
}

impl Directory {
    /// The customers that a filter and a search leave, `skip` of them left out at the start.
    ///
    /// An empty search leaves all. Otherwise one of these must fit: every typed word stands in the
    /// name, the typed digits in the telephone number, or the amount on the khata or the advance.
    pub fn list(
        &self,
        filter: CustomerFilter,
        search: &str,
        sort: CustomerSort,
        today: BusinessDay,
        skip: usize,
    ) -> CustomerList {
        let find = (!search.trim().is_empty()).then(|| Search::new(search));
        let fits = |person: &&Person| {
            filter.shows(person, today, self.overdue_days)
                && find.as_ref().is_none_or(|find| {
                    find.finds_name(&person.folded)
                        || find.finds_phone(&person.digits)
                        || find.finds_amount(person.balance.khata)
                        || find.finds_amount(person.balance.advance)
                })
        };
        let mut people: Vec<&Person> = self.people.values().filter(fits).collect();
        match sort {
            CustomerSort::LastActivity => {
                people.sort_by_key(|person| (Reverse(person.last_activity), person.id));
            }
            CustomerSort::Amount => people.sort_by_key(|person| {
                let mut owed = will_get(person.balance);
                owed -= will_give(person.balance);
                (Reverse(owed), person.id)
            }),
            CustomerSort::Name => people.sort_by(|one, other| {
                let key = |person: &Person| (person.folded.is_empty(), person.id);
                let (one_key, other_key) = (key(one), key(other));
                (one_key.0, &one.folded, one_key.1).cmp(&(other_key.0, &other.folded, other_key.1))
            }),
        }
        let rows = people.iter().skip(skip).take(MAX_LIST_ROWS);
        CustomerList {
            rows: rows.map(|person| self.row(person, today)).collect(),
            total: people.len(),
        }
    }

    fn row(&self, person: &Person, today: BusinessDay) -> CustomerRow {
        CustomerRow {
            id: person.id,
            name: person.name.clone(),
            khata: person.balance.khata,
            advance: person.balance.advance,
            last_activity: person.last_activity,
            days_since_payment: person.days_since_payment(today),
            days_unpaid: person.days_unpaid(today),
            late: person.is_overdue(today, self.overdue_days),
            archived: person.archived,
        }
    }
}
