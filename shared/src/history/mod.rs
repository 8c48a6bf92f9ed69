//! One customer's past, out of a log of which no more is read than concerns them.
//!
//! Books that begin with a snapshot know what everybody owes, and not from what. The log lies in
//! records (segments, or chunks), each beside an [`Index`] of what stands in it. A [`Recall`] says
//! which records it needs and which events of those, and at the end puts a customer's entries back
//! into the books, as the fold of the whole log would have: it folds what it found by the same code,
//! and refuses if that does not come to the balance which the books show.

mod index;
mod recall;

pub use index::{Index, Lane};
pub use recall::{Differs, Recall};

use crate::event::Kind;

/// Does an event of this kind take an entry back?
const fn takes_back(kind: u16) -> bool {
    kind == Kind::EntryReversed as u16 || kind == Kind::EntryCorrected as u16
}
