//! What was sent to customers.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::{CutPoint, Language};
use super::shape::{fields, variants};
use crate::calendar::BusinessDay;
use crate::ids::{CustomerId, EntryId, IdMap};
use crate::money::Paise;

/// The way that something reached a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// WhatsApp.
    #[n(1)]
    WhatsApp,
    /// SMS.
    #[n(2)]
    Sms,
    /// The phone's own share sheet.
    #[n(3)]
    Share,
    /// On paper.
    #[n(4)]
    Print,
    /// By word of mouth, on the screen.
    #[n(5)]
    Shown,
}

/// What a message was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// One entry.
    #[n(1)]
    Entry,
    /// A reminder of what is owed.
    #[n(2)]
    Reminder,
    /// A request to pay, with a UPI link or code.
    #[n(3)]
    PaymentRequest,
    /// A bill.
    #[n(4)]
    Bill,
}

/// A statement was given to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct StatementSent {
    /// Who.
    #[n(0)]
    pub customer: CustomerId,
    /// How.
    #[n(1)]
    pub channel: Channel,
    /// The language it was in.
    #[n(2)]
    pub language: Language,
    /// The first day that it covers.
    #[n(3)]
    pub from: BusinessDay,
    /// The last day that it covers.
    #[n(4)]
    pub to: BusinessDay,
    /// The closing balance that the customer was told.
    #[n(5)]
    pub balance: Paise,
    /// What of the log it was made from.
    #[n(6)]
    pub cut: Vec<CutPoint>,
}

/// A message was sent to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct MessageSent {
    /// Who.
    #[n(0)]
    pub customer: CustomerId,
    /// How.
    #[n(1)]
    pub channel: Channel,
    /// The language it was in.
    #[n(2)]
    pub language: Language,
    /// What it was about.
    #[n(3)]
    pub topic: Topic,
    /// The entry that it was about.
    #[n(4)]
    pub entry: Option<EntryId>,
}

fields! {
    StatementSent: customer channel language from to balance cut;
    MessageSent: customer channel language topic entry;
}

variants! {
    Channel: WhatsApp Sms Share Print Shown;
    Topic: Entry Reminder PaymentRequest Bill;
}
