//! Money in integer paise. There is no float anywhere in Pakka.

use core::fmt;

use minicbor::{Decode, Encode};
use serde::Serialize;

/// An amount in paise (₹1 = 100 paise). Signed: a balance may be either way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Paise(pub i64);

/// The largest amount that one entry may carry: ₹1 crore.
pub const MAX_ENTRY_PAISE: Paise = Paise(1_00_00_000 * 100);

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing, or only a currency sign, was written.
    #[error("no amount was written")]
    Empty,
    /// A character that has no place in an amount.
    #[error("this is not an amount")]
    NotAnAmount,
    /// More than two digits after the point.
    #[error("an amount has at most two digits after the point")]
    TooFine,
    /// Larger than the arithmetic can hold.
    #[error("this amount is too large")]
    TooLarge,
}

impl Paise {
    /// Nothing.
    pub const ZERO: Paise = Paise(0);

    /// `rupees` whole rupees, or `None` beyond the range of the type.
    pub const fn from_rupees(rupees: i64) -> Option<Paise> {
        match rupees.checked_mul(100) {
            Some(paise) => Some(Paise(paise)),
            None => None,
        }
    }

    /// The sum, or `None` beyond the range of the type.
    pub const fn checked_add(self, other: Paise) -> Option<Paise> {
        match self.0.checked_add(other.0) {
            Some(paise) => Some(Paise(paise)),
            None => None,
        }
    }

    /// The difference, or `None` beyond the range of the type.
    pub const fn checked_sub(self, other: Paise) -> Option<Paise> {
        match self.0.checked_sub(other.0) {
            Some(paise) => Some(Paise(paise)),
            None => None,
        }
    }

    /// The same amount the other way.
    ///
    /// Wraps at the end of the range, like the sums that it goes into.
    pub const fn negated(self) -> Paise {
        Paise(self.0.wrapping_neg())
    }

    /// The amount without its sign.
    pub const fn magnitude(self) -> Paise {
        if self.0 < 0 { self.negated() } else { self }
    }

    /// More than nothing?
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The tax contained in this gross amount at `rate`: gross × rate ÷ (100 % + rate),
    /// rounded half away from zero to a paisa (the usual commercial rounding, per line).
    pub fn tax_inside(self, rate: RateBp) -> Paise {
        let rate = i128::from(rate.0);
        Paise(div_round(
            i128::from(self.0) * rate,
            i128::from(RateBp::ONE.0) + rate,
        ))
    }

    /// Reads an amount as people write it: `1,234.5`, `₹ 300`, `-12`, Indian or native digits.
    ///
    /// Commas are ignored wherever they stand; blanks are allowed around the number and sign.
    pub fn parse(text: &str) -> Result<Paise, AmountError> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let text = text.trim_start().trim_start_matches('₹').trim_start();
        let mut paise: i64 = 0;
        let mut decimals: Option<u32> = None;
        let mut digits = 0u32;
        for character in text.chars() {
            match character {
                ',' if decimals.is_none() => {}
                '.' if decimals.is_none() => decimals = Some(0),
                _ => {
                    let digit = digit_value(character).ok_or(AmountError::NotAnAmount)?;
                    if let Some(count) = decimals.as_mut() {
                        *count += 1;
                        if *count > 2 {
                            return Err(AmountError::TooFine);
                        }
                    }
                    digits += 1;
                    paise = paise
                        .checked_mul(10)
                        .and_then(|value| value.checked_add(digit))
                        .ok_or(AmountError::TooLarge)?;
                }
            }
        }
        if digits == 0 {
            return Err(AmountError::Empty);
        }
        let scale = 10i64.pow(2 - decimals.unwrap_or(0));
        let paise = paise.checked_mul(scale).ok_or(AmountError::TooLarge)?;
        Ok(Paise(if negative { -paise } else { paise }))
    }
}

/// The value of a decimal digit in Latin or any script that Pakka's languages use.
pub(crate) fn digit_value(character: char) -> Option<i64> {
    // Zero of: Latin, Devanagari, Bengali, Gurmukhi, Gujarati, Odia, Tamil, Telugu, Kannada, Malayalam.
    const ZEROES: [char; 10] = ['0', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦'];
    ZEROES.iter().find_map(|&zero| {
        let offset = (character as u32).checked_sub(zero as u32)?;
        (offset < 10).then_some(i64::from(offset))
    })
}

/// Integer division, rounded half away from zero. `divisor` must be positive.
pub(crate) fn div_round(dividend: i128, divisor: i128) -> i64 {
    debug_assert!(divisor > 0);
    let half = divisor / 2;
    let rounded = if dividend >= 0 {
        (dividend + half) / divisor
    } else {
        (dividend - half) / divisor
    };
    i64::try_from(rounded).unwrap_or(if rounded > 0 { i64::MAX } else { i64::MIN })
}

impl fmt::Display for Paise {
    /// `₹12,34,567.50`: Indian grouping, always two decimals, a minus sign before the rupee sign.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            formatter.write_str("-")?;
        }
        let paise = self.0.unsigned_abs();
        write!(
            formatter,
            "₹{}.{:02}",
            group_digits(paise / 100),
            paise % 100
        )
    }
}

/// Groups digits the Indian way: the last three, then in twos (12,34,567).
pub fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 3 / 2);
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && (left == 3 || (left > 3 && left % 2 == 1)) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl core::iter::Sum for Paise {
    /// See [`Paise::add_assign`](core::ops::AddAssign::add_assign) on the range.
    fn sum<I: Iterator<Item = Paise>>(amounts: I) -> Paise {
        amounts.fold(Paise::ZERO, |mut sum, amount| {
            sum += amount;
            sum
        })
    }
}

impl core::ops::AddAssign for Paise {
    /// Wraps beyond the range of the type, because folds need an addition that gives the same sum
    /// in any order. Entries of at most [`MAX_ENTRY_PAISE`] take nine billion to get there.
    fn add_assign(&mut self, other: Paise) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl core::ops::SubAssign for Paise {
    /// Wraps like addition.
    fn sub_assign(&mut self, other: Paise) {
        self.0 = self.0.wrapping_sub(other.0);
    }
}

/// A rate in basis points (1 % = 100).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct RateBp(pub u32);

impl RateBp {
    /// One hundred per cent.
    pub const ONE: RateBp = RateBp(10_000);

    /// `percent` whole per cent.
    pub const fn percent(percent: u32) -> RateBp {
        RateBp(percent * 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_the_indian_way() {
        assert_eq!(Paise(12_34_567_50).to_string(), "₹12,34,567.50");
        assert_eq!(Paise(0).to_string(), "₹0.00");
        assert_eq!(Paise(-99_999).to_string(), "-₹999.99");
        assert_eq!(Paise(1_000_00).to_string(), "₹1,000.00");
        assert_eq!(group_digits(80_00_00_000), "80,00,00,000");
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        assert_eq!(Paise::parse("₹12,34,567.50"), Ok(Paise(12_34_567_50)));
        assert_eq!(Paise::parse(" 300 "), Ok(Paise(300_00)));
        assert_eq!(Paise::parse("0.5"), Ok(Paise(50)));
        assert_eq!(Paise::parse("−7"), Ok(Paise(-7_00)));
        assert_eq!(Paise::parse("३००"), Ok(Paise(300_00)));
        assert_eq!(Paise::parse(""), Err(AmountError::Empty));
        assert_eq!(Paise::parse("₹"), Err(AmountError::Empty));
        assert_eq!(Paise::parse("12a"), Err(AmountError::NotAnAmount));
        assert_eq!(Paise::parse("1.234"), Err(AmountError::TooFine));
        assert_eq!(
            Paise::parse("99999999999999999999"),
            Err(AmountError::TooLarge)
        );
    }

    #[test]
    fn tax_inside_the_price_comes_out_to_the_paisa() {
        let tax = |rupees: i64, percent| Paise(rupees * 100).tax_inside(RateBp::percent(percent));
        assert_eq!(tax(250, 5), Paise(11_90));
        assert_eq!(tax(180, 5), Paise(8_57));
        assert_eq!(tax(240, 5), Paise(11_43));
        assert_eq!(tax(80, 40), Paise(22_86));
        assert_eq!(tax(60, 0), Paise::ZERO);
    }
}
