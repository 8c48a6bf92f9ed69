//! How names, numbers and amounts are compared when someone searches.

use crate::money::Paise;

/// A name as it is compared: lower case, without the marks that people leave out when they type.
///
/// In the scripts of India, letters with a nukta count as the plain letter and a chandrabindu as an
/// anusvara; joiners, which cannot be seen, are left out. Blanks between words become one.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        let letters = word.chars().filter_map(plain);
        folded.extend(letters.flat_map(char::to_lowercase));
    }
    folded
}

/// The plain form of a letter, or nothing for a mark that is left out.
fn plain(letter: char) -> Option<char> {
    Some(match letter {
        // Nuktas of Devanagari, Bengali, Gurmukhi, Gujarati, Odia and Kannada; joiners.
        '\u{93C}' | '\u{9BC}' | '\u{A3C}' | '\u{ABC}' | '\u{B3C}' | '\u{CBC}' => return None,
        '\u{200C}' | '\u{200D}' => return None,
        // Chandrabindus.
        '\u{901}' => '\u{902}',
        '\u{981}' => '\u{982}',
        '\u{A81}' => '\u{A82}',
        '\u{B01}' => '\u{B02}',
        // Devanagari letters that carry their nukta: क़ ख़ ग़ ज़ ड़ ढ़ फ़ य़ and ऩ ऱ ऴ.
        '\u{958}' => 'क',
        '\u{959}' => 'ख',
        '\u{95A}' => 'ग',
        '\u{95B}' => 'ज',
        '\u{95C}' => 'ड',
        '\u{95D}' => 'ढ',
        '\u{95E}' => 'फ',
        '\u{95F}' => 'य',
        '\u{929}' => 'न',
        '\u{931}' => 'र',
        '\u{934}' => 'ळ',
        // Bengali ড় ঢ় য়.
        '\u{9DC}' => 'ড',
        '\u{9DD}' => 'ঢ',
        '\u{9DF}' => 'য',
        // Gurmukhi ਲ਼ ਸ਼ ਖ਼ ਗ਼ ਜ਼ ਫ਼.
        '\u{A33}' => 'ਲ',
        '\u{A36}' => 'ਸ',
        '\u{A59}' => 'ਖ',
        '\u{A5A}' => 'ਗ',
        '\u{A5B}' => 'ਜ',
        '\u{A5E}' => 'ਫ',
        // Odia ଡ଼ ଢ଼.
        '\u{B5C}' => 'ଡ',
        '\u{B5D}' => 'ଢ',
        other => other,
    })
}

/// The decimal digits of a text, whatever their script, as Latin digits.
pub(super) fn digits(text: &str) -> String {
    text.chars()
        .filter_map(crate::money::digit_value)
        .filter_map(|digit| u8::try_from(digit).ok())
        .map(|digit| char::from(b'0' + digit))
        .collect()
}

/// An Indian telephone number without its country code: the last ten digits. Shorter numbers stay
/// as they are.
pub(super) fn national_number(digits: &str) -> &str {
    let from = digits.len().saturating_sub(10);
    digits.get(from..).unwrap_or(digits)
}

/// Fewer digits than this are no part of a telephone number that anyone would search for.
const MIN_PHONE_DIGITS: usize = 3;

/// What someone looks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    words: Vec<String>,
    digits: String,
    amount: Option<Paise>,
}

impl Search {
    /// Reads what was typed: words of a name, a part of a telephone number, or an amount.
    pub(super) fn new(typed: &str) -> Search {
        let words = folded(typed).split(' ').map(str::to_owned).collect();
        let is_number = typed
            .chars()
            .all(|typed| crate::money::digit_value(typed).is_some() || " +-()".contains(typed));
        let digits = if is_number {
            digits(typed)
        } else {
            String::new()
        };
        Search {
            words,
            digits,
            amount: Paise::parse(typed).ok().map(Paise::magnitude),
        }
    }

    /// Does every typed word stand somewhere in the name?
    pub(super) fn finds_name(&self, folded: &str) -> bool {
        self.words.iter().all(|word| folded.contains(word.as_str()))
    }

    /// Do the typed digits stand in this number?
    pub(super) fn finds_phone(&self, digits: &str) -> bool {
        self.digits.len() >= MIN_PHONE_DIGITS
            && (digits.contains(&self.digits)
                || (self.digits.len() > 10 && digits.contains(national_number(&self.digits))))
    }

    /// Is this the typed amount, whichever way? Whole rupees find their paise too.
    pub(super) fn finds_amount(&self, amount: Paise) -> bool {
        let amount = amount.magnitude();
        self.amount.is_some_and(|typed| {
            let whole = typed.0 % 100 == 0;
            amount.is_positive() && (amount == typed || (whole && amount.0 / 100 == typed.0 / 100))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_the_beginning_or_middle_of_any_word_in_any_case() {
        let name = folded("Priya  SHARMA (Matunga)");
        for typed in ["priya", "PRI", "sharma", "arma", "mat pri", " tunga "] {
            assert!(Search::new(typed).finds_name(&name), "{typed}");
        }
        assert!(!Search::new("priya verma").finds_name(&name));
    }

    #[test]
    fn a_name_is_found_without_the_dots_that_people_leave_out() {
        assert!(Search::new("फिरोज").finds_name(&folded("फ़िरोज़ ख़ान")));
        assert!(Search::new("फ़िरोज़").finds_name(&folded("फिरोज")));
        assert!(Search::new("चांद").finds_name(&folded("चाँद")));
        assert!(!Search::new("राम").finds_name(&folded("श्याम")));
    }

    #[test]
    fn a_telephone_number_is_found_by_any_three_of_its_digits() {
        let phone = digits("+91 98200-12345");
        for typed in [
            "982",
            "12345",
            "98200 12345",
            "+91 98200",
            "९८२००",
            "0091 9820012345",
        ] {
            assert!(Search::new(typed).finds_phone(&phone), "{typed}");
        }
        assert!(
            !Search::new("45").finds_phone(&phone),
            "too short to mean a number"
        );
        assert!(!Search::new("abc").finds_phone(&phone));
        assert!(!Search::new("").finds_phone(&phone));
    }

    #[test]
    fn an_amount_is_found_by_its_rupees_or_to_the_paisa() {
        let rupees_370 = Search::new("370");
        assert!(rupees_370.finds_amount(Paise(370_00)));
        assert!(rupees_370.finds_amount(Paise(-370_50)));
        assert!(!rupees_370.finds_amount(Paise(371_00)));
        assert!(!rupees_370.finds_amount(Paise(3_700_00)));
        assert!(Search::new("₹1,234.50").finds_amount(Paise(1_234_50)));
        assert!(!Search::new("370.50").finds_amount(Paise(370_00)));
        assert!(
            !Search::new("0").finds_amount(Paise(0)),
            "everybody settled is no answer"
        );
    }
}
