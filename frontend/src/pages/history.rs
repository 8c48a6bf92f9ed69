//! While older entries are on their way into the books.

use leptos::prelude::*;
use shared::ids::CustomerId;

use super::{desk, words};
use crate::components::bars::screen;
use crate::components::states::notice;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::store::{History, Progress};

/// Is all of the shop's past in the books? Tracked.
pub fn is_here() -> bool {
    desk::shop().history() == History::Here
}

/// Is all of a customer's past in the books? If not, it is looked for. Tracked, and only when that
/// changes.
pub fn is_here_of(customer: CustomerId) -> Memo<bool> {
    Memo::new(move |_| desk::shop().knows(customer))
}

/// How far older entries are; nothing once they are here.
pub fn coming() -> AnyView {
    let shown = move || match desk::shop().history() {
        History::Here => None,
        History::Coming(progress) => {
            let Progress { done, total } = progress;
            let bar =
                view! { <progress max=total.max(1).to_string() value=done.to_string()></progress> };
            let words = t(Msg::HistoryComing {
                done: done.to_string(),
                total: total.to_string(),
            });
            Some(notice(false, words, Some(bar.into_any())))
        }
        History::Unreadable(error) => {
            let words = format!("{} {}", t(Msg::HistoryUnreadable), words::storage(&error));
            Some(notice(true, words, None))
        }
    };
    view! { {shown} }.into_any()
}

/// A screen that looks back, until it can.
pub fn waiting(place: Place) -> AnyView {
    let body = view! {
        <div class="stack">
            {coming()} <p class="quiet">{t(Msg::HistoryWaits)}</p>
        </div>
    };
    screen(place, t(Msg::NavKhata), body.into_any(), None)
}
