//! Events: what is read as known is written again as the same bytes, and no event is too strange to
//! be kept and folded around.

use shared::event::{Branch, Decoded, decode, decode_only, encode};
use shared::ids::DeviceNo;
use shared::ledger::{Ledger, Standing};
use shared::sync::authority::is_of_authority;

/// A phone that was copied.
const BRANCH: Branch = Branch {
    device: DeviceNo(7),
    of: DeviceNo(2),
    from_seq: 3,
};

pub fn run(bytes: &[u8]) {
    let decoded = decode(bytes, None);
    if let Ok(Decoded::Known(event)) = &decoded {
        assert_eq!(encode(event), bytes, "an event is its bytes");
    }
    // Who looks into few kinds only sees the same envelope.
    let looked = decode_only(bytes, None, is_of_authority);
    assert_eq!(
        decoded.as_ref().map(Decoded::envelope),
        looked.as_ref().map(Decoded::envelope)
    );
    let branch = decode(bytes, Some(BRANCH));
    assert_eq!(branch.is_ok(), decoded.is_ok(), "ids have no say in it");
    for decoded in [decoded, branch] {
        let Ok(id) = decoded.as_ref().map(|decoded| decoded.envelope().id) else {
            continue;
        };
        for standing in [Standing::Counted, Standing::Held] {
            let mut ledger = Ledger::default();
            // Whatever stands before it is not there: then it waits.
            let _ = ledger.fold(id.device, 1, decoded.clone(), standing);
            let _ = ledger.fold(id.device, id.seq, decoded.clone(), standing);
            let _ = ledger.checksum();
        }
    }
}
