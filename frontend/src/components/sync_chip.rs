//! The chip that always says whether everything is safe, and the sheet behind it.

use leptos::prelude::*;

use super::ago::ago;
use super::icon::{Icon, little_icon};
use super::sheet::Sheet;
use crate::i18n::{Msg, t};
use crate::platform::clock::now_ms;

/// Where the entries of this phone are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// On this phone only; the shop has no server.
    OnlyHere,
    /// Everything is on the server too.
    AllSent,
    /// This many entries wait for their turn.
    Waiting(u64),
    /// A batch is on its way; this many are not confirmed yet.
    Sending(u64),
    /// No connection; this many entries wait.
    Alone(u64),
    /// A person has to look; this many entries wait.
    Problem(u64),
}

/// What the chip and its sheet show. The sync engine sets it, through a
/// `RwSignal<SyncStatus>` in the context of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStatus {
    /// Where the entries are.
    pub state: SyncState,
    /// The last error, in words.
    pub problem: Option<Msg>,
    /// When the server last answered, by this phone's clock, ms since 1970.
    pub last_contact_ms: Option<i64>,
}

impl SyncStatus {
    /// A shop that has no server.
    pub const ONLY_HERE: Self = Self {
        state: SyncState::OnlyHere,
        problem: None,
        last_contact_ms: None,
    };
}

/// What "Send now" does; in the context of the app.
#[derive(Clone, Copy)]
pub struct SyncNow(pub Callback<()>);

/// The chip.
#[component]
pub fn SyncChip() -> impl IntoView {
    let status = expect_context::<RwSignal<SyncStatus>>();
    let open = RwSignal::new(false);
    let chip = move || {
        let (drawing, attention, words) = short(status.get().state);
        view! {
            <span class="sync-chip" class:attention=attention>
                {little_icon(drawing)}
                {words}
            </span>
        }
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
        {move || {
            open.get()
                .then(|| {
                    view! {
                        <Sheet
                            title=t(Msg::SyncTitle)
                            on_close=Callback::new(move |()| open.set(false))
                        >
                            {sync_details()}
                        </Sheet>
                    }
                })
        }}
    }
}

fn short(state: SyncState) -> (Icon, bool, String) {
    let waiting = |n| match n {
        0 => String::new(),
        n => format!(" · {}", t(Msg::SyncWaiting { n })),
    };
    match state {
        SyncState::OnlyHere => (Icon::Tick, false, t(Msg::SyncSavedShort)),
        SyncState::AllSent => (Icon::Confirmed, false, t(Msg::SyncAllSent)),
        SyncState::Waiting(n) => (Icon::Waits, false, t(Msg::SyncWaiting { n })),
        SyncState::Sending(_) => (Icon::Send, false, t(Msg::SyncSending)),
        SyncState::Alone(n) => (Icon::Waits, true, t(Msg::SyncAlone) + &waiting(n)),
        SyncState::Problem(_) => (Icon::Warning, true, t(Msg::SyncProblem)),
    }
}

/// The state in whole sentences, with the last error and "Send now".
pub fn sync_details() -> AnyView {
    let status = expect_context::<RwSignal<SyncStatus>>();
    let now = expect_context::<SyncNow>();
    let details = move || {
        let status = status.get();
        let (about, waiting) = match status.state {
            SyncState::OnlyHere => (Msg::SyncAboutSaved, 0),
            SyncState::AllSent => (Msg::SyncAboutAllSent, 0),
            SyncState::Waiting(n) => (Msg::SyncAboutWaiting { n }, 0),
            SyncState::Sending(n) => (Msg::SyncAboutSending, n),
            SyncState::Alone(n) => (Msg::SyncAboutAlone, n),
            SyncState::Problem(n) => (Msg::SyncAboutProblem, n),
        };
        let when = match status.last_contact_ms {
            Some(at_ms) => ago(at_ms, now_ms()),
            None => t(Msg::SyncNever),
        };
        let has_server = status.state != SyncState::OnlyHere;
        view! {
            <p>{t(about)}</p>
            {(waiting > 0).then(|| view! { <p>{t(Msg::SyncAboutWaiting { n: waiting })}</p> })}
            {status
                .problem
                .map(|problem| view! { <div class="notice attention"><p>{t(problem)}</p></div> })}
            {has_server
                .then(|| {
                    view! {
                        <p class="quiet small">{t(Msg::SyncLastContact { when })}</p>
                        <button type="button" class="button" on:click=move |_| now.0.run(())>
                            {t(Msg::SyncNow)}
                        </button>
                    }
                })}
        }
    };
    details.into_any()
}
