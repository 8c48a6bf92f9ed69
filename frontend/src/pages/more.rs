//! Everything else: what to look at, the shop, the phones, this phone.

use leptos::prelude::*;

use super::desk;

use crate::components::bars::screen;
use crate::components::choices::choices;
use crate::components::icon::Icon;
use crate::components::rows::setting_row;
use crate::i18n::{self, Msg, t};
use crate::place::Place;
use crate::platform::theme::Theme;

/// The screen.
pub fn more() -> AnyView {
    let people = desk::People::new();
    let tasks = move || {
        let n = people.with(super::tasks::count);
        let note = (n > 0).then(|| t(Msg::MoreTasksOpen { n }));
        setting_row(Place::Tasks, Icon::Warning, Msg::MoreTasks, note)
    };
    let rows = [
        (Place::Shop, Icon::Shop, Msg::MoreShop),
        (Place::Staff, Icon::Person, Msg::MoreStaff),
        (Place::Devices, Icon::Phone, Msg::MoreDevices),
        (Place::Sync, Icon::Send, Msg::MoreSync),
        (Place::Storage, Icon::Document, Msg::MoreStorage),
    ]
    .map(|(place, drawing, words)| setting_row(place, drawing, words, None));
    let body = view! {
        <div class="stack">
            <div class="rows">{tasks} {rows}</div>
            {language()}
            {look()}
        </div>
    };
    screen(Place::More, t(Msg::MoreTitle), body.into_any(), None)
}

/// The language of this phone; also on the first screen.
pub fn language() -> AnyView {
    let chosen = RwSignal::new(i18n::current_untracked().code);
    let wrong = RwSignal::new(false);
    Effect::new(move |before: Option<&'static str>| {
        let code = chosen.get();
        if before.is_some_and(|before| before != code) {
            wasm_bindgen_futures::spawn_local(async move {
                let Some(language) = i18n::by_code(code) else {
                    return;
                };
                match i18n::load(language).await {
                    Ok(()) => i18n::remember(language),
                    Err(_) => wrong.set(true),
                }
            });
        }
        code
    });
    let options = i18n::offered()
        .map(|language| (language.code, language.name.to_owned()))
        .collect();
    view! {
        {choices("language", t(Msg::MoreLanguage), options, chosen)}
        {move || {
            wrong.get().then(|| view! { <p class="wrong" role="alert">{t(Msg::ErrorWordsMissing)}</p> })
        }}
    }
    .into_any()
}

/// Light, dark, bright sun.
fn look() -> AnyView {
    let theme = RwSignal::new(Theme::remembered());
    Effect::new(move |before: Option<()>| {
        let theme = theme.get();
        if before.is_some() {
            theme.choose();
        }
    });
    let options = Theme::ALL
        .into_iter()
        .map(|theme| {
            let words = match theme {
                Theme::Auto => Msg::MoreLookAuto,
                Theme::Light => Msg::MoreLookLight,
                Theme::Dark => Msg::MoreLookDark,
                Theme::Outdoor => Msg::MoreLookOutdoor,
            };
            (theme, t(words))
        })
        .collect();
    choices("look", t(Msg::MoreLook), options, theme)
}
