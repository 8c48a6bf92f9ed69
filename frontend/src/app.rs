//! The app: which screen stands at which address.

use leptos::prelude::*;

use crate::components::bars::screen;
use crate::components::icon::Icon;
use crate::components::states::{empty, notice};
use crate::components::sync_chip::{SyncNow, SyncStatus};
use crate::components::toast::toasts;
use crate::i18n::{self, Msg, t};
use crate::place::Place;
use crate::platform::{history, shell};

/// Everything on the page. A change of the language renders it anew; the screen
/// stays, because it stands in the address.
#[component]
pub fn App() -> impl IntoView {
    provide_context(RwSignal::new(SyncStatus::ONLY_HERE));
    provide_context(SyncNow(Callback::new(|()| {})));
    move || {
        i18n::current();
        view! {
            {notices()}
            {move || at(Place::from_path(&history::address().path))}
            {toasts()}
        }
    }
}

/// The screen at a place; an address that leads nowhere says so.
fn at(place: Option<Place>) -> AnyView {
    let place = place.unwrap_or(Place::Khata);
    let to_khata = view! {
        <a class="button primary" href=Place::Khata.to_string()>
            {t(Msg::NavToKhata)}
        </a>
    };
    let body = empty(
        Icon::Search,
        t(Msg::NavNotFound),
        String::new(),
        Some(to_khata.into_any()),
    );
    screen(place, t(Msg::NavKhata), body, None)
}

/// What the app has to say on every screen: a new version, the home screen.
fn notices() -> AnyView {
    let button = |class, words, act: fn()| {
        view! {
            <button type="button" class=class on:click=move |_| act()>
                {t(words)}
            </button>
        }
    };
    let shown = move || {
        let offers = shell::offers();
        let update = offers.update.then(|| {
            let action = button("button", Msg::NoticeUpdateNow, shell::update);
            notice(false, t(Msg::NoticeUpdate), Some(action.into_any()))
        });
        let install = offers.install.then(|| {
            let actions = view! {
                {button("button plain", Msg::NoticeLater, shell::not_now)}
                {button("button", Msg::NoticeInstallNow, shell::install)}
            };
            notice(false, t(Msg::NoticeInstall), Some(actions.into_any()))
        });
        view! {
            {update}
            {install}
        }
    };
    shown.into_any()
}
