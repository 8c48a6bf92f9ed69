//! Codes that people read from one screen and type into another.

use std::fmt;

use shared::bytes::Hash;
use shared::chain::digest;

/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a claim code that the server makes: 60 random bits.
const CLAIM_CODE_CHARS: usize = 12;

/// A code in its normal form: upper case, without blanks and hyphens, `O` read as `0` and `I` and
/// `L` as `1`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The shortest code that is taken from a person who chooses it, in characters.
    pub const MIN_CHARS: usize = 8;

    /// The longest, in bytes as typed.
    pub const MAX_BYTES: usize = 64;

    /// A new code for claiming a server.
    pub fn random() -> Code {
        let bytes: [u8; CLAIM_CODE_CHARS] = crate::random();
        Code(
            bytes
                .iter()
                .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
                .collect(),
        )
    }

    /// What a person typed, if it can be a code at all.
    pub fn parse(typed: &str) -> Option<Code> {
        if typed.len() > Code::MAX_BYTES {
            return None;
        }
        let code: String = typed
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .map(|letter| match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let sound =
            code.len() >= Code::MIN_CHARS && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        sound.then_some(Code(code))
    }

    /// What is kept of it.
    pub fn hash(&self) -> Hash {
        digest(&[self.0.as_bytes()])
    }
}

impl fmt::Display for Code {
    /// In groups of four: `7K3M-90QX-W2AB`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in self.0.chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                formatter.write_str("-")?;
            }
            write!(formatter, "{letter}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    /// Codes are secrets until they are used.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a code")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = Code::random();
        assert_eq!(Code::parse(&code.to_string()), Some(code.clone()));
        assert_eq!(
            Code::parse(&format!(" {} ", code.to_string().to_lowercase())),
            Some(code)
        );
        assert_eq!(Code::parse("o1l0-ABCD"), Code::parse("0110abcd"));
    }

    #[test]
    fn what_cannot_be_a_code_is_not_one() {
        for typed in ["", "ABC-DEF", "ÄBCDEFGHI", &"A".repeat(65)] {
            assert_eq!(Code::parse(typed), None, "{typed}");
        }
    }
}
