//! Amounts, lines of bills, and the ways of paying.

use super::fields::{TextRejection, optional, required};
use super::rejection::rejections;
use super::{Rejection, TextField};
use crate::event::{Line, Paid, Tax};
use crate::money::{MAX_ENTRY_PAISE, Paise, RateBp};
use crate::quantity::{MAX_LINE_QUANTITY, Quantity};

/// The most lines of one entry.
pub const MAX_LINES: usize = 1500;

rejections! {
    /// Amounts that cannot be written, and lines that do not add up.
    pub enum AmountRejection {
        /// Zero or less.
        #[error("{asked} is not more than nothing")]
        "amount_not_positive" NotPositive {
            /// What was asked for.
            asked: Paise,
        },
        /// More than one entry may carry.
        #[error("{asked} is more than the {limit} that one entry may carry")]
        "amount_too_large" TooLarge {
            /// What was asked for.
            asked: Paise,
            /// The most.
            limit: Paise,
        },
        /// Below zero where only zero or more can be.
        #[error("{asked} is less than nothing")]
        "amount_negative" Negative {
            /// What was asked for.
            asked: Paise,
        },
        /// Zero or less of a good, or more than one line may carry.
        #[error("line {line}: the quantity must be more than 0 and at most {}", .limit.0)]
        "quantity_out_of_range" QuantityOutOfRange {
            /// The line, from 1.
            line: u32,
            /// What was asked for.
            asked: Quantity,
            /// The most.
            limit: Quantity,
        },
        /// Quantity × price − discount is not the amount of the line.
        #[error("line {line} should come to {expected} and says {amount}")]
        "line_does_not_add_up" LineDoesNotAddUp {
            /// The line, from 1.
            line: u32,
            /// What it should come to.
            expected: Paise,
            /// What it says.
            amount: Paise,
        },
        /// The tax is not what the rate makes of the amount.
        #[error("line {line} contains {expected} of tax and says {tax}")]
        "tax_does_not_add_up" TaxDoesNotAddUp {
            /// The line, from 1.
            line: u32,
            /// The tax inside the amount.
            expected: Paise,
            /// What it says.
            tax: Paise,
        },
        /// The lines do not come to the amount of the entry.
        #[error("the lines come to {lines} and the entry to {amount}")]
        "lines_do_not_add_up" LinesDoNotAddUp {
            /// What the lines come to.
            lines: Paise,
            /// The amount of the entry.
            amount: Paise,
        },
        /// More lines than one entry may have.
        #[error("an entry has at most {limit} lines")]
        "too_many_lines" TooManyLines {
            /// The most.
            limit: u32,
        },
        /// Longer than an event may be.
        #[error("this is longer than the {limit_bytes} bytes of one entry")]
        "entry_too_long" TooLong {
            /// The most bytes.
            limit_bytes: u32,
        },
        /// More than one command may do.
        #[error("one command does at most {limit} things")]
        "too_many_at_once" TooManyAtOnce {
            /// The most.
            limit: u32,
        },
    }
}

/// An amount that an entry may carry: more than nothing, at most [`MAX_ENTRY_PAISE`].
pub(super) fn amount(asked: Paise) -> Result<Paise, AmountRejection> {
    if !asked.is_positive() {
        return Err(AmountRejection::NotPositive { asked });
    }
    not_negative(asked)
}

/// An amount that may be nothing.
pub(super) fn not_negative(asked: Paise) -> Result<Paise, AmountRejection> {
    let limit = MAX_ENTRY_PAISE;
    if asked < Paise::ZERO {
        Err(AmountRejection::Negative { asked })
    } else if asked > limit {
        Err(AmountRejection::TooLarge { asked, limit })
    } else {
        Ok(asked)
    }
}

/// How the amount of a line hangs together with its price.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pricing {
    /// As printed on the bill: quantity × price − discount.
    Sold,
    /// What was given back for it, which people agree on.
    Refunded,
}

/// Checks one line, counted from 0, and trims its words.
pub(super) fn line(mut line: Line, index: usize, pricing: Pricing) -> Result<Line, Rejection> {
    let number = index as u32 + 1;
    line.name = required(&line.name, TextField::Item)?;
    line.batch = optional(line.batch.as_deref(), TextField::Batch)?;
    line.hsn = optional(line.hsn.as_deref(), TextField::Hsn)?;
    if !(Quantity(1)..=MAX_LINE_QUANTITY).contains(&line.quantity) {
        return Err(AmountRejection::QuantityOutOfRange {
            line: number,
            asked: line.quantity,
            limit: MAX_LINE_QUANTITY,
        }
        .into());
    }
    let amounts = [
        Some(line.price),
        Some(line.amount),
        line.mrp,
        line.discount,
        line.cost,
    ];
    for amount in amounts.into_iter().flatten() {
        not_negative(amount)?;
    }
    let mut expected = line.quantity.cost(line.price);
    expected -= line.discount.unwrap_or_default();
    if pricing == Pricing::Sold && line.amount != expected {
        let amount = line.amount;
        return Err(AmountRejection::LineDoesNotAddUp {
            line: number,
            expected,
            amount,
        }
        .into());
    }
    if let Some(Tax {
        cgst,
        sgst,
        igst,
        cess,
    }) = line.tax
    {
        for part in [cgst, sgst, igst, cess] {
            not_negative(part)?;
        }
        let tax = [cgst, sgst, igst].into_iter().sum();
        let expected = line.amount.tax_inside(line.rate.unwrap_or(RateBp(0)));
        if tax != expected {
            return Err(AmountRejection::TaxDoesNotAddUp {
                line: number,
                expected,
                tax,
            }
            .into());
        }
    }
    Ok(line)
}

/// Checks the lines of a sale; none is absent.
pub(super) fn lines(lines: Vec<Line>) -> Result<Option<Vec<Line>>, Rejection> {
    check_count(lines.len())?;
    let lines: Vec<Line> = lines
        .into_iter()
        .enumerate()
        .map(|(index, sold)| line(sold, index, Pricing::Sold))
        .collect::<Result<_, _>>()?;
    Ok((!lines.is_empty()).then_some(lines))
}

pub(super) fn check_count(lines: usize) -> Result<(), AmountRejection> {
    let limit = MAX_LINES as u32;
    if lines > MAX_LINES {
        return Err(AmountRejection::TooManyLines { limit });
    }
    Ok(())
}

/// The lines, if there are any, come to the amount.
pub(super) fn check_sum<'a>(
    lines: impl IntoIterator<Item = &'a Line>,
    amount: Paise,
) -> Result<(), AmountRejection> {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    let lines = lines.map(|line| line.amount).sum();
    if lines != amount {
        return Err(AmountRejection::LinesDoNotAddUp { lines, amount });
    }
    Ok(())
}

/// How money came or went, with its reference trimmed.
pub(super) fn paid(paid: &Paid) -> Result<Paid, TextRejection> {
    Ok(Paid {
        mode: paid.mode,
        reference: optional(paid.reference.as_deref(), TextField::Reference)?,
        app: optional(paid.app.as_deref(), TextField::App)?,
    })
}
