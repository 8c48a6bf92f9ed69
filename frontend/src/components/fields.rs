//! Fields that are typed into.

use leptos::prelude::*;

use super::icon::{Icon, icon};
use crate::i18n::{Msg, t};

/// Which keyboard a phone shows, and what it may fill in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// A name or a note.
    Words,
    /// A phone number.
    Phone,
    /// An amount in rupees.
    Amount,
    /// Digits and hyphens: a date.
    Digits,
    /// A code or reference; no corrections by the keyboard.
    Code,
}

impl Typing {
    const fn mode(self) -> &'static str {
        match self {
            Self::Words | Self::Code => "text",
            Self::Phone => "tel",
            Self::Amount => "decimal",
            Self::Digits => "numeric",
        }
    }
}

/// A line of text with its label above and what is wrong below.
#[component]
pub fn TextField(
    /// The words above it.
    label: String,
    /// What is typed.
    value: RwSignal<String>,
    /// Most characters.
    max_length: usize,
    /// What kind of text.
    #[prop(default = Typing::Words)]
    typing: Typing,
    /// Shown in the empty field.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong, in words; `None` when nothing is.
    #[prop(optional, into)]
    wrong: Signal<Option<String>>,
    /// Whether the field takes the focus when the screen opens.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    let input = NodeRef::<leptos::html::Input>::new();
    if first {
        input.on_load(|input| {
            let _ = input.focus();
        });
    }
    view! {
        <div class="field">
            <label>
                {label}
                <input
                    class="input"
                    node_ref=input
                    type="text"
                    inputmode=typing.mode()
                    autocomplete="off"
                    autocapitalize=if typing == Typing::Code { "off" } else { "sentences" }
                    spellcheck="false"
                    maxlength=max_length.to_string()
                    placeholder=hint
                    aria-invalid=move || wrong.get().is_some().then_some("true")
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                />
            </label>
            {move || wrong.get().map(|words| view! { <p class="wrong" role="alert">{words}</p> })}
        </div>
    }
}

/// The search box of a list.
pub fn search_box(hint: String, value: RwSignal<String>) -> AnyView {
    view! {
        <div class="search" role="search">
            {icon(Icon::Search)}
            <input
                class="input"
                type="search"
                enterkeyhint="search"
                autocomplete="off"
                maxlength="60"
                aria-label=t(Msg::CommonSearch)
                placeholder=hint
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
        </div>
    }
    .into_any()
}
