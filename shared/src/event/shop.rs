//! The shop itself.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::{Language, Patch};
use super::shape::fields;
use crate::bytes::KeyId;
use crate::calendar::BusinessDay;
use crate::ids::ShopId;
use crate::money::Paise;
use crate::text::Text;

/// A shop began to keep its books here. The first event of device 1.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct ShopOpened {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// Its name, as over the door.
    #[n(1)]
    pub name: Text,
    /// ISO 4217, `INR`.
    #[n(2)]
    pub currency: String,
    /// The language of the shop.
    #[n(3)]
    pub language: Language,
    /// The first day of the books. Earlier dates are asked about.
    #[n(4)]
    pub on: BusinessDay,
    /// The key that seals names and notes that belong to no customer.
    #[n(5)]
    pub key: KeyId,
}

/// Facts about the shop changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct ShopChanged {
    /// The name.
    #[n(0)]
    pub name: Option<Text>,
    /// The address, as on bills.
    #[n(1)]
    pub address: Patch<Text>,
    /// The telephone number.
    #[n(2)]
    pub phone: Patch<Text>,
    /// The UPI address (VPA) that payments go to.
    #[n(3)]
    pub upi: Patch<String>,
    /// The GSTIN.
    #[n(4)]
    pub gstin: Patch<String>,
    /// The GST state code, such as 27 for Maharashtra.
    #[n(5)]
    pub state: Patch<u8>,
    /// The language of the shop.
    #[n(6)]
    pub language: Option<Language>,
    /// The limit of customers who have none of their own.
    #[n(7)]
    pub credit_limit: Patch<Paise>,
    /// After this many days without payment a khata is overdue.
    #[n(8)]
    pub overdue_days: Option<u16>,
    /// The first day of the books.
    #[n(9)]
    pub opened_on: Option<BusinessDay>,
}

fields! {
    ShopOpened: shop name currency language on key;
    ShopChanged: name address phone upi gstin state language credit_limit overdue_days opened_on;
}
