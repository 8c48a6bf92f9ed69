//! A word at the foot of the screen after something was done.

use std::time::Duration;

use leptos::prelude::*;

use super::icon::drawn_tick;
use crate::platform::buzz;

/// How long a toast stays.
const STAY: Duration = Duration::from_secs(3);

thread_local! {
    static TOAST: ArcRwSignal<Option<(u32, String)>> = ArcRwSignal::new(None);
}

/// Says that something was saved: words, a tick drawn once, a short buzz. To be
/// called only when it is on disk.
pub fn saved(words: String) {
    buzz();
    let toast = TOAST.with(Clone::clone);
    let turn = toast
        .get_untracked()
        .map_or(0, |(turn, _)| turn.wrapping_add(1));
    toast.set(Some((turn, words)));
    set_timeout(
        move || {
            if matches!(toast.get_untracked(), Some((shown, _)) if shown == turn) {
                toast.set(None);
            }
        },
        STAY,
    );
}

/// The place of toasts; once in the app.
pub fn toasts() -> AnyView {
    let toast = TOAST.with(Clone::clone);
    view! {
        <div role="status">
            {move || {
                toast.get().map(|(_, words)| view! { <p class="toast">{drawn_tick()} {words}</p> })
            }}
        </div>
    }
    .into_any()
}
