//! What stands often in the events of a segment, and where the writer sees more than bytes in them.

use std::collections::BTreeMap;

use super::MAX_WORDS;
use super::template::MAX_DIGITS;
use super::tree::Node;

/// A word gets a place in the dictionary when it stands in a segment so often.
pub(super) const COMMON_WORD: u32 = 2;

/// An id gets a place in the dictionary when it stands in a segment so often: one that is named
/// soon after it was made is shorter as a distance.
pub(super) const COMMON_ID: u32 = 3;

/// The fewest digits that are worth keeping as a number.
const MIN_DIGITS: usize = 3;

/// How often words and ids stand in the events.
#[derive(Default)]
pub(super) struct Common<'b> {
    pub words: BTreeMap<&'b [u8], u32>,
    pub ids: BTreeMap<(i64, i64), u32>,
}

impl<'b> Common<'b> {
    pub fn count(&mut self, node: &Node<'b>, is_whole: bool) {
        match node {
            Node::Bytes(bytes) => *self.words.entry(bytes).or_default() += 1,
            Node::Text(text) => {
                let (head, _) = split_digits(text);
                *self.words.entry(head.as_bytes()).or_default() += 1;
            }
            Node::Array(elements) => match id(elements) {
                Some(id) if !is_whole => *self.ids.entry(id).or_default() += 1,
                _ => elements
                    .iter()
                    .for_each(|element| self.count(element, false)),
            },
            _ => {}
        }
    }
}

/// The places of the common ones, the most common first.
pub(super) fn ranked<K: Ord + Copy>(counts: BTreeMap<K, u32>, least: u32) -> BTreeMap<K, i64> {
    let mut common: Vec<(K, u32)> = counts
        .into_iter()
        .filter(|(_, count)| *count >= least)
        .collect();
    common.sort_by_key(|(key, count)| (u32::MAX - count, *key));
    common.truncate(MAX_WORDS);
    common
        .into_iter()
        .zip(0..)
        .map(|((key, _), at)| (key, at))
        .collect()
}

/// A text and the digits at its end, if they are worth keeping as a number.
pub(super) fn split_digits(text: &str) -> (&str, &str) {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit);
    match digits.take(MAX_DIGITS).count() {
        width @ MIN_DIGITS.. => text.split_at(text.len() - width),
        _ => (text, ""),
    }
}

/// An array that looks like the name of an event or of an entity.
pub(super) fn id(elements: &[Node<'_>]) -> Option<(i64, i64)> {
    match elements {
        [Node::Int(device), Node::Int(seq)] => Some((*device, *seq)),
        _ => None,
    }
}

pub(super) fn is_list(elements: &[Node<'_>]) -> bool {
    !elements.is_empty()
        && elements
            .iter()
            .all(|element| matches!(element, Node::Array(_)))
}
