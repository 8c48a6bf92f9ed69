//! Goods that come back.

use super::customer::open_page;
use super::khata::standing;
use super::lines::{self, Pricing, amount, check_count, check_sum};
use super::rejection::rejections;
use super::{Desk, Details, KhataRejection, Rejection, SaleRejection};
use crate::event::{GoodsReturned, Line, Refund, ReturnedLine};
use crate::ids::{CustomerId, EntryId};
use crate::ledger::What;
use crate::money::Paise;
use crate::quantity::Quantity;

rejections! {
    /// What cannot come back like this.
    pub enum ReturnRejection {
        /// More came back than the line of the sale gave out.
        #[error("{sold:?} were sold, {returned:?} came back before, {asked:?} were asked for")]
        "returned_more_than_sold" MoreThanSold {
            /// What the line gave out.
            sold: Quantity,
            /// What came back of it before.
            returned: Quantity,
            /// What was to come back now.
            asked: Quantity,
        },
        /// More would be refunded than the sale came to.
        #[error("of {total}, {refunded} were refunded before and {asked} were asked for")]
        "refund_too_large" RefundTooLarge {
            /// What the sale came to.
            total: Paise,
            /// What was refunded of it before.
            refunded: Paise,
            /// What was to be refunded now.
            asked: Paise,
        },
        /// The named entry sold nothing.
        #[error("entry {entry} is no sale")]
        "not_a_sale" NotASale {
            /// The entry.
            entry: EntryId,
        },
        /// The sale has no such line, or no sale was named.
        #[error("there is no line {line}")]
        "no_such_line" NoSuchLine {
            /// The line, from 1.
            line: u32,
        },
        /// The good is counted otherwise than in the sale.
        #[error("line {line} was sold in another unit")]
        "unit_differs" UnitDiffers {
            /// The line of the sale, from 1.
            line: u32,
        },
    }
}

/// Goods come back, of a sale or of none in particular.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnGoods {
    /// Date, note, witness.
    pub details: Details,
    /// Who, where it is known. A refund to the khata always names a customer.
    pub customer: Option<CustomerId>,
    /// How much is refunded; with lines, what they come to.
    pub amount: Paise,
    /// To the khata, or in money. Only the first changes what is owed.
    pub refund: Refund,
    /// The sale or credit entry that the goods came from.
    pub of: Option<EntryId>,
    /// What came back.
    pub lines: Vec<ReturnedLine>,
}

impl ReturnGoods {
    pub(super) fn body(mut self, desk: &mut Desk<'_, '_>) -> Result<GoodsReturned, Rejection> {
        let key = match self.customer {
            Some(customer) => open_page(desk, customer)?,
            None if self.refund == Refund::Khata => {
                return Err(SaleRejection::CustomerNeeded.into());
            }
            None => desk.shop_key()?,
        };
        let amount = amount(self.amount)?;
        check_count(self.lines.len())?;
        for (index, returned) in self.lines.iter_mut().enumerate() {
            returned.line = lines::line(returned.line.clone(), index, Pricing::Refunded)?;
        }
        check_sum(self.lines.iter().map(|returned| &returned.line), amount)?;
        self.check_sale(desk)?;
        Ok(GoodsReturned {
            particulars: self.details.particulars(desk, key)?,
            customer: self.customer,
            amount,
            refund: match self.refund {
                Refund::Khata => Refund::Khata,
                Refund::Money(by) => Refund::Money(lines::paid(&by)?),
            },
            of: self.of,
            lines: (!self.lines.is_empty()).then_some(self.lines),
        })
    }

    /// No more comes back of a sale than it gave out, with what came back before.
    fn check_sale(&self, desk: &Desk<'_, '_>) -> Result<(), Rejection> {
        let Some(entry) = self.of else {
            return match self.lines.iter().find_map(|line| line.of_line) {
                Some(line) => Err(no_such_line(line).into()),
                None => Ok(()),
            };
        };
        let sale = &standing(desk, entry)?.what;
        if !matches!(sale, What::Sale(_) | What::Credit(_)) {
            return Err(ReturnRejection::NotASale { entry }.into());
        }
        let canonical = |customer: Option<CustomerId>| customer.map(|id| desk.ledger.canonical(id));
        let [sold_to, _] = sale.customers();
        if let (Some(sold_to), Some(by)) = (canonical(sold_to), canonical(self.customer))
            && sold_to != by
        {
            return Err(KhataRejection::NotThisCustomers { entry }.into());
        }
        let before: Vec<&GoodsReturned> = returns_of(desk, entry).collect();
        let (total, asked) = (sale.amount(), self.amount);
        let refunded: Paise = before.iter().map(|goods| goods.amount).sum();
        let mut all = refunded;
        all += asked;
        if all > total {
            let rejection = ReturnRejection::RefundTooLarge {
                total,
                refunded,
                asked,
            };
            return Err(rejection.into());
        }
        for returned in &self.lines {
            if let Some(of_line) = returned.of_line {
                let sold = sale.lines().get(usize::from(of_line));
                let sold = sold.ok_or_else(|| no_such_line(of_line))?;
                self.check_line(of_line, sold, returned, &before)?;
            }
        }
        Ok(())
    }

    fn check_line(
        &self,
        of_line: u16,
        sold: &Line,
        returned: &ReturnedLine,
        before: &[&GoodsReturned],
    ) -> Result<(), ReturnRejection> {
        if sold.unit != returned.line.unit {
            let line = u32::from(of_line) + 1;
            return Err(ReturnRejection::UnitDiffers { line });
        }
        let before = before.iter().filter_map(|goods| goods.lines.as_deref());
        let returned = quantity_of(before.flatten(), of_line);
        let asked = quantity_of(&self.lines, of_line);
        let sold = sold.quantity;
        if returned.0.saturating_add(asked.0) > sold.0 {
            return Err(ReturnRejection::MoreThanSold {
                sold,
                returned,
                asked,
            });
        }
        Ok(())
    }
}

/// The returns of an entry that count, without one that is being replaced.
fn returns_of<'l>(desk: &Desk<'l, '_>, sale: EntryId) -> impl Iterator<Item = &'l GoodsReturned> {
    let (ledger, replacing) = (desk.ledger, desk.replacing);
    let entries = ledger.entries.iter();
    entries.filter_map(move |(&id, entry)| match &entry.what {
        What::Return(goods)
            if goods.of == Some(sale) && Some(id) != replacing && !ledger.is_reversed(id) =>
        {
            Some(goods)
        }
        _ => None,
    })
}

/// How much of a line of the sale is in these lines. Saturates: another phone may say anything.
fn quantity_of<'a>(lines: impl IntoIterator<Item = &'a ReturnedLine>, of_line: u16) -> Quantity {
    let lines = lines.into_iter();
    let same = lines.filter(|returned| returned.of_line == Some(of_line));
    let quantities = same.map(|returned| returned.line.quantity.0);
    Quantity(quantities.fold(0, i64::saturating_add))
}

fn no_such_line(line: u16) -> ReturnRejection {
    let line = u32::from(line) + 1;
    ReturnRejection::NoSuchLine { line }
}
