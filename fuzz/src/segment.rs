//! Segments: what is read was a run of a log, and is the same when it is written and read again.

use shared::chain::digest;
use shared::sync::segment::{MAGIC, read, write};

/// What a segment's digest covers before its bytes, see `docs/format.md`.
const DOMAIN: &[u8] = b"pakka/segment/v1";

const DIGEST_BYTES: usize = 32;

pub fn run(bytes: &[u8]) {
    check(bytes);
    // A digest keeps out accidents only: whoever makes a bad segment makes it a digest.
    let mut sealed = bytes.to_vec();
    let body = MAGIC.len() + DIGEST_BYTES;
    if sealed.len() > body {
        let digest = digest(&[DOMAIN, &sealed[body..]]);
        sealed[MAGIC.len()..body].copy_from_slice(&digest.0);
        check(&sealed);
    }
}

fn check(bytes: &[u8]) {
    let Ok(segment) = read(bytes) else {
        return;
    };
    let Ok(written) = write(&segment) else {
        return;
    };
    assert_eq!(read(&written).as_ref(), Ok(&segment));
}
