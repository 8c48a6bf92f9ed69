//! A customer's page in the khata.

use minicbor::{Decode, Encode};

use super::{Entries, Register};
use crate::bytes::KeyId;
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::{Language, Messages};
use crate::money::Paise;
use crate::text::Text;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Customer {
    /// When the page was opened and the key that seals it. Absent while the event has not come:
    /// entries may be here before their customer, and count as waiting.
    #[n(0)]
    pub added: Option<Added>,
    /// The name.
    #[n(1)]
    pub name: Register<Text>,
    /// The telephone number.
    #[n(2)]
    pub phone: Register<Option<Text>>,
    /// The address.
    #[n(3)]
    pub address: Register<Option<Text>>,
    /// A free note.
    #[n(4)]
    pub note: Register<Option<Text>>,
    /// The language of messages.
    #[n(5)]
    pub language: Register<Option<Language>>,
    /// How much may be owed.
    #[n(6)]
    pub limit: Register<Option<Paise>>,
    /// When a message is offered.
    #[n(7)]
    pub messages: Register<Messages>,
    /// Put away.
    #[n(8)]
    pub archived: Register<bool>,
    /// Personal data made unreadable for good.
    #[n(9)]
    pub erased: bool,
    /// The sums of the entries that count.
    #[n(10)]
    pub balance: Balance,
    /// All entries that name this page, reversed ones too, each with what it does here: so that
    /// balances of the past are read from the page alone.
    #[n(11)]
    pub entries: Entries<Posting>,
    /// How many of them were taken back. With the number of entries it tells whether anything
    /// happened on the page, because neither ever becomes less.
    #[n(12)]
    pub taken_back: u32,
    /// When the last of them was written, by the devices' clocks.
    #[n(13)]
    pub last_written: Option<TimeMs>,
}

/// What an entry does to the accounts of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Posting {
    /// The business date.
    #[n(0)]
    pub on: BusinessDay,
    /// What it does while nobody has taken it back.
    #[n(1)]
    pub change: Balance,
    /// It is a payment, or an advance that settled a debt.
    #[n(2)]
    pub pays: bool,
    /// It was taken back.
    #[n(3)]
    pub reversed: bool,
}

impl Posting {
    /// What it does as things are: nothing once it was taken back.
    pub fn counted(&self) -> Balance {
        if self.reversed {
            Balance::default()
        } else {
            self.change
        }
    }
}

/// The opening of a page.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Added {
    /// What the device's clock said.
    #[n(0)]
    pub at: TimeMs,
    /// The key that seals this customer's data.
    #[n(1)]
    pub key: KeyId,
}

/// The two accounts of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Balance {
    /// What the customer owes; below zero the shop owes.
    #[n(0)]
    pub khata: Paise,
    /// What the customer has left with the shop.
    #[n(1)]
    pub advance: Paise,
}

impl core::ops::AddAssign for Balance {
    fn add_assign(&mut self, other: Balance) {
        self.khata += other.khata;
        self.advance += other.advance;
    }
}

impl core::ops::SubAssign for Balance {
    fn sub_assign(&mut self, other: Balance) {
        self.khata -= other.khata;
        self.advance -= other.advance;
    }
}
