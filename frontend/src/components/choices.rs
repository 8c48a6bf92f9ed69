//! Chips of which one is chosen.

use leptos::prelude::*;

use super::icon::{Icon, little_icon};

/// Radio buttons that look like chips. `name` tells groups on one screen apart.
pub fn choices<T>(
    name: &'static str,
    legend: String,
    options: Vec<(T, String)>,
    value: RwSignal<T>,
) -> AnyView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let chips = chips(name, options, value);
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <div>{chips}</div>
        </fieldset>
    }
    .into_any()
}

/// The filters of a list: chips in one line that scrolls, the legend for screen
/// readers only.
pub fn filters<T>(
    name: &'static str,
    legend: String,
    options: Vec<(T, String)>,
    value: RwSignal<T>,
) -> AnyView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let chips = chips(name, options, value);
    view! {
        <fieldset class="choices scroll">
            <legend class="hidden-words">{legend}</legend>
            <div>{chips}</div>
        </fieldset>
    }
    .into_any()
}

fn chips<T>(name: &'static str, options: Vec<(T, String)>, value: RwSignal<T>) -> Vec<AnyView>
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    options
        .into_iter()
        .map(|(option, words)| {
            chip(
                name,
                words,
                Signal::derive(move || value.get() == option),
                Callback::new(move |()| value.set(option)),
            )
        })
        .collect()
}

fn chip(name: &'static str, words: String, chosen: Signal<bool>, choose: Callback<()>) -> AnyView {
    view! {
        <label class="choice">
            <input
                type="radio"
                name=name
                prop:checked=move || chosen.get()
                on:change=move |_| choose.run(())
            />
            {little_icon(Icon::Tick)}
            {words}
        </label>
    }
    .into_any()
}
