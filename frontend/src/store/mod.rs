//! What this phone keeps, and what screens see of it.
//!
//! A screen needs this much:
//!
//! - [`stage`] says which of the first screens is due, or gives the open [`Shop`]. [`begin`] is
//!   called once; [`create_shop`] and [`crate::net::pairing::Joining`] lead to an open shop.
//! - [`Shop::with`] looks into the [`Books`]: the ledger, the keys that open names, who is at the
//!   phone. A view that looks is drawn again when anything changes, here, in another tab or on
//!   another phone.
//! - [`Shop::execute`] does what someone wants. When it returns, the entry is on the disk: show the
//!   tick. A [`Refused`] has written nothing: either a rejection, or a question to answer by
//!   [`Answers`] and try again, or a [`StoreError`].
//! - [`Shop::contact`] and [`Shop::entry_state`] say where the entries are;
//!   [`Shop::storage`], [`Shop::download_export`], [`Shop::sync_now`] are for the settings.
//!
//! Each shop has one IndexedDB database. One append is one transaction with strict durability; the
//! end of the chain is read inside it, so two tabs never write the same number.

pub mod books;
pub mod bringing;
pub mod database;
pub(crate) mod device_key;
pub mod error;
mod execute;
pub mod export;
pub(crate) mod fold;
pub mod history;
pub mod idb;
pub mod index;
mod joining;
pub(crate) mod live;
mod mend;
mod pack;
mod recall;
pub mod records;
pub mod schema;
mod seal;
pub mod shop;
pub mod slices;
mod snapshots;
pub mod space;
pub mod start;
pub mod status;
pub mod turn;

pub use books::Books;
pub use bringing::{Arrived, Coming};
pub use error::StoreError;
pub use history::{History, Rebuilt};
pub use shop::{Answers, Committed, Progress, Refused, Shop};
pub use space::{Space, Storage};
pub use start::{NewShop, Stage, Trouble, begin, create_shop, stage};
pub use status::{Contact, EntryState};
