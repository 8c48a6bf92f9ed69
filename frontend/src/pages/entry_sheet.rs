//! One entry, closer: everything that was written, how to correct it, how to take
//! it back.

use leptos::prelude::*;
use shared::command::{MAX_NOTE_CHARS, ReverseEntry, Why};
use shared::event::ReasonCode;
use shared::ids::EntryId;
use shared::query::{EntryRow, RowKind, entry, left_to_return};

use super::doing::Doing;
use super::{desk, words};
use crate::components::amount::{amount_of_side, in_words};
use crate::components::choices::choices;
use crate::components::fields::TextField;
use crate::components::icon::{Icon, icon};
use crate::components::rows::entry_state;
use crate::components::sheet::Sheet;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::Place;

/// Why an entry is taken back or corrected, the most frequent first.
pub const REASONS: [ReasonCode; 7] = [
    ReasonCode::WrongAmount,
    ReasonCode::WrongCustomer,
    ReasonCode::WrittenTwice,
    ReasonCode::WrongDate,
    ReasonCode::PaymentFailed,
    ReasonCode::Agreed,
    ReasonCode::Other,
];

/// Why an amount is given up.
pub const REASONS_TO_GIVE_UP: [ReasonCode; 2] = [ReasonCode::Agreed, ReasonCode::Other];

/// The sheet of an entry; closed by setting `opened` to `None`.
pub fn entry_sheet(id: EntryId, opened: RwSignal<Option<EntryId>>) -> AnyView {
    let close = Callback::new(move |()| opened.set(None));
    let Some(row) = desk::books_untracked(|books| entry(books, id)) else {
        return ().into_any();
    };
    let title = desk::books_untracked(|books| words::entry_kind(books, &row));
    let taking_back = RwSignal::new(false);
    let can_change = row.taken_back.is_none();
    let correctable =
        matches!(
            row.kind,
            RowKind::Credit
                | RowKind::Payment
                | RowKind::KhataReturn
                | RowKind::MoneyReturn
                | RowKind::Deposit
                | RowKind::Withdrawal
                | RowKind::AdvanceUse
                | RowKind::TransferOut
        ) || (row.kind == RowKind::Sale && row.customer.is_none() && row.lines.count == 0);
    let left = desk::books_untracked(|books| left_to_return(books.ledger, id));
    let returns = left.is_some_and(|left| left.is_positive()) && row.customer.is_some();
    let goods_return = move || {
        returns.then(|| {
            view! {
                <a class="button" href=Place::ReturnOf(id).to_string()>
                    {t(Msg::EntryReturn)}
                </a>
            }
        })
    };
    let correct = move || {
        correctable.then(|| {
            view! {
                <a class="button" href=Place::Correct(id).to_string()>
                    {t(Msg::EntryCorrect)}
                </a>
            }
        })
    };
    let actions = move || {
        if taking_back.get() {
            return take_back(id, close);
        }
        view! {
            <div class="side-by-side">
                {goods_return()}
                {correct()}
                <button type="button" class="button" on:click=move |_| taking_back.set(true)>
                    {t(Msg::EntryTakeBack)}
                </button>
            </div>
        }
        .into_any()
    };
    view! {
        <Sheet title=title on_close=close>
            {about(&row)} {can_change.then_some(actions)}
        </Sheet>
    }
    .into_any()
}

fn about(row: &EntryRow) -> AnyView {
    let (note, linked) = desk::books_untracked(|books| {
        let replaced_by = row
            .taken_back
            .as_ref()
            .and_then(|taken_back| entry(books, taken_back.replacement?))
            .map(|next| {
                t(Msg::EntryReplacedBy {
                    amount: in_words(next.amount),
                })
            });
        let replaces = row.replaces.and_then(|id| entry(books, id)).map(|before| {
            t(Msg::EntryInPlaceOf {
                amount: in_words(before.amount),
            })
        });
        let linked: Vec<String> = replaced_by.into_iter().chain(replaces).collect();
        (words::entry_note(books, row), linked)
    });
    let id = row.id;
    let when = format!("{} · {}", row.on, words::clock(row.at));
    let witness = row.witness.as_ref().map(|witness| {
        t(Msg::EntryWitness {
            name: words::note(witness),
        })
    });
    view! {
        <div class="balance">
            <p>{amount_of_side(row.amount, words::entry_side(row))}</p>
            <p class="quiet">{when}</p>
            <p>{note}</p>
            <p>{linked.join(" · ")}</p>
            <p>{witness}</p>
            <p class="quiet small">
                {t(Msg::EntryNumber { number: row.id.to_string() })} " "
                {move || entry_state(desk::state_of(id))}
            </p>
        </div>
    }
    .into_any()
}

fn take_back(id: EntryId, close: Callback<()>) -> AnyView {
    let doing = Doing::new();
    let code = RwSignal::new(ReasonCode::WrongAmount);
    let note = RwSignal::new(String::new());
    let take = move |_| {
        let command = ReverseEntry {
            target: id,
            why: why(code.get_untracked(), &note.get_untracked()),
            witness: None,
        };
        doing.run(command, move |_| {
            toast::saved(t(Msg::EntryTookBackSaved));
            close.run(());
        });
    };
    view! {
        <p>{t(Msg::EntryTakeBackWords)}</p>
        {reasons(&REASONS, code, note)}
        {doing.view()}
        <button
            type="button"
            class="button primary big"
            disabled=move || doing.is_busy()
            on:click=take
        >
            {icon(Icon::Tick)}
            {t(Msg::EntryTakeBack)}
        </button>
    }
    .into_any()
}

/// The reason, and words of one's own.
pub fn reasons(
    reasons: &[ReasonCode],
    code: RwSignal<ReasonCode>,
    note: RwSignal<String>,
) -> AnyView {
    let options = reasons
        .iter()
        .map(|&code| (code, words::reason(code)))
        .collect();
    view! {
        {choices("reason", t(Msg::EntryWhy), options, code)}
        <TextField
            label=t(Msg::CommonNote)
            value=note
            max_length=MAX_NOTE_CHARS
            hint=t(Msg::CommonOptional)
        />
    }
    .into_any()
}

/// A reason from what was chosen and typed.
pub fn why(code: ReasonCode, note: &str) -> Why {
    Why {
        code,
        note: Some(note.trim().to_owned()).filter(|note| !note.is_empty()),
    }
}
