//! Rejections of all topics, their stable codes, and the facts that a screen shows with them.

use super::{
    AccessRejection, AmountRejection, CustomerRejection, DateRejection, DeviceRejection,
    KhataRejection, MessageRejection, ReturnRejection, ReviewRejection, SaleRejection,
    ShopRejection, StaffRejection, TextField, TextRejection,
};
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::Role;
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId};
use crate::money::Paise;
use crate::quantity::Quantity;

/// Defines an enum of refusals: each variant with its message for logs, its stable code, under
/// which every language has a text, and its facts, which that text may name.
macro_rules! rejections {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {$(
            $(#[$about:meta])*
            $code:literal $variant:ident $({$(
                $(#[$what:meta])* $fact:ident: $type:ty
            ),* $(,)?})?
        ),* $(,)?}
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        pub enum $name {$(
            $(#[$about])*
            $variant $({$($(#[$what])* $fact: $type),*})?
        ),*}

        impl $name {
            /// The codes of all variants.
            pub const CODES: &[&str] = &[$($code),*];

            /// The stable code of the variant.
            pub const fn code(&self) -> &'static str {
                match self {$(
                    $name::$variant { .. } => $code
                ),*}
            }

            /// What a text about it may name.
            pub fn facts(&self) -> Vec<(&'static str, $crate::command::Fact)> {
                match *self {$(
                    $name::$variant $({ $($fact),* })? => vec![
                        $($((stringify!($fact), $fact.into())),*)?
                    ]
                ),*}
            }
        }
    };
}
pub(super) use rejections;

macro_rules! topics {
    ($($(#[$doc:meta])* $topic:ident($rejection:ident),)*) => {
        /// Why a command was refused. Nothing was written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        pub enum Rejection {$(
            $(#[$doc])*
            #[error("{0}")]
            $topic(#[from] $rejection),
        )*}

        impl Rejection {
            /// The stable codes of all rejections, by topic.
            pub const ALL_CODES: &[&[&str]] = &[$($rejection::CODES),*];

            /// The stable code, under which every language has a text.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Rejection::$topic(rejection) => rejection.code(),)*
                }
            }

            /// What a text about it may name.
            pub fn facts(&self) -> Vec<(&'static str, Fact)> {
                match self {
                    $(Rejection::$topic(rejection) => rejection.facts(),)*
                }
            }
        }

        $(impl From<$rejection> for super::Refusal {
            fn from(rejection: $rejection) -> super::Refusal {
                super::Refusal::Rejected(rejection.into())
            }
        })*
    };
}

topics! {
    /// Who may do it.
    Access(AccessRejection),
    /// Words.
    Text(TextRejection),
    /// Amounts and lines.
    Amount(AmountRejection),
    /// Dates.
    Date(DateRejection),
    /// The shop.
    Shop(ShopRejection),
    /// Its devices.
    Device(DeviceRejection),
    /// Its people.
    Staff(StaffRejection),
    /// Its customers.
    Customer(CustomerRejection),
    /// Entries of the khata.
    Khata(KhataRejection),
    /// Sales.
    Sale(SaleRejection),
    /// Goods that come back.
    Return(ReturnRejection),
    /// What is sent to customers.
    Message(MessageRejection),
    /// Review tasks.
    Review(ReviewRejection),
}

impl Rejection {
    /// The stable codes of all rejections.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Rejection::ALL_CODES.iter().copied().flatten().copied()
    }
}

macro_rules! facts {
    ($($(#[$doc:meta])* $variant:ident($type:ty),)*) => {
        /// A fact that a text about a refusal names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fact {$(
            $(#[$doc])*
            $variant($type),
        )*}

        $(impl From<$type> for Fact {
            fn from(fact: $type) -> Fact {
                Fact::$variant(fact)
            }
        })*
    };
}

facts! {
    /// An amount.
    Amount(Paise),
    /// A day.
    Day(BusinessDay),
    /// A moment.
    Time(TimeMs),
    /// A count.
    Count(u32),
    /// A quantity.
    Quantity(Quantity),
    /// A role.
    Role(Role),
    /// The box that the words were written in.
    Field(TextField),
    /// A customer.
    Customer(CustomerId),
    /// A member of the staff.
    Staff(StaffId),
    /// A device.
    Device(DeviceNo),
    /// An entry.
    Entry(EntryId),
    /// An event.
    Event(EventId),
}
