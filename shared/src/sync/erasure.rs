//! Which keys a part of the log destroys.

use super::wire::Verdict;
use crate::bytes::{Bytes, KeyId};
use crate::event::{Body, Decoded, Kind, decode_only};

/// The keys that these events destroy, if the server accepted them. Whoever stores the events
/// destroys the keys in the same breath: none of them may outlive the news.
pub fn erased_keys(verdict: Verdict, events: &[Bytes]) -> impl Iterator<Item = KeyId> {
    let is_erasure = |kind| kind == Kind::CustomerErased as u16;
    let accepted = events.iter().filter(move |_| verdict == Verdict::Accepted);
    // Names of keys are the same on every branch.
    let decoded = accepted.filter_map(move |bytes| decode_only(&bytes.0, None, is_erasure).ok());
    decoded.flat_map(|decoded| match decoded {
        Decoded::Known(event) => match event.body {
            Body::CustomerErased(erased) => erased.keys,
            _ => Vec::new(),
        },
        Decoded::Unknown(_) => Vec::new(),
    })
}
