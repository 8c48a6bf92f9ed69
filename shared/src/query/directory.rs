//! Every customer at a glance, made in one pass and kept up to date.

use std::collections::BTreeMap;

use super::account::Finder;
use super::name::{Name, best};
use super::search::{digits, folded};
use super::{Books, account};
use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::{CustomerId, Stamp};
use crate::ledger::{Balance, Entry, What};
use crate::money::Paise;
use crate::text::Field;

/// Every customer once, merged pages together, with what lists and searches need.
///
/// [`Directory::update`] reads everything in one pass and opens only names that it has not opened
/// before; [`Directory::update_customer`] reads one customer again, after an entry of theirs.
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
}

impl Person {
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

/// What is gathered of a customer's entries.
#[derive(Debug, Default)]
struct Gathered {
    last_activity: Option<TimeMs>,
    last_payment: Option<BusinessDay>,
    khata: Vec<(BusinessDay, Paise)>,
}

impl Gathered {
    fn add(&mut self, entry: &Entry, page: CustomerId, reversed: bool) {
        self.last_activity = self.last_activity.max(Some(entry.at));
        if reversed {
            return;
        }
        let on = entry.what.particulars().on;
        if let What::Payment(_) | What::AdvanceUse(_) = entry.what {
            self.last_payment = self.last_payment.max(Some(on));
        }
        let khata = account::change(entry, page, reversed).khata;
        if khata != Paise::ZERO {
            self.khata.push((on, khata));
        }
    }

    /// Walks back from today's khata to the day before which nothing was owed.
    fn owes_since(mut self, khata: Paise) -> Option<BusinessDay> {
        if !khata.is_positive() {
            return None;
        }
        self.khata.sort_unstable_by_key(|(day, _)| *day);
        let mut before = khata;
        let mut since = None;
        for day in self.khata.chunk_by(|one, other| one.0 == other.0).rev() {
            for (on, change) in day {
                since = Some(*on);
                before -= *change;
            }
            if !before.is_positive() {
                break;
            }
        }
        since
    }
}

impl Directory {
    /// The directory of a ledger.
    pub fn new(books: Books<'_>) -> Directory {
        let mut directory = Directory::default();
        directory.update(books);
        directory
    }

    /// Reads everything again, in one pass. Names that were opened before are not opened again.
    pub fn update(&mut self, books: Books<'_>) {
        let ledger = books.ledger;
        self.overdue_days = ledger.shop.overdue_days();
        let mut of_page: BTreeMap<CustomerId, usize> = BTreeMap::new();
        let mut groups: BTreeMap<CustomerId, Vec<CustomerId>> = BTreeMap::new();
        for &page in ledger.customers.keys() {
            // Ids ascend, and the canonical page is the least of its group: it comes first.
            groups.entry(ledger.canonical(page)).or_default().push(page);
        }
        for (index, pages) in groups.values().enumerate() {
            of_page.extend(pages.iter().map(|&page| (page, index)));
        }
        let mut gathered: Vec<Gathered> = Vec::new();
        gathered.resize_with(groups.len(), Gathered::default);
        if let Some((&first, _)) = ledger.entries.first_key_value() {
            let mut reversals = Finder::new(&ledger.reversals, first, ledger.entries.len());
            for (&id, entry) in &ledger.entries {
                let reversed = reversals.find(id).is_some();
                for page in entry.what.customers().into_iter().flatten() {
                    if let Some(&index) = of_page.get(&page) {
                        gathered[index].add(entry, page, reversed);
                    }
                }
            }
        }
        self.people.clear();
        for ((id, pages), gathered) in groups.into_iter().zip(gathered) {
            let person = self.person(books, id, pages, gathered);
            self.people.insert(id, person);
        }
    }

    /// Reads one customer again, after an entry on their page or a change of their name. After a
    /// merge everything is read again with [`Directory::update`].
    pub fn update_customer(&mut self, books: Books<'_>, customer: CustomerId) {
        let id = books.ledger.canonical(customer);
        let pages = books.ledger.pages(customer);
        let mut gathered = Gathered::default();
        for &page in &pages {
            account::for_each_entry(books.ledger, page, |_, entry, reversed| {
                gathered.add(entry, page, reversed);
            });
        }
        let person = self.person(books, id, pages, gathered);
        self.people.insert(id, person);
    }

    /// One customer.
    pub fn get(&self, customer: CustomerId) -> Option<&Person> {
        self.people.get(&customer)
    }

    /// Every customer, by id.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    fn person(
        &mut self,
        books: Books<'_>,
        id: CustomerId,
        pages: Vec<CustomerId>,
        mut gathered: Gathered,
    ) -> Person {
        let mut balance = Balance::default();
        let mut archived = true;
        for page in pages
            .iter()
            .filter_map(|page| books.ledger.customers.get(page))
        {
            balance += page.balance;
            archived &= page.archived.get() == Some(&true);
            let added = page.added.as_ref().map(|added| added.at);
            gathered.last_activity = gathered.last_activity.max(added);
        }
        let contacts: Vec<&Contact> = {
            for &page in &pages {
                self.read_contact(books, page);
            }
            pages
                .iter()
                .filter_map(|page| self.contacts.get(page))
                .collect()
        };
        let name = best(contacts.iter().map(|contact| contact.name.clone()));
        let phone = contacts.iter().find_map(|contact| contact.phone.clone());
        Person {
            id,
            folded: name.words().map(folded).unwrap_or_default(),
            digits: phone.as_deref().map(digits).unwrap_or_default(),
            name,
            phone,
            archived,
            balance,
            last_activity: gathered.last_activity,
            last_payment: gathered.last_payment,
            owes_since: gathered.owes_since(balance.khata),
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
