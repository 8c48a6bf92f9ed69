//! The chip that always says whether everything is safe, and the sheet behind it.

use leptos::prelude::*;
use shared::sync::engine::{Activity, Problem, Rewritten, Stop, SyncStatus};

use super::ago::ago;
use super::icon::{Icon, little_icon};
use super::sheet::Sheet;
use crate::i18n::{Msg, t};
use crate::parts::{Drawing, Part};
use crate::platform::clock::now_ms;
use crate::store::Shop;

/// The chip.
pub fn sync_chip(shop: Shop) -> AnyView {
    let open = RwSignal::new(false);
    let chip = move || {
        let (drawing, attention, words) = short(&shop.contact().status);
        view! {
            <span class="sync-chip" class:attention=attention>
                {little_icon(drawing)}
                {words}
            </span>
        }
    };
    let sheet = move || {
        open.get().then(|| {
            let close = Callback::new(move |()| open.set(false));
            view! {
                <Sheet title=t(Msg::SyncTitle) on_close=close>
                    {Part::Work.show(Drawing::Contact)}
                </Sheet>
            }
        })
    };
    view! {
        <button
            type="button"
            class="chip-button"
            aria-haspopup="dialog"
            on:click=move |_| open.set(true)
        >
            {chip}
        </button>
        {sheet}
    }
    .into_any()
}

fn short(status: &SyncStatus) -> (Icon, bool, String) {
    let n = u64::from(status.waiting);
    let waiting = || match n {
        0 => t(Msg::SyncSavedShort),
        n => t(Msg::SyncWaiting { n }),
    };
    match status.activity {
        Activity::Alone => (Icon::Tick, false, t(Msg::SyncSavedShort)),
        Activity::Settled => (Icon::Confirmed, false, t(Msg::SyncAllSent)),
        Activity::Syncing => (Icon::Send, false, waiting()),
        Activity::Waiting if has_server(status) => (Icon::Waits, false, waiting()),
        Activity::Waiting => match n {
            0 => (Icon::Waits, true, t(Msg::SyncAlone)),
            n => (Icon::Waits, true, t(Msg::SyncAloneWaiting { n })),
        },
        Activity::Stopped(_) => (Icon::Warning, true, t(Msg::SyncProblem)),
    }
}

/// The server is there, and has only to be asked again.
const fn has_server(status: &SyncStatus) -> bool {
    matches!(
        status.problem,
        None | Some(Problem::Busy { .. } | Problem::Recovering { .. })
    )
}

/// The state in whole sentences, with the last error, the last contact and "Send
/// now".
pub fn sync_details(shop: Shop) -> AnyView {
    let details = move || {
        let contact = shop.contact();
        let status = contact.status;
        let about = match status.activity {
            Activity::Alone => Msg::SyncAboutSaved,
            Activity::Settled => Msg::SyncAboutAllSent,
            Activity::Syncing => Msg::SyncAboutSending,
            Activity::Waiting if has_server(&status) => Msg::SyncAboutSoon,
            Activity::Waiting => Msg::SyncAboutAlone,
            Activity::Stopped(_) => Msg::SyncAboutProblem,
        };
        let waiting = (status.waiting > 0).then(|| {
            let n = status.waiting.into();
            view! { <p>{t(Msg::SyncAboutWaiting { n })}</p> }
        });
        let problem = match (status.activity, status.problem) {
            (Activity::Stopped(stop), _) => Some(stopped(stop)),
            (_, problem) => problem.map(passing),
        };
        let problem =
            problem.map(|words| view! { <div class="notice attention"><p>{t(words)}</p></div> });
        let is_connected = status.activity != Activity::Alone;
        let server = is_connected.then(|| {
            let when = match contact.last_answer {
                Some(at) => ago(at.0, now_ms()),
                None => t(Msg::SyncNever),
            };
            view! {
                <p class="quiet small">{t(Msg::SyncLastContact { when })}</p>
                <button type="button" class="button" on:click=move |_| shop.sync_now()>
                    {t(Msg::SyncNow)}
                </button>
            }
        });
        view! {
            <p>{t(about)}</p>
            {waiting}
            {problem}
            {server}
        }
    };
    details.into_any()
}

/// What passes by itself.
fn passing(problem: Problem) -> Msg {
    match problem {
        Problem::Offline => Msg::SyncOffline,
        Problem::Unreachable | Problem::TimedOut => Msg::SyncUnreachable,
        Problem::Busy { retry_after_ms } => Msg::SyncBusy {
            n: retry_after_ms.div_ceil(1000).into(),
        },
        Problem::Recovering { .. } => Msg::SyncRecovering,
        Problem::NotOurServer => Msg::SyncNotOurServer,
        Problem::ServerFault | Problem::Stalled => Msg::SyncServerFault,
        Problem::Refused | Problem::SignatureRefused => Msg::SyncRefused,
        Problem::CannotSign => Msg::SyncCannotSign,
        Problem::CannotStore => Msg::SyncCannotStore,
    }
}

/// What needs a person.
fn stopped(stop: Stop) -> Msg {
    match stop {
        Stop::NotKnown | Stop::NotEnrolled => Msg::SyncNotKnown,
        Stop::Revoked => Msg::SyncRevoked,
        Stop::Forked => Msg::SyncForked,
        Stop::UpdateNeeded => Msg::SyncUpdateNeeded,
        Stop::LogRewritten(Rewritten::Shorter) => Msg::SyncLogShorter,
        Stop::LogRewritten(_) => Msg::SyncLogRewritten,
    }
}
