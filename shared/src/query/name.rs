//! What people and devices are called, as far as the reader may know.

use super::Books;
use crate::ids::{CustomerId, DeviceNo, StaffId};
use crate::ledger::Register;
use crate::text::{Field, Opened, Text};

/// A name, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// The name.
    Words(String),
    /// This person asked to be forgotten.
    Erased,
    /// The key has not come yet, is not for this role, or does not fit.
    NoKey,
    /// The event that says the name has not come yet.
    Waiting,
}

impl Name {
    /// The name, if it can be read.
    pub fn words(&self) -> Option<&str> {
        match self {
            Name::Words(words) => Some(words),
            Name::Erased | Name::NoKey | Name::Waiting => None,
        }
    }
}

impl From<Opened> for Name {
    fn from(opened: Opened) -> Name {
        match opened {
            Opened::Words(words) => Name::Words(words),
            Opened::Erased => Name::Erased,
            Opened::NoKey | Opened::Damaged => Name::NoKey,
        }
    }
}

impl Books<'_> {
    pub(super) fn open(&self, text: &Register<Text>, field: Field) -> Name {
        match text.get() {
            Some(text) => self.keys.open(text, field).into(),
            None => Name::Waiting,
        }
    }

    /// The name on one page of the khata.
    pub(super) fn page_name(&self, page: CustomerId) -> Name {
        match self.ledger.customers.get(&page) {
            Some(customer) if customer.erased => Name::Erased,
            Some(customer) => self.open(&customer.name, Field::Name),
            None => Name::Waiting,
        }
    }
}

/// The name of a customer: of merged pages the first that can be read.
pub fn customer_name(books: Books<'_>, customer: CustomerId) -> Name {
    let pages = books.ledger.pages(customer);
    best(pages.into_iter().map(|page| books.page_name(page)))
}

/// The first name that can be read, or else the first thing that is known at all.
pub(super) fn best(names: impl Iterator<Item = Name>) -> Name {
    let mut found = Name::Waiting;
    for name in names {
        match (&found, name) {
            (_, Name::Words(words)) => return Name::Words(words),
            (Name::Waiting, name) => found = name,
            _ => {}
        }
    }
    found
}

/// The name of a member of the staff.
pub fn staff_name(books: Books<'_>, staff: StaffId) -> Name {
    match books.ledger.staff.get(&staff) {
        Some(member) => books.open(&member.name, Field::Name),
        None => Name::Waiting,
    }
}

/// What people call a device.
pub fn device_name(books: Books<'_>, device: DeviceNo) -> Name {
    match books.ledger.devices.get(&device) {
        Some(device) => books.open(&device.name, Field::Device),
        None => Name::Waiting,
    }
}
