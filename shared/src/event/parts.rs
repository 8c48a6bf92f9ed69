//! Parts that several kinds of events share.

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::Serialize;

use super::shape::{fields, variants};
use crate::bytes::Hash;
use crate::calendar::BusinessDay;
use crate::ids::{EntryId, IdMap, ItemId, ShopId};
use crate::money::{Paise, RateBp};
use crate::quantity::{Quantity, Unit};
use crate::text::Text;

/// What stands beside the amount of every entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct Particulars {
    /// The business date, which a person may set in the past.
    #[n(0)]
    pub on: BusinessDay,
    /// A free note.
    #[n(1)]
    pub note: Option<Box<Text>>,
    /// Who saw it.
    #[n(2)]
    pub witness: Option<Box<Text>>,
    /// The entry that this one replaces; that one's correction names this one.
    #[n(3)]
    pub replaces: Option<EntryId>,
    /// Where it was first written, when two shops became one.
    #[n(4)]
    pub origin: Option<Box<Origin>>,
    /// Pictures and papers; empty is absent.
    #[n(5)]
    pub attachments: Option<Vec<Attachment>>,
}

impl Particulars {
    /// An entry of this day with nothing more to say.
    pub const fn on(on: BusinessDay) -> Particulars {
        Particulars {
            on,
            note: None,
            witness: None,
            replaces: None,
            origin: None,
            attachments: None,
        }
    }
}

/// An event of another shop that was joined to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Origin {
    /// The other shop.
    #[n(0)]
    pub shop: ShopId,
    /// The device there.
    #[n(1)]
    pub device: u32,
    /// The number there.
    #[n(2)]
    pub seq: u32,
}

/// A picture or paper that is kept beside the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Attachment {
    /// SHA-256 of the sealed bytes.
    #[n(0)]
    pub hash: Hash,
    /// Length of the sealed bytes.
    #[n(1)]
    pub length_bytes: u32,
    /// The media type, such as `image/webp`.
    #[n(2)]
    pub media_type: String,
}

/// One line of a bill, as it was printed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct Line {
    /// What it was called.
    #[n(0)]
    pub name: String,
    /// How much of it.
    #[n(1)]
    pub quantity: Quantity,
    /// The unit that `quantity` counts and `price` is for.
    #[n(2)]
    pub unit: Unit,
    /// The price of one unit, tax inside.
    #[n(3)]
    pub price: Paise,
    /// The amount of the line as printed, after its discount.
    #[n(4)]
    pub amount: Paise,
    /// The good, where it is one from the list.
    #[n(5)]
    pub item: Option<ItemId>,
    /// The batch.
    #[n(6)]
    pub batch: Option<String>,
    /// The maximum retail price of one unit, as printed on the pack.
    #[n(7)]
    pub mrp: Option<Paise>,
    /// What was taken off the line.
    #[n(8)]
    pub discount: Option<Paise>,
    /// The HSN code.
    #[n(9)]
    pub hsn: Option<String>,
    /// The GST rate that was charged.
    #[n(10)]
    pub rate: Option<RateBp>,
    /// The tax inside `amount`, as printed.
    #[n(11)]
    pub tax: Option<Tax>,
    /// What one unit had cost the shop.
    #[n(12)]
    pub cost: Option<Paise>,
}

impl Line {
    /// A line that says what was sold, how much of it and for what price, and no more.
    pub fn plain(name: &str, quantity: Quantity, unit: Unit, price: Paise) -> Line {
        Line {
            name: name.to_owned(),
            quantity,
            unit,
            price,
            amount: quantity.cost(price),
            item: None,
            batch: None,
            mrp: None,
            discount: None,
            hsn: None,
            rate: None,
            tax: None,
            cost: None,
        }
    }
}

/// The tax of a line, split as the law asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Tax {
    /// Central tax.
    #[n(0)]
    pub cgst: Paise,
    /// State tax.
    #[n(1)]
    pub sgst: Paise,
    /// Integrated tax, between states.
    #[n(2)]
    pub igst: Paise,
    /// Compensation cess.
    #[n(3)]
    pub cess: Paise,
}

/// A part of a payment that settles one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct Allocation {
    /// The entry.
    #[n(0)]
    pub entry: EntryId,
    /// How much of it.
    #[n(1)]
    pub amount: Paise,
}

/// How money changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Notes and coins.
    #[n(1)]
    Cash,
    /// UPI.
    #[n(2)]
    Upi,
    /// A card.
    #[n(3)]
    Card,
    /// A bank transfer.
    #[n(4)]
    Bank,
    /// A cheque.
    #[n(5)]
    Cheque,
}

/// Money that changed hands: how, and how it can be found again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Paid {
    /// Cash, UPI …
    #[n(0)]
    pub mode: Mode,
    /// The reference, such as the 12 digits of a UPI payment (UTR).
    #[n(1)]
    pub reference: Option<String>,
    /// The app that it was paid with.
    #[n(2)]
    pub app: Option<String>,
}

impl Paid {
    /// Notes and coins.
    pub const CASH: Paid = Paid {
        mode: Mode::Cash,
        reference: None,
        app: None,
    };
}

/// Why an entry was taken back, a task settled, an amount given up.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Reason {
    /// The usual reasons.
    #[n(0)]
    pub code: ReasonCode,
    /// In the person's own words.
    #[n(1)]
    pub note: Option<Box<Text>>,
}

/// The usual reasons, which every language has words for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The amount was wrong.
    #[n(1)]
    WrongAmount,
    /// It was another customer.
    #[n(2)]
    WrongCustomer,
    /// It was written twice.
    #[n(3)]
    WrittenTwice,
    /// The date was wrong.
    #[n(4)]
    WrongDate,
    /// The payment did not arrive.
    #[n(5)]
    PaymentFailed,
    /// Customer and shop agreed on it.
    #[n(6)]
    Agreed,
    /// Something else, said in the note.
    #[n(7)]
    Other,
}

/// A member of the staff's rights, and the most that a device may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Shows what others do: no entries, no names.
    #[n(1)]
    Display,
    /// Reads everything.
    #[n(2)]
    Viewer,
    /// Makes entries.
    #[n(3)]
    Cashier,
    /// Also corrects others' entries and changes settings.
    #[n(4)]
    Manager,
    /// May do everything.
    #[n(5)]
    Owner,
}

/// The languages of the app and of customers' messages (ISO 639-1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    #[n(1)]
    English,
    /// Hindi.
    #[n(2)]
    Hindi,
    /// Marathi.
    #[n(3)]
    Marathi,
    /// Gujarati.
    #[n(4)]
    Gujarati,
    /// Bengali.
    #[n(5)]
    Bengali,
    /// Tamil.
    #[n(6)]
    Tamil,
    /// Telugu.
    #[n(7)]
    Telugu,
    /// Kannada.
    #[n(8)]
    Kannada,
    /// Malayalam.
    #[n(9)]
    Malayalam,
    /// Odia.
    #[n(10)]
    Odia,
    /// Punjabi.
    #[n(11)]
    Punjabi,
}

/// A device's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct PublicKey {
    /// The algorithm: [`ECDSA_P256_SHA256`].
    #[n(0)]
    pub alg: u8,
    /// The uncompressed point (SEC 1, 65 bytes).
    #[n(1)]
    pub point: crate::bytes::Fixed<65>,
    /// The private key could not be kept by the browser's own store and lies in storage as bytes.
    #[n(2)]
    pub software: bool,
}

/// ECDSA on NIST P-256 with SHA-256, signatures as the 64 bytes r ‖ s (FIPS 186-5).
pub const ECDSA_P256_SHA256: u8 = 1;

/// A change to a fact that may also be taken away.
///
/// Absent in stored bytes means kept; an empty array means cleared; an array of one is the value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Patch<T> {
    /// As it was.
    #[default]
    Keep,
    /// Taken away.
    Clear,
    /// This from now on.
    Set(T),
}

impl<T> Patch<T> {
    /// Nothing changes.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Patch::Keep)
    }

    /// The patch that takes `before` to `after`.
    pub fn between(before: Option<&T>, after: Option<T>) -> Patch<T>
    where
        T: PartialEq,
    {
        match (before, after) {
            (None, None) => Patch::Keep,
            (Some(_), None) => Patch::Clear,
            (Some(before), Some(after)) if *before == after => Patch::Keep,
            (_, Some(after)) => Patch::Set(after),
        }
    }
}

impl<C, T: Encode<C>> Encode<C> for Patch<T> {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self {
            Patch::Keep => encoder.null()?.ok(),
            Patch::Clear => encoder.array(0)?.ok(),
            Patch::Set(value) => value.encode(encoder.array(1)?, context),
        }
    }

    fn is_nil(&self) -> bool {
        self.is_keep()
    }
}

impl<'b, C, T: Decode<'b, C>> Decode<'b, C> for Patch<T> {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Patch<T>, decode::Error> {
        if decoder.datatype()? == Type::Null {
            return decoder.null().map(|()| Patch::Keep);
        }
        match decoder.array()? {
            Some(0) => Ok(Patch::Clear),
            Some(1) => T::decode(decoder, context).map(Patch::Set),
            _ => Err(decode::Error::message("a patch has at most one value")),
        }
    }

    fn nil() -> Option<Patch<T>> {
        Some(Patch::Keep)
    }
}

/// Where a statement or snapshot cuts the log: for one device, all up to `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct CutPoint {
    /// The device.
    #[n(0)]
    pub device: u32,
    /// Its last event that is covered.
    #[n(1)]
    pub seq: u32,
    /// The chain hash there.
    #[n(2)]
    pub hash: Hash,
}

fields! {
    Particulars: on note witness replaces origin attachments;
    Origin: shop device seq;
    Attachment: hash length_bytes media_type;
    Line: name quantity unit price amount item batch mrp discount hsn rate tax cost;
    Tax: cgst sgst igst cess;
    Allocation: entry amount;
    Paid: mode reference app;
    Reason: code note;
    PublicKey: alg point software;
    CutPoint: device seq hash;
}

variants! {
    Mode: Cash Upi Card Bank Cheque;
    ReasonCode: WrongAmount WrongCustomer WrittenTwice WrongDate PaymentFailed Agreed Other;
    Role: Display Viewer Cashier Manager Owner;
    Language: English Hindi Marathi Gujarati Bengali Tamil Telugu Kannada Malayalam Odia Punjabi;
}
