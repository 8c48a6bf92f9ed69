//! The list of kinds: the one place where a kind gets its number.

use minicbor::encode::Write;
use minicbor::{Encode, Encoder, encode};
use serde::Serialize;

use super::shape::{Reader, Shape};
use super::*;
use crate::ids::IdMap;

/// A shape that is much longer than most is put in a box: every event that is folded is moved a few
/// times.
macro_rules! held {
    ($name:ident) => { $name };
    ($name:ident Box) => { Box<$name> };
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $(in $boxed:ident)? = $number:literal v $version:literal,)*) => {
        /// What happened. Numbers and shapes are frozen.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(tag = "kind", content = "body", rename_all = "snake_case")]
        pub enum Body {
            $($(#[$doc])* $name(held!($name $($boxed)?)),)*
        }

        /// The kind of an event, without its contents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
        }

        impl Kind {
            /// Every kind that this version knows.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// The version of the shape that is written today.
            pub const fn version(self) -> u8 {
                match self {
                    $(Kind::$name => $version,)*
                }
            }

            /// The name, for people who read code and logs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$name => stringify!($name),)*
                }
            }
        }

        impl Body {
            /// The kind.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Body::$name(_) => Kind::$name,)*
                }
            }

            pub(super) fn encode<W: Write, C: IdMap>(
                &self,
                encoder: &mut Encoder<W>,
                ids: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                match self {
                    $(Body::$name(body) => body.encode(encoder, ids),)*
                }
            }

            /// `None` for a kind or version that this build does not know. After a fault of the
            /// reader it is anything at all.
            pub(super) fn read(kind: u16, version: u8, reader: &mut Reader<'_, '_>) -> Option<Body> {
                Some(match (kind, version) {
                    $(($number, $version) => Body::$name(Shape::read(reader)),)*
                    _ => return None,
                })
            }
        }

        $(impl From<$name> for Body {
            fn from(body: $name) -> Body {
                Body::$name(body.into())
            }
        })*
    };
}

kinds! {
    /// A shop began to keep its books here.
    ShopOpened = 1 v 1,
    /// Facts about the shop changed.
    ShopChanged in Box = 2 v 1,
    /// A device may write from now on.
    DeviceEnrolled = 10 v 1,
    /// A device got another name.
    DeviceNamed = 11 v 1,
    /// A device may write no more.
    DeviceRevoked = 12 v 1,
    /// A device signs with another key from now on.
    DeviceKeyChanged = 13 v 1,
    /// The app was opened.
    SessionStarted = 14 v 1,
    /// A copy of a device's storage was found writing, and goes on under a number of its own.
    BranchRegistered = 15 v 1,
    /// A new life of the log began on an owner's word, after a loss.
    GenerationOpened = 16 v 1,
    /// Someone joined the staff.
    StaffAdded = 20 v 1,
    /// Facts about a member of the staff changed.
    StaffChanged = 21 v 1,
    /// Someone left the staff.
    StaffRemoved = 22 v 1,
    /// A customer got a page in the khata.
    CustomerAdded in Box = 30 v 1,
    /// Facts about a customer changed.
    CustomerUpdated in Box = 31 v 1,
    /// A customer's page was put away, or taken out again.
    CustomerArchived = 32 v 1,
    /// Two pages turned out to be one customer's.
    CustomersMerged = 33 v 1,
    /// A customer's personal data was made unreadable for good.
    CustomerErased = 34 v 1,
    /// Goods were given on credit.
    CreditGiven = 40 v 1,
    /// A payment came in.
    PaymentReceived = 41 v 1,
    /// Goods came back.
    GoodsReturned = 42 v 1,
    /// A customer left money with the shop.
    AdvanceDeposited = 43 v 1,
    /// A customer took money back out of the advance.
    AdvanceWithdrawn = 44 v 1,
    /// An advance settled what a customer owed.
    AdvanceUsed = 45 v 1,
    /// What one customer owed is now owed by another.
    AmountTransferred = 46 v 1,
    /// The shop gave up on an amount.
    WrittenOff = 47 v 1,
    /// A sale was completed.
    SaleRecorded in Box = 50 v 1,
    /// An entry was taken back.
    EntryReversed = 60 v 1,
    /// An entry was taken back and replaced by another in the same group.
    EntryCorrected = 61 v 1,
    /// A statement was given to a customer.
    StatementSent = 70 v 1,
    /// A message was sent to a customer.
    MessageSent = 71 v 1,
    /// A person settled a review task.
    TaskResolved = 80 v 1,
    /// Entries of a revoked phone were let into the books.
    HeldReleased = 81 v 1,
    /// Entries of a revoked phone were kept out of the books.
    HeldRefused = 82 v 1,
}
