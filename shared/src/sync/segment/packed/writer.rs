//! Events one behind the other, each by what is new in it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::bytes::{put_varint, zigzag};
use super::super::common::{id, is_list, split_digits};
use super::super::template::{self, Part};
use super::super::tree::{self, Node};
use super::super::{MAX_COLUMNS, MAX_TEMPLATES};
use super::{Known, Own, preset};

/// Integers beyond this are kept as they stand in their event: distances must fit into 64 bits.
const MAX_INT: u64 = 1 << 61;

/// Stands in a path for every place of a list.
const ANY: u64 = u64::MAX;

const ELEMENTS: usize = 12;
const KIND: usize = 9;
const VERSION: usize = 10;
const BODY: usize = 11;

/// Worked out once: a server begins with it for every push.
static BEGINNING: LazyLock<Writer> = LazyLock::new(Writer::begin);

#[derive(Clone)]
pub(super) struct Writer {
    known: Known,
    numbers: BTreeMap<(Vec<u64>, u8), usize>,
    templates: BTreeMap<Vec<Part>, u64>,
}

/// Where the writer stands in an event.
struct Place {
    own: Own,
    path: Vec<u64>,
    /// The integer before.
    before: i64,
    parts: Vec<Part>,
    /// What fills the holes so far.
    filling: Vec<u8>,
}

impl Own {
    /// Whose event this is, as it says itself.
    fn of(bytes: &[u8]) -> Option<Own> {
        match tree::parse(bytes)? {
            Node::Array(elements) => match elements[..] {
                [Node::Int(device), Node::Int(seq), ..] => Some(Own { device, seq }),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Writer {
    /// A writer that has just written the preset events.
    pub fn new() -> Writer {
        BEGINNING.clone()
    }

    fn begin() -> Writer {
        let mut writer = Writer {
            known: Known::default(),
            numbers: BTreeMap::new(),
            templates: BTreeMap::new(),
        };
        for event in preset() {
            let own = Own::of(&event.0).expect("they are events");
            writer.event(&event.0, own, &mut Vec::new());
        }
        writer
    }

    /// What both sides know at the beginning.
    pub fn beginning() -> Known {
        BEGINNING.known.clone()
    }

    pub fn event(&mut self, bytes: &[u8], own: Own, out: &mut Vec<u8>) {
        let Some(node) = tree::parse(bytes).filter(|node| self.has_room(node)) else {
            put_varint(out, 0);
            put_varint(out, bytes.len() as u64);
            out.extend(bytes);
            return;
        };
        let mut place = Place {
            own,
            path: Vec::new(),
            before: 0,
            parts: Vec::new(),
            filling: Vec::new(),
        };
        match &node {
            Node::Array(elements) if elements.len() == ELEMENTS => {
                self.envelope(elements, &mut place);
            }
            _ => self.node(&node, &mut place),
        }
        self.close(place, out);
    }

    fn has_room(&self, node: &Node<'_>) -> bool {
        let new = 3 * node.size();
        new <= template::MAX_PARTS
            && self.known.last.len() + new <= MAX_COLUMNS
            && self.templates.len() + new <= MAX_TEMPLATES
            && node.is_within(MAX_INT)
    }

    /// Appends a node: its template, and what fills it.
    fn close(&mut self, place: Place, out: &mut Vec<u8>) {
        match self.templates.get(&place.parts) {
            Some(number) => put_varint(out, number + 2),
            None => {
                put_varint(out, 1);
                template::write(out, &place.parts);
                let number = self.templates.len() as u64;
                self.templates.insert(place.parts.clone(), number);
                self.known.templates.push(place.parts);
            }
        }
        out.extend(place.filling);
    }

    fn envelope(&mut self, elements: &[Node<'_>], place: &mut Place) {
        place.parts.push(Part::Array(ELEMENTS as u64));
        for (at, element) in elements.iter().enumerate() {
            let own = match (at, element) {
                (0, Node::Int(device)) if *device == place.own.device => Some(Part::OwnDevice),
                (1, Node::Int(seq)) if *seq == place.own.seq => Some(Part::OwnSeq),
                (KIND | VERSION, Node::Int(value)) => Some(Part::Same(*value)),
                _ => None,
            };
            if let Some(part) = own {
                place.parts.push(part);
                continue;
            }
            place.path.push(at as u64);
            if at == BODY
                && let Node::Int(kind) = &elements[KIND]
            {
                place.path.push(*kind as u64);
            }
            self.node(element, place);
            place.path.clear();
        }
    }

    fn node(&mut self, node: &Node<'_>, place: &mut Place) {
        match node {
            Node::Null => place.parts.push(Part::Null),
            Node::False => place.parts.push(Part::False),
            Node::True => place.parts.push(Part::True),
            Node::Int(value) => {
                let column = self.hole(Part::Int, place);
                self.int(column, *value, place);
            }
            Node::Bytes(bytes) => {
                self.hole(Part::Bytes, place);
                self.word(bytes, place);
            }
            Node::Text(text) => {
                let (head, digits) = split_digits(text);
                if digits.is_empty() {
                    self.hole(Part::Text, place);
                    return self.word(head.as_bytes(), place);
                }
                let width = digits.len() as u32;
                let column = self.hole(|column| Part::Digits(column, width), place);
                self.word(head.as_bytes(), place);
                let number = digits.parse().expect("so many digits fit");
                self.int(column + 1, number, place);
            }
            Node::Array(elements) => match id(elements) {
                Some((device, seq)) => {
                    let column = self.hole(Part::Id, place);
                    self.distance(column + 1, device, place);
                    self.distance(column + 2, seq, place);
                }
                None if is_list(elements) => self.list(elements, place),
                None => {
                    place.parts.push(Part::Array(elements.len() as u64));
                    for (at, element) in elements.iter().enumerate() {
                        place.path.push(at as u64);
                        self.node(element, place);
                        place.path.pop();
                    }
                }
            },
        }
    }

    fn list(&mut self, elements: &[Node<'_>], place: &mut Place) {
        self.hole(Part::List, place);
        put_varint(&mut place.filling, elements.len() as u64);
        for element in elements {
            let mut path = place.path.clone();
            path.push(ANY);
            let mut inner = Place {
                own: place.own,
                path,
                before: place.before,
                parts: Vec::new(),
                filling: Vec::new(),
            };
            self.node(element, &mut inner);
            place.before = inner.before;
            self.close(inner, &mut place.filling);
        }
    }

    fn hole(&mut self, part: impl Fn(usize) -> Part, place: &mut Place) -> usize {
        let sort = part(0);
        let next = self.known.last.len();
        let key = (place.path.clone(), sort.sort());
        let column = *self.numbers.entry(key).or_insert(next);
        self.known.reserve(column, sort.columns());
        place.parts.push(part(column));
        column
    }

    /// The integer before it again, or its distance from the last of the column.
    fn int(&mut self, column: usize, value: i64, place: &mut Place) {
        let distance = zigzag(value - self.known.last[column]) + 1;
        let code = if value == place.before { 0 } else { distance };
        put_varint(&mut place.filling, code);
        self.known.last[column] = value;
        place.before = value;
    }

    fn distance(&mut self, column: usize, value: i64, place: &mut Place) {
        let distance = zigzag(value - self.known.last[column]);
        put_varint(&mut place.filling, distance);
        self.known.last[column] = value;
    }

    /// A word that was said before by its distance from the last, a new one in its bytes.
    fn word(&mut self, word: &[u8], place: &mut Place) {
        let words = &mut self.known.words;
        match words.iter().rev().position(|known| known == word) {
            Some(back) => put_varint(&mut place.filling, back as u64 + 1),
            None => {
                put_varint(&mut place.filling, 0);
                put_varint(&mut place.filling, word.len() as u64);
                place.filling.extend(word);
                words.push(word.to_vec());
            }
        }
    }
}
