//! Completed sales.

use super::advance::check_advance;
use super::customer::{check_limit, open_page};
use super::fields::{checked_gstin, checked_state};
use super::lines::{amount, lines, not_negative, paid};
use super::rejection::rejections;
use super::{Desk, Details, Rejection};
use crate::calendar::BusinessDay;
use crate::event::{Document, Line, Mode, Paid, SaleRecorded, Tender, TenderBy};
use crate::ids::{CustomerId, DeviceNo};
use crate::money::Paise;

/// The most ways of paying one bill.
pub const MAX_TENDERS: usize = 10;

/// A round-off of more than this, either way, is a slip: ₹10.
pub const MAX_ROUND_OFF_PAISE: Paise = Paise(10_00);

/// The longest bill number (GST rule 46).
pub const MAX_BILL_NUMBER_CHARS: usize = 16;

rejections! {
    /// What cannot be sold like this.
    pub enum SaleRejection {
        /// Lines − discount + charges + round-off is not the total.
        #[error("the bill should come to {expected} and says {total}")]
        "total_does_not_add_up" TotalDoesNotAddUp {
            /// What it should come to.
            expected: Paise,
            /// What it says.
            total: Paise,
        },
        /// What was paid, put on the khata and taken from the advance is not the total.
        #[error("{tendered} of {total} are accounted for")]
        "tenders_do_not_add_up" TendersDoNotAddUp {
            /// What was paid, in all ways.
            tendered: Paise,
            /// The total.
            total: Paise,
        },
        /// A bill without lines that comes to nothing says nothing.
        #[error("nothing was sold")]
        "nothing_sold" NothingSold,
        /// More ways of paying than one bill may have.
        #[error("a bill is paid in at most {limit} ways")]
        "too_many_tenders" TooManyTenders {
            /// The most.
            limit: u32,
        },
        /// Credit, an advance or a refund to the khata without saying whose.
        #[error("this needs a customer")]
        "customer_needed" CustomerNeeded,
        /// More was taken off than the lines come to.
        #[error("the discount of {discount} is more than the {lines} of the lines")]
        "discount_too_large" DiscountTooLarge {
            /// What was taken off.
            discount: Paise,
            /// What the lines come to.
            lines: Paise,
        },
        /// Rounding changes a bill by a little only.
        #[error("a round-off of {asked} is more than {limit}")]
        "round_off_too_large" RoundOffTooLarge {
            /// What was asked for.
            asked: Paise,
            /// The most, either way.
            limit: Paise,
        },
        /// Less was handed over than was to be paid in cash.
        #[error("{handed_over} were handed over for {cash} in cash")]
        "handed_over_too_little" HandedOverTooLittle {
            /// What was handed over.
            handed_over: Paise,
            /// The part of the total that is paid in cash.
            cash: Paise,
        },
        /// This device has written all bills that it can number.
        #[error("this device has no bill number left")]
        "no_bill_number_left" NoBillNumberLeft,
    }
}

/// A completed sale. The number of its bill is given here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSale {
    /// Date, note, witness.
    pub details: Details,
    /// The customer; must be named where a part goes on the khata or comes from an advance.
    pub customer: Option<CustomerId>,
    /// What it came to, as printed.
    pub total: Paise,
    /// How it was paid: comes to the total.
    pub tenders: Vec<Tender>,
    /// The lines of the bill; none for a quick sale.
    pub lines: Vec<Line>,
    /// What was taken off the bill as a whole.
    pub discount: Option<Paise>,
    /// The rounding to whole rupees, either way.
    pub round_off: Option<Paise>,
    /// Delivery and other charges.
    pub charges: Option<Paise>,
    /// The GST state code of the place of supply.
    pub place_of_supply: Option<u8>,
    /// The buyer's GSTIN.
    pub buyer_gstin: Option<String>,
    /// The document that was made out.
    pub document: Option<Document>,
    /// What the customer handed over in cash, where it was more than the cash part of the total.
    pub handed_over: Option<Paise>,
}

impl RecordSale {
    /// A sale of so much, paid at once, with nothing more to say.
    pub fn quick(on: BusinessDay, total: Paise, paid: Paid) -> RecordSale {
        RecordSale {
            details: Details::on(on),
            customer: None,
            total,
            tenders: vec![Tender {
                amount: total,
                by: TenderBy::Money(paid),
            }],
            lines: Vec::new(),
            discount: None,
            round_off: None,
            charges: None,
            place_of_supply: None,
            buyer_gstin: None,
            document: None,
            handed_over: None,
        }
    }

    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<SaleRecorded, Rejection> {
        let key = match self.customer {
            Some(customer) => open_page(desk, customer)?,
            None => desk.shop_key()?,
        };
        let total = not_negative(self.total)?;
        let lines = lines(self.lines)?;
        let adjustments = Adjustments {
            discount: self.discount,
            charges: self.charges,
            round_off: self.round_off,
        };
        adjustments.check(lines.as_deref(), total)?;
        let tenders = self.tenders.into_iter().map(tender);
        let tenders = tenders.collect::<Result<Vec<Tender>, Rejection>>()?;
        check_tenders(desk, &tenders, total, self.customer)?;
        if let Some(handed_over) = self.handed_over {
            not_negative(handed_over)?;
            let cash = tendered(
                &tenders,
                |by| matches!(by, TenderBy::Money(paid) if paid.mode == Mode::Cash),
            );
            if handed_over < cash {
                return Err(SaleRejection::HandedOverTooLittle { handed_over, cash }.into());
            }
        }
        let buyer_gstin = self.buyer_gstin.filter(|gstin| !gstin.trim().is_empty());
        Ok(SaleRecorded {
            particulars: self.details.particulars(desk, key)?,
            bill: next_bill_number(desk)?,
            total,
            tenders,
            customer: self.customer,
            lines,
            discount: self.discount,
            round_off: self.round_off,
            charges: self.charges,
            place_of_supply: self.place_of_supply.map(checked_state).transpose()?,
            buyer_gstin: buyer_gstin.as_deref().map(checked_gstin).transpose()?,
            document: self.document,
            handed_over: self.handed_over,
            order: None,
        })
    }
}

/// What stands between the lines and the total of a bill.
struct Adjustments {
    discount: Option<Paise>,
    charges: Option<Paise>,
    round_off: Option<Paise>,
}

impl Adjustments {
    /// A quick sale has no lines and nothing to add up; every other bill adds up.
    fn check(&self, sold: Option<&[Line]>, total: Paise) -> Result<(), Rejection> {
        let discount = not_negative(self.discount.unwrap_or_default())?;
        let charges = not_negative(self.charges.unwrap_or_default())?;
        let asked = self.round_off.unwrap_or_default();
        let limit = MAX_ROUND_OFF_PAISE;
        if asked < limit.negated() || asked > limit {
            return Err(SaleRejection::RoundOffTooLarge { asked, limit }.into());
        }
        let adjusted = [self.discount, self.charges, self.round_off] != [None; 3];
        let Some(sold) = sold else {
            return match (adjusted, total) {
                (false, Paise::ZERO) | (true, _) => Err(SaleRejection::NothingSold.into()),
                (false, _) => Ok(()),
            };
        };
        let lines: Paise = sold.iter().map(|line| line.amount).sum();
        if discount > lines {
            return Err(SaleRejection::DiscountTooLarge { discount, lines }.into());
        }
        let expected = [lines, discount.negated(), charges, asked]
            .into_iter()
            .sum();
        if expected != total {
            return Err(SaleRejection::TotalDoesNotAddUp { expected, total }.into());
        }
        Ok(())
    }
}

fn tender(tender: Tender) -> Result<Tender, Rejection> {
    Ok(Tender {
        amount: amount(tender.amount)?,
        by: match tender.by {
            TenderBy::Money(by) => TenderBy::Money(paid(&by)?),
            by @ (TenderBy::Khata | TenderBy::Advance) => by,
        },
    })
}

fn tendered(tenders: &[Tender], by: impl Fn(&TenderBy) -> bool) -> Paise {
    let tenders = tenders.iter().filter(|tender| by(&tender.by));
    tenders.map(|tender| tender.amount).sum()
}

fn check_tenders(
    desk: &mut Desk<'_, '_>,
    tenders: &[Tender],
    total: Paise,
    customer: Option<CustomerId>,
) -> Result<(), Rejection> {
    if tenders.len() > MAX_TENDERS {
        let limit = MAX_TENDERS as u32;
        return Err(SaleRejection::TooManyTenders { limit }.into());
    }
    let all = tendered(tenders, |_| true);
    if all != total {
        let tendered = all;
        return Err(SaleRejection::TendersDoNotAddUp { tendered, total }.into());
    }
    let khata = tendered(tenders, |by| *by == TenderBy::Khata);
    let advance = tendered(tenders, |by| *by == TenderBy::Advance);
    if khata == Paise::ZERO && advance == Paise::ZERO {
        return Ok(());
    }
    let customer = customer.ok_or(SaleRejection::CustomerNeeded)?;
    if advance.is_positive() {
        check_advance(desk, customer, advance)?;
    }
    if khata.is_positive() {
        check_limit(desk, customer, khata)?;
    }
    Ok(())
}

/// The number of this device's next bill, a series per device, which GST rule 46 allows.
fn next_bill_number(desk: &Desk<'_, '_>) -> Result<String, SaleRejection> {
    let device = desk.context.device;
    let bills = desk.ledger.lanes.get(&device).map_or(0, |lane| lane.bills);
    let next = bills
        .checked_add(1)
        .ok_or(SaleRejection::NoBillNumberLeft)?;
    let number = bill_number(device, next);
    if number.len() > MAX_BILL_NUMBER_CHARS {
        return Err(SaleRejection::NoBillNumberLeft);
    }
    Ok(number)
}

/// `<device in base 36>-<at least 6 digits>`, such as `1-000042`.
pub fn bill_number(device: DeviceNo, number: u32) -> String {
    let mut digits = Vec::with_capacity(7);
    let mut rest = device.0;
    loop {
        let digit = char::from_digit(rest % 36, 36).unwrap_or('0');
        digits.push(digit.to_ascii_uppercase());
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    let device: String = digits.into_iter().rev().collect();
    format!("{device}-{number:06}")
}
