//! Words, numbers and codes that people type.

use super::rejection::rejections;
use super::{Desk, Rejection};
use crate::bytes::KeyId;
use crate::event::{Reason, ReasonCode};
use crate::money::digit_value;
use crate::text::{Field, Text};

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 80;
/// The longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 500;
/// The longest address, in characters.
pub const MAX_ADDRESS_CHARS: usize = 300;
/// The longest reference of a payment, in characters.
pub const MAX_REFERENCE_CHARS: usize = 50;
/// The longest name of a payment app, and of a version of this one, in characters.
pub const MAX_APP_CHARS: usize = 40;
/// The longest batch number, HSN code or bill number, in characters.
pub const MAX_CODE_CHARS: usize = 30;
/// The longest UPI address, in characters.
pub const MAX_UPI_CHARS: usize = 255;

/// The box that words were typed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextField {
    /// The name of a shop, a customer, a member of the staff or a device.
    Name,
    /// A telephone number.
    Phone,
    /// An address.
    Address,
    /// A note.
    Note,
    /// Who saw it.
    Witness,
    /// The reference of a payment.
    Reference,
    /// The app of a payment.
    App,
    /// What was sold.
    Item,
    /// The batch of a good.
    Batch,
    /// The HSN code of a good.
    Hsn,
    /// A UPI address.
    Upi,
    /// A GSTIN.
    Gstin,
}

impl TextField {
    /// Every box.
    pub const ALL: &[TextField] = &[
        TextField::Name,
        TextField::Phone,
        TextField::Address,
        TextField::Note,
        TextField::Witness,
        TextField::Reference,
        TextField::App,
        TextField::Item,
        TextField::Batch,
        TextField::Hsn,
        TextField::Upi,
        TextField::Gstin,
    ];

    /// The stable code, under which every language has a word.
    pub const fn code(self) -> &'static str {
        match self {
            TextField::Name => "name",
            TextField::Phone => "phone",
            TextField::Address => "address",
            TextField::Note => "note",
            TextField::Witness => "witness",
            TextField::Reference => "reference",
            TextField::App => "app",
            TextField::Item => "item",
            TextField::Batch => "batch",
            TextField::Hsn => "hsn",
            TextField::Upi => "upi",
            TextField::Gstin => "gstin",
        }
    }

    /// The most characters that it takes.
    pub const fn max_chars(self) -> usize {
        match self {
            TextField::Name | TextField::Witness | TextField::Item => MAX_NAME_CHARS,
            TextField::Address => MAX_ADDRESS_CHARS,
            TextField::Note => MAX_NOTE_CHARS,
            TextField::Reference => MAX_REFERENCE_CHARS,
            TextField::App => MAX_APP_CHARS,
            TextField::Batch | TextField::Hsn | TextField::Phone | TextField::Gstin => {
                MAX_CODE_CHARS
            }
            TextField::Upi => MAX_UPI_CHARS,
        }
    }
}

impl core::fmt::Display for TextField {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(self.code())
    }
}

rejections! {
    /// Words that cannot be written.
    pub enum TextRejection {
        /// Nothing was written where something must be.
        #[error("the {field} is empty")]
        "text_empty" Empty {
            /// Where.
            field: TextField,
        },
        /// Too much was written.
        #[error("the {field} is longer than {limit} characters")]
        "text_too_long" TooLong {
            /// Where.
            field: TextField,
            /// The most characters.
            limit: u32,
        },
        /// An invisible character that could make the words read as something else.
        #[error("the {field} contains a control or direction-override character")]
        "text_forbidden_character" ForbiddenCharacter {
            /// Where.
            field: TextField,
        },
        /// Not a telephone number.
        #[error("this is not a telephone number")]
        "not_a_phone" NotAPhone,
        /// Not a GSTIN: wrong length, form or check digit.
        #[error("this is not a GSTIN")]
        "not_a_gstin" NotAGstin,
        /// Not a UPI address.
        #[error("this is not a UPI address")]
        "not_a_upi_address" NotAUpiAddress,
        /// Not a GST state code.
        #[error("{code} is not a GST state code")]
        "not_a_state" NotAState {
            /// What was given.
            code: u32,
        },
        /// The customer's key has not come to this device, so nothing can be sealed with it.
        #[error("the key that seals this text is not on this device")]
        "key_missing" KeyMissing,
    }
}

/// Why something is taken back, given up or allowed, in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The usual reasons.
    pub code: ReasonCode,
    /// In the person's own words.
    pub note: Option<String>,
}

impl Why {
    /// A usual reason with nothing more to say.
    pub const fn new(code: ReasonCode) -> Why {
        Why { code, note: None }
    }
}

/// Words without blanks around them; `None` if nothing is left.
pub(super) fn words(text: &str, field: TextField) -> Result<Option<String>, TextRejection> {
    let text = text.trim();
    let limit = field.max_chars();
    if text.chars().nth(limit).is_some() {
        let limit = limit as u32;
        return Err(TextRejection::TooLong { field, limit });
    }
    let lines = matches!(field, TextField::Note | TextField::Address);
    if text
        .chars()
        .any(|c| is_forbidden(c) && !(lines && c == '\n'))
    {
        return Err(TextRejection::ForbiddenCharacter { field });
    }
    let visible = text.chars().any(|c| !c.is_whitespace() && !is_joiner(c));
    Ok(visible.then(|| text.to_owned()))
}

/// Words that must be there.
pub(super) fn required(text: &str, field: TextField) -> Result<String, TextRejection> {
    words(text, field)?.ok_or(TextRejection::Empty { field })
}

/// Words that may be left out; blank is absent.
pub(super) fn optional(
    text: Option<&str>,
    field: TextField,
) -> Result<Option<String>, TextRejection> {
    text.map_or(Ok(None), |text| words(text, field))
}

/// The joiners that Indian scripts need: zero-width non-joiner and joiner.
const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}')
}

/// Control characters, direction overrides and marks, and other invisible format characters.
pub fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// A telephone number in the international form, such as `+919876543210`, from what people type:
/// blanks, dashes, brackets, a leading 0, native digits. Ten digits are an Indian number.
pub fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    let international = text.starts_with('+') || text.starts_with("00");
    let mut digits = String::with_capacity(15);
    for character in text.strip_prefix('+').unwrap_or(text).chars() {
        match digit_value(character) {
            Some(digit) => digits.push(char::from(b'0' + digit as u8)),
            None if matches!(character, ' ' | '-' | '(' | ')' | '.' | '\u{A0}') => {}
            None => return None,
        }
    }
    let digits = digits.trim_start_matches('0');
    match digits.len() {
        8..=15 if international => Some(format!("+{digits}")),
        10 => Some(format!("+91{digits}")),
        12 if digits.starts_with("91") => Some(format!("+{digits}")),
        _ => None,
    }
}

/// A GSTIN in capitals: state, PAN, entity, one more character, and the check digit.
pub fn gstin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    let bytes: &[u8; 15] = text.as_bytes().try_into().ok()?;
    let form = |byte: &u8, kind: u8| match kind {
        b'A' => byte.is_ascii_uppercase(),
        b'9' => byte.is_ascii_digit(),
        _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
    };
    let sound = bytes
        .iter()
        .zip(b"99AAAAA9999AXXX")
        .all(|(b, &k)| form(b, k));
    let state = || text[..2].parse().ok().and_then(state_code);
    let sound = sound && state().is_some() && check_digit(&bytes[..14]) == bytes[14];
    sound.then_some(text)
}

/// The check digit of a GSTIN: the digits in base 36, every second one doubled, quotient and
/// remainder by 36 added up, taken from the next multiple of 36.
fn check_digit(bytes: &[u8]) -> u8 {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        _ => u32::from(byte - b'A') + 10,
    };
    let sum: u32 = bytes
        .iter()
        .zip([1, 2].into_iter().cycle())
        .map(|(&byte, factor)| value(byte) * factor)
        .map(|product| product / 36 + product % 36)
        .sum();
    match (36 - sum % 36) % 36 {
        digit @ 0..=9 => b'0' + digit as u8,
        letter => b'A' + (letter - 10) as u8,
    }
}

/// A UPI address (VPA): a name of letters, digits, dots, dashes and underscores, `@`, and a handle
/// of letters and digits.
pub fn upi(text: &str) -> Option<String> {
    let text = text.trim();
    let (name, handle) = text.split_once('@')?;
    let sound = text.len() <= MAX_UPI_CHARS
        && name.len() >= 2
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && handle.len() >= 2
        && handle.bytes().all(|b| b.is_ascii_alphanumeric());
    sound.then(|| text.to_owned())
}

/// A GST state code: 1 to 38, 97 (other territory) or 99 (centre).
pub const fn state_code(code: u8) -> Option<u8> {
    match code {
        1..=38 | 97 | 99 => Some(code),
        _ => None,
    }
}

pub(super) fn checked_gstin(text: &str) -> Result<String, TextRejection> {
    gstin(text).ok_or(TextRejection::NotAGstin)
}

pub(super) fn checked_state(code: u8) -> Result<u8, TextRejection> {
    state_code(code).ok_or(TextRejection::NotAState {
        code: u32::from(code),
    })
}

pub(super) fn checked_phone(text: &str) -> Result<String, TextRejection> {
    phone(text).ok_or(TextRejection::NotAPhone)
}

impl Desk<'_, '_> {
    /// Seals a note or the name of a witness.
    pub(super) fn seal_optional(
        &mut self,
        text: Option<&str>,
        field: TextField,
        key: KeyId,
    ) -> Result<Option<Text>, Rejection> {
        let sealed_as = match field {
            TextField::Witness | TextField::Name => Field::Name,
            TextField::Address => Field::Address,
            TextField::Phone => Field::Phone,
            _ => Field::Note,
        };
        match optional(text, field)? {
            Some(text) => Ok(Some(self.seal(&text, sealed_as, key)?)),
            None => Ok(None),
        }
    }

    /// A reason with its note sealed.
    pub(super) fn reason(&mut self, why: &Why, key: KeyId) -> Result<Reason, Rejection> {
        let note = self.seal_optional(why.note.as_deref(), TextField::Note, key)?;
        Ok(Reason {
            code: why.code,
            note: note.map(Box::new),
        })
    }
}
