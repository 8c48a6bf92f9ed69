//! Entries of the khata.

use super::customer::{check_limit, known, open_page};
use super::fields::TextField;
use super::lines::{amount, check_sum, lines, paid};
use super::rejection::rejections;
use super::{Desk, Question, Rejection, Why};
use crate::bytes::KeyId;
use crate::calendar::BusinessDay;
use crate::event::{
    Allocation, AmountTransferred, CreditGiven, Line, Paid, Particulars, PaymentReceived,
    Resolution, Role, Subject, TaskKind, TaskResolved, WrittenOff,
};
use crate::ids::{CustomerId, EntryId};
use crate::ledger::Entry;
use crate::money::Paise;

/// The most bills that one payment may name.
pub const MAX_ALLOCATIONS: usize = 200;

rejections! {
    /// What cannot be written into the khata.
    pub enum KhataRejection {
        /// More than the advance holds.
        #[error("{available} are available and {asked} were asked for")]
        "advance_too_small" AdvanceTooSmall {
            /// What the advance holds.
            available: Paise,
            /// What was asked for.
            asked: Paise,
        },
        /// The limit is passed, and this person may not override it.
        #[error("{owed} are owed and {asked} more would pass the limit of {limit}")]
        "limit_passed" LimitPassed {
            /// What is owed now.
            owed: Paise,
            /// What would come on top.
            asked: Paise,
            /// The limit.
            limit: Paise,
        },
        /// More would be settled or given up than is owed.
        #[error("{owed} are owed and {asked} were to be settled")]
        "settles_more_than_owed" MoreThanOwed {
            /// What is owed.
            owed: Paise,
            /// What was to be settled.
            asked: Paise,
        },
        /// An amount moves between two customers, not within one.
        #[error("both pages are customer {customer}'s")]
        "transfer_to_self" TransferToSelf {
            /// Who.
            customer: CustomerId,
        },
        /// There is no such entry, or it has not come to this device yet.
        #[error("there is no entry {entry}")]
        "unknown_entry" UnknownEntry {
            /// The entry.
            entry: EntryId,
        },
        /// The entry was taken back.
        #[error("entry {entry} was taken back")]
        "entry_reversed" EntryReversed {
            /// The entry.
            entry: EntryId,
        },
        /// The entry is another customer's.
        #[error("entry {entry} is not this customer's")]
        "entry_of_another_customer" NotThisCustomers {
            /// The entry.
            entry: EntryId,
        },
        /// The entry added nothing to what is owed, so nothing settles it.
        #[error("entry {entry} put nothing on the khata")]
        "entry_owes_nothing" OwesNothing {
            /// The entry.
            entry: EntryId,
        },
        /// The entry is named twice.
        #[error("entry {entry} is named twice")]
        "allocated_twice" AllocatedTwice {
            /// The entry.
            entry: EntryId,
        },
        /// More would settle an entry than it put on the khata.
        #[error("entry {entry} put {owed} on the khata and {asked} were to settle it")]
        "allocation_too_large" AllocationTooLarge {
            /// The entry.
            entry: EntryId,
            /// What it put on the khata.
            owed: Paise,
            /// What was to settle it.
            asked: Paise,
        },
        /// More is shared out than was paid.
        #[error("{allocated} of {amount} are shared out")]
        "allocations_exceed_payment" AllocationsExceedPayment {
            /// What is shared out.
            allocated: Paise,
            /// What was paid.
            amount: Paise,
        },
        /// More bills than one payment may name.
        #[error("a payment names at most {limit} bills")]
        "too_many_allocations" TooManyAllocations {
            /// The most.
            limit: u32,
        },
        /// The promised day lies before the credit.
        #[error("{due} is before {on}")]
        "due_before_entry" DueBeforeEntry {
            /// The promised day.
            due: BusinessDay,
            /// The day of the entry.
            on: BusinessDay,
        },
    }
}

/// What stands beside the amount of every entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The business date, which a person may set in the past.
    pub on: BusinessDay,
    /// A free note; blank is absent.
    pub note: Option<String>,
    /// Who saw it.
    pub witness: Option<String>,
}

impl Details {
    /// An entry of this day with nothing more to say.
    pub const fn on(on: BusinessDay) -> Details {
        Details {
            on,
            note: None,
            witness: None,
        }
    }

    /// Checked and sealed with the key of the customer's page, or of the shop.
    pub(super) fn particulars(
        &self,
        desk: &mut Desk<'_, '_>,
        key: KeyId,
    ) -> Result<Particulars, Rejection> {
        let note = desk.seal_optional(self.note.as_deref(), TextField::Note, key)?;
        let witness = desk.seal_optional(self.witness.as_deref(), TextField::Witness, key)?;
        Ok(Particulars {
            note: note.map(Box::new),
            witness: witness.map(Box::new),
            replaces: desk.replacing,
            ..Particulars::on(desk.business_day(self.on)?)
        })
    }
}

/// Goods on credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveCredit {
    /// Date, note, witness.
    pub details: Details,
    /// Who.
    pub customer: CustomerId,
    /// How much; with lines, what they come to.
    pub amount: Paise,
    /// What, if it was written down.
    pub lines: Vec<Line>,
    /// When it was promised to be paid.
    pub due: Option<BusinessDay>,
}

impl GiveCredit {
    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<CreditGiven, Rejection> {
        let key = open_page(desk, self.customer)?;
        let amount = amount(self.amount)?;
        let lines = lines(self.lines)?;
        check_sum(lines.iter().flatten(), amount)?;
        let on = self.details.on;
        if let Some(due) = self.due
            && due < on
        {
            return Err(KhataRejection::DueBeforeEntry { due, on }.into());
        }
        check_limit(desk, self.customer, amount)?;
        Ok(CreditGiven {
            particulars: self.details.particulars(desk, key)?,
            customer: self.customer,
            amount,
            lines,
            due: self.due,
        })
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivePayment {
    /// Date, note, witness.
    pub details: Details,
    /// Who.
    pub customer: CustomerId,
    /// How much.
    pub amount: Paise,
    /// Cash, UPI …
    pub paid: Paid,
    /// The entries that it settles; none: the oldest first.
    pub allocations: Vec<Allocation>,
}

impl ReceivePayment {
    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<PaymentReceived, Rejection> {
        let key = open_page(desk, self.customer)?;
        let amount = amount(self.amount)?;
        self.check_allocations(desk)?;
        ask_more_than_owed(desk, self.customer, amount);
        let ReceivePayment { allocations, .. } = self;
        Ok(PaymentReceived {
            particulars: self.details.particulars(desk, key)?,
            customer: self.customer,
            amount,
            paid: paid(&self.paid)?,
            allocations: (!allocations.is_empty()).then_some(allocations),
        })
    }

    fn check_allocations(&self, desk: &Desk<'_, '_>) -> Result<(), Rejection> {
        if self.allocations.len() > MAX_ALLOCATIONS {
            let limit = MAX_ALLOCATIONS as u32;
            return Err(KhataRejection::TooManyAllocations { limit }.into());
        }
        let mut allocated = Paise::ZERO;
        for (
            index,
            &Allocation {
                entry,
                amount: asked,
            },
        ) in self.allocations.iter().enumerate()
        {
            let earlier = &self.allocations[..index];
            if earlier.iter().any(|allocation| allocation.entry == entry) {
                return Err(KhataRejection::AllocatedTwice { entry }.into());
            }
            allocated += amount(asked)?;
            let owed = put_on_khata(desk, entry, self.customer)?;
            if asked > owed {
                return Err(KhataRejection::AllocationTooLarge { entry, owed, asked }.into());
            }
        }
        let amount = self.amount;
        if allocated > amount {
            return Err(KhataRejection::AllocationsExceedPayment { allocated, amount }.into());
        }
        Ok(())
    }
}

/// A debt that moves to another customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferAmount {
    /// Date, note, witness. The note is sealed with the key of `from`.
    pub details: Details,
    /// Who owes less.
    pub from: CustomerId,
    /// Who owes more.
    pub to: CustomerId,
    /// How much.
    pub amount: Paise,
}

impl TransferAmount {
    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<AmountTransferred, Rejection> {
        let key = open_page(desk, self.from)?;
        open_page(desk, self.to)?;
        let ledger = desk.ledger;
        if ledger.canonical(self.from) == ledger.canonical(self.to) {
            let customer = self.from;
            return Err(KhataRejection::TransferToSelf { customer }.into());
        }
        let amount = amount(self.amount)?;
        ask_more_than_owed(desk, self.from, amount);
        check_limit(desk, self.to, amount)?;
        Ok(AmountTransferred {
            particulars: self.details.particulars(desk, key)?,
            from: self.from,
            to: self.to,
            amount,
        })
    }
}

/// An amount that the shop gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOff {
    /// Date, note, witness.
    pub details: Details,
    /// Who.
    pub customer: CustomerId,
    /// How much: at most what is owed.
    pub amount: Paise,
    /// Why.
    pub why: Why,
}

impl WriteOff {
    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<WrittenOff, Rejection> {
        desk.require(Role::Manager)?;
        let key = open_page(desk, self.customer)?;
        let amount = amount(self.amount)?;
        check_owed(desk, self.customer, amount)?;
        Ok(WrittenOff {
            particulars: self.details.particulars(desk, key)?,
            customer: self.customer,
            amount,
            reason: desk.reason(&self.why, key)?,
        })
    }
}

pub(super) fn check_owed(
    desk: &Desk<'_, '_>,
    customer: CustomerId,
    asked: Paise,
) -> Result<(), KhataRejection> {
    let owed = desk.balance(customer).khata;
    if asked > owed {
        return Err(KhataRejection::MoreThanOwed { owed, asked });
    }
    Ok(())
}

fn ask_more_than_owed(desk: &mut Desk<'_, '_>, customer: CustomerId, asked: Paise) {
    let owed = desk.balance(customer).khata;
    if asked > owed {
        desk.ask(Question::MoreThanOwed { owed, asked });
    }
}

/// An entry that counts.
pub(super) fn standing<'l>(
    desk: &Desk<'l, '_>,
    entry: EntryId,
) -> Result<&'l Entry, KhataRejection> {
    let known = desk.ledger.entries.get(&entry);
    let known = known.ok_or(KhataRejection::UnknownEntry { entry })?;
    if desk.ledger.is_reversed(entry) || desk.replacing == Some(entry) {
        return Err(KhataRejection::EntryReversed { entry });
    }
    Ok(known)
}

/// What an entry put on this customer's khata: more than nothing.
pub(super) fn put_on_khata(
    desk: &Desk<'_, '_>,
    entry: EntryId,
    customer: CustomerId,
) -> Result<Paise, KhataRejection> {
    let what = &standing(desk, entry)?.what;
    let canonical = desk.ledger.canonical(customer);
    let is_this = |of: CustomerId| desk.ledger.canonical(of) == canonical;
    if !what.customers().into_iter().flatten().any(is_this) {
        return Err(KhataRejection::NotThisCustomers { entry });
    }
    let effects = what.effects().into_iter().flatten();
    let owed: Paise = effects
        .filter(|effect| is_this(effect.customer))
        .map(|effect| effect.change.khata)
        .sum();
    if !owed.is_positive() {
        return Err(KhataRejection::OwesNothing { entry });
    }
    Ok(owed)
}

impl Desk<'_, '_> {
    /// Settles the review task that an override would raise, with the reason that was given.
    pub(super) fn settle_limit(
        &mut self,
        customer: CustomerId,
        beyond: Paise,
    ) -> Result<(), Rejection> {
        let Some(why) = self.context.reason.clone() else {
            return Ok(());
        };
        let key = known(self, customer)?.added.as_ref().map(|added| added.key);
        let key = key.map_or_else(|| self.shop_key(), Ok)?;
        self.override_task = Some(TaskResolved {
            task: TaskKind::LimitPassed,
            subject: Subject::Customer(self.ledger.canonical(customer)),
            resolution: Resolution::Fine,
            evidence: vec![self.next_id()],
            covers: Some(beyond),
            reason: Some(self.reason(&why, key)?),
        });
        Ok(())
    }
}
