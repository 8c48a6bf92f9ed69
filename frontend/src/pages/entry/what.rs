//! What can be written with the keypad, how money changes hands for it, and what it is called.

use shared::event::{Mode, ReasonCode};
use shared::ids::CustomerId;
use shared::money::Paise;

use super::super::entry_sheet::REASONS_TO_GIVE_UP;
use super::super::{desk, words};
use crate::i18n::{Msg, t};
use crate::place::EntryKind;

/// How a return is refunded, or money changes hands; credit needs neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Khata,
    Money(Mode),
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Something on a customer's page.
    Entry(CustomerId, EntryKind),
    /// A debt that moves to another customer.
    Transfer { from: CustomerId, to: CustomerId },
    /// A sale to nobody known, paid at once.
    Sale,
}

impl What {
    pub(super) const fn transfer((from, to): (CustomerId, CustomerId)) -> Self {
        Self::Transfer { from, to }
    }

    /// The page that it stands on.
    pub(super) const fn page(self) -> Option<CustomerId> {
        match self {
            Self::Entry(customer, _) | Self::Transfer { from: customer, .. } => Some(customer),
            Self::Sale => None,
        }
    }

    /// The amount that it is for as a rule: what is owed, as far as it can be settled like this.
    pub(super) fn usual_amount(self) -> Paise {
        let Some(customer) = self.page() else {
            return Paise::ZERO;
        };
        let balance = desk::books_untracked(|books| books.ledger.balance(customer));
        let amount = match self {
            Self::Entry(_, EntryKind::Settle) => balance.khata.min(balance.advance),
            Self::Entry(_, EntryKind::WriteOff) | Self::Transfer { .. } => balance.khata,
            Self::Entry(..) | Self::Sale => Paise::ZERO,
        };
        amount.max(Paise::ZERO)
    }

    /// The reasons to choose from, where one is needed; the first is the usual one.
    pub(super) const fn reasons(self) -> &'static [ReasonCode] {
        match self {
            Self::Entry(_, EntryKind::WriteOff) => &REASONS_TO_GIVE_UP,
            Self::Entry(..) | Self::Transfer { .. } | Self::Sale => &[],
        }
    }

    /// Whether it moves the advance.
    pub(super) const fn is_of_advance(self) -> bool {
        matches!(
            self,
            Self::Entry(
                _,
                EntryKind::Deposit | EntryKind::Withdraw | EntryKind::Settle
            )
        )
    }

    pub(super) fn title(self) -> String {
        let name = |customer| desk::books_untracked(|books| words::customer(books, customer));
        let (customer, kind) = match self {
            Self::Sale => return t(Msg::SaleTitle),
            Self::Transfer { to, .. } => return t(Msg::EntryMovedTo { name: name(to) }),
            Self::Entry(customer, kind) => (customer, kind),
        };
        let name = name(customer);
        t(match kind {
            EntryKind::Give => Msg::EntryGaveTo { name },
            EntryKind::Get => Msg::EntryGotFrom { name },
            EntryKind::Return => Msg::EntryReturnFrom { name },
            EntryKind::Deposit => Msg::EntryDepositFrom { name },
            EntryKind::Withdraw => Msg::EntryWithdrawalTo { name },
            EntryKind::Settle => Msg::EntrySettleOf { name },
            EntryKind::WriteOff => Msg::EntryGiveUpOf { name },
        })
    }
}
