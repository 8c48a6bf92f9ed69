//! Phones that were copied, or came back from an older copy, and have written on: what such a phone
//! says of itself, and the question to the owner.

use leptos::prelude::*;
use shared::command::{MAX_NAME_CHARS, RevokeDevice};
use shared::query::{CopiedDevice, copies};

use super::doing::Doing;
use super::form::Value;
use super::{desk, words};
use crate::components::fields::Typing;
use crate::components::icon::{Icon, icon};
use crate::components::sheet::ConfirmSheet;
use crate::components::states::notice;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::store::Books;

/// On a phone that was a copy, until the owner has confirmed it.
pub fn strip() -> AnyView {
    let is_copy = Memo::new(|_| desk::shop().with(Books::is_unconfirmed_copy));
    let shown = move || is_copy.get().then(|| notice(false, t(Msg::CopyHere), None));
    view! { <aside class="notices no-print">{shown}</aside> }.into_any()
}

/// The question about each copy that waits for the owner's word.
pub fn questions() -> AnyView {
    let waiting = Memo::new(|_| desk::books(copies));
    let doing = Doing::new();
    let cards = move || {
        let waiting = waiting.get().into_iter();
        waiting
            .map(|copy| question(copy, doing))
            .collect::<Vec<AnyView>>()
    };
    view! {
        {doing.view()}
        {cards}
    }
    .into_any()
}

fn question(copy: CopiedDevice, doing: Doing) -> AnyView {
    let device = copy.device;
    let copied = words::name(&copy.name);
    let when = format!("{} {}", copy.latest.day(), words::clock(copy.latest));
    // It stands beside the copied phone in the list.
    let name = Value::new(Some(&format!("{copied} 2")));
    let asking = RwSignal::new(false);
    let saved = |_| toast::saved(t(Msg::CommonSaved));
    let keep = move |_| {
        let name = name.typed().unwrap_or_default();
        if let Some(command) = desk::books_untracked(|books| copy.keep(books, name)) {
            doing.run(command, saved);
        }
    };
    let sure = move || {
        asking.get().then(|| {
            view! {
                <ConfirmSheet
                    title=t(Msg::DevicesRevoke)
                    words=t(Msg::DevicesRevokeWords)
                    yes=t(Msg::DevicesRevoke)
                    on_yes=Callback::new(move |()| {
                        asking.set(false);
                        doing.run(RevokeDevice { device }, saved);
                    })
                    on_close=Callback::new(move |()| asking.set(false))
                />
            }
        })
    };
    view! {
        <section class="card">
            <h2>{icon(Icon::Phone)} " " {copied}</h2>
            <p>{t(Msg::CopyQuestion { when })}</p>
            {name.field(Msg::StartPhoneName, MAX_NAME_CHARS, Typing::Words, None)}
            <div class="side-by-side">
                <button
                    type="button"
                    class="button"
                    disabled=move || doing.is_busy()
                    on:click=move |_| asking.set(true)
                >
                    {t(Msg::DevicesRevoke)}
                </button>
                <button
                    type="button"
                    class="button primary"
                    disabled=move || doing.is_busy() || name.is_blank()
                    on:click=keep
                >
                    {t(Msg::PairLetIn)}
                </button>
            </div>
            {sure}
        </section>
    }
    .into_any()
}
