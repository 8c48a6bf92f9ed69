//! From an entry in the book to a form, and from a form to what is to be written.

use leptos::prelude::*;
use shared::command::{
    Command, CorrectEntry, DepositAdvance, Details, GiveCredit, NewEntry, ReceivePayment,
    RecordSale, ReturnGoods, TransferAmount, UseAdvance, WithdrawAdvance, WriteOff,
};
use shared::event::{Mode, Paid, Refund, TenderBy};
use shared::keypad::Keypad;
use shared::query::{EntryRow, RowKind};

use super::super::entry_sheet::why;
use super::Form;
use super::what::{How, What};
use crate::place::EntryKind;

impl Form {
    /// What was written in an entry, if it can be corrected here.
    pub(super) fn of(row: &EntryRow) -> Option<Self> {
        if row.taken_back.is_some() {
            return None;
        }
        let money = row.parts.first().and_then(|tender| match &tender.by {
            TenderBy::Money(paid) => Some(paid),
            TenderBy::Khata | TenderBy::Advance => None,
        });
        let how = money.map_or(How::Khata, |paid| How::Money(paid.mode));
        let entry = |kind| row.customer.map(|customer| What::Entry(customer, kind));
        let what = match row.kind {
            RowKind::Credit => entry(EntryKind::Give),
            RowKind::Payment => entry(EntryKind::Get),
            RowKind::KhataReturn | RowKind::MoneyReturn => entry(EntryKind::Return),
            RowKind::Deposit => entry(EntryKind::Deposit),
            RowKind::Withdrawal => entry(EntryKind::Withdraw),
            RowKind::AdvanceUse => entry(EntryKind::Settle),
            RowKind::TransferOut => row.customer.zip(row.other).map(What::transfer),
            // A bill with lines is corrected line by line, not by its total.
            RowKind::Sale if row.customer.is_none() && row.lines.count == 0 => Some(What::Sale),
            RowKind::Sale | RowKind::TransferIn | RowKind::WriteOff => None,
        };
        let note = row.note.as_ref().and_then(|note| note.words());
        let reference = money.and_then(|paid| paid.reference.clone());
        Some(Self {
            corrects: Some(row.id),
            of: row.of,
            keypad: RwSignal::new(Keypad::with_amount(row.amount)),
            how: RwSignal::new(how),
            day: RwSignal::new(Some(row.on)),
            note: RwSignal::new(note.unwrap_or_default().to_owned()),
            reference: RwSignal::new(reference.unwrap_or_default()),
            ..Self::new(what?)
        })
    }

    /// What is wanted; `None` while an amount or a day is missing.
    pub(super) fn command(self) -> Option<Command> {
        let entry = self.entry()?;
        Some(match self.corrects {
            None => Command::Record(entry),
            Some(target) => CorrectEntry {
                target,
                replacement: entry,
                why: self.why(),
                witness: None,
            }
            .into(),
        })
    }

    fn entry(self) -> Option<NewEntry> {
        let amount = self.keypad.with_untracked(Keypad::reading).ok()?.amount;
        let on = self.day.get_untracked()?;
        let details = Details {
            note: filled(self.note),
            ..Details::on(on)
        };
        let how = self.how.get_untracked();
        let paid = match how {
            How::Money(Mode::Cash) | How::Khata => Paid::CASH,
            How::Money(mode) => Paid {
                mode,
                reference: filled(self.reference),
                ..Paid::CASH
            },
        };
        Some(match self.what {
            What::Entry(customer, EntryKind::Give) => GiveCredit {
                details,
                customer,
                amount,
                lines: Vec::new(),
                due: None,
            }
            .into(),
            What::Entry(customer, EntryKind::Get) => ReceivePayment {
                details,
                customer,
                amount,
                paid,
                allocations: Vec::new(),
            }
            .into(),
            What::Entry(customer, EntryKind::Return) => ReturnGoods {
                details,
                customer: Some(customer),
                amount,
                refund: match how {
                    How::Khata => Refund::Khata,
                    How::Money(_) => Refund::Money(paid),
                },
                of: self.of,
                lines: Vec::new(),
            }
            .into(),
            What::Entry(customer, EntryKind::Deposit) => DepositAdvance {
                details,
                customer,
                amount,
                paid,
            }
            .into(),
            What::Entry(customer, EntryKind::Withdraw) => WithdrawAdvance {
                details,
                customer,
                amount,
                paid,
            }
            .into(),
            What::Entry(customer, EntryKind::Settle) => UseAdvance {
                details,
                customer,
                amount,
                against: self.of,
            }
            .into(),
            What::Entry(customer, EntryKind::WriteOff) => WriteOff {
                details,
                customer,
                amount,
                why: self.why(),
            }
            .into(),
            What::Transfer { from, to } => TransferAmount {
                details,
                from,
                to,
                amount,
            }
            .into(),
            What::Sale => RecordSale {
                details,
                ..RecordSale::quick(on, amount, paid)
            }
            .into(),
        })
    }

    fn why(self) -> shared::command::Why {
        why(
            self.reason.get_untracked(),
            &self.reason_note.get_untracked(),
        )
    }
}

/// What is typed, if anything is.
fn filled(value: RwSignal<String>) -> Option<String> {
    Some(value.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
}
