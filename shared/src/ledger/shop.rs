//! What is known of the shop.

use minicbor::{Decode, Encode};

use super::Register;
use crate::bytes::KeyId;
use crate::calendar::BusinessDay;
use crate::event::Language;
use crate::ids::ShopId;
use crate::money::Paise;
use crate::text::Text;

/// A khata with no payment for this many days is overdue, unless the shop says otherwise.
pub const DEFAULT_OVERDUE_DAYS: u16 = 30;

/// The shop.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Shop {
    /// Its id and the key that seals what belongs to no customer, once it was opened.
    #[n(0)]
    pub opened: Register<Opened>,
    /// The name.
    #[n(1)]
    pub name: Register<Text>,
    /// The address.
    #[n(2)]
    pub address: Register<Option<Text>>,
    /// The telephone number.
    #[n(3)]
    pub phone: Register<Option<Text>>,
    /// The UPI address that payments go to.
    #[n(4)]
    pub upi: Register<Option<String>>,
    /// The GSTIN.
    #[n(5)]
    pub gstin: Register<Option<String>>,
    /// The GST state code.
    #[n(6)]
    pub state: Register<Option<u8>>,
    /// The language of the shop.
    #[n(7)]
    pub language: Register<Language>,
    /// The limit of customers who have none of their own.
    #[n(8)]
    pub credit_limit: Register<Option<Paise>>,
    /// Days without payment after which a khata is overdue.
    #[n(9)]
    pub overdue_days: Register<u16>,
    /// The first day of the books.
    #[n(10)]
    pub opened_on: Register<BusinessDay>,
}

/// What never changes about a shop.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Opened {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// ISO 4217.
    #[n(1)]
    pub currency: String,
    /// The shop's own key.
    #[n(2)]
    pub key: KeyId,
}

impl Shop {
    /// Days without payment after which a khata is overdue.
    pub fn overdue_days(&self) -> u16 {
        self.overdue_days
            .get()
            .copied()
            .unwrap_or(DEFAULT_OVERDUE_DAYS)
    }
}
