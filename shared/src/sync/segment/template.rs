//! The shape of a value, with holes where values of the same shape differ.

use super::bytes::{Reader, put_varint, unzigzag, zigzag};
use super::{Damaged, MAX_COLUMNS};

/// A part of a template, in the order of the bytes that it stands for. Numbers of columns say where
/// what fills a hole stands; a hole with several parts has several columns side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The head of an array of so many.
    Array(u64),
    /// Values that stand for themselves.
    Null,
    False,
    True,
    /// This integer.
    Same(i64),
    /// The event's own device and number.
    OwnDevice,
    OwnSeq,
    /// An integer.
    Int(usize),
    /// A byte string: its place in the dictionary, or its length.
    Bytes(usize),
    /// A text string, likewise.
    Text(usize),
    /// A text string that ends in so many decimal digits: the text before them, and their number.
    Digits(usize, u32),
    /// An array of two integers that names something: its place in the dictionary, and if it has
    /// none the two.
    Id(usize),
    /// An array of arrays: how many, and the template of each.
    List(usize),
}

/// The most digits of a text that are kept as a number.
pub(super) const MAX_DIGITS: usize = 18;

/// The most parts of a template.
pub(super) const MAX_PARTS: usize = 4096;

impl Part {
    /// How many columns it fills.
    pub const fn columns(self) -> usize {
        match self {
            Part::Int(_) | Part::Bytes(_) | Part::Text(_) => 1,
            Part::Digits(..) | Part::List(_) => 2,
            Part::Id(_) => 3,
            _ => 0,
        }
    }

    const fn code(self) -> (u64, u64) {
        match self {
            Part::Array(count) => (0, count),
            Part::Null => (1, 0),
            Part::False => (2, 0),
            Part::True => (3, 0),
            Part::Same(value) => (4, zigzag(value)),
            Part::OwnDevice => (5, 0),
            Part::OwnSeq => (6, 0),
            Part::Int(column) => (7, column as u64),
            Part::Bytes(column) => (8, column as u64),
            Part::Text(column) => (9, column as u64),
            Part::Digits(column, _) => (10, column as u64),
            Part::Id(column) => (11, column as u64),
            Part::List(column) => (12, column as u64),
        }
    }

    /// What kind of hole it is, whatever its column.
    pub const fn sort(self) -> u8 {
        self.code().0 as u8
    }

    fn write(self, out: &mut Vec<u8>) {
        let (code, value) = self.code();
        // The sort stands apart from a number that may need all 64 bits.
        out.push(code as u8);
        if !matches!(code, 1..=3 | 5 | 6) {
            put_varint(out, value);
        }
        if let Part::Digits(_, width) = self {
            out.push(width as u8);
        }
    }

    fn read(reader: &mut Reader<'_>, columns: usize) -> Result<Part, Damaged> {
        let code = reader.byte()?;
        let part = match code {
            0 => Part::Array(reader.varint()?),
            1 => Part::Null,
            2 => Part::False,
            3 => Part::True,
            4 => Part::Same(unzigzag(reader.varint()?)),
            5 => Part::OwnDevice,
            6 => Part::OwnSeq,
            7..=12 => {
                let column = reader.count(MAX_COLUMNS)?;
                match code {
                    7 => Part::Int(column),
                    8 => Part::Bytes(column),
                    9 => Part::Text(column),
                    10 => match reader.byte()?.into() {
                        width @ 1..=MAX_DIGITS => Part::Digits(column, width as u32),
                        _ => return Err(reader.damaged("too many digits")),
                    },
                    11 => Part::Id(column),
                    _ => Part::List(column),
                }
            }
            _ => return Err(reader.damaged("an unknown part of a template")),
        };
        let (_, column) = part.code();
        match part.columns() {
            0 => Ok(part),
            width if column as usize + width <= columns => Ok(part),
            _ => Err(reader.damaged("a hole without a column")),
        }
    }
}

/// Writes a template.
pub(super) fn write(out: &mut Vec<u8>, parts: &[Part]) {
    put_varint(out, parts.len() as u64);
    parts.iter().for_each(|part| part.write(out));
}

/// Reads a template whose holes are filled from so many columns.
pub(super) fn read(reader: &mut Reader<'_>, columns: usize) -> Result<Vec<Part>, Damaged> {
    let count = reader.count(MAX_PARTS)?;
    (0..count).map(|_| Part::read(reader, columns)).collect()
}
