//! Empty, loading, wrong: designed states, the same on every screen.

use leptos::prelude::*;

use super::icon::{Icon, icon};
use crate::i18n::{Msg, t};

/// Nothing is here yet: what that means, and the first step.
pub fn empty(drawing: Icon, title: String, next: String, action: Option<AnyView>) -> AnyView {
    view! {
        <div class="state-page">
            {icon(drawing)} <h2>{title}</h2> <p class="quiet">{next}</p> {action}
        </div>
    }
    .into_any()
}

/// Something did not work: what happened, that nothing is lost, what to do.
pub fn failed(words: String, action: Option<AnyView>) -> AnyView {
    view! {
        <div class="state-page" role="alert">
            {icon(Icon::Warning)} <h2>{t(Msg::ErrorTitle)}</h2> <p>{words}</p>
            <p>{t(Msg::ErrorNothingLost)}</p> {action}
        </div>
    }
    .into_any()
}

/// The shape of the rows that are on their way, with words for those who
/// cannot see them.
pub fn loading() -> AnyView {
    let bones: Vec<AnyView> = (0..6).map(|_| view! { <div></div> }.into_any()).collect();
    view! {
        <p class="quiet" role="status">{t(Msg::CommonLoading)}</p>
        <div class="bones" aria-hidden="true">{bones}</div>
    }
    .into_any()
}

/// A strip with something to know and perhaps something to do.
pub fn notice(attention: bool, words: String, action: Option<AnyView>) -> AnyView {
    view! {
        <div class="notice" class:attention=attention>
            <p>{words}</p>
            {action}
        </div>
    }
    .into_any()
}
