//! The customers, each with a page in the khata.

use super::fields::{checked_phone, required};
use super::lines::not_negative;
use super::rejection::rejections;
use super::shop::set;
use super::{Desk, Question, Rejection, ShopRejection, TextField};
use crate::bytes::KeyId;
use crate::calendar::BusinessDay;
use crate::event::{
    CustomerAdded, CustomerArchived, CustomerErased, CustomerUpdated, CustomersMerged, Language,
    Messages, Patch, Role,
};
use crate::ids::CustomerId;
use crate::ledger::{Balance, Customer, What};
use crate::money::Paise;
use crate::text::Field;

/// An invoice of this amount or more names its buyer, so the buyer's data must be kept with it
/// (GST rule 46).
pub const NAMED_INVOICE_PAISE: Paise = Paise(50_000_00);

/// Books are kept for 72 months from the due date of the annual return, which is 31 December after
/// the end of the financial year (CGST Act, section 36): until 31 December of the year this many
/// years after the one in which the financial year began.
const KEPT_UNTIL_YEARS: i32 = 7;

rejections! {
    /// What cannot be done with a customer.
    pub enum CustomerRejection {
        /// There is no such customer, or the page has not come to this device yet.
        #[error("there is no customer {customer}")]
        "unknown_customer" Unknown {
            /// Who.
            customer: CustomerId,
        },
        /// The page was put away.
        #[error("customer {customer} was put away")]
        "customer_archived" Archived {
            /// Who.
            customer: CustomerId,
        },
        /// The customer asked to be forgotten.
        #[error("customer {customer} was erased")]
        "customer_erased" Erased {
            /// Who.
            customer: CustomerId,
        },
        /// Something is still owed, either way.
        #[error("{khata} are owed and {advance} are in advance")]
        "customer_not_settled" NotSettled {
            /// What the customer owes; below zero the shop owes.
            khata: Paise,
            /// What the customer has left with the shop.
            advance: Paise,
        },
        /// The law asks to keep the customer's data with an invoice.
        #[error("an invoice must be kept until {until}")]
        "customer_must_be_kept" MustBeKept {
            /// The last day.
            until: BusinessDay,
        },
        /// Both pages are one customer's already.
        #[error("both pages are one customer's already")]
        "same_customer" Same {
            /// Who.
            customer: CustomerId,
        },
    }
}

/// Open a page for a customer, with a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddCustomer {
    /// The name.
    pub name: String,
    /// The telephone number; blank is absent, in this and the next two.
    pub phone: Option<String>,
    /// The address.
    pub address: Option<String>,
    /// A free note.
    pub note: Option<String>,
    /// The language of messages to this customer.
    pub language: Option<Language>,
    /// How much may be owed.
    pub limit: Option<Paise>,
    /// When a message is offered.
    pub messages: Option<Messages>,
}

impl AddCustomer {
    /// A customer of whom only the name is known.
    pub fn named(name: &str) -> AddCustomer {
        AddCustomer {
            name: name.to_owned(),
            ..AddCustomer::default()
        }
    }

    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let name = required(&self.name, TextField::Name)?;
        let phone = self.phone.filter(|phone| !phone.trim().is_empty());
        let phone = phone.map(|phone| checked_phone(&phone)).transpose()?;
        let limit = self.limit.map(not_negative).transpose()?;
        if let Some(phone) = &phone {
            ask_same_phone(desk, phone, None);
        }
        let key = desk.new_key();
        let added = CustomerAdded {
            name: desk.seal(&name, Field::Name, key)?,
            key,
            phone: match phone {
                Some(phone) => Some(desk.seal(&phone, Field::Phone, key)?),
                None => None,
            },
            address: desk.seal_optional(self.address.as_deref(), TextField::Address, key)?,
            note: desk.seal_optional(self.note.as_deref(), TextField::Note, key)?,
            language: self.language,
            limit,
            messages: self.messages,
            origin: None,
        };
        desk.push(added);
        Ok(())
    }
}

/// Change facts about a customer. What is kept stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateCustomer {
    /// Who.
    pub customer: CustomerId,
    /// The name.
    pub name: Option<String>,
    /// The telephone number.
    pub phone: Patch<String>,
    /// The address.
    pub address: Patch<String>,
    /// A free note.
    pub note: Patch<String>,
    /// The language of messages to this customer.
    pub language: Patch<Language>,
    /// How much may be owed.
    pub limit: Patch<Paise>,
    /// When a message is offered.
    pub messages: Option<Messages>,
}

impl UpdateCustomer {
    /// A change of nothing yet.
    pub const fn of(customer: CustomerId) -> UpdateCustomer {
        UpdateCustomer {
            customer,
            name: None,
            phone: Patch::Keep,
            address: Patch::Keep,
            note: Patch::Keep,
            language: Patch::Keep,
            limit: Patch::Keep,
            messages: None,
        }
    }

    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let key = customer_key(desk, self.customer)?;
        if self == UpdateCustomer::of(self.customer) {
            return Err(ShopRejection::NothingChanges.into());
        }
        let phone = set(self.phone, |phone| checked_phone(&phone))?;
        if let Patch::Set(phone) = &phone {
            ask_same_phone(desk, phone, Some(self.customer));
        }
        let updated = CustomerUpdated {
            customer: self.customer,
            name: match &self.name {
                Some(name) => {
                    let name = required(name, TextField::Name)?;
                    Some(desk.seal(&name, Field::Name, key)?)
                }
                None => None,
            },
            phone: set(phone, |phone| desk.seal(&phone, Field::Phone, key))?,
            address: set(self.address, |text| {
                let text = required(&text, TextField::Address)?;
                desk.seal(&text, Field::Address, key)
            })?,
            note: set(self.note, |text| {
                let text = required(&text, TextField::Note)?;
                desk.seal(&text, Field::Note, key)
            })?,
            language: self.language,
            limit: set(self.limit, not_negative)?,
            messages: self.messages,
        };
        desk.push(updated);
        Ok(())
    }
}

/// Put a page away, or take it out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveCustomer {
    /// Who.
    pub customer: CustomerId,
    /// Put away, or taken out again.
    pub archived: bool,
}

impl ArchiveCustomer {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let customer = known(desk, self.customer)?;
        if customer.archived.get().copied().unwrap_or(false) == self.archived {
            return Err(ShopRejection::NothingChanges.into());
        }
        if self.archived {
            check_settled(desk, self.customer)?;
        }
        desk.push(CustomerArchived {
            customer: self.customer,
            archived: self.archived,
        });
        Ok(())
    }
}

/// Say that two pages are one customer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeCustomers {
    /// One page.
    pub customer: CustomerId,
    /// The other.
    pub with: CustomerId,
}

impl MergeCustomers {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let MergeCustomers { customer, with } = self;
        desk.require(Role::Manager)?;
        known(desk, customer)?;
        known(desk, with)?;
        if desk.ledger.canonical(customer) == desk.ledger.canonical(with) {
            return Err(CustomerRejection::Same { customer }.into());
        }
        desk.push(CustomersMerged { customer, with });
        Ok(())
    }
}

/// Make a customer's personal data unreadable for good, on all of the customer's pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseCustomer {
    /// Who.
    pub customer: CustomerId,
}

impl EraseCustomer {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        desk.require(Role::Owner)?;
        known(desk, self.customer)?;
        check_settled(desk, self.customer)?;
        check_may_be_forgotten(desk, self.customer)?;
        for page in desk.ledger.pages(self.customer) {
            let key = desk.ledger.customers.get(&page);
            if let Some(added) = key.and_then(|customer| customer.added.as_ref()) {
                desk.push(CustomerErased {
                    customer: page,
                    keys: vec![added.key],
                });
            }
        }
        Ok(())
    }
}

/// A customer whose page is here and who did not ask to be forgotten.
pub(super) fn known<'l>(
    desk: &Desk<'l, '_>,
    customer: CustomerId,
) -> Result<&'l Customer, CustomerRejection> {
    match desk.ledger.customers.get(&customer) {
        Some(known) if known.erased => Err(CustomerRejection::Erased { customer }),
        Some(known) if known.added.is_some() => Ok(known),
        _ => Err(CustomerRejection::Unknown { customer }),
    }
}

/// A customer for whom entries can be written, with the key of the page.
pub(super) fn open_page(desk: &Desk<'_, '_>, customer: CustomerId) -> Result<KeyId, Rejection> {
    let known = known(desk, customer)?;
    if known.archived.get() == Some(&true) {
        return Err(CustomerRejection::Archived { customer }.into());
    }
    customer_key(desk, customer)
}

/// The key of a customer's page.
pub(super) fn customer_key(desk: &Desk<'_, '_>, customer: CustomerId) -> Result<KeyId, Rejection> {
    let added = known(desk, customer)?.added.as_ref();
    let added = added.ok_or(CustomerRejection::Unknown { customer })?;
    Ok(added.key)
}

fn check_settled(desk: &Desk<'_, '_>, customer: CustomerId) -> Result<(), CustomerRejection> {
    let Balance { khata, advance } = desk.balance(customer);
    if khata != Paise::ZERO || advance != Paise::ZERO {
        return Err(CustomerRejection::NotSettled { khata, advance });
    }
    Ok(())
}

/// Invoices that name their buyer by law keep the buyer's data with them.
fn check_may_be_forgotten(
    desk: &Desk<'_, '_>,
    customer: CustomerId,
) -> Result<(), CustomerRejection> {
    let ledger = desk.ledger;
    let pages = ledger.pages(customer);
    let pages = pages.iter().filter_map(|page| ledger.customers.get(page));
    let named = pages
        .flat_map(|page| &page.entries)
        .filter(|(_, posting)| !posting.reversed)
        .filter_map(|(entry, _)| match &ledger.entries.get(entry)?.what {
            What::Sale(sale) if sale.total >= NAMED_INVOICE_PAISE || sale.buyer_gstin.is_some() => {
                Some(sale.particulars.on)
            }
            _ => None,
        });
    let until = named.max().and_then(|on| {
        let begins = on.financial_year().0;
        BusinessDay::from_ymd(begins + KEPT_UNTIL_YEARS, 12, 31)
    });
    match until {
        Some(until) if desk.today() <= until => Err(CustomerRejection::MustBeKept { until }),
        _ => Ok(()),
    }
}

/// Asks when another customer has this number, as far as this device can read.
fn ask_same_phone(desk: &mut Desk<'_, '_>, phone: &str, of: Option<CustomerId>) {
    let ledger = desk.ledger;
    let of = of.map(|customer| ledger.canonical(customer));
    let keys = desk.context.keys;
    let mut customers = ledger.customers.iter();
    let same = customers.find(|&(&id, customer)| {
        let known = customer.phone.value();
        let known = known.and_then(|known| keys.words(known, Field::Phone));
        known.is_some_and(|known| known == phone) && Some(ledger.canonical(id)) != of
    });
    if let Some((&customer, _)) = same {
        desk.ask(Question::SamePhone { customer });
    }
}

/// Refuses or asks when `asked` more would pass the customer's limit. Who may override says why,
/// and the review task is settled beside the entry.
pub(super) fn check_limit(
    desk: &mut Desk<'_, '_>,
    customer: CustomerId,
    asked: Paise,
) -> Result<(), Rejection> {
    let Some(limit) = desk.ledger.credit_limit(customer) else {
        return Ok(());
    };
    let owed = desk.balance(customer).khata;
    let mut beyond = owed;
    beyond += asked;
    beyond -= limit;
    if !beyond.is_positive() {
        return Ok(());
    }
    if desk.role() < Role::Manager {
        return Err(super::KhataRejection::LimitPassed { owed, asked, limit }.into());
    }
    desk.ask(Question::OverLimit { owed, asked, limit });
    desk.settle_limit(customer, beyond)
}
