//! The keypad of an entry: what was typed, and what it comes to.
//!
//! A shopkeeper adds up a basket on the way: `250+180+2×120`. The sum is exact
//! (fractions of whole numbers, no float) and is rounded once, at its end, half
//! up to a paisa; [`Reading::rounded`] says when that happened.

use crate::money::{MAX_ENTRY_PAISE, Paise};

/// Most characters of a sum that can be typed.
pub const MAX_TYPED: usize = 40;
/// Most digits before the point of one number: ₹99,999,999.
const MAX_WHOLE_DIGITS: usize = 8;
/// Digits after the point of an amount: paise.
const AMOUNT_DECIMALS: usize = 2;
/// Digits after the point of what an amount is multiplied or divided by: grams.
const FACTOR_DECIMALS: usize = 3;

/// A key of the pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// 0 to 9.
    Digit(u8),
    /// The point before the paise.
    Point,
    /// One of + − × ÷.
    Operator(Operator),
    /// Takes back the last character.
    Delete,
    /// Puts what the sum comes to in its place.
    Equals,
}

/// What stands between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// +
    Plus,
    /// −
    Minus,
    /// ×
    Times,
    /// ÷
    Divide,
}

impl Operator {
    /// How it is written in a sum.
    pub const fn sign(self) -> char {
        match self {
            Self::Plus => '+',
            Self::Minus => '−',
            Self::Times => '×',
            Self::Divide => '÷',
        }
    }

    const fn of(sign: char) -> Option<Self> {
        match sign {
            '+' => Some(Self::Plus),
            '−' => Some(Self::Minus),
            '×' => Some(Self::Times),
            '÷' => Some(Self::Divide),
            _ => None,
        }
    }
}

/// What a sum comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Never below zero, never above [`MAX_ENTRY_PAISE`].
    pub amount: Paise,
    /// Whether a fraction of a paisa was rounded, half up.
    pub rounded: bool,
}

/// Why a sum comes to nothing that could be an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeypadError {
    /// Something is divided by 0.
    #[error("divided by zero")]
    DividedByZero,
    /// The result is below zero.
    #[error("the sum comes to less than zero")]
    BelowZero,
    /// The result, or a step to it, is beyond [`MAX_ENTRY_PAISE`].
    #[error("the sum is more than one entry may carry")]
    TooLarge,
}

/// What has been typed so far. Keys that make no sense where they are pressed
/// change nothing, so that what is typed can always be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keypad {
    typed: String,
    /// The number stands for a finished sum: the next digit begins anew.
    finished: bool,
}

impl Keypad {
    /// A keypad that begins with an amount, for instance of an entry that is
    /// being corrected. The next digit replaces it.
    pub fn with_amount(amount: Paise) -> Self {
        Self {
            typed: plain(amount),
            finished: true,
        }
    }

    /// The sum as it was typed, for instance `250+2×120`.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Whether anything is to be worked out, or just one number stands there.
    pub fn is_sum(&self) -> bool {
        self.typed.contains(|sign| Operator::of(sign).is_some())
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) {
        match key {
            Key::Digit(digit) => self.digit(digit),
            Key::Point => self.point(),
            Key::Operator(operator) => self.operator(operator),
            Key::Delete => {
                self.finished = false;
                self.typed.pop();
            }
            Key::Equals => {
                if let (true, Ok(reading)) = (self.is_sum(), self.reading()) {
                    *self = Self::with_amount(reading.amount);
                }
            }
        }
    }

    /// What the sum comes to; nothing typed is 0, and an operator at the end
    /// waits for its number.
    ///
    /// # Errors
    /// When it is divided by 0, below zero or too large.
    pub fn reading(&self) -> Result<Reading, KeypadError> {
        let sum = evaluate(self.typed.trim_end_matches(|c| Operator::of(c).is_some()))?;
        sum.reading()
    }

    fn digit(&mut self, digit: u8) {
        if self.finished {
            self.typed.clear();
            self.finished = false;
        }
        let (whole, decimals) = self.number();
        let room = match decimals {
            Some(decimals) => decimals < self.decimals_allowed(),
            None => whole < MAX_WHOLE_DIGITS,
        };
        if !room || self.typed.chars().count() >= MAX_TYPED || digit > 9 {
            return;
        }
        if self.number_is_zero() {
            self.typed.pop();
        }
        self.typed.push(char::from(b'0' + digit));
    }

    fn point(&mut self) {
        if self.finished {
            self.typed.clear();
            self.finished = false;
        }
        let (whole, decimals) = self.number();
        if decimals.is_some() || self.typed.chars().count() + 2 > MAX_TYPED {
            return;
        }
        if whole == 0 {
            self.typed.push('0');
        }
        self.typed.push('.');
    }

    fn operator(&mut self, operator: Operator) {
        self.finished = false;
        if self.typed.ends_with(|c| Operator::of(c).is_some()) {
            self.typed.pop();
        }
        if !self.typed.is_empty() && self.typed.chars().count() < MAX_TYPED {
            self.typed.push(operator.sign());
        }
    }

    /// Digits before the point of the number being typed, and after it.
    fn number(&self) -> (usize, Option<usize>) {
        let number = self.last_number();
        match number.split_once('.') {
            Some((whole, decimals)) => (whole.len(), Some(decimals.len())),
            None => (number.len(), None),
        }
    }

    fn last_number(&self) -> &str {
        self.typed
            .rsplit(|c| Operator::of(c).is_some())
            .next()
            .unwrap_or_default()
    }

    fn number_is_zero(&self) -> bool {
        self.last_number() == "0"
    }

    fn decimals_allowed(&self) -> usize {
        let before = self
            .typed
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        match before.chars().next_back().and_then(Operator::of) {
            Some(Operator::Times | Operator::Divide) => FACTOR_DECIMALS,
            Some(Operator::Plus | Operator::Minus) | None => AMOUNT_DECIMALS,
        }
    }
}

/// Rupees with a point, as they are typed: 30050 paise are `300.50`, 30000 are `300`.
fn plain(amount: Paise) -> String {
    let (rupees, paise) = (amount.0 / 100, amount.0 % 100);
    if paise == 0 {
        rupees.to_string()
    } else {
        format!("{rupees}.{paise:02}")
    }
}

/// An exact number: `top / bottom`, with `bottom` above zero.
#[derive(Clone, Copy, Debug)]
struct Fraction {
    top: i128,
    bottom: i128,
}

impl Fraction {
    const ZERO: Self = Self { top: 0, bottom: 1 };

    fn new(top: Option<i128>, bottom: Option<i128>) -> Result<Self, KeypadError> {
        let (Some(top), Some(bottom)) = (top, bottom) else {
            return Err(KeypadError::TooLarge);
        };
        let divisor = greatest_common_divisor(top.unsigned_abs(), bottom.unsigned_abs());
        let divisor = i128::try_from(divisor).map_err(|_| KeypadError::TooLarge)?;
        Ok(Self {
            top: top / divisor,
            bottom: bottom / divisor,
        })
    }

    /// Reads `12.345`, digits with at most one point.
    fn parse(number: &str) -> Result<Self, KeypadError> {
        let mut top: i128 = 0;
        let mut bottom: i128 = 1;
        let mut after_point = false;
        for c in number.chars() {
            let Some(digit) = c.to_digit(10) else {
                after_point = true;
                continue;
            };
            top = top * 10 + i128::from(digit);
            if after_point {
                bottom *= 10;
            }
        }
        Self::new(Some(top), Some(bottom))
    }

    fn apply(self, operator: Operator, other: Self) -> Result<Self, KeypadError> {
        let crossed = |sign: i128| {
            let left = self.top.checked_mul(other.bottom)?;
            let right = other.top.checked_mul(self.bottom)?.checked_mul(sign)?;
            left.checked_add(right)
        };
        match operator {
            Operator::Plus => Self::new(crossed(1), self.bottom.checked_mul(other.bottom)),
            Operator::Minus => Self::new(crossed(-1), self.bottom.checked_mul(other.bottom)),
            Operator::Times => Self::new(
                self.top.checked_mul(other.top),
                self.bottom.checked_mul(other.bottom),
            ),
            Operator::Divide if other.top == 0 => Err(KeypadError::DividedByZero),
            Operator::Divide => Self::new(
                self.top.checked_mul(other.bottom),
                self.bottom.checked_mul(other.top),
            ),
        }
    }

    /// Rupees to whole paise, half up.
    fn reading(self) -> Result<Reading, KeypadError> {
        if self.top < 0 {
            return Err(KeypadError::BelowZero);
        }
        let top = self.top.checked_mul(100).ok_or(KeypadError::TooLarge)?;
        let (paise, left) = (top / self.bottom, top % self.bottom);
        let up = i128::from(left * 2 >= self.bottom);
        let amount = i64::try_from(paise + up).map_err(|_| KeypadError::TooLarge)?;
        if amount > MAX_ENTRY_PAISE.0 {
            return Err(KeypadError::TooLarge);
        }
        Ok(Reading {
            amount: Paise(amount),
            rounded: left != 0,
        })
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// × and ÷ before + and −, from the left.
fn evaluate(typed: &str) -> Result<Fraction, KeypadError> {
    let mut total = Fraction::ZERO;
    let mut adding = Operator::Plus;
    let mut term: Option<Fraction> = None;
    let mut pending: Option<Operator> = None;
    let mut rest = typed;
    while !rest.is_empty() {
        let end = rest
            .find(|c| Operator::of(c).is_some())
            .unwrap_or(rest.len());
        let number = Fraction::parse(&rest[..end])?;
        term = Some(match (term, pending) {
            (Some(term), Some(operator)) => term.apply(operator, number)?,
            _ => number,
        });
        let mut chars = rest[end..].chars();
        match chars.next().and_then(Operator::of) {
            Some(operator @ (Operator::Times | Operator::Divide)) => pending = Some(operator),
            Some(operator) => {
                total = total.apply(adding, term.take().unwrap_or(Fraction::ZERO))?;
                adding = operator;
                pending = None;
            }
            None => {}
        }
        rest = chars.as_str();
    }
    total.apply(adding, term.unwrap_or(Fraction::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> Keypad {
        let mut keypad = Keypad::default();
        for key in keys.chars() {
            keypad.press(match key {
                '0'..='9' => Key::Digit(key as u8 - b'0'),
                '.' => Key::Point,
                '+' => Key::Operator(Operator::Plus),
                '-' => Key::Operator(Operator::Minus),
                '*' => Key::Operator(Operator::Times),
                '/' => Key::Operator(Operator::Divide),
                '=' => Key::Equals,
                '<' => Key::Delete,
                _ => panic!("no such key: {key}"),
            });
        }
        keypad
    }

    fn paise(keys: &str) -> i64 {
        typed(keys).reading().expect("an amount").amount.0
    }

    #[test]
    fn a_basket_on_credit_adds_up() {
        assert_eq!(paise("250+180+2*120"), 670_00);
    }

    #[test]
    fn loose_sugar_by_the_gram_comes_to_the_paisa() {
        assert_eq!(paise("44*0.350"), 15_40);
    }

    #[test]
    fn a_third_is_rounded_half_up_and_says_so() {
        let third = typed("100/3").reading();
        assert_eq!(
            third,
            Ok(Reading {
                amount: Paise(33_33),
                rounded: true
            })
        );
        assert_eq!(paise("0.01/2"), 1);
        assert!(!typed("100/4").reading().expect("an amount").rounded);
    }

    #[test]
    fn three_thirds_make_a_whole_because_only_the_end_is_rounded() {
        let whole = typed("10/3+10/3+10/3").reading();
        assert_eq!(
            whole,
            Ok(Reading {
                amount: Paise(10_00),
                rounded: false
            })
        );
    }

    #[test]
    fn equals_puts_the_result_in_place_and_the_next_digit_begins_anew() {
        assert_eq!(typed("300+70=").typed(), "370");
        assert_eq!(typed("300+70=5").typed(), "5");
        assert_eq!(typed("300+70=+5").typed(), "370+5");
    }

    #[test]
    fn an_operator_at_the_end_waits_for_its_number() {
        assert_eq!(paise("300+"), 300_00);
        assert_eq!(paise(""), 0);
    }

    #[test]
    fn a_second_operator_replaces_the_first() {
        assert_eq!(typed("300+*2").typed(), "300×2");
        assert_eq!(typed("+5").typed(), "5");
    }

    #[test]
    fn an_amount_has_two_digits_after_the_point_and_a_weight_three() {
        assert_eq!(typed("1.239").typed(), "1.23");
        assert_eq!(typed("1*1.2399").typed(), "1×1.239");
        assert_eq!(typed("1.2.3").typed(), "1.23");
        assert_eq!(typed(".5").typed(), "0.5");
    }

    #[test]
    fn zeros_in_front_are_not_kept() {
        assert_eq!(typed("007").typed(), "7");
        assert_eq!(typed("005").typed(), "5");
        assert_eq!(typed("500").typed(), "500");
    }

    #[test]
    fn the_last_character_is_taken_back() {
        assert_eq!(typed("30+<").typed(), "30");
        assert_eq!(typed("<").typed(), "");
    }

    #[test]
    fn what_makes_no_amount_says_why() {
        assert_eq!(typed("5/0").reading(), Err(KeypadError::DividedByZero));
        assert_eq!(typed("5-6").reading(), Err(KeypadError::BelowZero));
        let large = "99999999*99999999";
        assert_eq!(typed(large).reading(), Err(KeypadError::TooLarge));
        let steps = "99999999*99999999*99999999*99999999*9999";
        assert_eq!(typed(steps).reading(), Err(KeypadError::TooLarge));
    }

    #[test]
    fn typing_ends_at_its_limit() {
        let long = typed(&"1+".repeat(MAX_TYPED));
        assert_eq!(long.typed().chars().count(), MAX_TYPED);
        assert_eq!(typed("123456789").typed(), "12345678");
    }

    #[test]
    fn an_entry_that_is_corrected_begins_with_its_amount() {
        assert_eq!(Keypad::with_amount(Paise(300_50)).typed(), "300.50");
        assert_eq!(Keypad::with_amount(Paise(300_00)).typed(), "300");
        let mut keypad = Keypad::with_amount(Paise(300_00));
        keypad.press(Key::Digit(7));
        assert_eq!(keypad.typed(), "7");
    }
}
