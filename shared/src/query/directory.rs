//! Every customer at a glance, kept up to date.

use std::collections::{BTreeMap, BTreeSet};

use super::Books;
use super::name::{Name, best};
use super::search::{digits, folded};
use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::{CustomerId, EntryId, Stamp};
use crate::ledger::{Balance, Customer, Ledger};
use crate::text::Field;

/// Every customer once, merged pages together, with what lists and searches need.
///
/// [`Directory::update`] reads the pages on which something has happened since, and opens the names
/// that it could not open before. Books that were built anew need a new directory.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    pub(super) people: BTreeMap<CustomerId, Person>,
    pub(super) overdue_days: u16,
    contacts: BTreeMap<CustomerId, Contact>,
}

/// A customer as the lists show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The canonical page.
    pub id: CustomerId,
    /// All pages, the canonical one first.
    pub pages: Vec<CustomerId>,
    /// The name.
    pub name: Name,
    /// The telephone number, where it can be read.
    pub phone: Option<String>,
    /// The name as it is searched.
    pub(super) folded: String,
    /// The digits of the telephone number.
    pub(super) digits: String,
    /// All pages were put away.
    pub archived: bool,
    /// What stands on the two accounts.
    pub balance: Balance,
    /// When the page was opened or last written on, whichever is later, by the devices' clocks.
    pub last_activity: Option<TimeMs>,
    /// The business date of the last payment, the use of an advance included.
    pub last_payment: Option<BusinessDay>,
    /// The day from whose end on the customer has owed something without a break.
    pub owes_since: Option<BusinessDay>,
    /// How the pages stood when they were read.
    state: Vec<PageState>,
}

/// What changes whenever something happens on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PageState {
    entries: usize,
    taken_back: u32,
    last: Option<EntryId>,
    balance: Balance,
    stamps: [Option<Stamp>; 3],
    added: bool,
    erased: bool,
}

impl PageState {
    fn of_all(ledger: &Ledger, pages: &[CustomerId]) -> Vec<PageState> {
        let pages = pages.iter().filter_map(|page| ledger.customers.get(page));
        pages.map(PageState::of).collect()
    }

    fn of(page: &Customer) -> PageState {
        PageState {
            entries: page.entries.len(),
            taken_back: page.taken_back,
            last: page.entries.last_key_value().map(|(id, _)| *id),
            balance: page.balance,
            stamps: [page.name.stamp(), page.phone.stamp(), page.archived.stamp()],
            added: page.added.is_some(),
            erased: page.erased,
        }
    }
}

impl Person {
    /// A key may have come since for a name that could not be read.
    fn is_out_of_date(&self, pages: &[CustomerId], state: &[PageState]) -> bool {
        self.name == Name::NoKey || self.pages != pages || self.state != state
    }

    /// Days since the last payment.
    pub fn days_since_payment(&self, today: BusinessDay) -> Option<u32> {
        self.last_payment.map(|day| days_between(day, today))
    }

    /// Days for which a debt has stood without any payment: since the last payment, or since the
    /// debt began if that was later. `None` for someone who owes nothing.
    pub fn days_unpaid(&self, today: BusinessDay) -> Option<u32> {
        let since = self
            .owes_since?
            .max(self.last_payment.unwrap_or(BusinessDay(i32::MIN)));
        Some(days_between(since, today))
    }

    /// Owes something, and has paid nothing for at least this many days.
    pub fn is_overdue(&self, today: BusinessDay, overdue_days: u16) -> bool {
        self.days_unpaid(today)
            .is_some_and(|days| days >= u32::from(overdue_days))
    }
}

fn days_between(from: BusinessDay, to: BusinessDay) -> u32 {
    u32::try_from(to.0.saturating_sub(from.0)).unwrap_or(0)
}

/// The opened texts of one page.
#[derive(Debug, Clone)]
struct Contact {
    stamps: [Option<Stamp>; 2],
    name: Name,
    phone: Option<String>,
}

impl Directory {
    /// The directory of a ledger.
    pub fn new(books: Books<'_>) -> Directory {
        let mut directory = Directory::default();
        directory.update(books);
        directory
    }

    /// Reads what has changed.
    pub fn update(&mut self, books: Books<'_>) {
        let ledger = books.ledger;
        self.overdue_days = ledger.shop.overdue_days();
        let canonical = |page: &CustomerId| ledger.canonical(*page);
        let mut groups: BTreeMap<CustomerId, BTreeSet<CustomerId>> = BTreeMap::new();
        for page in ledger.customers.keys() {
            // The canonical page is the least of its group, even where it has not come yet.
            let id = canonical(page);
            groups.entry(id).or_default().extend([id, *page]);
        }
        for page in ledger.merged.keys() {
            if let Some(group) = groups.get_mut(&canonical(page)) {
                group.insert(*page);
            }
        }
        self.people.retain(|id, _| groups.contains_key(id));
        for (id, pages) in groups {
            let pages: Vec<CustomerId> = pages.into_iter().collect();
            let state = PageState::of_all(ledger, &pages);
            let known = self.people.get(&id);
            if known.is_none_or(|person| person.is_out_of_date(&pages, &state)) {
                let person = self.person(books, id, pages);
                self.people.insert(id, person);
            }
        }
    }

    /// One customer.
    pub fn get(&self, customer: CustomerId) -> Option<&Person> {
        self.people.get(&customer)
    }

    /// Every customer, by id.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// Reads a customer.
    pub(super) fn person(
        &mut self,
        books: Books<'_>,
        id: CustomerId,
        pages: Vec<CustomerId>,
    ) -> Person {
        let mut balance = Balance::default();
        let mut last_activity = None;
        let mut archived = true;
        for page in &pages {
            self.read_contact(books, *page);
            if let Some(page) = books.ledger.customers.get(page) {
                balance += page.balance;
                archived &= page.archived.get() == Some(&true);
                let opened = page.added.as_ref().map(|added| added.at);
                last_activity = last_activity.max(opened).max(page.last_written);
            }
        }
        let mut earlier = books.ledger.earlier(&pages);
        let contacts = || pages.iter().filter_map(|page| self.contacts.get(page));
        let name = best(contacts().map(|contact| contact.name.clone()));
        let phone = contacts().find_map(|contact| contact.phone.clone());
        Person {
            id,
            folded: name.words().map(folded).unwrap_or_default(),
            digits: phone.as_deref().map(digits).unwrap_or_default(),
            name,
            phone,
            archived,
            balance,
            last_activity,
            last_payment: earlier.last_payment,
            owes_since: earlier.owes_since(balance.khata),
            state: PageState::of_all(books.ledger, &pages),
            pages,
        }
    }

    /// Opens the texts of a page, unless they were opened before and have not changed since.
    fn read_contact(&mut self, books: Books<'_>, page: CustomerId) {
        let Some(customer) = books.ledger.customers.get(&page) else {
            return;
        };
        let stamps = [customer.name.stamp(), customer.phone.stamp()];
        let kept = self.contacts.get(&page).is_some_and(|contact| {
            contact.stamps == stamps && contact.name.words().is_some() && !customer.erased
        });
        if !kept {
            let phone = match customer.phone.value() {
                Some(phone) if !customer.erased => books.keys.words(phone, Field::Phone),
                _ => None,
            };
            let contact = Contact {
                stamps,
                name: books.page_name(page),
                phone,
            };
            self.contacts.insert(page, contact);
        }
    }
}
