//! Entries of the khata and what each does to the accounts.

use minicbor::{Decode, Encode};

use super::Balance;
use crate::calendar::TimeMs;
use crate::event::{
    AdvanceDeposited, AdvanceUsed, AdvanceWithdrawn, AmountTransferred, Body, CreditGiven,
    GoodsReturned, Line, Particulars, PaymentReceived, Refund, SaleRecorded, TenderBy, WrittenOff,
};
use crate::ids::{CustomerId, EntryId, StaffId, Stamp};
use crate::money::Paise;

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Entry {
    /// The Lamport clock.
    #[n(0)]
    pub clock: u64,
    /// What the device's clock said.
    #[n(1)]
    pub at: TimeMs,
    /// Who wrote it.
    #[n(2)]
    pub by: Option<StaffId>,
    /// What was written.
    #[n(3)]
    pub what: What,
}

/// The kinds of entries.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat, context_bound = "crate::ids::IdMap")]
pub enum What {
    /// Goods given on credit.
    #[n(40)]
    Credit(#[n(0)] CreditGiven),
    /// A payment.
    #[n(41)]
    Payment(#[n(0)] PaymentReceived),
    /// Goods that came back.
    #[n(42)]
    Return(#[n(0)] GoodsReturned),
    /// Money left with the shop.
    #[n(43)]
    Deposit(#[n(0)] AdvanceDeposited),
    /// Money taken back out.
    #[n(44)]
    Withdrawal(#[n(0)] AdvanceWithdrawn),
    /// An advance that settled a debt.
    #[n(45)]
    AdvanceUse(#[n(0)] AdvanceUsed),
    /// A debt that moved to another customer.
    #[n(46)]
    Transfer(#[n(0)] AmountTransferred),
    /// An amount that was given up.
    #[n(47)]
    WriteOff(#[n(0)] WrittenOff),
    /// A completed sale.
    #[n(50)]
    Sale(#[n(0)] Box<SaleRecorded>),
}

/// What an entry does to one customer's accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Whose accounts.
    pub customer: CustomerId,
    /// By how much they change.
    pub change: Balance,
}

/// An entry touches at most the accounts of two customers.
pub type Effects = [Option<Effect>; 2];

impl What {
    /// The entry in an event, or the event back if it is no entry.
    pub fn from_body(body: Body) -> Result<What, Body> {
        Ok(match body {
            Body::CreditGiven(entry) => What::Credit(entry),
            Body::PaymentReceived(entry) => What::Payment(entry),
            Body::GoodsReturned(entry) => What::Return(entry),
            Body::AdvanceDeposited(entry) => What::Deposit(entry),
            Body::AdvanceWithdrawn(entry) => What::Withdrawal(entry),
            Body::AdvanceUsed(entry) => What::AdvanceUse(entry),
            Body::AmountTransferred(entry) => What::Transfer(entry),
            Body::WrittenOff(entry) => What::WriteOff(entry),
            Body::SaleRecorded(entry) => What::Sale(entry),
            other => return Err(other),
        })
    }

    /// Date, note, witness.
    pub const fn particulars(&self) -> &Particulars {
        match self {
            What::Credit(entry) => &entry.particulars,
            What::Payment(entry) => &entry.particulars,
            What::Return(entry) => &entry.particulars,
            What::Deposit(entry) => &entry.particulars,
            What::Withdrawal(entry) => &entry.particulars,
            What::AdvanceUse(entry) => &entry.particulars,
            What::Transfer(entry) => &entry.particulars,
            What::WriteOff(entry) => &entry.particulars,
            What::Sale(entry) => &entry.particulars,
        }
    }

    /// The amount that was written.
    pub const fn amount(&self) -> Paise {
        match self {
            What::Credit(entry) => entry.amount,
            What::Payment(entry) => entry.amount,
            What::Return(entry) => entry.amount,
            What::Deposit(entry) => entry.amount,
            What::Withdrawal(entry) => entry.amount,
            What::AdvanceUse(entry) => entry.amount,
            What::Transfer(entry) => entry.amount,
            What::WriteOff(entry) => entry.amount,
            What::Sale(entry) => entry.total,
        }
    }

    /// The lines that were sold, of a sale or a credit entry.
    pub fn lines(&self) -> &[Line] {
        match self {
            What::Credit(entry) => entry.lines.as_deref().unwrap_or_default(),
            What::Sale(entry) => entry.lines.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// Does it pay: a payment, or an advance that settled a debt?
    pub const fn pays(&self) -> bool {
        matches!(self, What::Payment(_) | What::AdvanceUse(_))
    }

    /// The customers that it names, none to two.
    pub const fn customers(&self) -> [Option<CustomerId>; 2] {
        match self {
            What::Credit(entry) => [Some(entry.customer), None],
            What::Payment(entry) => [Some(entry.customer), None],
            What::Return(entry) => [entry.customer, None],
            What::Deposit(entry) => [Some(entry.customer), None],
            What::Withdrawal(entry) => [Some(entry.customer), None],
            What::AdvanceUse(entry) => [Some(entry.customer), None],
            What::Transfer(entry) => [Some(entry.from), Some(entry.to)],
            What::WriteOff(entry) => [Some(entry.customer), None],
            What::Sale(entry) => [entry.customer, None],
        }
    }

    /// What it does to the accounts of customers, while nobody has taken it back.
    ///
    /// A return that was refunded in money changes no account, and neither does a cash sale.
    pub fn effects(&self) -> Effects {
        let one = |customer, khata, advance| {
            [
                Some(Effect {
                    customer,
                    change: Balance { khata, advance },
                }),
                None,
            ]
        };
        match self {
            What::Credit(entry) => one(entry.customer, entry.amount, Paise::ZERO),
            What::Payment(entry) => one(entry.customer, entry.amount.negated(), Paise::ZERO),
            What::Return(entry) => match (&entry.refund, entry.customer) {
                (Refund::Khata, Some(customer)) => {
                    one(customer, entry.amount.negated(), Paise::ZERO)
                }
                (Refund::Khata, None) | (Refund::Money(_), _) => [None, None],
            },
            What::Deposit(entry) => one(entry.customer, Paise::ZERO, entry.amount),
            What::Withdrawal(entry) => one(entry.customer, Paise::ZERO, entry.amount.negated()),
            What::AdvanceUse(entry) => one(
                entry.customer,
                entry.amount.negated(),
                entry.amount.negated(),
            ),
            What::Transfer(entry) => {
                let leg = |customer, khata| {
                    Some(Effect {
                        customer,
                        change: Balance {
                            khata,
                            advance: Paise::ZERO,
                        },
                    })
                };
                [
                    leg(entry.from, entry.amount.negated()),
                    leg(entry.to, entry.amount),
                ]
            }
            What::WriteOff(entry) => one(entry.customer, entry.amount.negated(), Paise::ZERO),
            What::Sale(entry) => match entry.customer {
                None => [None, None],
                Some(customer) => {
                    let paid_by = |by: &TenderBy| {
                        let tenders = entry.tenders.iter().filter(|tender| tender.by == *by);
                        tenders.map(|tender| tender.amount).sum::<Paise>()
                    };
                    one(
                        customer,
                        paid_by(&TenderBy::Khata),
                        paid_by(&TenderBy::Advance).negated(),
                    )
                }
            },
        }
    }
}

impl What {
    /// What it does to the accounts of one customer's page, while nobody has taken it back.
    pub fn change(&self, page: CustomerId) -> Balance {
        let mut change = Balance::default();
        for effect in self.effects().into_iter().flatten() {
            if effect.customer == page {
                change += effect.change;
            }
        }
        change
    }
}

impl Entry {
    /// Where the entry stands in the one order of all devices.
    pub const fn stamp(&self, id: EntryId) -> Stamp {
        Stamp {
            clock: self.clock,
            id: id.0,
        }
    }
}
