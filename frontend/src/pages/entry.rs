//! Writing an entry: the amount on the keypad, the rest one tap away.

mod what;
mod write;

use leptos::prelude::*;
use shared::calendar::BusinessDay;
use shared::command::{MAX_NOTE_CHARS, MAX_REFERENCE_CHARS};
use shared::event::{Mode, ReasonCode};
use shared::ids::{CustomerId, EntryId};
use shared::keypad::Keypad;
use shared::money::Paise;
use shared::query::{entry, left_to_return};

use self::what::{How, What};
use super::doing::Doing;
use super::entry_sheet::{REASONS, reasons};
use super::{desk, words};
use crate::components::amount::{Side, in_words};
use crate::components::bars::screen;
use crate::components::choices::choices;
use crate::components::date_field::DayField;
use crate::components::fields::{TextField, Typing};
use crate::components::icon::{Icon, icon, little_icon};
use crate::components::keypad;
use crate::components::sheet::Sheet;
use crate::components::states::empty;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::{EntryKind, Place};
use crate::platform::history;

/// The sheets that a form can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Day,
    Note,
    Reference,
    Reason,
}

/// What a person has filled in.
#[derive(Clone, Copy)]
struct Form {
    what: What,
    /// The entry that this one replaces, if it is a correction.
    corrects: Option<EntryId>,
    /// The entry that goods come back of, or that an advance settles.
    of: Option<EntryId>,
    keypad: RwSignal<Keypad>,
    how: RwSignal<How>,
    day: RwSignal<Option<BusinessDay>>,
    note: RwSignal<String>,
    reference: RwSignal<String>,
    reason: RwSignal<ReasonCode>,
    reason_note: RwSignal<String>,
}

/// The screen for a new entry.
pub fn new_entry(customer: CustomerId, kind: EntryKind) -> AnyView {
    Form::new(What::Entry(customer, kind)).screen(Place::Entry(customer, kind))
}

/// The screen for a debt that moves to another customer.
pub fn transfer(from: CustomerId, to: CustomerId) -> AnyView {
    Form::new(What::Transfer { from, to }).screen(Place::Transfer(from, to))
}

/// The screen for goods of an entry that come back. It begins with all that can.
pub fn return_of(id: EntryId) -> AnyView {
    let place = Place::ReturnOf(id);
    let form = desk::books_untracked(|books| {
        let row = entry(books, id)?;
        let left = left_to_return(books.ledger, id)?;
        // What was paid at once is paid back.
        let paid = row.change.khata == Paise::ZERO;
        let how = if paid {
            How::Money(Mode::Cash)
        } else {
            How::Khata
        };
        Some((What::Entry(row.customer?, EntryKind::Return), left, how))
    });
    match form {
        Some((what, left, how)) => Form {
            of: Some(id),
            keypad: RwSignal::new(Keypad::with_amount(left)),
            how: RwSignal::new(how),
            ..Form::new(what)
        }
        .screen(place),
        None => impossible(place, t(Msg::EntryReturn)),
    }
}

/// The screen for a quick sale.
pub fn sale() -> AnyView {
    Form::new(What::Sale).screen(Place::Sale)
}

/// The screen that writes an entry anew. It begins with what was written.
pub fn correct(id: EntryId) -> AnyView {
    let place = Place::Correct(id);
    let row = desk::books_untracked(|books| entry(books, id));
    let form = row.and_then(|row| Form::of(&row));
    match form {
        Some(form) => form.screen(place),
        None => impossible(place, t(Msg::EntryCorrect)),
    }
}

fn impossible(place: Place, title: String) -> AnyView {
    let body = empty(
        Icon::Document,
        t(Msg::EntryNotCorrectable),
        t(Msg::EntryNotCorrectableNext),
        None,
    );
    screen(place, title, body, None)
}

impl Form {
    fn new(what: What) -> Self {
        Self {
            what,
            corrects: None,
            of: None,
            keypad: RwSignal::new(match what.usual_amount() {
                Paise::ZERO => Keypad::default(),
                amount => Keypad::with_amount(amount),
            }),
            how: RwSignal::new(match what {
                What::Entry(_, EntryKind::Return) => How::Khata,
                _ => How::Money(Mode::Cash),
            }),
            day: RwSignal::new(Some(desk::today())),
            note: RwSignal::new(String::new()),
            reference: RwSignal::new(String::new()),
            reason: RwSignal::new(*what.reasons().first().unwrap_or(&ReasonCode::WrongAmount)),
            reason_note: RwSignal::new(String::new()),
        }
    }

    fn screen(self, place: Place) -> AnyView {
        let doing = Doing::new();
        let asking = RwSignal::new(None);
        let about = match (self.corrects, self.what.page()) {
            (Some(_), _) => Some(t(Msg::EntryCorrecting).into_any()),
            (None, Some(customer)) => Some(self.standing(customer)),
            (None, None) => None,
        };
        let about = about.map(|words| view! { <p class="quiet small centred">{words}</p> });
        let body = view! {
            <div class="tight">
                {about}
                {keypad::reading(self.keypad)}
                {self.ways()}
                {self.details(asking)}
                {doing.view()}
            </div>
            {move || asking.get().map(|asked| self.ask(asked, asking))}
        };
        let cannot_save = move || doing.is_busy() || !self.is_ready();
        let foot = view! {
            <div class="tight">
                {keypad::keys(self.keypad)}
                <button
                    type="button"
                    class="button primary big wide"
                    disabled=cannot_save
                    on:click=move |_| self.save(doing)
                >
                    {icon(Icon::Tick)}
                    {t(Msg::EntrySave)}
                </button>
            </div>
        };
        let title = match self.corrects {
            Some(_) => t(Msg::EntryCorrect),
            None => self.what.title(),
        };
        screen(place, title, body.into_any(), Some(foot.into_any()))
    }

    /// Cash, UPI, card; for a return also the khata. Credit needs no choice.
    fn ways(self) -> Option<AnyView> {
        let money = [Mode::Cash, Mode::Upi, Mode::Card].map(How::Money);
        let (legend, ways): (Msg, Vec<How>) = match self.what {
            What::Sale
            | What::Entry(_, EntryKind::Get | EntryKind::Deposit | EntryKind::Withdraw) => {
                (Msg::EntryHow, money.to_vec())
            }
            What::Entry(_, EntryKind::Return) => (
                Msg::EntryRefund,
                [How::Khata].into_iter().chain(money).collect(),
            ),
            // No money changes hands.
            What::Transfer { .. }
            | What::Entry(_, EntryKind::Give | EntryKind::Settle | EntryKind::WriteOff) => {
                return None;
            }
        };
        let options = ways
            .into_iter()
            .map(|how| {
                let words = match how {
                    How::Khata => t(Msg::EntryRefundKhata),
                    How::Money(mode) => words::mode(mode),
                };
                (how, words)
            })
            .collect();
        Some(choices("how", t(legend), options, self.how))
    }

    /// Day, note and reference: what they are now, and a tap changes them.
    fn details(self, asking: RwSignal<Option<Asking>>) -> AnyView {
        let chip = move |asked, drawing, words: Signal<String>| {
            view! {
                <button
                    type="button"
                    class="button small detail"
                    on:click=move |_| asking.set(Some(asked))
                >
                    {little_icon(drawing)}
                    <span>{words}</span>
                </button>
            }
            .into_any()
        };
        let filled = |value: RwSignal<String>, empty: Msg| {
            let empty = t(empty);
            Signal::derive(move || match value.get() {
                value if value.trim().is_empty() => empty.clone(),
                value => value,
            })
        };
        let day = Signal::derive(move || match self.day.get() {
            Some(day) => words::day(day, desk::today()),
            None => t(Msg::DateDay),
        });
        let reference = move || {
            matches!(self.how.get(), How::Money(mode) if mode != Mode::Cash).then(|| {
                chip(
                    Asking::Reference,
                    Icon::Document,
                    filled(self.reference, Msg::EntryAddReference),
                )
            })
        };
        let reason = (!self.reasons().is_empty()).then(|| {
            let words = Signal::derive(move || words::reason(self.reason.get()));
            chip(Asking::Reason, Icon::Warning, words)
        });
        view! {
            <div class="details">
                {reason}
                {chip(Asking::Day, Icon::Calendar, day)}
                {chip(Asking::Note, Icon::Lines, filled(self.note, Msg::EntryAddNote))}
                {reference}
            </div>
        }
        .into_any()
    }

    fn ask(self, asked: Asking, asking: RwSignal<Option<Asking>>) -> AnyView {
        let close = Callback::new(move |()| asking.set(None));
        let (title, field) = match asked {
            Asking::Day => (
                t(Msg::DateDay),
                view! { <DayField label=t(Msg::DateDay) today=desk::today() day=self.day /> }
                    .into_any(),
            ),
            Asking::Note => (
                t(Msg::CommonNote),
                view! {
                    <TextField
                        label=t(Msg::EntryNoteHint)
                        value=self.note
                        max_length=MAX_NOTE_CHARS
                        first=true
                    />
                }
                .into_any(),
            ),
            Asking::Reference => (
                t(Msg::EntryReference),
                view! {
                    <TextField
                        label=t(Msg::EntryReferenceHint)
                        value=self.reference
                        max_length=MAX_REFERENCE_CHARS
                        typing=Typing::Code
                        first=true
                    />
                }
                .into_any(),
            ),
            Asking::Reason => (
                t(Msg::EntryWhy),
                reasons(self.reasons(), self.reason, self.reason_note),
            ),
        };
        view! {
            <Sheet title=title on_close=close>
                {field}
                <button type="button" class="button primary" on:click=move |_| close.run(())>
                    {t(Msg::CommonDone)}
                </button>
            </Sheet>
        }
        .into_any()
    }

    /// The reasons to choose from, where one is needed.
    const fn reasons(self) -> &'static [ReasonCode] {
        match self.corrects {
            Some(_) => &REASONS,
            None => self.what.reasons(),
        }
    }

    fn is_ready(self) -> bool {
        let amount = self.keypad.with(Keypad::reading);
        amount.is_ok_and(|reading| reading.amount.is_positive()) && self.day.get().is_some()
    }

    fn save(self, doing: Doing) {
        let Some(command) = self.command() else {
            return;
        };
        doing.run(command, move |_| {
            toast::saved(t(Msg::CommonSaved));
            match self.what.page() {
                Some(customer) => history::back(&Place::Customer(customer).to_string()),
                None if self.corrects.is_some() => history::back(&Place::Sale.to_string()),
                None => self.next(),
            }
        });
    }

    /// An empty form for the next sale: the queue does not wait.
    fn next(self) {
        self.keypad.set(Keypad::default());
        self.note.set(String::new());
        self.reference.set(String::new());
    }

    /// How the customer stands now, or how much of an entry can still come back.
    fn standing(self, customer: CustomerId) -> AnyView {
        let words = move || {
            let (balance, left) = desk::books(|books| {
                let left = self.of.and_then(|of| left_to_return(books.ledger, of));
                (books.ledger.balance(customer), left)
            });
            if let Some(left) = left {
                let amount = in_words(left);
                return t(Msg::EntryLeftToReturn { amount });
            }
            let owes = t(Msg::EntryOwesNow {
                words: Side::of(balance.khata).words(),
                amount: in_words(balance.khata),
            });
            if !self.what.is_of_advance() {
                return owes;
            }
            let amount = in_words(balance.advance);
            format!("{owes} · {}", t(Msg::CustomerAdvance { amount }))
        };
        words.into_any()
    }
}
