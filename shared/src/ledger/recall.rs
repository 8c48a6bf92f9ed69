//! Entries that are summed up come back into a ledger without history, a customer at a time.

use std::collections::BTreeSet;

use super::{Balance, Ledger, Standing};
use crate::event::{Decoded, Malformed};
use crate::history::Differs;
use crate::ids::{CustomerId, EntryId, EventId};

impl Ledger {
    /// Are all entries of a customer in it? Of a whole ledger always.
    pub fn knows(&self, customer: CustomerId) -> bool {
        self.summary.as_ref().is_none_or(|summary| {
            let mut pages = self.pages(customer).into_iter();
            pages.all(|page| !summary.customers.contains_key(&page))
        })
    }

    /// Puts the entries of a customer's pages back, out of the events that concern them: entries and
    /// what took them back, with the groups of each, every device's in sequence.
    pub(crate) fn put_back(
        &mut self,
        pages: &BTreeSet<CustomerId>,
        events: impl IntoIterator<Item = (EventId, (Result<Decoded, Malformed>, Standing))>,
    ) -> Result<(), Differs> {
        // What counts is decided as ever; held events count if they were released, whenever.
        let mut past = Ledger {
            released: self.released.clone(),
            ..Ledger::default()
        };
        for (id, (event, standing)) in events {
            // What lies between concerns others.
            past.lanes.entry(id.device).or_default().last_seq = id.seq.saturating_sub(1);
            let _ = past.fold(id.device, id.seq, event, standing);
        }
        let mut found = Vec::new();
        for &id in pages {
            let Some(page) = self.customers.get(&id) else {
                continue;
            };
            let mut postings = past.customers.remove(&id).unwrap_or_default().entries;
            postings.extend(page.entries.iter().map(|(id, posting)| (*id, *posting)));
            let (mut balance, mut taken_back) = (Balance::default(), 0);
            for (entry, posting) in postings.iter_mut() {
                posting.reversed =
                    past.is_copy(entry) || past.is_reversed(entry) || self.is_reversed(entry);
                balance += posting.counted();
                taken_back += u32::from(posting.reversed);
            }
            if (balance, taken_back) != (page.balance, page.taken_back) {
                return Err(Differs);
            }
            found.push((id, postings));
        }
        let is_found = |entry: &EntryId| found.iter().any(|(_, page)| page.contains_key(entry));
        let written = past.entries.into_iter();
        let written = written.filter(|(entry, _)| is_found(entry));
        self.entries.extend(written);
        for (id, postings) in found {
            for entry in postings.keys() {
                if let Some(reversals) = past.reversals.remove(entry) {
                    self.reversals.entry(*entry).or_default().extend(reversals);
                }
            }
            self.customers.entry(id).or_default().entries = postings;
        }
        self.brought.copies.extend(past.brought.copies);
        if let Some(summary) = &mut self.summary {
            summary.customers.retain(|id, _| !pages.contains(id));
        }
        Ok(())
    }
}
