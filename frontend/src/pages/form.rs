//! Forms: fields that remember what stood in them, and one button at the foot.

use leptos::prelude::*;
use shared::event::Patch;
use shared::money::Paise;

use super::doing::Doing;
use crate::components::amount::in_words;
use crate::components::bars::screen;
use crate::components::fields::{TextField, Typing};
use crate::components::icon::{Icon, icon};
use crate::i18n::{Msg, t};
use crate::place::Place;

/// Most characters of an amount that is typed into a field.
const MAX_AMOUNT_CHARS: usize = 15;

/// A text that may be changed.
#[derive(Clone, Copy)]
pub struct Value {
    before: StoredValue<String>,
    now: RwSignal<String>,
}

impl Value {
    /// A field that begins with what is known.
    pub fn new(known: Option<&str>) -> Self {
        let known = known.unwrap_or_default();
        Self {
            before: StoredValue::new(known.to_owned()),
            now: RwSignal::new(known.to_owned()),
        }
    }

    /// A field that begins with an amount.
    pub fn of_amount(known: Option<Paise>) -> Self {
        Self::new(known.map(in_words).as_deref())
    }

    /// The signal that a field types into.
    pub const fn signal(self) -> RwSignal<String> {
        self.now
    }

    /// What is typed, if anything is.
    pub fn typed(self) -> Option<String> {
        Some(self.now.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Whether nothing is typed; tracked.
    pub fn is_blank(self) -> bool {
        self.now.with(|now| now.trim().is_empty())
    }

    /// The change to a fact that may be taken away.
    pub fn patch(self) -> Patch<String> {
        let before = self.before.get_value();
        match self.typed() {
            Some(now) if now == before => Patch::Keep,
            Some(now) => Patch::Set(now),
            None if before.is_empty() => Patch::Keep,
            None => Patch::Clear,
        }
    }

    /// The change to a fact that is always there; `None` where nothing changed.
    pub fn change(self) -> Option<String> {
        match self.patch() {
            Patch::Set(now) => Some(now),
            Patch::Keep => None,
            // The core refuses it with the right words.
            Patch::Clear => Some(String::new()),
        }
    }

    /// The amount that is typed; `None` if it is no amount.
    pub fn amount(self) -> Option<Paise> {
        Paise::parse(&self.now.get_untracked()).ok()
    }

    /// The change to an amount that may be taken away; what is no amount changes
    /// nothing, see [`Value::is_amount_or_blank`].
    pub fn amount_patch(self) -> Patch<Paise> {
        match self.patch() {
            Patch::Set(_) => self.amount().map_or(Patch::Keep, Patch::Set),
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
        }
    }

    /// Whether an amount or nothing is typed; tracked.
    pub fn is_amount_or_blank(self) -> bool {
        self.now
            .with(|now| now.trim().is_empty() || Paise::parse(now).is_ok())
    }

    /// A field of text.
    pub fn field(
        self,
        label: Msg,
        max_length: usize,
        typing: Typing,
        hint: Option<Msg>,
    ) -> AnyView {
        view! {
            <TextField
                label=t(label)
                value=self.now
                max_length=max_length
                typing=typing
                hint=hint.map(t).unwrap_or_default()
            />
        }
        .into_any()
    }

    /// A field of an amount, which says when it is none.
    pub fn amount_field(self, label: Msg, hint: Option<Msg>) -> AnyView {
        let wrong =
            Signal::derive(move || (!self.is_amount_or_blank()).then(|| t(Msg::AmountWrong)));
        view! {
            <TextField
                label=t(label)
                value=self.now
                max_length=MAX_AMOUNT_CHARS
                typing=Typing::Amount
                hint=hint.map(t).unwrap_or_default()
                wrong=wrong
            />
        }
        .into_any()
    }
}

/// A form with one button at its foot, which also the enter key presses.
pub fn form_screen(
    place: Place,
    title: String,
    fields: AnyView,
    doing: Doing,
    ready: Signal<bool>,
    save: Callback<()>,
) -> AnyView {
    let body = view! {
        <form
            id="form"
            class="stack"
            on:submit=move |event| {
                event.prevent_default();
                if ready.get_untracked() {
                    save.run(());
                }
            }
        >
            {fields}
            {doing.view()}
        </form>
    };
    let foot = view! {
        <button
            type="submit"
            form="form"
            class="button primary big"
            disabled=move || doing.is_busy() || !ready.get()
        >
            {icon(Icon::Tick)}
            {t(Msg::EntrySave)}
        </button>
    };
    screen(place, title, body.into_any(), Some(foot.into_any()))
}
