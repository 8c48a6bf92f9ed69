//! The server's log is not the one that this phone has read: what happened, that nothing is lost,
//! what to do.

use leptos::prelude::*;
use shared::sync::engine::{Activity, Rewritten, Stop};

use super::{desk, storage};
use crate::components::bars::screen;
use crate::components::states::notice;
use crate::i18n::{Msg, t};
use crate::place::Place;

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
