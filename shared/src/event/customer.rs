//! The customers, each with a page in the khata.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::{Language, Origin, Patch};
use super::shape::{fields, variants};
use crate::bytes::KeyId;
use crate::ids::{CustomerId, IdMap};
use crate::money::Paise;
use crate::text::Text;

/// When a message is offered after an entry.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Messages {
    /// After every entry.
    #[n(1)]
    Always,
    /// The app asks.
    #[default]
    #[n(2)]
    Ask,
    /// Never.
    #[n(3)]
    Never,
}

/// A customer got a page in the khata.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct CustomerAdded {
    /// The name.
    #[n(0)]
    pub name: Text,
    /// The key that seals this customer's data; destroying it erases them.
    #[n(1)]
    pub key: KeyId,
    /// The telephone number.
    #[n(2)]
    pub phone: Option<Text>,
    /// The address.
    #[n(3)]
    pub address: Option<Text>,
    /// A free note.
    #[n(4)]
    pub note: Option<Text>,
    /// The language of messages to this customer.
    #[n(5)]
    pub language: Option<Language>,
    /// How much may be owed.
    #[n(6)]
    pub limit: Option<Paise>,
    /// When a message is offered.
    #[n(7)]
    pub messages: Option<Messages>,
    /// Where the page first stood, when two shops became one.
    #[n(8)]
    pub origin: Option<Origin>,
}

/// Facts about a customer changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct CustomerUpdated {
    /// Who.
    #[n(0)]
    pub customer: CustomerId,
    /// The name.
    #[n(1)]
    pub name: Option<Text>,
    /// The telephone number.
    #[n(2)]
    pub phone: Patch<Text>,
    /// The address.
    #[n(3)]
    pub address: Patch<Text>,
    /// A free note.
    #[n(4)]
    pub note: Patch<Text>,
    /// The language of messages to this customer.
    #[n(5)]
    pub language: Patch<Language>,
    /// How much may be owed.
    #[n(6)]
    pub limit: Patch<Paise>,
    /// When a message is offered.
    #[n(7)]
    pub messages: Option<Messages>,
}

/// A customer's page was put away, or taken out again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct CustomerArchived {
    /// Who.
    #[n(0)]
    pub customer: CustomerId,
    /// Put away, or taken out again.
    #[n(1)]
    pub archived: bool,
}

/// Two pages turned out to be one customer's. Both keep their entries; their balance is one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct CustomersMerged {
    /// One page.
    #[n(0)]
    pub customer: CustomerId,
    /// The other.
    #[n(1)]
    pub with: CustomerId,
}

/// A customer's personal data was made unreadable for good: amounts and proofs stay.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct CustomerErased {
    /// Who.
    #[n(0)]
    pub customer: CustomerId,
    /// The keys that every holder destroys.
    #[n(1)]
    pub keys: Vec<KeyId>,
}

fields! {
    CustomerAdded: name key phone address note language limit messages origin;
    CustomerUpdated: customer name phone address note language limit messages;
    CustomerArchived: customer archived;
    CustomersMerged: customer with;
    CustomerErased: customer keys;
}

variants! {
    Messages: Always Ask Never;
}
