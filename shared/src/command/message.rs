//! What reached a customer.

use super::customer::known;
use super::rejection::rejections;
use super::{Desk, KhataRejection, Rejection};
use crate::calendar::BusinessDay;
use crate::event::{Channel, CutPoint, Language, MessageSent, StatementSent, Topic};
use crate::ids::{CustomerId, EntryId};
use crate::money::Paise;

rejections! {
    /// What cannot have been sent.
    pub enum MessageRejection {
        /// The period ends before it begins.
        #[error("{to} is before {from}")]
        "period_ends_before_it_begins" PeriodBackwards {
            /// The first day.
            from: BusinessDay,
            /// The last day.
            to: BusinessDay,
        },
        /// A message about an entry or a bill must say which.
        #[error("the message does not say which entry it is about")]
        "message_without_entry" WithoutEntry,
    }
}

/// Write down that a statement was given to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendStatement {
    /// Who.
    pub customer: CustomerId,
    /// How.
    pub channel: Channel,
    /// The language that it is in.
    pub language: Language,
    /// The first day that it covers.
    pub from: BusinessDay,
    /// The last day that it covers.
    pub to: BusinessDay,
    /// The closing balance that the customer is told.
    pub balance: Paise,
    /// What of the log it was made from.
    pub cut: Vec<CutPoint>,
}

impl SendStatement {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        known(desk, self.customer)?;
        let SendStatement { from, to, .. } = self;
        if to < from {
            return Err(MessageRejection::PeriodBackwards { from, to }.into());
        }
        desk.push(StatementSent {
            customer: self.customer,
            channel: self.channel,
            language: self.language,
            from,
            to,
            balance: self.balance,
            cut: self.cut,
        });
        Ok(())
    }
}

/// Write down that a message was sent to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// Who.
    pub customer: CustomerId,
    /// How.
    pub channel: Channel,
    /// The language that it is in.
    pub language: Language,
    /// What it is about.
    pub topic: Topic,
    /// The entry that it is about, which may have been taken back.
    pub entry: Option<EntryId>,
}

impl SendMessage {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        known(desk, self.customer)?;
        if let Some(entry) = self.entry {
            let ledger = desk.ledger;
            let known = ledger.entries.get(&entry);
            let known = known.ok_or(KhataRejection::UnknownEntry { entry })?;
            let mut customers = known.what.customers().into_iter().flatten();
            let canonical = ledger.canonical(self.customer);
            if !customers.any(|customer| ledger.canonical(customer) == canonical) {
                return Err(KhataRejection::NotThisCustomers { entry }.into());
            }
        } else if matches!(self.topic, Topic::Entry | Topic::Bill) {
            return Err(MessageRejection::WithoutEntry.into());
        }
        desk.push(MessageSent {
            customer: self.customer,
            channel: self.channel,
            language: self.language,
            topic: self.topic,
            entry: self.entry,
        });
        Ok(())
    }
}
