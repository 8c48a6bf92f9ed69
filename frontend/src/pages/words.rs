//! The words for what the core answers with enums: kinds of entries, reasons,
//! names that cannot be read, refusals.

use shared::calendar::{BusinessDay, TimeMs};
use shared::command::{Fact, Question, Rejection};
use shared::event::{Mode, Paid, ReasonCode, Role, TenderBy};
use shared::ids::{CustomerId, StaffId};
use shared::query::{
    Books, Class, Direction, EntryRow, Name, RowKind, customer_name, device_name, staff_name,
};
use shared::text::Opened;

use crate::components::amount::{Side, in_words};
use crate::components::icon::Icon;
use crate::i18n::{Msg, coded, t};
use crate::net::http::AskError;
use crate::net::pairing::PairingError;
use crate::store::StoreError;

/// "Today", "Yesterday", or the date.
pub fn day(day: BusinessDay, today: BusinessDay) -> String {
    match today.0.saturating_sub(day.0) {
        0 => t(Msg::CommonToday),
        1 => t(Msg::CommonYesterday),
        _ => day.to_string(),
    }
}

/// `17:20`, in India.
pub fn clock(at: TimeMs) -> String {
    let (hour, minute) = at.hour_minute();
    format!("{hour:02}:{minute:02}")
}

/// A name, or why there is none to read.
pub fn name(name: &Name) -> String {
    match name.words() {
        Some(words) => words.to_owned(),
        None => t(match name {
            Name::Erased => Msg::NameErased,
            _ => Msg::NameUnknown,
        }),
    }
}

/// The name of a customer.
pub fn customer(books: Books<'_>, id: CustomerId) -> String {
    name(&customer_name(books, id))
}

/// The name of a member of the staff.
pub fn staff(books: Books<'_>, id: StaffId) -> String {
    name(&staff_name(books, id))
}

/// A note as it can be read.
pub fn note(note: &Opened) -> String {
    match note {
        Opened::Words(words) => words.clone(),
        Opened::Erased => t(Msg::NameErased),
        Opened::NoKey | Opened::Damaged => t(Msg::NoteUnreadable),
    }
}

/// How money changed hands.
pub fn mode(mode: Mode) -> String {
    t(match mode {
        Mode::Cash => Msg::EntryCash,
        Mode::Upi => Msg::EntryUpi,
        Mode::Card => Msg::EntryCard,
        Mode::Bank => Msg::EntryBank,
        Mode::Cheque => Msg::EntryCheque,
    })
}

fn paid(paid: &Paid) -> String {
    let mut words = mode(paid.mode);
    for more in [&paid.app, &paid.reference].into_iter().flatten() {
        words.push(' ');
        words.push_str(more);
    }
    words
}

/// What kind of payer a customer is, with the reason.
pub fn class(class: Class) -> String {
    let days = |days: u32| u64::from(days);
    t(match class {
        Class::AtRisk { days_unpaid } => Msg::CustomerClassAtRisk {
            n: days(days_unpaid),
        },
        Class::PaysAtOnce => Msg::CustomerClassPaysAtOnce,
        Class::New { .. } => Msg::CustomerClassNew,
        Class::Prompt { days: n } => Msg::CustomerClassPrompt { n: days(n.max(1)) },
        Class::Regular { days: n } => Msg::CustomerClassRegular { n: days(n) },
        Class::Slow { days: n } => Msg::CustomerClassSlow { n: days(n) },
    })
}

/// A reason.
pub fn reason(code: ReasonCode) -> String {
    let code = match code {
        ReasonCode::WrongAmount => "wrong_amount",
        ReasonCode::WrongCustomer => "wrong_customer",
        ReasonCode::WrittenTwice => "written_twice",
        ReasonCode::WrongDate => "wrong_date",
        ReasonCode::PaymentFailed => "payment_failed",
        ReasonCode::Agreed => "agreed",
        ReasonCode::Other => "other",
    };
    coded("reason", code, &[])
}

/// The role of a person or a phone.
pub fn role(role: Role) -> String {
    t(match role {
        Role::Display => Msg::RoleDisplay,
        Role::Viewer => Msg::RoleViewer,
        Role::Cashier => Msg::RoleCashier,
        Role::Manager => Msg::RoleManager,
        Role::Owner => Msg::RoleOwner,
    })
}

/// What an entry is, in a word or two: "Gave", "Got", "Return".
pub fn entry_kind(books: Books<'_>, row: &EntryRow) -> String {
    let other = || row.other.map(|id| customer(books, id)).unwrap_or_default();
    t(match row.kind {
        RowKind::Credit => Msg::EntryGave,
        RowKind::Payment => Msg::EntryGot,
        RowKind::KhataReturn => Msg::EntryReturn,
        RowKind::MoneyReturn => Msg::EntryReturnPaid,
        RowKind::Deposit => Msg::EntryDeposit,
        RowKind::Withdrawal => Msg::EntryWithdrawal,
        RowKind::AdvanceUse => Msg::EntryAdvanceUsed,
        RowKind::TransferOut => Msg::EntryMovedTo { name: other() },
        RowKind::TransferIn => Msg::EntryMovedFrom { name: other() },
        RowKind::WriteOff => Msg::EntryGivenUp,
        RowKind::Sale => match &row.bill {
            Some(number) => Msg::EntryBill {
                number: number.clone(),
            },
            None => Msg::EntrySale,
        },
    })
}

/// The arrow of an entry.
pub const fn entry_icon(row: &EntryRow) -> Icon {
    match (row.kind, row.direction) {
        (RowKind::KhataReturn | RowKind::MoneyReturn, _) => Icon::Return,
        (_, Direction::Gave) => Icon::Out,
        (_, Direction::Got) => Icon::In,
        (_, Direction::Neither) => Icon::Document,
    }
}

/// The colour of an entry's amount: what was given is owed.
pub const fn entry_side(row: &EntryRow) -> Side {
    match row.direction {
        Direction::Gave => Side::Get,
        Direction::Got => Side::Give,
        Direction::Neither => Side::Settled,
    }
}

/// What stands below an entry's title: mode and reference, goods, note, who.
pub fn entry_note(books: Books<'_>, row: &EntryRow) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(taken_back) = &row.taken_back {
        parts.push(reason(taken_back.reason));
    }
    for tender in &row.parts {
        let words = match &tender.by {
            TenderBy::Money(money) => paid(money),
            TenderBy::Khata => t(Msg::EntryKhata),
            TenderBy::Advance => t(Msg::EntryAdvance),
        };
        match row.parts.len() {
            1 => parts.push(words),
            _ => parts.push(format!("{words} {}", in_words(tender.amount))),
        }
    }
    if !row.lines.names.is_empty() {
        let mut goods = row.lines.names.join(", ");
        if row.lines.count > row.lines.names.len() {
            goods.push_str(" …");
        }
        parts.push(goods);
    }
    if let Some(code) = row.reason {
        parts.push(reason(code));
    }
    parts.extend(row.note.as_ref().map(note));
    if let Some(by) = row.by {
        parts.push(t(Msg::EntryWrittenBy {
            name: staff(books, by),
        }));
    }
    parts.join(" · ")
}

/// Why something was refused: what happened, and what to do.
pub fn rejection(books: Books<'_>, rejection: &Rejection) -> String {
    coded(
        "refusal",
        rejection.code(),
        &facts(books, rejection.facts()),
    )
}

/// What is asked before it is written.
pub fn question(books: Books<'_>, question: &Question) -> String {
    coded("question", question.code(), &facts(books, question.facts()))
}

fn facts(books: Books<'_>, facts: Vec<(&'static str, Fact)>) -> Vec<(&'static str, String)> {
    facts
        .into_iter()
        .map(|(name, fact)| (name, fact_words(books, fact)))
        .collect()
}

fn fact_words(books: Books<'_>, fact: Fact) -> String {
    match fact {
        Fact::Customer(id) => customer(books, id),
        Fact::Staff(id) => staff(books, id),
        Fact::Device(device) => name(&device_name(books, device)),
        _ => plain_fact(fact),
    }
}

/// A fact, where there are no books yet that would name a customer or a phone.
pub fn plain_fact(fact: Fact) -> String {
    match fact {
        Fact::Amount(amount) => in_words(amount),
        Fact::Day(day) => day.to_string(),
        Fact::Time(at) => format!("{} {}", at.day(), clock(at)),
        Fact::Count(count) => count.to_string(),
        Fact::Quantity(quantity) => quantity_words(quantity.0),
        Fact::Role(of) => role(of),
        Fact::Field(field) => coded("field", field.code(), &[]),
        Fact::Customer(id) => id.to_string(),
        Fact::Staff(id) => id.to_string(),
        Fact::Device(device) => device.0.to_string(),
        Fact::Entry(id) => id.to_string(),
        Fact::Event(id) => id.to_string(),
    }
}

/// What went wrong with the phone's storage.
pub fn storage(error: &StoreError) -> String {
    t(match error {
        StoreError::DiskFull => Msg::ErrorDiskFull,
        StoreError::Refused => Msg::ErrorStorageRefused,
        StoreError::NewerApp => Msg::ErrorNewerApp,
        StoreError::Gone => Msg::ErrorStorageGone,
        StoreError::Damaged(what) => Msg::ErrorStorageDamaged {
            what: (*what).to_owned(),
        },
        StoreError::PartMissing => Msg::ErrorPartMissing,
        StoreError::Failed(what) => Msg::ErrorStorageFailed { what: what.clone() },
    })
}

/// Why a claim or a pairing did not come about.
pub fn pairing(error: &PairingError) -> String {
    let refused = |code: &str| match code {
        "unknown_code" => Msg::PairingUnknownCode,
        "used_code" | "shop_taken" => Msg::PairingUsedCode,
        "unknown_pairing" => Msg::PairingLapsed,
        "pairing_taken" => Msg::PairingTaken,
        "too_many_tries" | "too_many_requests" | "too_many_pairings" => Msg::PairingTooMany,
        code => Msg::PairingRefused { code: code.into() },
    };
    t(match error {
        PairingError::Server(AskError::Unreachable) => Msg::SyncUnreachable,
        PairingError::Server(AskError::NotTheServer) => Msg::SyncNotOurServer,
        PairingError::Server(AskError::Refused { code, .. }) => refused(code),
        PairingError::Storage(error) => return storage(error),
        PairingError::NotAnInvitation => Msg::PairingNotACode,
        PairingError::AlreadyHere => Msg::PairingAlreadyHere,
        PairingError::NoServer => Msg::PairNoServer,
    })
}

/// Thousandths of a unit without zeros at the end: 1500 is `1.5`.
fn quantity_words(milli: i64) -> String {
    let whole = milli / 1000;
    match milli.unsigned_abs() % 1000 {
        0 => whole.to_string(),
        rest => format!("{whole}.{rest:03}")
            .trim_end_matches('0')
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_has_no_zeros_at_its_end() {
        assert_eq!(quantity_words(1_500), "1.5");
        assert_eq!(quantity_words(2_000), "2");
        assert_eq!(quantity_words(350), "0.350".trim_end_matches('0'));
    }
}
