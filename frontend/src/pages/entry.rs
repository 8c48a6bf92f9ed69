//! Writing an entry: the amount on the keypad, the rest one tap away.

use leptos::prelude::*;
use shared::calendar::BusinessDay;
use shared::command::{
    Command, CorrectEntry, Details, GiveCredit, MAX_NOTE_CHARS, MAX_REFERENCE_CHARS, NewEntry,
    ReceivePayment, RecordSale, ReturnGoods,
};
use shared::event::{Mode, Paid, ReasonCode, Refund, TenderBy};
use shared::ids::{CustomerId, EntryId};
use shared::keypad::Keypad;
use shared::query::{EntryRow, RowKind, entry};

use super::doing::Doing;
use super::entry_sheet::{reasons, why};
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

/// How a return is refunded, or a payment made; credit needs neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Khata,
    Money(Mode),
}

/// The sheets that a form can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Day,
    Note,
    Reference,
    Reason,
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Something on a customer's page.
    Entry(CustomerId, EntryKind),
    /// A sale to nobody known, paid at once.
    Sale,
}

/// What a person has filled in.
#[derive(Clone, Copy)]
struct Form {
    what: What,
    /// The entry that this one replaces, if it is a correction.
    corrects: Option<EntryId>,
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
        None => {
            let body = empty(
                Icon::Document,
                t(Msg::EntryNotCorrectable),
                t(Msg::EntryNotCorrectableNext),
                None,
            );
            screen(place, t(Msg::EntryCorrect), body, None)
        }
    }
}

impl Form {
    fn new(what: What) -> Self {
        Self {
            what,
            corrects: None,
            keypad: RwSignal::new(Keypad::default()),
            how: RwSignal::new(match what {
                What::Entry(_, EntryKind::Return) => How::Khata,
                What::Entry(..) | What::Sale => How::Money(Mode::Cash),
            }),
            day: RwSignal::new(Some(desk::today())),
            note: RwSignal::new(String::new()),
            reference: RwSignal::new(String::new()),
            reason: RwSignal::new(ReasonCode::WrongAmount),
            reason_note: RwSignal::new(String::new()),
        }
    }

    /// What was written in an entry, if it can be corrected here.
    fn of(row: &EntryRow) -> Option<Self> {
        if row.taken_back.is_some() {
            return None;
        }
        let money = row.parts.first().and_then(|tender| match &tender.by {
            TenderBy::Money(paid) => Some(paid),
            TenderBy::Khata | TenderBy::Advance => None,
        });
        let how = money.map_or(How::Khata, |paid| How::Money(paid.mode));
        let what = match (row.kind, row.customer) {
            (RowKind::Credit, Some(customer)) => What::Entry(customer, EntryKind::Give),
            (RowKind::Payment, Some(customer)) => What::Entry(customer, EntryKind::Get),
            (RowKind::KhataReturn | RowKind::MoneyReturn, Some(customer)) => {
                What::Entry(customer, EntryKind::Return)
            }
            // A bill with lines is corrected line by line, not by its total.
            (RowKind::Sale, None) if row.lines.count == 0 => What::Sale,
            _ => return None,
        };
        let note = row.note.as_ref().and_then(|note| note.words());
        let reference = money.and_then(|paid| paid.reference.clone());
        Some(Self {
            corrects: Some(row.id),
            keypad: RwSignal::new(Keypad::with_amount(row.amount)),
            how: RwSignal::new(how),
            day: RwSignal::new(Some(row.on)),
            note: RwSignal::new(note.unwrap_or_default().to_owned()),
            reference: RwSignal::new(reference.unwrap_or_default()),
            ..Self::new(what)
        })
    }

    fn screen(self, place: Place) -> AnyView {
        let doing = Doing::new();
        let asking = RwSignal::new(None);
        let (title, balance) = match self.what {
            _ if self.corrects.is_some() => (t(Msg::EntryCorrect), None),
            What::Sale => (t(Msg::SaleTitle), None),
            What::Entry(customer, kind) => (entry_title(customer, kind), Some(balance(customer))),
        };
        let correcting = self
            .corrects
            .map(|_| view! { <p class="quiet small centred">{t(Msg::EntryCorrecting)}</p> });
        let body = view! {
            <div class="tight">
                {correcting}
                {balance}
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
        screen(place, title, body.into_any(), Some(foot.into_any()))
    }

    /// Cash, UPI, card; for a return also the khata. Credit needs no choice.
    fn ways(self) -> Option<AnyView> {
        let money = [Mode::Cash, Mode::Upi, Mode::Card].map(How::Money);
        let (legend, ways): (Msg, Vec<How>) = match self.what {
            What::Entry(_, EntryKind::Give) => return None,
            What::Entry(_, EntryKind::Get) | What::Sale => (Msg::EntryHow, money.to_vec()),
            What::Entry(_, EntryKind::Return) => (
                Msg::EntryRefund,
                [How::Khata].into_iter().chain(money).collect(),
            ),
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
            Signal::derive(move || match value.get() {
                value if value.trim().is_empty() => t(empty.clone()),
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
        let reason = self.corrects.map(|_| {
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
            Asking::Reason => (t(Msg::EntryCorrect), reasons(self.reason, self.reason_note)),
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
            match self.what {
                What::Entry(customer, _) => history::back(&Place::Customer(customer).to_string()),
                What::Sale if self.corrects.is_some() => history::back(&Place::Sale.to_string()),
                What::Sale => self.next(),
            }
        });
    }

    /// An empty form for the next sale: the queue does not wait.
    fn next(self) {
        self.keypad.set(Keypad::default());
        self.note.set(String::new());
        self.reference.set(String::new());
    }

    /// What is wanted; `None` while an amount or a day is missing.
    fn command(self) -> Option<Command> {
        let amount = self.keypad.with_untracked(Keypad::reading).ok()?.amount;
        let text = |value: RwSignal<String>| {
            Some(value.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let on = self.day.get_untracked()?;
        let details = Details {
            note: text(self.note),
            ..Details::on(on)
        };
        let paid = |mode| Paid {
            reference: text(self.reference).filter(|_| mode != Mode::Cash),
            ..Paid { mode, ..Paid::CASH }
        };
        let money = |how| match how {
            How::Money(mode) => paid(mode),
            How::Khata => Paid::CASH,
        };
        let how = self.how.get_untracked();
        let entry: NewEntry = match self.what {
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
                paid: money(how),
                allocations: Vec::new(),
            }
            .into(),
            What::Entry(customer, EntryKind::Return) => ReturnGoods {
                details,
                customer: Some(customer),
                amount,
                refund: match how {
                    How::Khata => Refund::Khata,
                    How::Money(mode) => Refund::Money(paid(mode)),
                },
                of: None,
                lines: Vec::new(),
            }
            .into(),
            What::Sale => RecordSale {
                details,
                ..RecordSale::quick(on, amount, money(how))
            }
            .into(),
        };
        Some(match self.corrects {
            None => Command::Record(entry),
            Some(target) => CorrectEntry {
                target,
                replacement: entry,
                why: why(
                    self.reason.get_untracked(),
                    &self.reason_note.get_untracked(),
                ),
                witness: None,
            }
            .into(),
        })
    }
}

fn entry_title(customer: CustomerId, kind: EntryKind) -> String {
    let name = desk::books_untracked(|books| words::customer(books, customer));
    t(match kind {
        EntryKind::Give => Msg::EntryGaveTo { name },
        EntryKind::Get => Msg::EntryGotFrom { name },
        EntryKind::Return => Msg::EntryReturnFrom { name },
    })
}

/// How the customer stands now.
fn balance(customer: CustomerId) -> AnyView {
    let words = move || {
        let balance = desk::books(|books| books.ledger.balance(customer)).khata;
        t(Msg::EntryOwesNow {
            words: Side::of(balance).words(),
            amount: in_words(balance),
        })
    };
    view! { <p class="quiet small centred">{words}</p> }.into_any()
}
