//! What of a sale can still come back.

use super::settle::standing;
use crate::event::GoodsReturned;
use crate::ids::EntryId;
use crate::ledger::{Ledger, What};
use crate::money::Paise;

/// What can still be refunded of a sale or of goods on credit: what it came to, without what was
/// refunded before. `None` for an entry that sold nothing or was taken back.
pub fn left_to_return(ledger: &Ledger, sold: EntryId) -> Option<Paise> {
    let what = &ledger.entries.get(&sold)?.what;
    if !matches!(what, What::Sale(_) | What::Credit(_)) || ledger.is_reversed(sold) {
        return None;
    }
    let mut left = what.amount();
    for (id, entry) in &ledger.entries {
        if let What::Return(GoodsReturned { of, amount, .. }) = &entry.what
            && of.map(|of| standing(ledger, of)) == Some(sold)
            && !ledger.is_reversed(*id)
        {
            left -= *amount;
        }
    }
    Some(left.max(Paise::ZERO))
}
