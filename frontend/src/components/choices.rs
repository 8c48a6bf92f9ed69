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
    let chips = options
        .into_iter()
        .map(|(option, words)| {
            chip(
                name,
                words,
                Signal::derive(move || value.get() == option),
                Callback::new(move |()| value.set(option)),
            )
        })
        .collect();
    group(legend, chips)
}

fn group(legend: String, chips: Vec<AnyView>) -> AnyView {
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <div>{chips}</div>
        </fieldset>
    }
    .into_any()
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
