//! The entries of the khata, and how they are taken back.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::{Allocation, Line, Paid, Particulars, Reason};
use super::shape::{Reader, Shape, fields};
use crate::calendar::BusinessDay;
use crate::ids::{CustomerId, EntryId, IdMap};
use crate::money::Paise;
use crate::text::Text;

/// Goods were given on credit: the customer owes more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct CreditGiven {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who.
    #[n(1)]
    pub customer: CustomerId,
    /// How much.
    #[n(2)]
    pub amount: Paise,
    /// What, if it was written down.
    #[n(3)]
    pub lines: Option<Vec<Line>>,
    /// When it was promised to be paid.
    #[n(4)]
    pub due: Option<BusinessDay>,
}

/// A payment came in: the customer owes less.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct PaymentReceived {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who.
    #[n(1)]
    pub customer: CustomerId,
    /// How much.
    #[n(2)]
    pub amount: Paise,
    /// Cash, UPI …
    #[n(3)]
    pub paid: Paid,
    /// The entries that it settles; absent: the oldest first.
    #[n(4)]
    pub allocations: Option<Vec<Allocation>>,
}

/// How a return was refunded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(flat)]
#[serde(rename_all = "snake_case")]
pub enum Refund {
    /// The customer owes less.
    #[n(1)]
    Khata,
    /// Money was given back: the khata does not change.
    #[n(2)]
    Money(#[n(0)] Paid),
}

/// Goods came back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct GoodsReturned {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who, where it is known. A refund to the khata always names a customer.
    #[n(1)]
    pub customer: Option<CustomerId>,
    /// How much was refunded.
    #[n(2)]
    pub amount: Paise,
    /// To the khata, or in money.
    #[n(3)]
    pub refund: Refund,
    /// The sale or credit entry that the goods came from.
    #[n(4)]
    pub of: Option<EntryId>,
    /// What came back.
    #[n(5)]
    pub lines: Option<Vec<ReturnedLine>>,
}

/// One good that came back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct ReturnedLine {
    /// The good, with quantity and amount positive.
    #[n(0)]
    pub line: Line,
    /// The line of the entry named by [`GoodsReturned::of`], from 0.
    #[n(1)]
    pub of_line: Option<u16>,
    /// It was thrown away instead of put back on the shelf.
    #[n(2)]
    pub scrapped: bool,
}

/// A customer left money with the shop.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct AdvanceDeposited {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who.
    #[n(1)]
    pub customer: CustomerId,
    /// How much.
    #[n(2)]
    pub amount: Paise,
    /// Cash, UPI …
    #[n(3)]
    pub paid: Paid,
}

/// A customer took money back out of the advance.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct AdvanceWithdrawn {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who.
    #[n(1)]
    pub customer: CustomerId,
    /// How much.
    #[n(2)]
    pub amount: Paise,
    /// Cash, UPI …
    #[n(3)]
    pub paid: Paid,
}

/// An advance settled what a customer owed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct AdvanceUsed {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who.
    #[n(1)]
    pub customer: CustomerId,
    /// How much.
    #[n(2)]
    pub amount: Paise,
    /// The entry that it settles; absent: the khata as a whole.
    #[n(3)]
    pub against: Option<EntryId>,
}

/// What one customer owed is now owed by another: both legs in one event.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct AmountTransferred {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who owes less.
    #[n(1)]
    pub from: CustomerId,
    /// Who owes more.
    #[n(2)]
    pub to: CustomerId,
    /// How much.
    #[n(3)]
    pub amount: Paise,
}

/// The shop gave up on an amount.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct WrittenOff {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// Who.
    #[n(1)]
    pub customer: CustomerId,
    /// How much.
    #[n(2)]
    pub amount: Paise,
    /// Why.
    #[n(3)]
    pub reason: Reason,
}

/// An entry was taken back. A reversal is itself not reversed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct EntryReversed {
    /// The entry.
    #[n(0)]
    pub target: EntryId,
    /// Why.
    #[n(1)]
    pub reason: Reason,
    /// Who saw it.
    #[n(2)]
    pub witness: Option<Box<Text>>,
}

/// An entry was taken back and replaced by another in the same group.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct EntryCorrected {
    /// The entry.
    #[n(0)]
    pub target: EntryId,
    /// The entry that replaces it; its particulars name the target.
    #[n(1)]
    pub replacement: EntryId,
    /// Why.
    #[n(2)]
    pub reason: Reason,
    /// Who saw it.
    #[n(3)]
    pub witness: Option<Box<Text>>,
}

fields! {
    CreditGiven: particulars customer amount lines due;
    PaymentReceived: particulars customer amount paid allocations;
    GoodsReturned: particulars customer amount refund of lines;
    ReturnedLine: line of_line scrapped;
    AdvanceDeposited: particulars customer amount paid;
    AdvanceWithdrawn: particulars customer amount paid;
    AdvanceUsed: particulars customer amount against;
    AmountTransferred: particulars from to amount;
    WrittenOff: particulars customer amount reason;
    EntryReversed: target reason witness;
    EntryCorrected: target replacement reason witness;
}

impl Shape for Refund {
    fn read(reader: &mut Reader<'_, '_>) -> Refund {
        let mut fields = reader.fields();
        let refund = match reader.field(&mut fields) {
            1u8 => Refund::Khata,
            2 => Refund::Money(reader.field(&mut fields)),
            _ => reader.fail(Refund::Khata),
        };
        reader.end(&fields);
        refund
    }
}
