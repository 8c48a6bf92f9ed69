//! Completed sales, in the full shape of a bill.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::{Line, Paid, Particulars};
use super::shape::{Reader, Shape, fields, variants};
use crate::ids::{CustomerId, IdMap, OrderId};
use crate::money::Paise;

/// A sale was completed.
///
/// `total` = Σ line amounts − `discount` + `charges` + `round_off` = Σ tender amounts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct SaleRecorded {
    /// Date, note, witness.
    #[n(0)]
    pub particulars: Particulars,
    /// The number of the bill: `<device in base 36>-<6 digits>`, a series per device
    /// (GST rule 46: at most 16 characters).
    #[n(1)]
    pub bill: String,
    /// What it came to, as printed.
    #[n(2)]
    pub total: Paise,
    /// How it was paid.
    #[n(3)]
    pub tenders: Vec<Tender>,
    /// The customer; always named where a part went to the khata or came from an advance.
    #[n(4)]
    pub customer: Option<CustomerId>,
    /// The lines of the bill; empty for a quick sale.
    #[n(5)]
    pub lines: Option<Vec<Line>>,
    /// What was taken off the bill as a whole.
    #[n(6)]
    pub discount: Option<Paise>,
    /// The rounding to whole rupees, a line of its own; either way.
    #[n(7)]
    pub round_off: Option<Paise>,
    /// Delivery and other charges.
    #[n(8)]
    pub charges: Option<Paise>,
    /// The GST state code of the place of supply.
    #[n(9)]
    pub place_of_supply: Option<u8>,
    /// The buyer's GSTIN.
    #[n(10)]
    pub buyer_gstin: Option<String>,
    /// The document that was made out.
    #[n(11)]
    pub document: Option<Document>,
    /// What the customer handed over, where it was more than the total.
    #[n(12)]
    pub handed_over: Option<Paise>,
    /// The order that it completes.
    #[n(13)]
    pub order: Option<OrderId>,
}

/// A part of the total and how it was paid.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Tender {
    /// How much.
    #[n(0)]
    pub amount: Paise,
    /// How.
    #[n(1)]
    pub by: TenderBy,
}

/// How a part of a total was paid.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(flat)]
#[serde(rename_all = "snake_case")]
pub enum TenderBy {
    /// In money.
    #[n(1)]
    Money(#[n(0)] Paid),
    /// On credit: the customer owes more.
    #[n(2)]
    Khata,
    /// Out of the customer's advance.
    #[n(3)]
    Advance,
}

/// The documents of the GST rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// Tax invoice (rule 46).
    #[n(1)]
    TaxInvoice,
    /// Invoice-cum-bill of supply (rule 46A).
    #[n(2)]
    InvoiceCumBill,
    /// Bill of supply (rule 49).
    #[n(3)]
    BillOfSupply,
}

fields! {
    SaleRecorded: particulars bill total tenders customer lines discount round_off charges place_of_supply buyer_gstin document handed_over order;
    Tender: amount by;
}

variants! {
    Document: TaxInvoice InvoiceCumBill BillOfSupply;
}

impl Shape for TenderBy {
    fn read(reader: &mut Reader<'_, '_>) -> TenderBy {
        let mut fields = reader.fields();
        let by = match reader.field(&mut fields) {
            1u8 => TenderBy::Money(reader.field(&mut fields)),
            2 => TenderBy::Khata,
            3 => TenderBy::Advance,
            _ => reader.fail(TenderBy::Khata),
        };
        reader.end(&fields);
        by
    }
}
