//! Reading the shapes of events.
//!
//! A [`Reader`] never stops: after a fault it goes on with zeros and remembers that it failed. So a
//! shape is read by naming its fields, without a way out after each of them, which made up an
//! eighth of the app.
//!
//! It remembers as well whether all stood there in the one way in which Pakka writes it: numbers in
//! their shortest form, nothing written that is left out when it is absent. Whoever would write again
//! what was read exactly has the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::Patch;
use crate::bytes::{Bytes, Fixed};
use crate::calendar::{BusinessDay, TimeMs};
use crate::cbor::{self, ARRAY, BYTES, FALSE, MAP, NEGATIVE, NULL, TEXT, TRUE, UNSIGNED};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, IdMap, ItemId, OrderId, ShopId, StaffId};
use crate::money::{Paise, RateBp};
use crate::quantity::{Quantity, Unit};
use crate::text::{Sealed, Text};

/// Reads one value after the other out of CBOR.
pub(crate) struct Reader<'r, 'b> {
    left: &'b [u8],
    ids: &'r dyn IdMap,
    failed: bool,
    exact: bool,
}

/// How many elements of an array are still to be read.
pub(crate) struct Fields(u64);

impl Fields {
    /// How many.
    pub const fn left(&self) -> u64 {
        self.0
    }
}

/// A value that stands in events.
pub(crate) trait Shape: Sized {
    /// Reads it; anything at all after a fault.
    fn read(reader: &mut Reader<'_, '_>) -> Self;

    /// The value of a field behind the end of its array: a fault, except for what may be absent.
    fn absent(reader: &mut Reader<'_, '_>) -> Self {
        reader.failed = true;
        Self::read(reader)
    }
}

impl<'r, 'b> Reader<'r, 'b> {
    /// Reads these bytes from their beginning.
    pub const fn new(bytes: &'b [u8], ids: &'r dyn IdMap) -> Reader<'r, 'b> {
        Reader {
            left: bytes,
            ids,
            failed: false,
            exact: true,
        }
    }

    /// Has everything so far been what it was read as?
    pub const fn is_sound(&self) -> bool {
        !self.failed
    }

    /// Is this the end, and are all bytes those that would be written for what was read?
    pub const fn is_exact(&self) -> bool {
        !self.failed && self.exact && self.left.is_empty()
    }

    /// Begins an array.
    pub fn fields(&mut self) -> Fields {
        Fields(self.length(ARRAY))
    }

    /// The next element of an array.
    pub fn field<T: Shape>(&mut self, fields: &mut Fields) -> T {
        if fields.0 == 0 || self.failed {
            return T::absent(self);
        }
        fields.0 -= 1;
        // What is absent at the end of an array is left out.
        self.exact &= fields.0 > 0 || !self.is_next(NULL);
        T::read(self)
    }

    /// Ends an array, of which nothing may be left.
    pub fn end(&mut self, fields: &Fields) {
        self.failed |= fields.0 != 0;
    }

    /// One of a list of variants, by its number from 1.
    pub fn one_of<T: Copy>(&mut self, variants: &[T]) -> T {
        let number = usize::from(u8::read(self));
        let found = variants.get(number.wrapping_sub(1));
        self.failed |= found.is_none();
        *found.unwrap_or(&variants[0])
    }

    /// Nothing that was expected is here; `instead` is as good as anything.
    pub fn fail<T>(&mut self, instead: T) -> T {
        self.failed = true;
        instead
    }

    /// An id as it is meant here.
    pub fn id(&mut self, stored: EventId) -> EventId {
        let id = self.ids.read(stored);
        self.exact &= self.ids.written(id) == stored;
        id
    }

    fn is_next(&self, byte: u8) -> bool {
        self.left.first() == Some(&byte)
    }

    /// Passes over a byte if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.is_next(byte);
        if is_next {
            self.left = &self.left[1..];
        }
        is_next
    }

    fn unsigned(&mut self) -> u64 {
        self.length(UNSIGNED)
    }

    fn signed(&mut self) -> i64 {
        let (major, value) = self.head();
        let value = i64::try_from(value).ok().filter(|_| major <= NEGATIVE);
        let value = self.got(value);
        // Those below zero are counted down from -1.
        if major == NEGATIVE { !value } else { value }
    }

    /// The number in a head of this type; 0 where there is another.
    fn length(&mut self, wanted: u8) -> u64 {
        let (major, value) = self.head();
        self.got((major == wanted).then_some(value))
    }

    fn head(&mut self) -> (u8, u64) {
        match cbor::head(&mut self.left) {
            Some(head) => {
                self.exact &= head.is_shortest;
                (head.major, head.value)
            }
            None => self.fail((u8::MAX, 0)),
        }
    }

    /// The bytes of a string.
    fn string(&mut self, sort: u8) -> &'b [u8] {
        let length = self.length(sort);
        let bytes = cbor::take(&mut self.left, length);
        self.got(bytes)
    }

    fn got<T: Default>(&mut self, read: Option<T>) -> T {
        self.failed |= read.is_none();
        read.unwrap_or_default()
    }
}

macro_rules! numbers {
    ($($number:ident by $read:ident)*) => {$(
        impl Shape for $number {
            fn read(reader: &mut Reader<'_, '_>) -> $number {
                let number = $number::try_from(reader.$read());
                reader.got(number.ok())
            }
        }
    )*};
}

numbers!(u8 by unsigned u16 by unsigned u32 by unsigned u64 by unsigned);
numbers!(i32 by signed i64 by signed);

impl Shape for bool {
    fn read(reader: &mut Reader<'_, '_>) -> bool {
        let is_true = reader.skip(TRUE);
        reader.failed |= !is_true && !reader.skip(FALSE);
        is_true
    }
}

macro_rules! transparent {
    ($($name:ident)*) => {$(
        impl Shape for $name {
            fn read(reader: &mut Reader<'_, '_>) -> $name {
                $name(Shape::read(reader))
            }
        }
    )*};
}

transparent!(BusinessDay TimeMs Paise RateBp Quantity DeviceNo);
transparent!(CustomerId StaffId ItemId OrderId EntryId);

impl Shape for EventId {
    fn read(reader: &mut Reader<'_, '_>) -> EventId {
        let mut fields = reader.fields();
        let stored = EventId {
            device: reader.field(&mut fields),
            seq: reader.field(&mut fields),
        };
        reader.end(&fields);
        reader.id(stored)
    }
}

impl Shape for String {
    fn read(reader: &mut Reader<'_, '_>) -> String {
        let text = core::str::from_utf8(reader.string(TEXT));
        reader.got(text.ok()).to_owned()
    }
}

impl Shape for Bytes {
    fn read(reader: &mut Reader<'_, '_>) -> Bytes {
        Bytes(reader.string(BYTES).to_vec())
    }
}

impl<const N: usize> Shape for Fixed<N> {
    fn read(reader: &mut Reader<'_, '_>) -> Fixed<N> {
        let bytes = <[u8; N]>::try_from(reader.string(BYTES));
        reader.failed |= bytes.is_err();
        Fixed(bytes.unwrap_or([0; N]))
    }
}

impl Shape for ShopId {
    fn read(reader: &mut Reader<'_, '_>) -> ShopId {
        ShopId(uuid::Uuid::from_bytes(Fixed::<16>::read(reader).0))
    }
}

impl Shape for Text {
    fn read(reader: &mut Reader<'_, '_>) -> Text {
        match reader.left.first() {
            Some(first) if first >> 5 == TEXT => Text::Plain(Shape::read(reader)),
            _ => Text::Sealed(Shape::read(reader)),
        }
    }
}

impl<T: Shape> Shape for Box<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Box<T> {
        Box::new(T::read(reader))
    }
}

impl<T: Shape> Shape for Option<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Option<T> {
        (!reader.skip(NULL)).then(|| T::read(reader))
    }

    fn absent(_: &mut Reader<'_, '_>) -> Option<T> {
        None
    }
}

impl<T: Shape> Shape for Patch<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Patch<T> {
        if reader.skip(NULL) {
            return Patch::Keep;
        }
        let mut fields = reader.fields();
        let value = match fields.0 {
            0 => Patch::Clear,
            _ => Patch::Set(reader.field(&mut fields)),
        };
        reader.end(&fields);
        value
    }

    fn absent(_: &mut Reader<'_, '_>) -> Patch<T> {
        Patch::Keep
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Vec<T> {
        let mut fields = reader.fields();
        let mut values = Vec::new();
        // Bounded by the bytes: an element that is not there is a fault.
        while fields.0 > 0 && !reader.failed {
            values.push(reader.field(&mut fields));
        }
        values
    }
}

impl<K: Shape + Ord, V: Shape> Shape for BTreeMap<K, V> {
    fn read(reader: &mut Reader<'_, '_>) -> BTreeMap<K, V> {
        let mut left = reader.length(MAP);
        let mut values = BTreeMap::new();
        while left > 0 && !reader.failed {
            left -= 1;
            let key = K::read(reader);
            values.insert(key, V::read(reader));
        }
        values
    }
}

impl<T: Shape + Ord> Shape for BTreeSet<T> {
    fn read(reader: &mut Reader<'_, '_>) -> BTreeSet<T> {
        Vec::read(reader).into_iter().collect()
    }
}

impl<A: Shape, B: Shape> Shape for (A, B) {
    fn read(reader: &mut Reader<'_, '_>) -> (A, B) {
        let mut fields = reader.fields();
        let pair = (reader.field(&mut fields), reader.field(&mut fields));
        reader.end(&fields);
        pair
    }
}

/// How a struct is read: its fields in the order of their numbers.
macro_rules! fields {
    ($($name:ident: $($field:ident)*;)*) => {$(
        impl $crate::event::shape::Shape for $name {
            fn read(reader: &mut $crate::event::shape::Reader<'_, '_>) -> $name {
                let mut fields = reader.fields();
                let value = $name {
                    $($field: reader.field(&mut fields),)*
                };
                reader.end(&fields);
                value
            }
        }
    )*};
}

/// How an enum without contents is read: its variants, which are numbered from 1.
macro_rules! variants {
    ($($name:ident: $($variant:ident)*;)*) => {$(
        impl $crate::event::shape::Shape for $name {
            fn read(reader: &mut $crate::event::shape::Reader<'_, '_>) -> $name {
                reader.one_of(&[$($name::$variant),*])
            }
        }
    )*};
}

pub(crate) use {fields, variants};

fields! { Sealed: alg key nonce bytes; }

variants! {
    Unit: Piece Kilogram Gram Litre Millilitre Dozen Packet Metre;
}
