//! What was stored becomes what screens see: at the start, and when other tabs or the server bring
//! news.

use std::rc::Rc;

use leptos::prelude::Set as _;
use shared::ids::ShopId;
use shared::snapshot::{Mark, Snapshot};
use shared::sync::engine::{Batch, Input};
use shared::sync::wire::{Chunk, SealingKey};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::StoreError;
use super::books::{Books, Folded};
use super::database::{Loaded, ShopDatabase};
use super::history::History;
use super::live::Live;
use super::pack::{is_worth_it, length_of};
use super::records::{Run, decode, is_packed};
use super::shop::Progress;
use super::slices::Slices;
use super::start;
use crate::net::tabs::News;
use crate::parts;

impl Live {
    /// Reads and folds what other tabs have written, with keys if there may be new ones. To be called
    /// in turn.
    pub(crate) async fn read_news(self: &Rc<Live>, keys: bool) -> Result<(), StoreError> {
        let (seq, position) = self.peek(|books| (books.chain.seq + 1, books.position + 1));
        let news = self.db.news(seq, position, keys).await?;
        let is_old = |books: &Books| news.chain == books.chain && news.cursor == books.cursor;
        let life = news.cursor.as_ref().map(|cursor| cursor.log.generation());
        let has_parted = |books: &Books| books.cursor.is_some() && books.life() != life;
        if self.peek(|books| has_parted(books) || !books.ledger.is_whole() && !is_old(books)) {
            // What stands where is for whole books to say, and a log that was cut is another one:
            // start over from what is stored.
            return self.refold().await;
        }
        let folded = self.change(|books| {
            books.chain = news.chain;
            if let Some(identity) = news.identity {
                if identity.device != books.identity.device {
                    // Another tab found that this storage is a copy, which is another device now.
                    start::reload();
                }
                books.identity = identity;
            }
            for chunk in news.segments.iter().flat_map(|segment| &segment.0) {
                if books.fold_chunk(chunk)? == Folded::Refold {
                    return Ok(Folded::Refold);
                }
            }
            for run in &news.tail {
                books.fold_own(run.first_seq, &run.events)?;
            }
            books.cursor = news.cursor;
            books.take_keys(&news.keys);
            Ok::<_, StoreError>(Folded::Done)
        })?;
        if folded == Folded::Refold {
            return self.refold().await;
        }
        for run in news.tail {
            self.drive(Input::Appended {
                first_seq: run.first_seq,
                keys: made_keys(&run, &news.keys),
                events: run.events,
            });
        }
        Ok(())
    }

    /// Starts over from storage, and puts it in place at once when done. To be called in turn.
    pub(crate) async fn refold(self: &Rc<Live>) -> Result<(), StoreError> {
        let shop = self.peek(|books| books.identity.shop);
        let opened = open_books(&self.db, shop, |_| {}).await?;
        let Opened {
            books, snapshot, ..
        } = opened.ok_or(StoreError::Gone)?;
        self.recalled.take();
        self.change(|old| {
            let chosen = old.chosen;
            *old = Books { chosen, ..books };
        });
        match snapshot {
            Some((_, snapshot)) => {
                self.expect_history(snapshot);
                self.count_history();
            }
            None => self.history.set(History::Here),
        }
        self.bring();
        Ok(())
    }

    /// Stores a part of the server's log durably, folds it and tells the other tabs. Folding lets the
    /// screen move and entries be written in between: in any order they give the same state.
    pub(crate) async fn take(self: &Rc<Live>, batch: &Batch) -> Result<(), StoreError> {
        let stored = {
            let _turn = self.turns.take().await;
            let erased = self.peek(|books| books.ledger.erased_keys.clone());
            let stored = self.db.persist(batch, &erased).await;
            if stored.is_ok() && batch.cut.is_some() {
                // Nobody may look at books of a log that is gone.
                self.tell(&News::Written { keys: false });
                let _ = self.refold().await;
                return Ok(());
            }
            stored
        };
        stored?;
        self.tell(&News::Written {
            keys: !batch.keys.is_empty(),
        });
        if batch.branch.is_some() {
            // Everything begins anew, as the device that it is from now on.
            start::reload();
            return Ok(());
        }
        let filled_before = self.peek(Books::is_filled);
        // It is durable, whatever becomes of the books on the screen: to call it failed would make
        // the engine read the same part again. Books that could not take it are made anew.
        let folded = if batch.rebuild || batch.restored.is_some() {
            Ok(Folded::Refold)
        } else if self.peek(|books| books.ledger.is_whole()) {
            self.fold_in_slices(batch).await
        } else {
            self.take_note(batch);
            Ok(Folded::Done)
        };
        if folded != Ok(Folded::Done) {
            let _turn = self.turns.take().await;
            let _ = self.refold().await;
        }
        self.bring();
        if !filled_before && self.peek(Books::is_filled) {
            let live = self.clone();
            spawn_local(async move { live.start_session().await });
        }
        Ok(())
    }

    /// Books without history leave the log to those that are made behind the screen.
    fn take_note(self: &Rc<Live>, batch: &Batch) {
        self.change(|books| {
            books.cursor = Some(batch.cursor.clone());
            books.confirmed_seq = books.confirmed_seq.max(batch.confirmed_seq);
            books.take_keys(&batch.keys);
        });
        self.count_history();
    }

    async fn fold_in_slices(self: &Rc<Live>, batch: &Batch) -> Result<Folded, StoreError> {
        let mut slices = Slices::start();
        let mut rest = batch.chunks.as_slice();
        self.change(|books| books.take_keys(&batch.keys));
        while !rest.is_empty() {
            let turn = self.turns.take().await;
            let folded = self.change(|books| {
                // At least one, however long the turn was waited for.
                while let Some((chunk, behind)) = rest.split_first() {
                    if books.fold_chunk(chunk)? == Folded::Refold {
                        return Ok(Folded::Refold);
                    }
                    rest = behind;
                    if slices.is_over() {
                        break;
                    }
                }
                Ok(Folded::Done)
            });
            if folded != Ok(Folded::Done) {
                return folded;
            }
            drop(turn);
            slices.breathe().await;
        }
        self.change(|books| {
            books.cursor = Some(batch.cursor.clone());
            books.take_keys(&[]);
        });
        self.keep_snapshot();
        Ok(Folded::Done)
    }
}

/// The keys that were made with a run, out of all keys.
pub(crate) fn made_keys(run: &Run, keys: &[SealingKey]) -> Vec<SealingKey> {
    let made = run.keys.iter().filter_map(|made| {
        let key = keys.iter().find(|key| key.id == made.id);
        key.cloned()
    });
    made.collect()
}

/// What the app starts with.
pub(super) struct Opened {
    pub books: Books,
    /// What the books go on from, if they are without history, with its number.
    pub snapshot: Option<(u64, Mark)>,
    /// The records of the log and of own events that were read are many and small.
    pub scattered: [bool; 2],
    /// The device's private key.
    pub device_key: JsValue,
    /// All keys that seal texts.
    pub keys: Vec<SealingKey>,
}

/// Books from the newest snapshot that is of use, else from the whole log. `None` where a first
/// start was never finished.
pub(super) async fn open_books(
    db: &ShopDatabase,
    shop: ShopId,
    progress: impl Fn(Progress),
) -> Result<Option<Opened>, StoreError> {
    for (number, bytes) in db.snapshots().await? {
        let Ok((ledger, mark)) = Snapshot::take_own(&bytes, shop) else {
            continue;
        };
        // Without a server its number is that of the last own event that it counts.
        let position = mark.position();
        let seq = match position {
            0 => u32::try_from(number).unwrap_or(0),
            _ => 0,
        };
        let Some(loaded) = db.load_after(position, seq).await? else {
            return Ok(None);
        };
        let Some(books) = Books::resume(&loaded, ledger, &mark) else {
            continue;
        };
        if let Ok(opened) = fold_loaded(books, loaded, &progress).await
            && opened.books.ledger.is_settled()
        {
            let snapshot = Some((number, mark));
            return Ok(Some(Opened { snapshot, ..opened }));
        }
    }
    whole_books(db, progress).await
}

/// Books from the whole log. `None` where a first start was never finished.
pub(super) async fn whole_books(
    db: &ShopDatabase,
    progress: impl Fn(Progress),
) -> Result<Option<Opened>, StoreError> {
    match db.load().await? {
        Some(loaded) => {
            let books = Books::new(loaded.identity.clone(), loaded.chain);
            fold_loaded(books, loaded, progress).await.map(Some)
        }
        None => Ok(None),
    }
}

/// Folds what was read from storage, letting the screen breathe now and then.
async fn fold_loaded(
    mut books: Books,
    loaded: Loaded,
    progress: impl Fn(Progress),
) -> Result<Opened, StoreError> {
    let scattered = [
        is_worth_it(loaded.segments.iter().map(|bytes| length_of(bytes))),
        is_worth_it(loaded.tail.iter().map(Run::length_bytes)),
    ];
    let segments = loaded.segments.iter().map(Vec::len);
    let tail = loaded.tail.iter().map(Run::length_bytes);
    let total = segments.chain(tail).sum::<usize>() as u64;
    let mut done = 0;
    let mut slices = Slices::start();
    for bytes in &loaded.segments {
        let chunks: Vec<Chunk> = match is_packed(bytes) {
            true => parts::unpack(bytes.clone()).await??,
            false => decode(bytes, "segment")?,
        };
        for chunk in &chunks {
            if books.fold_chunk(chunk)? == Folded::Refold {
                return Err(StoreError::Damaged("segment"));
            }
            if slices.breathe().await {
                progress(Progress { done, total });
            }
        }
        done += bytes.len() as u64;
    }
    for run in &loaded.tail {
        books.fold_own(run.first_seq, &run.events)?;
        done += run.length_bytes() as u64;
        if slices.breathe().await {
            progress(Progress { done, total });
        }
    }
    if books.last_own_seq() != books.chain.seq {
        return Err(StoreError::Damaged("tail"));
    }
    books.cursor = loaded.cursor;
    books.take_keys(&loaded.keys);
    Ok(Opened {
        books,
        snapshot: None,
        scattered,
        device_key: loaded.device_key,
        keys: loaded.keys,
    })
}
