//! A phone that had a shop of its own and joined another brings its old khata along.
//!
//! The old database stays until a person removes it. The note that one is to be brought lies in the
//! new database from before the first moment of the new shop, so it goes on wherever it stopped. What
//! is there already, the books themselves say.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::{Get as _, Set as _};
use minicbor::{Decode, Encode};
use shared::command::{
    AccessRejection, Batch, Bringing, Missing, OldShop, Refusal, Rejection, Tally,
};
use shared::event::Role;
use shared::ids::{EntryId, ShopId};
use shared::sync::log::ChainHead;
use wasm_bindgen_futures::spawn_local;

use super::books::Books;
use super::database::{ShopDatabase, read_optional};
use super::execute::Decided;
use super::fold::whole_books;
use super::live::Live;
use super::records::encode;
use super::shop::{Progress, Refused, Shop};
use super::slices::pause;
use super::{StoreError, export, index, schema, start};
use crate::net::tabs::News;

/// The note that an old khata is to be brought into this shop, or was.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct OldKhata {
    /// The old shop.
    #[n(0)]
    pub from: ShopId,
    /// Everything that may come is in the server's log.
    #[n(1)]
    pub arrived: Option<Arrived>,
}

/// What came along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Arrived {
    /// What the old shop held.
    #[n(0)]
    pub tally: Tally,
    /// What of it did not come.
    #[n(1)]
    pub missing: Missing,
    /// The end of the old chain that was brought.
    #[n(2)]
    chain: ChainHead,
}

/// How far an old khata has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coming {
    /// Its entries are being written.
    Writing(Progress),
    /// All are written; so many events wait for the server.
    Sending(u32),
    /// The server has everything.
    Arrived(Arrived),
    /// It cannot come as things are. The old khata is kept.
    Stuck(Refused),
}

/// An old khata under way.
pub(super) struct OldBooks {
    from: ShopId,
    books: Books,
    bringing: Bringing,
}

impl OldBooks {
    const fn shop(&self) -> OldShop<'_> {
        OldShop {
            ledger: &self.books.ledger,
            keys: &self.books.keys,
        }
    }
}

impl ShopDatabase {
    /// The old khata that is to be brought into this shop.
    pub async fn old_khata(&self) -> Result<Option<OldKhata>, StoreError> {
        let tx = self.db.read(&[schema::META])?;
        let note = tx.store(schema::META)?.get(schema::OLD_KHATA)?;
        read_optional(note.bytes().await?, "old khata")
    }

    /// Notes which one, or that there is none any more.
    pub async fn note_old_khata(&self, note: Option<&OldKhata>) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::META])?;
        let meta = tx.store(schema::META)?;
        match note {
            Some(note) => meta.put(schema::OLD_KHATA, &encode(note))?,
            None => meta.delete(schema::OLD_KHATA)?,
        }
        tx.commit().await
    }
}

/// Opens the database of an old khata.
async fn open(from: ShopId) -> Result<ShopDatabase, StoreError> {
    ShopDatabase::open(from, || {}, |_| {}).await
}

impl Shop {
    /// What this shop holds, before it is brought into another. Tracked.
    pub fn tally(self) -> Tally {
        self.with(|books| {
            let shop = OldShop {
                ledger: &books.ledger,
                keys: &books.keys,
            };
            shop.tally()
        })
    }

    /// How many entries are on this phone only. Tracked.
    pub fn unsent_entries(self) -> u64 {
        self.with(|books| {
            let confirmed = books.last_seq() - books.unconfirmed();
            let is_own = |id: &&EntryId| id.0.device == books.device() && id.0.seq > confirmed;
            books.ledger.entries.keys().filter(is_own).count() as u64
        })
    }

    /// How far the old khata of this phone has come, if there is one. Tracked.
    pub fn old_khata(self) -> Option<Coming> {
        self.live().coming.get()
    }

    /// This phone is about to join another shop. Noted before that shop is there, so that the app
    /// opens it from its first moment on, and this one as long as it is not.
    pub async fn is_old_khata_of(self, new: &ShopDatabase, to: ShopId) -> Result<(), StoreError> {
        let from = self.peek(|books| books.identity.shop);
        let arrived = None;
        new.note_old_khata(Some(&OldKhata { from, arrived }))
            .await?;
        index::move_on(from, to);
        Ok(())
    }

    /// Every tab opens the shop that this phone has joined.
    pub(crate) fn move_on(self) {
        self.live().tell(&News::Moved);
        start::reload();
    }

    /// The old khata as a file, see [`Shop::export`].
    pub async fn download_old_khata(self) -> Result<(), StoreError> {
        let note = self.live().db.old_khata().await?.ok_or(StoreError::Gone)?;
        export::download_of(&open(note.from).await?).await
    }

    /// Removes the old khata from this phone, once it has come along. What was written there
    /// meanwhile, in another tab, is brought first.
    pub async fn remove_old_khata(self) -> Result<(), StoreError> {
        let live = self.live();
        let Some(OldKhata {
            from,
            arrived: Some(arrived),
        }) = live.db.old_khata().await?
        else {
            return Ok(());
        };
        let old = open(from).await?;
        let loaded = old.load_after(u64::MAX, u32::MAX).await?;
        drop(old);
        if loaded.is_some_and(|loaded| loaded.chain != arrived.chain) {
            live.db
                .note_old_khata(Some(&OldKhata {
                    from,
                    arrived: None,
                }))
                .await?;
            return live.look_for_old_khata().await;
        }
        ShopDatabase::delete(from).await?;
        live.db.note_old_khata(None).await?;
        index::forget_old();
        live.coming.set(None);
        Ok(())
    }
}

impl Live {
    /// Goes on to bring an old khata, if there is one. To be called once, at start.
    pub(super) async fn look_for_old_khata(self: &Rc<Live>) -> Result<(), StoreError> {
        let Some(note) = self.db.old_khata().await? else {
            return Ok(());
        };
        if let Some(arrived) = note.arrived.filter(|it| it.missing.for_manager == 0) {
            self.coming.set(Some(Coming::Arrived(arrived)));
            return Ok(());
        }
        let Some(opened) = whole_books(&open(note.from).await?, |_| {}).await? else {
            // It was removed, and the note of it was not.
            ShopDatabase::delete(note.from).await?;
            return self.db.note_old_khata(None).await;
        };
        let books = opened.books;
        let shop = OldShop {
            ledger: &books.ledger,
            keys: &books.keys,
        };
        *self.old_books.borrow_mut() = Some(OldBooks {
            from: note.from,
            bringing: Bringing::of(shop),
            books,
        });
        self.bring();
        Ok(())
    }

    /// Goes on with it as far as it can. To be called when more of the log is in the books.
    pub(super) fn bring(self: &Rc<Live>) {
        let Some(mut old) = self.old_books.borrow_mut().take() else {
            return;
        };
        let live = self.clone();
        spawn_local(async move {
            let coming = match live.bring_on(&mut old).await {
                Ok(coming) => coming,
                Err(refused) => Coming::Stuck(refused),
            };
            let goes_on = matches!(coming, Coming::Writing(_) | Coming::Sending(_));
            live.coming.set(Some(coming));
            if goes_on {
                *live.old_books.borrow_mut() = Some(old);
            }
        });
    }

    async fn bring_on(self: &Rc<Live>, old: &mut OldBooks) -> Result<Coming, Refused> {
        loop {
            let (done, total) = old.bringing.progress();
            let ready = self.peek(|books| books.ledger.is_whole() && books.is_filled());
            if done == total && ready {
                break;
            }
            let coming = Coming::Writing(Progress {
                done: done as u64,
                total: total as u64,
            });
            if !ready {
                return Ok(coming);
            }
            self.coming.set(Some(coming.clone()));
            match self.bring_batch(old).await {
                // Another tab wrote, and the books were opened anew without their history.
                Err(Refused::Rules(Refusal::Rejected(Rejection::Access(
                    AccessRejection::HistoryNotHere,
                )))) => return Ok(coming),
                written => written?,
            }
            pause().await;
        }
        let waiting = self.peek(Books::unconfirmed);
        if waiting > 0 {
            return Ok(Coming::Sending(waiting));
        }
        let (shop, role) = (old.shop(), self.peek(role));
        let arrived = Arrived {
            tally: shop.tally(),
            missing: self
                .peek(|books| old.bringing.missing(shop, &books.ledger, &books.keys, role)),
            chain: old.books.chain,
        };
        let note = OldKhata {
            from: old.from,
            arrived: Some(arrived),
        };
        self.db.note_old_khata(Some(&note)).await?;
        Ok(Coming::Arrived(arrived))
    }

    /// Writes the next batch, in one transaction.
    async fn bring_batch(self: &Rc<Live>, old: &mut OldBooks) -> Result<(), Refused> {
        let made: RefCell<Option<Batch>> = RefCell::new(None);
        let decide = || {
            let books = self.books.borrow();
            let context = self.context(&books);
            let batch = old.bringing.next(old.shop(), &books.ledger, &context);
            let batch = batch.map_err(|why| Refused::Rules(Refusal::Rejected(why)))?;
            let decided = Decided::new(books.chain, batch.events.clone(), &batch.keys);
            made.replace(Some(batch));
            Ok(decided)
        };
        self.write(None, &decide).await?;
        if let Some(batch) = made.take() {
            old.bringing.written(&batch);
        }
        Ok(())
    }
}

/// The most that this device may do, as the books say now.
fn role(books: &Books) -> Role {
    let device = books.ledger.devices.get(&books.device());
    let role = device.and_then(|device| device.role.get().copied());
    role.unwrap_or(books.identity.role)
}
