//! The whole log is folded behind the screen: after a start from a snapshot, and whenever somebody
//! wants everything to be counted anew. Commands and lists go on meanwhile; at the end the new books
//! take the place of the old ones at once.

use std::rc::Rc;

use leptos::prelude::*;
use shared::snapshot::Mark;
use shared::sync::wire::{Chunk, Generation};
use wasm_bindgen_futures::spawn_local;

use super::StoreError;
use super::books::{Books, Folded};
use super::live::Live;
use super::pack::{is_worth_it, length_of};
use super::records::{Segment, decode};
use super::shop::{Progress, Shop};
use super::slices::Slices;
use crate::net::mending::mend;

/// So many records of the log are read at a time: some megabytes at most.
const RECORDS_AT_ONCE: u32 = 64;

/// Where the history of the shop is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// In the books.
    Here,
    /// On its way: lists and the day's commands work, what looks back waits.
    Coming(Progress),
    /// The phone cannot read it. Lists and the day's commands go on.
    Unreadable(StoreError),
}

/// Whole books in the making.
pub(super) struct Recount {
    books: Books,
    /// What they are compared with on the way.
    snapshot: Option<Mark>,
    progress: Box<dyn Fn(Progress)>,
    /// The life of the log that they are made of.
    life: Option<Generation>,
    /// The lengths of the records of the log and of own events that were read.
    lengths: [Vec<usize>; 2],
}

/// What counting everything anew has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// So many entries were counted.
    pub entries: usize,
    /// So many events of the log are in no total.
    pub uncounted: u64,
    /// So many customers had another balance before.
    pub corrected: usize,
    /// Were the books the same before, with as many entries?
    pub same: bool,
    /// The beginning of the checksum of the books: equal on two phones with the same entries.
    pub checksum: u32,
}

impl Shop {
    /// Where the history of the shop is. Tracked.
    pub fn history(self) -> History {
        self.live().history.get()
    }

    /// Counts everything anew from what is stored, and puts it in place at once. Nothing waits for
    /// it; what cannot be read leaves the books as they are. `None` while the log is still coming.
    pub async fn rebuild(
        self,
        progress: impl Fn(Progress) + 'static,
    ) -> Result<Option<Rebuilt>, StoreError> {
        let live = self.live();
        let mut recount = live.recount_of(None, progress);
        let mut counted = live.go_on(&mut recount).await;
        if counted.is_err() && mend(&live.db).await.is_ok_and(|parts| parts > 0) {
            recount.books = live.peek(Books::empty);
            counted = live.go_on(&mut recount).await;
        }
        let before = counted?;
        Ok(before.map(|before| live.peek(|after| compared(&before, after))))
    }
}

fn compared(before: &Books, after: &Books) -> Rebuilt {
    let (old, new) = (&before.ledger, &after.ledger);
    let customers = new.customers.keys();
    let (old_sum, sum) = (old.summed_up_checksum(), new.summed_up_checksum());
    Rebuilt {
        entries: new.entries.len(),
        uncounted: new.uncounted(),
        corrected: customers
            .filter(|&&id| old.balance(id) != new.balance(id))
            .count(),
        same: old_sum == sum && old.entries.len() == new.entries.len(),
        checksum: u32::from_be_bytes([sum.0[0], sum.0[1], sum.0[2], sum.0[3]]),
    }
}

impl Live {
    /// The books on the screen are without history: it is to be folded behind them.
    pub(super) fn expect_history(&self, snapshot: Mark) {
        let history = self.history.clone();
        let progress = move |progress| history.set(History::Coming(progress));
        progress(Progress::default());
        *self.recount.borrow_mut() = Some(self.recount_of(Some(snapshot), progress));
    }

    fn recount_of(&self, snapshot: Option<Mark>, progress: impl Fn(Progress) + 'static) -> Recount {
        Recount {
            books: self.peek(Books::empty),
            snapshot,
            progress: Box::new(progress),
            life: self.peek(Books::life),
            lengths: Default::default(),
        }
    }

    /// Goes on with it, if there is something to do and it is not under way. To be called when more
    /// of the log was stored.
    pub(super) fn count_history(self: &Rc<Live>) {
        self.more_stored.set(true);
        let Some(mut recount) = self.recount.borrow_mut().take() else {
            return;
        };
        let live = self.clone();
        spawn_local(async move {
            match live.go_on(&mut recount).await {
                Ok(Some(_)) => {
                    live.mending.set(false);
                    live.bring();
                    live.keep_snapshot();
                    live.pack(
                        recount
                            .lengths
                            .map(|lengths| is_worth_it(lengths.into_iter())),
                    );
                }
                // The rest has not come from the server yet.
                Ok(None) => {
                    *live.recount.borrow_mut() = Some(recount);
                    if live.more_stored.get() {
                        live.count_history();
                    }
                }
                Err(error) => live.start_over(error).await,
            }
        });
    }

    /// The log could not be read: once, what is damaged may come again from the server.
    async fn start_over(self: &Rc<Live>, error: StoreError) {
        if !self.mending.replace(true) && mend(&self.db).await.is_ok() {
            let _turn = self.turns.take().await;
            if self.refold().await.is_ok() {
                return;
            }
        }
        self.history.set(History::Unreadable(error));
    }

    /// Folds what lies in storage. When that is everything, the books are put in place, and the old
    /// ones are given back.
    async fn go_on(&self, recount: &mut Recount) -> Result<Option<Books>, StoreError> {
        self.more_stored.set(false);
        let life = self.peek(Books::life);
        if recount.life != life {
            // The log was cut since: what was folded may stand in it no more.
            recount.books = self.peek(Books::empty);
            (recount.snapshot, recount.life) = (None, life);
        }
        while self.fold_log(recount).await? {}
        let is_all = self.peek(|books| {
            let cursor = books.cursor.as_ref();
            cursor.is_none_or(|cursor| {
                cursor.pinned.is_some() && cursor.log.size() <= recount.books.position
            })
        });
        if !is_all {
            return Ok(None);
        }
        // Own entries that wait for the server: most of them beside the taps, and what came
        // meanwhile in turn with them.
        self.fold_tail(recount).await?;
        let _turn = self.turns.take().await;
        if recount.life != self.peek(Books::life) {
            self.more_stored.set(true);
            return Ok(None);
        }
        while self.fold_log(recount).await? {}
        self.fold_tail(recount).await?;
        let empty = self.peek(Books::empty);
        let mut books = core::mem::replace(&mut recount.books, empty);
        let before = self.change(|shown| {
            books.chosen = shown.chosen;
            core::mem::replace(shown, books)
        });
        if self.history.get_untracked() != History::Here {
            self.history.set(History::Here);
        }
        Ok(Some(before))
    }

    /// Folds the next records of the log, a slice at a time. False if there are none.
    async fn fold_log(&self, recount: &mut Recount) -> Result<bool, StoreError> {
        let before = recount.books.position;
        let records = self.db.log_after(before, RECORDS_AT_ONCE).await?;
        let mut slices = Slices::start();
        for bytes in &records {
            let _turn = self.readings.take().await;
            recount.lengths[0].push(length_of(bytes));
            let segment: Segment = decode(bytes, "segment")?;
            for chunk in segment.0 {
                for part in recount.parts_of(chunk) {
                    if recount.books.fold_chunk(&part)? == Folded::Refold {
                        // The server has put aside an own event since it was counted here.
                        recount.books = self.peek(Books::empty);
                        return Ok(true);
                    }
                    self.compare(recount).await?;
                }
                if slices.breathe().await {
                    self.show(recount, recount.books.position);
                }
            }
        }
        Ok(recount.books.position > before)
    }

    /// Folds own events that no server has confirmed, and takes all that is no event.
    async fn fold_tail(&self, recount: &mut Recount) -> Result<(), StoreError> {
        let (position, seq) = (recount.books.position, recount.books.last_own_seq());
        let loaded = self.db.load_after(position, seq).await?;
        let loaded = loaded.ok_or(StoreError::Gone)?;
        let summed_up = recount.snapshot.as_ref();
        let summed_up = summed_up.map_or(0, |mark| mark.last_seq(loaded.identity.device));
        let mut slices = Slices::start();
        for run in &loaded.tail {
            recount.lengths[1].push(run.length_bytes());
            let first = (summed_up + 1).saturating_sub(run.first_seq) as usize;
            let (begin, rest) = run.events.split_at(first.min(run.events.len()));
            recount.books.fold_own(run.first_seq, begin)?;
            self.compare(recount).await?;
            let rest_seq = run.first_seq + begin.len() as u32;
            recount.books.fold_own(rest_seq, rest)?;
            if slices.breathe().await {
                self.show(recount, u64::from(run.last_seq()));
            }
        }
        let books = &mut recount.books;
        if books.last_own_seq() != loaded.chain.seq {
            return Err(StoreError::Damaged("tail"));
        }
        books.identity = loaded.identity;
        books.chain = loaded.chain;
        books.cursor = loaded.cursor;
        books.take_keys(&loaded.keys);
        Ok(())
    }

    /// Compares with the snapshot when the fold has come to its place. A wrong one is thrown away
    /// and counted: the whole books take its place in a moment.
    async fn compare(&self, recount: &mut Recount) -> Result<(), StoreError> {
        let books = &recount.books;
        let snapshot = recount.snapshot.take_if(|snapshot| {
            let own = snapshot.last_seq(books.device());
            // Without a server, the place is the number of the last own event.
            snapshot.position() == books.position
                && (books.position > 0 || own == books.last_own_seq())
        });
        match snapshot {
            Some(snapshot) if !snapshot.agrees_with(&books.ledger) => {
                // Which of the two is wrong? The log has a tree.
                if books.cursor.is_some() && mend(&self.db).await.is_ok_and(|parts| parts > 0) {
                    return Err(StoreError::Damaged("segment"));
                }
                self.last_snapshot.set(0);
                self.db.drop_wrong_snapshots().await
            }
            _ => Ok(()),
        }
    }

    fn show(&self, recount: &Recount, done: u64) {
        let here = self.peek(|books| books.read_to().max(u64::from(books.last_seq())));
        let total = self.contact().status.log_size.max(here).max(done);
        (recount.progress)(Progress { done, total });
    }
}

impl Recount {
    /// A chunk, in two parts if the place of the snapshot lies in it.
    fn parts_of(&self, chunk: Chunk) -> impl Iterator<Item = Chunk> + use<> {
        let snapshot = self.snapshot.as_ref();
        let ends = snapshot.map_or(0, |snapshot| snapshot.position() + 1);
        let count = ends.saturating_sub(chunk.position);
        let (mut begin, mut rest) = (chunk, None);
        if let Ok(count) = u32::try_from(count)
            && (1..begin.count).contains(&count)
        {
            let events = begin.events.as_mut();
            rest = Some(Chunk {
                position: begin.position + u64::from(count),
                first_seq: begin.first_seq + count,
                count: begin.count - count,
                events: events.map(|events| events.split_off((count as usize).min(events.len()))),
                ..begin
            });
            begin.count = count;
        }
        core::iter::once(begin).chain(rest)
    }
}
