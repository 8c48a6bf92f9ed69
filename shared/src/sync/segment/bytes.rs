//! Numbers and lengths in a segment, read with bounds.

use super::Damaged;

/// Appends an unsigned integer: seven bits a byte, the lowest first, the high bit set on all but
/// the last (LEB128).
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small numbers of either sign as small unsigned ones.
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The number of a [`zigzag`].
pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Bytes that are read from the front to the end, and where the reading stands.
#[derive(Debug, Clone)]
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    pub const fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { bytes, at: 0 }
    }

    /// The error of this place.
    pub const fn damaged(&self, what: &'static str) -> Damaged {
        Damaged { at: self.at, what }
    }

    pub fn take(&mut self, count: usize) -> Result<&'b [u8], Damaged> {
        let rest = &self.bytes[self.at..];
        if count > rest.len() {
            return Err(self.damaged("it ends too early"));
        }
        self.at += count;
        Ok(&rest[..count])
    }

    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("as many as were taken"))
    }

    pub fn byte(&mut self) -> Result<u8, Damaged> {
        Ok(self.take(1)?[0])
    }

    pub fn varint(&mut self) -> Result<u64, Damaged> {
        let mut value = 0;
        for shift in (0..).step_by(7).take(10) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number that is too large"))
    }

    /// A count of things, at most so many.
    pub fn count(&mut self, most: usize) -> Result<usize, Damaged> {
        match usize::try_from(self.varint()?) {
            Ok(count) if count <= most => Ok(count),
            _ => Err(self.damaged("more than there may be")),
        }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'b [u8] {
        &self.bytes[self.at..]
    }

    pub fn end(&self) -> Result<(), Damaged> {
        match self.at == self.bytes.len() {
            true => Ok(()),
            false => Err(self.damaged("something stands behind the end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_come_back() {
        for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint(), Ok(value));
            assert_eq!(reader.end(), Ok(()));
        }
        for value in [0, 1, -1, 77, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_named() {
        let mut reader = Reader::new(&[0xff; 11]);
        assert!(reader.varint().is_err());
    }
}
