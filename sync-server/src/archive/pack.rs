//! Segments as they are stored and sent: in brotli.

use std::io::Read;

use shared::bytes::Hash;
use shared::chain::digest;
use shared::sync::segment::{self, MAX_BYTES, Segment, Unfit};

use crate::store::{StoreError, StoredSegment};

/// Written once and read for years.
const QUALITY: i32 = 11;
const WINDOW_BITS: i32 = 22;
const BUFFER_BYTES: usize = 16 * 1024;

/// The stored bytes of a segment.
pub(super) fn pack(segment: &Segment) -> Result<Vec<u8>, Unfit> {
    let bytes = segment::write(segment)?;
    let params = brotli::enc::BrotliEncoderParams {
        quality: QUALITY,
        lgwin: WINDOW_BITS,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut packed = Vec::with_capacity(bytes.len() / 2);
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &params).expect("memory takes all");
    Ok(packed)
}

/// What stored bytes are named by.
pub(super) fn hash(bytes: &[u8]) -> Hash {
    digest(&[bytes])
}

/// A segment without the brotli.
///
/// # Errors
///
/// The bytes are damaged; the error says which segment.
pub fn expand(stored: &StoredSegment) -> Result<Vec<u8>, StoreError> {
    let name = stored.record.name;
    let damaged = |what: &str| StoreError(format!("segment {name}: {what}"));
    if hash(&stored.bytes) != stored.record.hash {
        return Err(damaged("its bytes are not those that were stored"));
    }
    let mut bytes = Vec::new();
    let most = 2 * MAX_BYTES as u64;
    brotli::Decompressor::new(stored.bytes.as_slice(), BUFFER_BYTES)
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(&error.to_string()))?;
    match bytes.len() as u64 > most {
        true => Err(damaged("it is longer than it may be")),
        false => Ok(bytes),
    }
}

/// What a segment holds.
///
/// # Errors
///
/// The bytes are damaged; the error says which segment and where.
pub fn unpack(stored: &StoredSegment) -> Result<Segment, StoreError> {
    let name = stored.record.name;
    let segment = segment::read(&expand(stored)?)
        .map_err(|damaged| StoreError(format!("segment {name}: {damaged}")))?;
    if (segment.first(), segment.last()) != (name.first, name.last) {
        return Err(StoreError(format!("segment {name} holds another part")));
    }
    Ok(segment)
}
