//! The first screens: opening, a first start, and what stands in the way.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::command::{MAX_NAME_CHARS, Refusal};

use super::form::Value;
use super::more::language;
use super::words;
use crate::components::bars::screen;
use crate::components::fields::{TextField, Typing};
use crate::components::icon::{Icon, icon};
use crate::components::states::{failed, loading, notice};
use crate::i18n::{self, Msg, coded, t};
use crate::parts::{self, NotHere};
use crate::place::Place;
use crate::platform::window;
use crate::store::{NewShop, Progress, Refused, StoreError, Trouble, create_shop};

/// The shop is being read from the phone.
pub fn opening(progress: Progress) -> AnyView {
    let part = (progress.total > 0).then(|| {
        view! {
            <progress max=progress.total.to_string() value=progress.done.to_string()></progress>
        }
    });
    let body = view! {
        {part}
        {loading()}
    };
    screen(Place::Start, t(Msg::AppName), body.into_any(), None)
}

/// What a person has to look at before anything else.
pub fn trouble(trouble: &Trouble) -> AnyView {
    let reload = || {
        view! {
            <button
                type="button"
                class="button primary"
                on:click=move |_| {
                    let _ = window().location().reload();
                }
            >
                {t(Msg::CommonTryAgain)}
            </button>
        }
        .into_any()
    };
    let (words, action) = match trouble {
        Trouble::Insecure => (t(Msg::StartInsecure), None),
        Trouble::Blocked => (t(Msg::StartBlocked), None),
        Trouble::Storage(error @ StoreError::Refused) => (words::storage(error), None),
        Trouble::Storage(error) => (words::storage(error), Some(reload())),
    };
    screen(Place::Start, t(Msg::AppName), failed(words, action), None)
}

/// A first start: the language, and a new shop or one that is there already.
pub fn first_start(was_here: bool) -> AnyView {
    let opening_new = RwSignal::new(false);
    let emptied = was_here.then(|| notice(true, t(Msg::StartHadOneEmptied), None));
    let choice = move || {
        if opening_new.get() {
            return new_shop();
        }
        view! {
            {emptied_question(was_here)}
            <div class="tight">
                <a
                    class="button big wide"
                    class:primary=was_here
                    href=Place::Join.to_string()
                >
                    {icon(Icon::Phone)}
                    {t(Msg::StartJoinShop)}
                </a>
                <button
                    type="button"
                    class="button big wide"
                    class:primary=!was_here
                    on:click=move |_| opening_new.set(true)
                >
                    {icon(Icon::Shop)}
                    {t(Msg::StartNewShop)}
                </button>
            </div>
        }
        .into_any()
    };
    let body = view! {
        <div class="stack">
            <div>
                <h2 class="welcome">{t(Msg::StartWelcome)}</h2>
                <p class="quiet">{t(Msg::StartAbout)}</p>
            </div>
            {language()}
            {emptied}
            {choice}
        </div>
    };
    screen(Place::Start, t(Msg::AppName), body.into_any(), None)
}

fn emptied_question(was_here: bool) -> Option<AnyView> {
    (!was_here).then(|| view! { <h2>{t(Msg::StartHadOne)}</h2> }.into_any())
}

/// Opening a shop on this phone, which needs no server.
fn new_shop() -> AnyView {
    let name = Value::new(None);
    let owner = Value::new(None);
    let device = Value::new(Some(&t(Msg::StartPhoneDefault)));
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(None);
    let ready = move || !busy.get() && !name.is_blank() && !owner.is_blank() && !device.is_blank();
    let open = move || {
        busy.set(true);
        wrong.set(None);
        let new = NewShop {
            name: name.signal().get_untracked(),
            owner: owner.signal().get_untracked(),
            device: device.signal().get_untracked(),
            language: i18n::current_untracked().of_shop,
        };
        spawn_local(async move {
            let opened = parts::open_new_shop(new).await;
            if let Err(words) = opened.unwrap_or_else(|NotHere| Err(t(Msg::ErrorPartMissing))) {
                busy.set(false);
                wrong.set(Some(words));
            }
        });
    };
    view! {
        <form
            class="stack"
            on:submit=move |event| {
                event.prevent_default();
                if ready() {
                    open();
                }
            }
        >
            <TextField
                label=t(Msg::StartShopName)
                value=name.signal()
                max_length=MAX_NAME_CHARS
                first=true
            />
            {owner.field(Msg::StartOwnerName, MAX_NAME_CHARS, Typing::Words, None)}
            {device.field(Msg::StartPhoneName, MAX_NAME_CHARS, Typing::Words, None)}
            {move || wrong.get().map(|words| notice(true, words, None))}
            <button type="submit" class="button primary big" disabled=move || !ready()>
                {icon(Icon::Book)}
                {move || t(if busy.get() { Msg::StartOpening } else { Msg::StartOpen })}
            </button>
        </form>
    }
    .into_any()
}

/// Begins a shop, or says why it cannot be.
pub async fn open_new_shop(new: NewShop) -> Result<(), String> {
    match create_shop(new).await {
        Ok(_) => Ok(()),
        Err(refused) => Err(refusal(&refused)),
    }
}

/// Why the shop could not be opened. There are no books yet whose names a text
/// could need.
fn refusal(refused: &Refused) -> String {
    match refused {
        Refused::Rules(Refusal::Rejected(rejection)) => {
            let facts = rejection.facts().into_iter();
            let facts: Vec<_> = facts
                .map(|(name, fact)| (name, words::plain_fact(fact)))
                .collect();
            coded("refusal", rejection.code(), &facts)
        }
        Refused::Rules(Refusal::Ask(_)) => t(Msg::ErrorTitle),
        Refused::Storage(error) => words::storage(error),
    }
}
