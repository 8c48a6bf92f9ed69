//! A map by entries, for very many of them.
//!
//! A device's entries come in the order of their numbers, so each is put behind the last one of its
//! device, and is found again by a search among those of its device alone. What is read one after
//! the other lies side by side, in blocks that are short enough to put something between or take it
//! out.

use core::iter::{Flatten, Map};
use core::ops::{Bound, Index, RangeBounds};
use core::slice;
use std::vec;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::ids::{DeviceNo, EntryId};

/// The most entries that lie side by side.
const MAX_BLOCK: usize = 256;

/// Values by the entry that they belong to, in the order of its id.
#[derive(Debug, Clone)]
pub struct Entries<V> {
    /// Those of one device each, by its number.
    chains: Vec<Chain<V>>,
}

/// A device's entries in their order; neither it nor a block of it is empty.
type Chain<V> = Vec<Block<V>>;
type Block<V> = Vec<(EntryId, V)>;

type Split<'l, V> = fn(&'l (EntryId, V)) -> (&'l EntryId, &'l V);

/// All of a map, in order.
pub type Iter<'l, V> = Map<Flatten<Flatten<slice::Iter<'l, Chain<V>>>>, Split<'l, V>>;

fn split<V>((id, value): &(EntryId, V)) -> (&EntryId, &V) {
    (id, value)
}

fn first<V>(block: &Block<V>) -> Option<EntryId> {
    block.first().map(|(id, _)| *id)
}

fn last<V>(block: &Block<V>) -> Option<EntryId> {
    block.last().map(|(id, _)| *id)
}

fn device<V>(chain: &Chain<V>) -> Option<DeviceNo> {
    chain.first().and_then(first).map(|id| id.0.device)
}

/// Where a value stands: its chain, its block, its place there.
type Place = (usize, usize, usize);

impl<V> Default for Entries<V> {
    fn default() -> Entries<V> {
        Entries { chains: Vec::new() }
    }
}

/// In whatever order they came.
impl<V: PartialEq> PartialEq for Entries<V> {
    fn eq(&self, other: &Entries<V>) -> bool {
        self.iter().eq(other)
    }
}

impl<V: Eq> Eq for Entries<V> {}

impl<V> Entries<V> {
    fn chain(&self, of: DeviceNo) -> Result<usize, usize> {
        self.chains
            .binary_search_by_key(&Some(of), |chain| device(chain))
    }

    fn place(&self, id: EntryId) -> Option<Place> {
        let at = self.chain(id.0.device).ok()?;
        let chain = &self.chains[at];
        let block = chain.partition_point(|block| last(block) < Some(id));
        let found = chain.get(block)?.binary_search_by_key(&id, |(id, _)| *id);
        Some((at, block, found.ok()?))
    }

    /// Sets the value of an entry.
    pub fn insert(&mut self, id: EntryId, value: V) {
        let chain = match self.chain(id.0.device) {
            Ok(at) => &mut self.chains[at],
            Err(at) => return self.chains.insert(at, vec![vec![(id, value)]]),
        };
        match chain.last_mut() {
            Some(block) if last(block) < Some(id) && block.len() < MAX_BLOCK => {
                return block.push((id, value));
            }
            Some(block) if last(block) < Some(id) => return chain.push(vec![(id, value)]),
            _ => {}
        }
        // Somewhere between.
        let at = chain.partition_point(|block| last(block) < Some(id));
        let block = &mut chain[at];
        match block.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => block[at].1 = value,
            Err(place) => {
                block.insert(place, (id, value));
                if block.len() > MAX_BLOCK {
                    let rest = block.split_off(MAX_BLOCK / 2);
                    chain.insert(at + 1, rest);
                }
            }
        }
    }

    /// Takes out the value of an entry.
    pub fn remove(&mut self, id: &EntryId) -> Option<V> {
        let (chain, block, at) = self.place(*id)?;
        let (_, value) = self.chains[chain][block].remove(at);
        if self.chains[chain][block].is_empty() {
            self.chains[chain].remove(block);
        }
        if self.chains[chain].is_empty() {
            self.chains.remove(chain);
        }
        Some(value)
    }

    /// The value of an entry.
    pub fn get(&self, id: &EntryId) -> Option<&V> {
        let (chain, block, at) = self.place(*id)?;
        Some(&self.chains[chain][block][at].1)
    }

    /// The value of an entry, to be changed.
    pub fn get_mut(&mut self, id: &EntryId) -> Option<&mut V> {
        let (chain, block, at) = self.place(*id)?;
        Some(&mut self.chains[chain][block][at].1)
    }

    /// Is there a value of this entry?
    pub fn contains_key(&self, id: &EntryId) -> bool {
        self.place(*id).is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.chains.iter().flatten().map(Vec::len).sum()
    }

    /// Is there none?
    pub const fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// The one with the greatest id.
    pub fn last_key_value(&self) -> Option<(&EntryId, &V)> {
        self.chains.last()?.last()?.last().map(split)
    }

    /// All, in order.
    pub fn iter(&self) -> Iter<'_, V> {
        self.chains.iter().flatten().flatten().map(split)
    }

    /// All, in order, with values that may be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (EntryId, &mut V)> {
        let all = self.chains.iter_mut().flatten().flatten();
        all.map(|(id, value)| (*id, value))
    }

    /// The ids of all, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &EntryId> {
        self.iter().map(|(id, _)| id)
    }

    /// The values of all, in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Those with ids in this range, in order.
    pub fn range(&self, range: impl RangeBounds<EntryId>) -> impl Iterator<Item = (&EntryId, &V)> {
        let (start, end) = (range.start_bound().cloned(), range.end_bound().cloned());
        let is_before = move |id: EntryId| match start {
            Bound::Included(start) => id < start,
            Bound::Excluded(start) => id <= start,
            Bound::Unbounded => false,
        };
        let is_in = move |id: EntryId| match end {
            Bound::Included(end) => id <= end,
            Bound::Excluded(end) => id < end,
            Bound::Unbounded => true,
        };
        self.chains.iter().flat_map(move |chain| {
            let is_over = |block: &Block<V>| last(block).is_some_and(is_before);
            let blocks = chain[chain.partition_point(is_over)..].iter();
            let blocks = blocks.take_while(move |block| first(block).is_some_and(is_in));
            blocks.flat_map(move |block| {
                let begin = block.partition_point(|(id, _)| is_before(*id));
                let end = block.partition_point(|(id, _)| is_in(*id));
                block.get(begin..end).unwrap_or_default().iter().map(split)
            })
        })
    }

    /// Looks for ascending ids.
    pub fn finder(&self) -> Finder<'_, V> {
        Finder {
            rest: &[],
            blocks: self.chains.iter().flatten(),
        }
    }
}

/// Looks for one id after the other, each greater than the one before. As fast as walking along
/// where most are asked for, and nearly as fast as jumping where few are.
pub struct Finder<'l, V> {
    rest: &'l [(EntryId, V)],
    blocks: Flatten<slice::Iter<'l, Chain<V>>>,
}

impl<'l, V> Finder<'l, V> {
    /// The value of this entry.
    pub fn find(&mut self, id: EntryId) -> Option<&'l V> {
        while self.rest.last().is_none_or(|(last, _)| *last < id) {
            self.rest = self.blocks.next()?;
        }
        // Looks twice as far each time, then between the last two places.
        let mut far = 1;
        while self.rest.get(far).is_some_and(|(at, _)| *at <= id) {
            far *= 2;
        }
        let near = &self.rest[far / 2..self.rest.len().min(far)];
        let at = far / 2 + near.partition_point(|(at, _)| *at < id);
        self.rest = &self.rest[at..];
        let (found, value) = self.rest.first()?;
        (*found == id).then_some(value)
    }
}

impl<'l, V> IntoIterator for &'l Entries<V> {
    type Item = (&'l EntryId, &'l V);
    type IntoIter = Iter<'l, V>;

    fn into_iter(self) -> Iter<'l, V> {
        self.iter()
    }
}

impl<V> Index<&EntryId> for Entries<V> {
    type Output = V;

    fn index(&self, id: &EntryId) -> &V {
        self.get(id).expect("no such entry")
    }
}

impl<V> IntoIterator for Entries<V> {
    type Item = (EntryId, V);
    type IntoIter = Flatten<Flatten<vec::IntoIter<Chain<V>>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chains.into_iter().flatten().flatten()
    }
}

impl<V> Extend<(EntryId, V)> for Entries<V> {
    fn extend<I: IntoIterator<Item = (EntryId, V)>>(&mut self, values: I) {
        for (id, value) in values {
            self.insert(id, value);
        }
    }
}

impl<V> FromIterator<(EntryId, V)> for Entries<V> {
    fn from_iter<I: IntoIterator<Item = (EntryId, V)>>(values: I) -> Entries<V> {
        let mut entries = Entries::default();
        entries.extend(values);
        entries
    }
}

/// As any map.
impl<C, V: Encode<C>> Encode<C> for Entries<V>
where
    EntryId: Encode<C>,
{
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.map(self.len() as u64)?;
        for (id, value) in self {
            id.encode(encoder, context)?;
            value.encode(encoder, context)?;
        }
        Ok(())
    }
}

impl<'b, C, V: Decode<'b, C>> Decode<'b, C> for Entries<V>
where
    EntryId: Decode<'b, C>,
{
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Entries<V>, decode::Error> {
        decoder.map_iter_with(context)?.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::ids::EventId;

    fn any_id() -> impl Strategy<Value = EntryId> {
        (0..3u32, 1..700u32).prop_map(|(device, seq)| EntryId(EventId::new(device, seq)))
    }

    proptest! {
        #[test]
        fn it_is_what_a_map_of_the_standard_library_is(
            in_order in 0..600u32,
            values in prop::collection::vec((any_id(), any::<u8>()), 0..400),
            gone in prop::collection::vec(any_id(), 0..100),
            mut wanted in prop::collection::vec(any_id(), 0..100),
            (from, to) in (any_id(), any_id()),
        ) {
            let in_order = (0..in_order).map(|seq| (EntryId(EventId::new(1, seq + 1)), 7));
            let values = in_order.chain(values);
            let mut entries: Entries<u8> = values.clone().collect();
            let mut map: BTreeMap<EntryId, u8> = values.collect();
            for id in gone {
                prop_assert_eq!(entries.remove(&id), map.remove(&id));
            }
            prop_assert_eq!(entries.len(), map.len());
            prop_assert_eq!(entries.is_empty(), map.is_empty());
            prop_assert!(entries.iter().eq(&map));
            prop_assert!(entries.clone().into_iter().eq(map.clone()));
            prop_assert_eq!(&entries, &map.clone().into_iter().collect());
            prop_assert!(entries.keys().rev().eq(map.keys().rev()));
            prop_assert_eq!(entries.last_key_value(), map.last_key_value());
            let (from, to) = (from.min(to), from.max(to));
            prop_assert!(entries.range(from..to).eq(map.range(from..to)));
            prop_assert!(entries.range(from..=to).eq(map.range(from..=to)));
            let written = minicbor::to_vec(&entries).expect("memory");
            prop_assert_eq!(&written, &minicbor::to_vec(&map).expect("memory"));
            prop_assert_eq!(&minicbor::decode::<Entries<u8>>(&written).expect("as written"), &entries);

            wanted.sort_unstable();
            wanted.dedup();
            let mut finder = entries.finder();
            for id in wanted {
                prop_assert_eq!(finder.find(id), map.get(&id));
                prop_assert_eq!(entries.get(&id), map.get(&id));
                prop_assert_eq!(entries.contains_key(&id), map.contains_key(&id));
            }
        }
    }
}
