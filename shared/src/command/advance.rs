//! A customer's advance: money left with the shop.

use super::customer::open_page;
use super::khata::{check_owed, put_on_khata};
use super::lines::{amount, paid};
use super::{Desk, Details, KhataRejection, Rejection};
use crate::event::{AdvanceDeposited, AdvanceUsed, AdvanceWithdrawn, Paid};
use crate::ids::{CustomerId, EntryId};
use crate::money::Paise;

/// Money left with the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositAdvance {
    /// Date, note, witness.
    pub details: Details,
    /// Who.
    pub customer: CustomerId,
    /// How much.
    pub amount: Paise,
    /// Cash, UPI …
    pub paid: Paid,
}

impl DepositAdvance {
    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<AdvanceDeposited, Rejection> {
        let key = open_page(desk, self.customer)?;
        Ok(AdvanceDeposited {
            particulars: self.details.particulars(desk, key)?,
            customer: self.customer,
            amount: amount(self.amount)?,
            paid: paid(&self.paid)?,
        })
    }
}

/// Money taken back out of the advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawAdvance {
    /// Date, note, witness.
    pub details: Details,
    /// Who.
    pub customer: CustomerId,
    /// How much: at most what the advance holds.
    pub amount: Paise,
    /// Cash, UPI …
    pub paid: Paid,
}

impl WithdrawAdvance {
    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<AdvanceWithdrawn, Rejection> {
        let key = open_page(desk, self.customer)?;
        let amount = amount(self.amount)?;
        check_advance(desk, self.customer, amount)?;
        Ok(AdvanceWithdrawn {
            particulars: self.details.particulars(desk, key)?,
            customer: self.customer,
            amount,
            paid: paid(&self.paid)?,
        })
    }
}

/// An advance that settles what a customer owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseAdvance {
    /// Date, note, witness.
    pub details: Details,
    /// Who.
    pub customer: CustomerId,
    /// How much: at most what the advance holds and what is owed.
    pub amount: Paise,
    /// The entry that it settles; absent: the khata as a whole.
    pub against: Option<EntryId>,
}

impl UseAdvance {
    pub(super) fn body(self, desk: &mut Desk<'_, '_>) -> Result<AdvanceUsed, Rejection> {
        let key = open_page(desk, self.customer)?;
        let asked = amount(self.amount)?;
        check_advance(desk, self.customer, asked)?;
        check_owed(desk, self.customer, asked)?;
        if let Some(entry) = self.against {
            let owed = put_on_khata(desk, entry, self.customer)?;
            if asked > owed {
                return Err(KhataRejection::AllocationTooLarge { entry, owed, asked }.into());
            }
        }
        Ok(AdvanceUsed {
            particulars: self.details.particulars(desk, key)?,
            customer: self.customer,
            amount: asked,
            against: self.against,
        })
    }
}

/// No more is taken out of an advance than it holds.
pub(super) fn check_advance(
    desk: &Desk<'_, '_>,
    customer: CustomerId,
    asked: Paise,
) -> Result<(), KhataRejection> {
    let available = desk.balance(customer).advance;
    if asked > available {
        return Err(KhataRejection::AdvanceTooSmall { available, asked });
    }
    Ok(())
}
