//! One customer's past, before the whole log is folded: what concerns them is read out of the log by
//! itself and put into the books on the screen.

use std::rc::Rc;

use shared::history::{Index, Recall};
use shared::ids::CustomerId;
use shared::sync::segment::{self, Picked};
use wasm_bindgen_futures::spawn_local;

use super::StoreError;
use super::books::Books;
use super::database::{ShopDatabase, covering};
use super::live::Live;
use super::records::{Run, Segment, decode, is_packed};
use super::schema;
use super::shop::Shop;
use super::slices::Slices;
use crate::parts;

/// So many records of the log are read at a time.
const RECORDS_AT_ONCE: usize = 8;

impl Shop {
    /// Are all entries of a customer in the books? If not, and the log is here, they are looked for,
    /// ahead of everybody else's. Tracked.
    pub fn knows(self, customer: CustomerId) -> bool {
        let knows = self.with(|books| books.ledger.knows(customer));
        if !knows {
            self.live().recall(customer);
        }
        knows
    }
}

impl Live {
    /// Looks for a customer's entries, once for these books. Where that fails, those of the whole
    /// log follow anyway.
    fn recall(self: &Rc<Live>, customer: CustomerId) {
        let is_here = |books: &Books| match &books.cursor {
            Some(cursor) => cursor.log.size() >= books.position,
            None => true,
        };
        if !self.peek(is_here) || !self.recalled.borrow_mut().insert(customer) {
            return;
        }
        let live = self.clone();
        spawn_local(async move {
            let _ = parts::look_for(live, customer).await;
        });
    }

    pub(crate) async fn look_for(&self, customer: CustomerId) -> Result<(), StoreError> {
        // The fold of the whole log waits meanwhile.
        let _turn = self.readings.take().await;
        let begun = self.peek(|books| {
            let recall = Recall::begin(&books.ledger, customer)?;
            Some((recall, books.cursor.is_some(), books.position))
        });
        let Some((mut recall, has_log, position)) = begun else {
            return Ok(());
        };
        let until = match has_log {
            true => {
                self.db.look_into_log(&mut recall, position).await?;
                position
            }
            false => self.look_into_own(&mut recall).await?,
        };
        self.change(|books| {
            // Should the books be others by now, or wrong, the whole log tells.
            let _ = recall.put_back(&mut books.ledger, &mut books.receipts, until);
        });
        Ok(())
    }

    /// Looks through the events of a shop without a server. Gives the number of the last.
    async fn look_into_own(&self, recall: &mut Recall) -> Result<u64, StoreError> {
        let device = self.peek(Books::device);
        let mut until = 0;
        let mut slices = Slices::start();
        for run in self.db.own_runs().await? {
            let run: Run = decode(&run, "tail")?;
            until = u64::from(run.last_seq());
            recall.take_own(device, run.first_seq, run.events);
            slices.breathe().await;
        }
        Ok(until)
    }
}

impl ShopDatabase {
    /// Looks through the log up to a position, opening no more records than have to be.
    async fn look_into_log(&self, recall: &mut Recall, until: u64) -> Result<(), StoreError> {
        let mut left = self.records(until).await?;
        let mut slices = Slices::start();
        loop {
            let (due, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, index)| {
                let index = index.as_ref();
                index.is_none_or(|index| recall.needs(index))
            });
            left = rest;
            if due.is_empty() {
                break;
            }
            for some in due.chunks(RECORDS_AT_ONCE) {
                let tx = self.db.read(&[schema::SEGMENTS])?;
                let segments = tx.store(schema::SEGMENTS)?;
                let asked = some.iter().map(|(key, _)| segments.get(*key));
                let asked: Vec<_> = asked.collect::<Result<_, _>>()?;
                for record in asked {
                    // Another tab may have packed it away since.
                    let record = record.bytes().await?;
                    let record = record.ok_or(StoreError::Damaged("segment"))?;
                    recall.take(picked(recall, &record)?);
                }
                slices.breathe().await;
            }
        }
        left.iter()
            .flat_map(|(_, index)| index)
            .for_each(|index| recall.pass(index));
        Ok(())
    }

    /// The records of the log up to a position, by their keys, and what stands in them as far as
    /// that is known.
    async fn records(&self, until: u64) -> Result<Vec<(f64, Option<Index>)>, StoreError> {
        let tx = self.db.read(&[schema::SEGMENTS, schema::INDEX])?;
        let keys = tx.store(schema::SEGMENTS)?.get_all_keys()?;
        let store = tx.store(schema::INDEX)?;
        let (known, indexes) = (store.get_all_keys()?, store.get_all()?);
        let keys = keys.all_numbers().await?;
        let known = known.all_numbers().await?;
        let indexes = indexes.all_bytes().await?;
        let mut indexes = known.into_iter().zip(indexes).peekable();
        let keys = keys.into_iter().filter(|key| *key <= until as f64);
        let records = keys.map(|key| {
            while indexes.next_if(|(known, _)| *known < key).is_some() {}
            let index = indexes.next_if(|(known, _)| *known == key);
            // A damaged one is none.
            let index = index.and_then(|(_, index)| decode(&index, "index").ok());
            (key, index)
        });
        Ok(records.collect())
    }

    /// All own events that no server has confirmed, in their records.
    async fn own_runs(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let tx = self.db.read(&[schema::TAIL])?;
        covering(&tx.store(schema::TAIL)?, 1.0).await
    }
}

fn picked(recall: &Recall, record: &[u8]) -> Result<Vec<Picked>, StoreError> {
    if is_packed(record) {
        let picked = segment::pick(record, |seen| recall.wants(seen));
        return picked.map_err(|_| StoreError::Damaged("segment"));
    }
    let chunks: Segment = decode(record, "segment")?;
    let chunks = chunks.0.into_iter();
    Ok(chunks.map(|chunk| recall.sift(chunk)).collect())
}
