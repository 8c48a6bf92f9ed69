//! The server: how the sync stands, and giving the shop a server.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::form::Value;
use super::{desk, words};
use crate::components::bars::screen;
use crate::components::fields::Typing;
use crate::components::states::notice;
use crate::components::sync_chip::sync_details;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::net::pairing::claim;
use crate::place::Place;
use crate::store::Books;

/// Longer than any claim code.
const MAX_CODE_CHARS: usize = 60;

/// The screen.
pub fn server() -> AnyView {
    let shop = desk::shop();
    let has_server = Memo::new(move |_| shop.with(|books| books.identity.server.is_some()));
    let about = move || match has_server.get() {
        true => shop.peek(|books| {
            let server = books.identity.server.as_ref();
            let address = server.map(|server| server.url.clone()).unwrap_or_default();
            view! { <p class="quiet small">{t(Msg::SyncServerAt { address })}</p> }.into_any()
        }),
        false => view! {
            {claiming()}
            <section class="card">
                <h2>{t(Msg::JoinTitle)}</h2>
                <p class="quiet">{t(Msg::OldJoinAbout)}</p>
                <a class="button" href=Place::Join.to_string()>
                    {t(Msg::JoinTitle)}
                </a>
            </section>
        }
        .into_any(),
    };
    let is_copy = Memo::new(move |_| shop.with(Books::is_unconfirmed_copy));
    let body = view! {
        <div class="stack">
            {move || is_copy.get().then(|| notice(false, t(Msg::CopyHere), None))}
            <section class="card">{sync_details(shop)}</section>
            {about}
        </div>
    };
    screen(Place::Sync, t(Msg::MoreSync), body.into_any(), None)
}

/// The owner gives the shop its server, with the code that the server printed.
fn claiming() -> AnyView {
    let code = Value::new(None);
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(None::<String>);
    let ready = move || !busy.get() && !code.is_blank();
    let start = move || {
        busy.set(true);
        wrong.set(None);
        let typed = code.signal().get_untracked();
        spawn_local(async move {
            match claim(desk::shop(), &typed).await {
                Ok(()) => toast::saved(t(Msg::ClaimDone)),
                Err(error) => wrong.set(Some(words::pairing(&error))),
            }
            busy.set(false);
        });
    };
    view! {
        <form
            class="card"
            on:submit=move |event| {
                event.prevent_default();
                if ready() {
                    start();
                }
            }
        >
            <h2>{t(Msg::ClaimTitle)}</h2>
            <p class="quiet">{t(Msg::ClaimAbout)}</p>
            {code.field(Msg::ClaimCode, MAX_CODE_CHARS, Typing::Code, None)}
            {move || wrong.get().map(|words| notice(true, words, None))}
            <button type="submit" class="button primary" disabled=move || !ready()>
                {t(Msg::ClaimConnect)}
            </button>
        </form>
    }
    .into_any()
}
