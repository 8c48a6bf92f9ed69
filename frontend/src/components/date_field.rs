//! Choosing a day: today, yesterday, or another written as DD-MM-YYYY.
//!
//! The browser's own date field shows days in the order of its own language, so
//! it is only used as a calendar to pick from, never to show a day.

use leptos::html::Input;
use leptos::prelude::*;
use shared::calendar::BusinessDay;

use super::choices::choices;
use super::fields::{TextField, Typing};
use super::icon::{Icon, icon};
use crate::i18n::{Msg, t};

/// Which of the three a person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Today,
    Yesterday,
    Other,
}

/// A field for a day that is today unless something else is chosen. `day` holds
/// `None` while what is written is no day.
#[component]
pub fn DayField(
    /// The words above it.
    label: String,
    /// The day in India when the screen was opened.
    today: BusinessDay,
    /// The day that is chosen.
    day: RwSignal<Option<BusinessDay>>,
) -> impl IntoView {
    let choice = RwSignal::new(match day.get_untracked() {
        Some(day) if day == today => Choice::Today,
        Some(day) if day == today.plus_days(-1) => Choice::Yesterday,
        _ => Choice::Other,
    });
    let typed = RwSignal::new(
        day.get_untracked()
            .map(|day| day.to_string())
            .unwrap_or_default(),
    );
    Effect::new(move |_| {
        let chosen = match choice.get() {
            Choice::Today => Some(today),
            Choice::Yesterday => Some(today.plus_days(-1)),
            Choice::Other => BusinessDay::parse(&typed.get()),
        };
        if day.get_untracked() != chosen {
            day.set(chosen);
        }
    });
    let options = vec![
        (Choice::Today, t(Msg::CommonToday)),
        (Choice::Yesterday, t(Msg::CommonYesterday)),
        (Choice::Other, t(Msg::DateOther)),
    ];
    view! {
        {choices("day", label, options, choice)}
        {move || (choice.get() == Choice::Other).then(|| other_day(t(Msg::DateDay), typed))}
    }
}

/// A day as text, with a calendar beside it.
pub fn other_day(label: String, typed: RwSignal<String>) -> AnyView {
    let calendar = NodeRef::<Input>::new();
    let wrong = Signal::derive(move || {
        typed.with(|typed| {
            // Only what is long enough to be a day can be wrong.
            (typed.trim().len() >= 10 && BusinessDay::parse(typed).is_none())
                .then(|| t(Msg::DateWrong))
        })
    });
    let picked = move |event| {
        if let Some(day) = BusinessDay::parse(&event_target_value(&event)) {
            typed.set(day.to_string());
        }
    };
    view! {
        <div class="with-calendar">
            <TextField
                label=label
                value=typed
                max_length=10
                typing=Typing::Digits
                hint="15-08-2026"
                wrong=wrong
            />
            <input
                node_ref=calendar
                class="hidden-words"
                type="date"
                tabindex="-1"
                aria-hidden="true"
                on:change=picked
            />
            <button
                type="button"
                class="button"
                aria-label=t(Msg::DateCalendar)
                on:click=move |_| {
                    if let Some(calendar) = calendar.get_untracked() {
                        let _ = calendar.show_picker();
                    }
                }
            >
                {icon(Icon::Calendar)}
            </button>
        </div>
    }
    .into_any()
}
