//! The heads of CBOR values (RFC 8949 §3), for readers that ask whether bytes are the one way in
//! which Pakka writes them.

/// The major types that events are made of, and the only values of the last one.
pub(crate) const UNSIGNED: u8 = 0;
pub(crate) const NEGATIVE: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const TEXT: u8 = 3;
pub(crate) const ARRAY: u8 = 4;
pub(crate) const MAP: u8 = 5;
pub(crate) const FALSE: u8 = 0xf4;
pub(crate) const TRUE: u8 = 0xf5;
pub(crate) const NULL: u8 = 0xf6;

/// What a value begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub major: u8,
    /// The number itself, or the length or count of what follows.
    pub value: u64,
    /// Was it written in as few bytes as it can be?
    pub is_shortest: bool,
}

/// Takes a head off the front. `None` where there is none, or one of indefinite length.
pub(crate) fn head(left: &mut &[u8]) -> Option<Head> {
    let (&first, rest) = left.split_first()?;
    *left = rest;
    let (length, least) = match first & 31 {
        short @ 0..24 => {
            return Some(Head {
                major: first >> 5,
                value: short.into(),
                is_shortest: true,
            });
        }
        24 => (1, 24),
        25 => (2, 1 << 8),
        26 => (4, 1 << 16),
        27 => (8, 1 << 32),
        _ => return None,
    };
    let bytes = take(left, length)?.iter();
    let value = bytes.fold(0, |value, byte| value << 8 | u64::from(*byte));
    Some(Head {
        major: first >> 5,
        value,
        is_shortest: value >= least,
    })
}

/// Takes so many bytes off the front. `None` where there are fewer.
pub(crate) fn take<'b>(left: &mut &'b [u8], count: u64) -> Option<&'b [u8]> {
    let (taken, rest) = left.split_at_checked(usize::try_from(count).ok()?)?;
    *left = rest;
    Some(taken)
}
