//! The app: which screen stands at which address.

use leptos::prelude::*;

use crate::components::bars::screen;
use crate::components::icon::Icon;
use crate::components::states::{empty, notice};
use crate::components::toast::toasts;
use crate::i18n::{self, Msg, t};
use crate::pages;
use crate::parts::{Drawing, Part};
use crate::place::Place;
use crate::platform::{history, shell};
use crate::store::{self, Books, Stage};

/// Everything on the page. A change of the language renders it anew; the screen
/// stays, because it stands in the address.
#[component]
pub fn App() -> impl IntoView {
    // Looks deep into the books, and changes seldom.
    let stage = Memo::new(|_| store::stage());
    // Of the address only the path chooses the screen; the query is the screen's.
    let place = Memo::new(|_| Place::from_path(&history::address().path));
    move || {
        i18n::current();
        view! {
            {notices()}
            {move || staged(stage.get(), place)}
            {toasts()}
        }
    }
}

/// One of the first screens, or the screen at a place in the open shop.
fn staged(stage: Stage, place: Memo<Option<Place>>) -> AnyView {
    match stage {
        Stage::Opening(progress) => pages::opening(progress),
        Stage::Trouble(trouble) => pages::trouble(&trouble),
        Stage::FirstStart { was_here } => {
            let join = move || match place.get() {
                Some(Place::Join) => Part::Work.show(Drawing::Screen(Place::Join)),
                _ => pages::first_start(was_here),
            };
            join.into_any()
        }
        Stage::Filling(shop) => {
            provide_context(shop);
            pages::filling(shop)
        }
        Stage::Open(shop) => {
            provide_context(shop);
            pages::open(shop);
            let here = Memo::new(move |_| match place.get() {
                Some(Place::Statement(id)) => shop.knows(id),
                Some(place) if place.looks_back() => pages::history::is_here(),
                _ => true,
            });
            let has_news = Memo::new(move |_| {
                shop.with(Books::is_unconfirmed_copy) || shop.old_khata().is_some()
            });
            let news = move || {
                let shown = has_news.get() && place.get() == Some(Place::Khata);
                shown.then(|| Part::Work.show(Drawing::News))
            };
            let screen = move || match place.get() {
                Some(place) if !here.get() => pages::history::waiting(place),
                place => at(place),
            };
            view! {
                {pages::conflict_strip(place)}
                {news}
                {screen}
            }
            .into_any()
        }
    }
}

/// The screen at a place; an address that leads nowhere says so.
fn at(place: Option<Place>) -> AnyView {
    let Some(place) = place else {
        return nowhere();
    };
    if let Some(part) = pages::part_of(place) {
        return part.show(Drawing::Screen(place));
    }
    match place {
        Place::Customer(id) => pages::customer(id),
        // The shop is open: there is nothing to start.
        _ => pages::home(),
    }
}

/// What stands at an address that leads nowhere.
pub fn nowhere() -> AnyView {
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
    screen(Place::Khata, t(Msg::NavKhata), body, None)
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
        // Only where nobody is in the middle of something: it takes a quarter of a small screen.
        let at_leisure = Place::from_path(&history::address().path) == Some(Place::More);
        let install = (offers.install && at_leisure).then(|| {
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
    view! { <aside class="notices no-print">{shown}</aside> }.into_any()
}
