//! A column of integers: each is foretold from what stands around it, and what is left is written
//! in the shortest of a few ways. The writer tries them all; the reader is told which.

use std::collections::BTreeMap;

use super::bytes::{Reader, put_varint, unzigzag, zigzag};
use super::{Damaged, MAX_VALUES};

/// What stands around a value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around {
    /// The device and number of the event.
    pub device: i64,
    pub seq: i64,
    /// The integer before this one in the same event.
    pub before: i64,
    /// The first two values of the same node.
    pub node: [i64; 2],
}

impl Around {
    /// What stands around the receipt of a chunk, after its last event: when that was written,
    /// which is the second value of an event that differs between events.
    pub const fn of_receipt(self) -> Around {
        Around {
            before: self.node[1],
            ..self
        }
    }
}

/// How a value is foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Guess {
    /// Zero.
    Zero = 0,
    /// The value before it in the column.
    Last = 1,
    /// The value before it in the column that is of the same device.
    LastOfDevice = 2,
    /// The number of the event.
    Seq = 3,
    /// The integer before it in the event.
    Before = 4,
    /// The last value of the column beside the same first value in its node: the price of a good.
    LastBesideOne = 5,
    /// The same with the first two values: what so much of a good comes to.
    LastBesideTwo = 6,
}

impl Guess {
    const ALL: [Guess; 7] = [
        Guess::Zero,
        Guess::Last,
        Guess::LastOfDevice,
        Guess::Seq,
        Guess::Before,
        Guess::LastBesideOne,
        Guess::LastBesideTwo,
    ];

    /// Which values are remembered apart.
    const fn key(self, around: &Around) -> [i64; 2] {
        match self {
            Guess::LastOfDevice => [around.device, 0],
            Guess::LastBesideOne => [around.node[0], 0],
            Guess::LastBesideTwo => around.node,
            _ => [0, 0],
        }
    }
}

/// Foretells the values of one column in their order.
#[derive(Debug, Clone)]
struct Oracle {
    guess: Guess,
    last: BTreeMap<[i64; 2], i64>,
}

impl Oracle {
    const fn new(guess: Guess) -> Oracle {
        Oracle {
            guess,
            last: BTreeMap::new(),
        }
    }

    /// What `value` gives for the guess, which learns from what it gives.
    fn tell(&mut self, around: &Around, value: impl FnOnce(i64) -> i64) -> i64 {
        match self.guess {
            Guess::Zero => value(0),
            Guess::Seq => value(around.seq),
            Guess::Before => value(around.before),
            _ => {
                let last = self.last.entry(self.guess.key(around)).or_insert(0);
                *last = value(*last);
                *last
            }
        }
    }
}

/// How what is left is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    /// All the same: written once.
    Constant = 0,
    /// As they are.
    Plain = 1,
    /// Hundreds, and what is left of them: amounts are mostly whole rupees.
    Hundreds = 2,
    /// A table, the most common first, and places in it.
    Table = 3,
}

/// A column as it is written.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    values: Vec<(i64, Around)>,
}

impl Writer {
    pub fn push(&mut self, value: i64, around: &Around) {
        self.values.push((value, *around));
    }

    /// The bytes of the column: the shortest by an estimate of what a compressor makes of them.
    pub fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, self.values.len() as u64);
        if self.values.is_empty() {
            return;
        }
        let candidates = Guess::ALL.iter().flat_map(|&guess| {
            let mut oracle = Oracle::new(guess);
            let rests = self.values.iter().map(|(value, around)| {
                let mut rest = 0;
                oracle.tell(around, |told| {
                    rest = value.wrapping_sub(told);
                    *value
                });
                rest
            });
            forms(guess, &rests.collect::<Vec<i64>>())
        });
        let best = candidates.min_by_key(|(cost, _)| *cost);
        out.extend(best.expect("there is always a plain form").1);
    }
}

/// The forms of a column that was guessed so, each with its estimated cost in sixteenths of a bit.
fn forms(guess: Guess, rests: &[i64]) -> Vec<(u64, Vec<u8>)> {
    let head = |form: Form| vec![guess as u8 | (form as u8) << 4];
    if rests.iter().all(|rest| *rest == rests[0]) {
        let mut out = head(Form::Constant);
        put_varint(&mut out, zigzag(rests[0]));
        return vec![(out.len() as u64 * BYTE_COST, out)];
    }
    let mut found = Vec::new();
    let mut out = head(Form::Plain);
    let cost = put_planes(&mut out, rests.iter().map(|rest| zigzag(*rest)));
    found.push((cost, out));

    let mut out = head(Form::Hundreds);
    let cost = put_planes(
        &mut out,
        rests.iter().map(|rest| zigzag(rest.div_euclid(100))),
    ) + put_planes(
        &mut out,
        rests.iter().map(|rest| rest.rem_euclid(100) as u64),
    );
    found.push((cost, out));

    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for rest in rests {
        *counts.entry(*rest).or_default() += 1;
    }
    if counts.len() * 2 < rests.len() {
        let mut table: Vec<(i64, u64)> = counts.into_iter().collect();
        table.sort_by_key(|(rest, count)| (u64::MAX - count, *rest));
        let mut out = head(Form::Table);
        put_varint(&mut out, table.len() as u64);
        for (rest, _) in &table {
            put_varint(&mut out, zigzag(*rest));
        }
        let cost = (out.len() as u64) * BYTE_COST;
        let places: BTreeMap<i64, u64> = (0..)
            .zip(&table)
            .map(|(at, (rest, _))| (*rest, at))
            .collect();
        let cost = cost + put_planes(&mut out, rests.iter().map(|rest| places[rest]));
        found.push((cost, out));
    }
    found
}

/// What a byte costs that cannot be compressed.
const BYTE_COST: u64 = 8 * 16;

/// What every further value of a byte costs in the code of a compressor, about.
const SYMBOL_COST: u64 = 5 * 16;

/// Appends numbers, their first bytes together, then the second bytes of those that have one, and
/// so on: bytes that mean the same stand side by side. Gives the estimated cost.
fn put_planes(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) -> u64 {
    let mut left: Vec<u64> = numbers.collect();
    let mut cost = 0;
    while !left.is_empty() {
        let start = out.len();
        out.extend(
            left.iter()
                .map(|number| *number as u8 & 0x7f | u8::from(*number > 0x7f) << 7),
        );
        cost += order_zero_cost(&out[start..]);
        left.retain(|number| *number > 0x7f);
        left.iter_mut().for_each(|number| *number >>= 7);
    }
    cost
}

/// The entropy of these bytes, taken one by one.
fn order_zero_cost(bytes: &[u8]) -> u64 {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let whole = log2(bytes.len() as u64);
    let counts = counts.iter().filter(|count| **count > 0);
    counts
        .map(|count| count * (whole - log2(*count)) + SYMBOL_COST)
        .sum()
}

/// Sixteen times the logarithm to base 2, straight between powers of two.
const fn log2(number: u64) -> u64 {
    let whole = number.ilog2() as u64;
    whole * 16 + (((number as u128) << 4 >> whole) as u64 - 16)
}

/// A column as it is read, value by value.
#[derive(Debug, Clone)]
pub(super) struct Values {
    rests: Rests,
    oracle: Oracle,
}

/// What is left of the values, as far as they were not taken.
#[derive(Debug, Clone)]
enum Rests {
    /// So many times this: a few bytes may claim many values and get no memory for them.
    Same(i64, usize),
    /// These.
    Each(std::vec::IntoIter<i64>),
}

impl Values {
    /// Reads a column.
    pub fn read(reader: &mut Reader<'_>) -> Result<Values, Damaged> {
        let count = reader.count(MAX_VALUES)?;
        if count == 0 {
            return Ok(Values {
                rests: Rests::Same(0, 0),
                oracle: Oracle::new(Guess::Zero),
            });
        }
        let head = reader.byte()?;
        let guess = Guess::ALL.get(usize::from(head & 15));
        let guess = *guess.ok_or_else(|| reader.damaged("an unknown way to foretell"))?;
        let rests: Vec<i64> = match head >> 4 {
            0 => {
                return Ok(Values {
                    rests: Rests::Same(unzigzag(reader.varint()?), count),
                    oracle: Oracle::new(guess),
                });
            }
            1 => planes(reader, count)?.into_iter().map(unzigzag).collect(),
            2 => {
                let hundreds = planes(reader, count)?;
                let rest = planes(reader, count)?;
                let both = hundreds.into_iter().zip(rest);
                let whole = |(hundreds, rest)| {
                    unzigzag(hundreds)
                        .wrapping_mul(100)
                        .wrapping_add(rest as i64)
                };
                both.map(whole).collect()
            }
            3 => {
                let length = reader.count(count)?;
                let table: Vec<i64> = (0..length)
                    .map(|_| reader.varint().map(unzigzag))
                    .collect::<Result<_, _>>()?;
                let places = planes(reader, count)?;
                let found = places.into_iter().map(|place| {
                    let rest = usize::try_from(place).ok().and_then(|at| table.get(at));
                    rest.copied()
                        .ok_or_else(|| reader.damaged("a place outside of a table"))
                });
                found.collect::<Result<_, _>>()?
            }
            _ => return Err(reader.damaged("an unknown form of a column")),
        };
        Ok(Values {
            rests: Rests::Each(rests.into_iter()),
            oracle: Oracle::new(guess),
        })
    }

    /// The next value.
    pub fn next(&mut self, around: &Around) -> Option<i64> {
        let rest = match &mut self.rests {
            Rests::Same(rest, left) => {
                *left = left.checked_sub(1)?;
                *rest
            }
            Rests::Each(rests) => rests.next()?,
        };
        Some(self.oracle.tell(around, |told| told.wrapping_add(rest)))
    }

    /// Were all values taken?
    pub fn is_done(&self) -> bool {
        match &self.rests {
            Rests::Same(_, left) => *left == 0,
            Rests::Each(rests) => rests.len() == 0,
        }
    }
}

/// Reads what [`put_planes`] wrote.
fn planes(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u64>, Damaged> {
    let mut numbers = vec![0; count];
    let mut open: Vec<usize> = (0..count).collect();
    let mut shift = 0;
    while !open.is_empty() {
        if shift > 63 {
            return Err(reader.damaged("a number that is too large"));
        }
        let bytes = reader.take(open.len())?;
        for (byte, at) in bytes.iter().zip(&open) {
            if shift == 63 && *byte > 1 {
                return Err(reader.damaged("a number that is too large"));
            }
            numbers[*at] |= u64::from(byte & 0x7f) << shift;
        }
        let mut bytes = bytes.iter();
        open.retain(|_| bytes.next().is_some_and(|byte| *byte > 0x7f));
        shift += 7;
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around() -> impl Strategy<Value = Around> {
        let small = -2_i64..3;
        (0..3_i64, 0..9_i64, small.clone(), small.clone(), small).prop_map(
            |(device, seq, before, one, two)| Around {
                device,
                seq,
                before,
                node: [one, two],
            },
        )
    }

    fn value() -> impl Strategy<Value = i64> {
        prop_oneof![
            Just(7),
            -3_i64..3,
            (0_i64..500).prop_map(|rupees| rupees * 100),
            0_i64..100_000,
            any::<i64>(),
        ]
    }

    proptest! {
        #[test]
        fn every_column_comes_back(values in prop::collection::vec((value(), around()), 0..60)) {
            let mut writer = Writer::default();
            for (value, around) in &values {
                writer.push(*value, around);
            }
            let mut bytes = Vec::new();
            writer.write(&mut bytes);
            let mut reader = Reader::new(&bytes);
            let mut column = Values::read(&mut reader).expect("a column");
            prop_assert_eq!(reader.end(), Ok(()));
            for (value, around) in &values {
                prop_assert_eq!(column.next(around), Some(*value));
            }
            prop_assert!(column.is_done());
            prop_assert_eq!(column.next(&Around::default()), None);
        }

        #[test]
        fn no_bytes_make_a_column_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(mut column) = Values::read(&mut Reader::new(&bytes)) {
                for _ in 0..100 {
                    let _ = column.next(&Around::default());
                }
            }
        }
    }
}
