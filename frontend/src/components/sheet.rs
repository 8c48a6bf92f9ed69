//! A dialog that comes from below. The browser's own `<dialog>` keeps the focus
//! inside and closes on Escape and on the phone's back gesture.

use leptos::html::Dialog;
use leptos::prelude::*;

use super::icon::{Icon, icon};
use crate::i18n::{Msg, t};

/// Shown as long as it is in the page; `on_close` takes it out.
#[component]
pub fn Sheet(
    /// What it is about.
    title: String,
    /// Called when it was closed, whichever way.
    on_close: Callback<()>,
    /// What stands in it.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    dialog.on_load(|dialog| {
        let _ = dialog.show_modal();
    });
    let name = title.clone();
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    // A click on the dialog itself, not on what it holds, is on the scrim.
    let on_scrim = move |event: web_sys::MouseEvent| {
        if event.target() == event.current_target() {
            close();
        }
    };
    view! {
        <dialog
            class="sheet"
            node_ref=dialog
            aria-label=name
            on:close=move |_| on_close.run(())
            on:click=on_scrim
        >
            <header>
                <h2>{title}</h2>
                <button
                    type="button"
                    class="icon-button"
                    aria-label=t(Msg::CommonClose)
                    on:click=move |_| close()
                >
                    {icon(Icon::Cross)}
                </button>
            </header>
            <div class="body">{children()}</div>
        </dialog>
    }
}

/// A sheet that asks before something is done: what will happen, and two
/// buttons of which only one does it.
#[component]
pub fn ConfirmSheet(
    /// The question.
    title: String,
    /// What will happen.
    words: String,
    /// The word on the button that does it.
    yes: String,
    /// Does it.
    on_yes: Callback<()>,
    /// Leaves everything as it is.
    on_close: Callback<()>,
) -> impl IntoView {
    view! {
        <Sheet title=title on_close=on_close>
            <p>{words}</p>
            <div class="side-by-side">
                <button type="button" class="button" on:click=move |_| on_close.run(())>
                    {t(Msg::CommonCancel)}
                </button>
                <button type="button" class="button primary" on:click=move |_| on_yes.run(())>
                    {yes}
                </button>
            </div>
        </Sheet>
    }
}
