//! Export files: read to the end or to a flaw, whatever stands in them, and never good without the
//! signatures.

use shared::chain::digest;
use shared::export::{MAGIC, Part, Reader, verify};
use shared::testing::device;
use shared::verify::Depth;

const HEAD_BYTES: usize = 5;
const CHECK_BYTES: usize = 8;

pub fn run(bytes: &[u8]) {
    check(bytes);
    // Checks keep out accidents only: whoever makes a bad file makes it good checks.
    check(&with_checks(bytes));
}

fn check(file: &[u8]) {
    let mut events = 0;
    if let Ok(reader) = Reader::new(file) {
        for part in reader {
            match part {
                Ok(Part::Run(_, of_run)) => events += of_run.len() as u64,
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
    for depth in [Depth::EverySignature, Depth::LastSignatures] {
        match verify(file, depth, device::verify, |_| {}) {
            Ok((_, summary)) => assert_eq!(summary.events, events),
            Err(bad) => assert!(bad.good.events <= events),
        }
    }
    // Nobody's signature: then nothing that should be signed is good.
    if let Ok((_, summary)) = verify(file, Depth::EverySignature, |_, _, _| false, |_| {}) {
        assert_eq!((summary.proven, summary.unsent), (0, 0));
    }
}

/// The same frames with checks that fit, as far as there are whole frames.
fn with_checks(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut before = first_bytes(&[MAGIC]);
    let mut at = MAGIC.len();
    while let Some(head) = file.get(at..at + HEAD_BYTES) {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let end = at + HEAD_BYTES + length;
        let Some(frame) = file.get(at..end) else {
            break;
        };
        before = first_bytes(&[&before, frame]);
        let Some(check) = file.get_mut(end..end + CHECK_BYTES) else {
            break;
        };
        check.copy_from_slice(&before);
        at = end + CHECK_BYTES;
    }
    file
}

fn first_bytes(parts: &[&[u8]]) -> [u8; CHECK_BYTES] {
    let hash = digest(parts).0;
    core::array::from_fn(|index| hash[index])
}
