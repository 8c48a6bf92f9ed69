//! Deterministic CBOR as a tree. What is not written in the one way that events are written is no
//! tree: a segment carries it as it stands.

use crate::cbor::{self, ARRAY, BYTES, FALSE, NEGATIVE, NULL, TEXT, TRUE, UNSIGNED, take};

/// How deep a tree may be.
const MAX_DEPTH: u32 = 12;

/// A value in deterministic CBOR: no floats, maps and tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node<'b> {
    Null,
    False,
    True,
    Int(i64),
    Bytes(&'b [u8]),
    Text(&'b str),
    Array(Vec<Node<'b>>),
}

impl Node<'_> {
    /// Are all integers in it at most so far from 0?
    pub fn is_within(&self, most: u64) -> bool {
        match self {
            Node::Int(value) => value.unsigned_abs() <= most,
            Node::Array(elements) => elements.iter().all(|element| element.is_within(most)),
            // Of a text that ends in digits those are an integer: 18 fit.
            _ => true,
        }
    }

    /// How many values it is made of, itself included.
    pub fn size(&self) -> usize {
        match self {
            Node::Array(elements) => 1 + elements.iter().map(Node::size).sum::<usize>(),
            _ => 1,
        }
    }
}

/// The tree of all of these bytes; `None` when they are no tree.
pub(super) fn parse(bytes: &[u8]) -> Option<Node<'_>> {
    let mut left = bytes;
    let node = node(&mut left, MAX_DEPTH)?;
    left.is_empty().then_some(node)
}

fn node<'b>(left: &mut &'b [u8], depth: u32) -> Option<Node<'b>> {
    let (&first, rest) = left.split_first()?;
    match first {
        NULL | FALSE | TRUE => {
            *left = rest;
            return Some(match first {
                NULL => Node::Null,
                FALSE => Node::False,
                _ => Node::True,
            });
        }
        _ => {}
    }
    let value = head(left)?;
    Some(match first >> 5 {
        UNSIGNED => Node::Int(i64::try_from(value).ok()?),
        NEGATIVE => Node::Int(-1 - i64::try_from(value).ok()?),
        BYTES => Node::Bytes(take(left, value)?),
        TEXT => Node::Text(core::str::from_utf8(take(left, value)?).ok()?),
        ARRAY => {
            let depth = depth.checked_sub(1)?;
            // Every element has at least a byte.
            let count = usize::try_from(value)
                .ok()
                .filter(|count| *count <= left.len())?;
            let elements = (0..count).map(|_| node(left, depth));
            Node::Array(elements.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Reads the number of a head, which stands in its shortest form.
fn head(left: &mut &[u8]) -> Option<u64> {
    cbor::head(left)
        .filter(|head| head.is_shortest)
        .map(|head| head.value)
}

/// Appends a value that stands for itself.
pub(super) fn put_simple(out: &mut Vec<u8>, node: &Node<'_>) {
    out.push(match node {
        Node::False => FALSE,
        Node::True => TRUE,
        _ => NULL,
    });
}

/// Appends an integer.
pub(super) fn put_int(out: &mut Vec<u8>, value: i64) {
    match u64::try_from(value) {
        Ok(value) => put_head(out, UNSIGNED, value),
        Err(_) => put_head(out, NEGATIVE, !value as u64),
    }
}

/// Appends a byte string.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_head(out, BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends the head of a text string.
pub(super) fn put_text_head(out: &mut Vec<u8>, length: usize) {
    put_head(out, TEXT, length as u64);
}

/// Appends the head of an array.
pub(super) fn put_array_head(out: &mut Vec<u8>, count: u64) {
    put_head(out, ARRAY, count);
}

fn put_head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    match value {
        0..24 => out.push(major | value as u8),
        24..0x100 => out.extend([major | 24, value as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend((value as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend((value as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(value.to_be_bytes());
        }
    }
}
