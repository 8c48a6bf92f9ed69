//! The frame of a screen: top bar, page, bottom bar.

use leptos::html::H1;
use leptos::prelude::*;

use super::icon::{Icon, icon};
use super::sync_chip::sync_chip;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::{history, window};
use crate::store::Shop;

/// A screen with its bars. `foot` is the main action, where the thumb is.
pub fn screen(place: Place, title: String, body: AnyView, foot: Option<AnyView>) -> AnyView {
    screen_of(place, title.into_any(), body, foot)
}

/// The same with a title that changes, as a person's name may.
pub fn screen_of(place: Place, title: AnyView, body: AnyView, foot: Option<AnyView>) -> AnyView {
    let parent = place.parent().filter(|_| !place.is_main());
    let is_main = place.is_main();
    let shop = use_context::<Shop>();
    let heading = NodeRef::<H1>::new();
    heading.on_load(focus_after_navigation);
    view! {
        <div class="shell" class:with-bottom-bar=is_main>
            <header class="top-bar">
                {parent.map(back_button)} <h1 node_ref=heading tabindex="-1">{title}</h1>
                {shop.map(sync_chip)}
            </header>
            <main class="page" tabindex="-1">
                {body}
            </main>
            {foot.map(|foot| view! { <footer class="actions">{foot}</footer> })}
            {is_main.then(|| bottom_bar(place))}
        </div>
    }
    .into_any()
}

/// The element that had the focus went with the screen before: a screen reader
/// goes on at the new heading. A field that has taken the focus keeps it.
fn focus_after_navigation(heading: web_sys::HtmlHeadingElement) {
    let document = window().document();
    let focused = document.and_then(|document| document.active_element());
    if focused.is_none_or(|element| element.tag_name() == "BODY") {
        let _ = heading.focus();
    }
}

fn back_button(parent: Place) -> AnyView {
    let parent = parent.to_string();
    view! {
        <button
            type="button"
            class="icon-button"
            aria-label=t(Msg::CommonBack)
            on:click=move |_| history::back(&parent)
        >
            {icon(Icon::Back)}
        </button>
    }
    .into_any()
}

fn bottom_bar(here: Place) -> AnyView {
    let tabs = [
        (Place::Khata, Icon::Book, Msg::NavKhata),
        (Place::Sale, Icon::Basket, Msg::NavSale),
        (Place::Reports, Icon::Bars, Msg::NavReports),
        (Place::More, Icon::Lines, Msg::NavMore),
    ];
    let links: Vec<AnyView> = tabs
        .into_iter()
        .map(|(place, drawing, name)| {
            let current = (place == here).then_some("page");
            view! {
                <a href=place.to_string() aria-current=current>
                    {icon(drawing)}
                    {t(name)}
                </a>
            }
            .into_any()
        })
        .collect();
    view! {
        <nav class="bottom-bar" aria-label=t(Msg::NavMain)>
            {links}
        </nav>
    }
    .into_any()
}
