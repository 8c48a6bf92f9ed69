//! The server's log is not the one that this phone has read: what happened, that nothing is lost,
//! what to do.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::event::Role;
use shared::sync::engine::{Activity, Rewritten, Stop};

use super::{desk, storage, words};
use crate::components::bars::screen;
use crate::components::sheet::ConfirmSheet;
use crate::components::states::notice;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::net::returning::{Seen, let_go_on, look};
use crate::place::Place;
use crate::store::Shop;

/// How this phone saw it, if it did; tracked.
fn seen() -> Option<(Rewritten, u64)> {
    let status = desk::shop().contact().status;
    match status.activity {
        Activity::Stopped(Stop::LogRewritten(how)) => Some((how, status.position)),
        _ => None,
    }
}

/// The strip that stands on the main screens as long as it is so.
pub fn strip(place: Memo<Option<Place>>) -> AnyView {
    let is_seen = Memo::new(|_| seen().is_some());
    let shown = move || {
        let here = place
            .get()
            .is_some_and(|place| place.is_main() || place == Place::Sync);
        (is_seen.get() && here).then(|| {
            let open = view! {
                <a class="button" href=Place::Conflict.to_string()>
                    {t(Msg::ConflictOpen)}
                </a>
            };
            let words = notice(true, t(Msg::ConflictNotice), Some(open.into_any()));
            view! { <div role="alert">{words}</div> }
        })
    };
    view! { <aside class="notices no-print">{shown}</aside> }.into_any()
}

/// The screen.
pub fn conflict() -> AnyView {
    let shop = desk::shop();
    let is_owner = shop.peek(|books| books.identity.role == Role::Owner);
    let for_host = move || {
        seen().map(|(how, n)| {
            let reason = t(reason(how, n));
            view! { <p class="quiet small">{t(Msg::ConflictForHost { reason })}</p> }
        })
    };
    let body = view! {
        <div class="stack">
            <section class="card">
                <h2>{t(Msg::ConflictWhat)}</h2>
                <p>{t(Msg::ConflictWhatAbout)}</p>
                <h2>{t(Msg::ConflictSafe)}</h2>
                <p>{t(Msg::ConflictSafeAbout)}</p>
                <h2>{t(Msg::ConflictDo)}</h2>
                <ol class="steps">
                    <li>{t(Msg::ConflictDoSave)}</li>
                    <li>{t(Msg::ConflictDoAsk)}</li>
                    <li>{t(Msg::ConflictDoAgain)}</li>
                </ol>
                {for_host}
            </section>
            {storage::export()}
            {is_owner.then(|| go_on(shop))}
            <button type="button" class="button" on:click=move |_| shop.sync_now()>
                {t(Msg::ConflictAgain)}
            </button>
        </div>
    };
    screen(
        Place::Conflict,
        t(Msg::ConflictTitle),
        body.into_any(),
        None,
    )
}

/// The owner sees what the server lacks, and lets its khata go on.
fn go_on(shop: Shop) -> AnyView {
    let seen = RwSignal::new_local(None::<Seen>);
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(None::<String>);
    let ask = move |confirmed: Option<Seen>| {
        busy.set(true);
        wrong.set(None);
        spawn_local(async move {
            let done = match confirmed {
                None => look(shop).await.map(|found| seen.set(Some(found))),
                Some(found) => let_go_on(shop, &found)
                    .await
                    .map(|()| toast::saved(t(Msg::ConflictOwnerDone))),
            };
            wrong.try_set(done.err().map(|error| words::pairing(&error)));
            busy.try_set(false);
        });
    };
    let confirm = move || {
        let n = seen.with(|seen| seen.as_ref().map(|seen| seen.lacking))?;
        let on_yes = Callback::new(move |()| ask(seen.write().take()));
        let on_close = Callback::new(move |()| seen.set(None));
        Some(view! {
            <ConfirmSheet
                title=t(Msg::ConflictOwnerTitle)
                words=t(Msg::ConflictOwnerWords { n })
                yes=t(Msg::ConflictOwnerYes)
                on_yes
                on_close
            />
        })
    };
    view! {
        <section class="card">
            <h2>{t(Msg::ConflictOwner)}</h2>
            <p class="quiet">{t(Msg::ConflictOwnerAbout)}</p>
            <button
                type="button"
                class="button"
                disabled=move || busy.get()
                on:click=move |_| ask(None)
            >
                {t(Msg::ConflictOwnerLook)}
            </button>
            {move || wrong.get().map(|words| notice(true, words, None))}
            {confirm}
        </section>
    }
    .into_any()
}

/// For people who look after servers.
fn reason(how: Rewritten, n: u64) -> Msg {
    match how {
        Rewritten::Shorter | Rewritten::OwnEventsGone => Msg::ConflictShorter { n },
        Rewritten::BadSignature => Msg::ConflictUnsigned,
        Rewritten::OtherGeneration => Msg::ConflictNewLog,
        Rewritten::OtherRoot
        | Rewritten::NotDense
        | Rewritten::BadChunk
        | Rewritten::UnknownDevice => Msg::ConflictDiffers { n },
    }
}
