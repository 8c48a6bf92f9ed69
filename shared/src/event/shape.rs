//! Reading the shapes of events.
//!
//! A [`Reader`] never stops: after a fault it goes on with zeros and remembers that it failed. So a
//! shape is read by naming its fields, without a way out after each of them, which made up an
//! eighth of the app. That it may read leniently is harmless: an event counts as read only if
//! writing it again gives the same bytes (see [`super::codec`]).

use std::collections::{BTreeMap, BTreeSet};

use minicbor::Decoder;
use minicbor::data::Type;

use super::Patch;
use crate::bytes::{Bytes, Fixed};
use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, IdMap, ItemId, OrderId, ShopId, StaffId};
use crate::money::{Paise, RateBp};
use crate::quantity::{Quantity, Unit};
use crate::text::{Sealed, Text};

/// Reads one value after the other out of CBOR.
pub(crate) struct Reader<'r, 'b> {
    decoder: &'r mut Decoder<'b>,
    ids: &'r dyn IdMap,
    failed: bool,
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
    /// Reads on where `decoder` stands.
    pub fn new(decoder: &'r mut Decoder<'b>, ids: &'r dyn IdMap) -> Reader<'r, 'b> {
        Reader {
            decoder,
            ids,
            failed: false,
        }
    }

    /// Has everything so far been what it was read as?
    pub const fn is_sound(&self) -> bool {
        !self.failed
    }

    /// Begins an array.
    pub fn fields(&mut self) -> Fields {
        let array = self.decoder.array();
        Fields(self.got(array.map(|length| length.unwrap_or(0))))
    }

    /// The next element of an array.
    pub fn field<T: Shape>(&mut self, fields: &mut Fields) -> T {
        if fields.0 == 0 || self.failed {
            return T::absent(self);
        }
        fields.0 -= 1;
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

    fn is_next(&self, wanted: Type) -> bool {
        self.decoder.datatype().is_ok_and(|found| found == wanted)
    }

    fn skip_null(&mut self) -> bool {
        let is_null = self.is_next(Type::Null);
        if is_null {
            let null = self.decoder.null();
            self.got(null);
        }
        is_null
    }

    fn got<T: Default>(&mut self, read: Result<T, minicbor::decode::Error>) -> T {
        self.failed |= read.is_err();
        read.unwrap_or_default()
    }
}

macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl Shape for $number {
            fn read(reader: &mut Reader<'_, '_>) -> $number {
                let number = reader.decoder.$number();
                reader.got(number)
            }
        }
    )*};
}

numbers!(bool u8 u16 u32 u64 i32 i64);

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
        reader.ids.read(stored)
    }
}

impl Shape for String {
    fn read(reader: &mut Reader<'_, '_>) -> String {
        let text = reader.decoder.str();
        reader.got(text).to_owned()
    }
}

impl Shape for Bytes {
    fn read(reader: &mut Reader<'_, '_>) -> Bytes {
        let bytes = reader.decoder.bytes();
        Bytes(reader.got(bytes).to_vec())
    }
}

impl<const N: usize> Shape for Fixed<N> {
    fn read(reader: &mut Reader<'_, '_>) -> Fixed<N> {
        let bytes = reader.decoder.bytes();
        let bytes = <[u8; N]>::try_from(reader.got(bytes));
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
        match reader.is_next(Type::String) {
            true => Text::Plain(Shape::read(reader)),
            false => Text::Sealed(Shape::read(reader)),
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
        (!reader.skip_null()).then(|| T::read(reader))
    }

    fn absent(_: &mut Reader<'_, '_>) -> Option<T> {
        None
    }
}

impl<T: Shape> Shape for Patch<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Patch<T> {
        if reader.skip_null() {
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
        let map = reader.decoder.map();
        let mut left = reader.got(map.map(|length| length.unwrap_or(0)));
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
