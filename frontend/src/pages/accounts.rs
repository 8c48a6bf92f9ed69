//! What is wanted of a customer's page now and then: the advance, a debt that moves or is given
//! up, two pages of one person, a person who asks to be forgotten.

use leptos::prelude::*;
use shared::command::EraseCustomer;
use shared::ids::CustomerId;

use super::desk;
use super::doing::Doing;
use crate::components::icon::{Icon, icon};
use crate::components::rows::setting_row;
use crate::components::sheet::Sheet;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::parts::{Drawing, Part};
use crate::place::{EntryKind, Place};
use crate::platform::history;

/// The button that opens the sheet, and the sheet.
pub fn tool(id: CustomerId) -> AnyView {
    let opened = RwSignal::new(false);
    view! {
        <button type="button" class="button tool" on:click=move |_| opened.set(true)>
            {icon(Icon::Lines)}
            {t(Msg::NavMore)}
        </button>
        {move || opened.get().then(|| Part::Work.show(Drawing::Accounts(id, opened)))}
    }
    .into_any()
}

/// The sheet; closed by setting `opened` to false.
pub fn sheet(id: CustomerId, opened: RwSignal<bool>) -> AnyView {
    let close = Callback::new(move |()| opened.set(false));
    let erasing = RwSignal::new(false);
    let inside = move || match erasing.get() {
        true => erase(id),
        false => ways(id, erasing),
    };
    view! {
        <Sheet title=t(Msg::NavMore) on_close=close>
            {inside}
        </Sheet>
    }
    .into_any()
}

/// Only what makes sense as the customer stands.
fn ways(id: CustomerId, erasing: RwSignal<bool>) -> AnyView {
    let balance = desk::books_untracked(|books| books.ledger.balance(id));
    let owes = balance.khata.is_positive();
    let has_advance = balance.advance.is_positive();
    let entry = |kind, drawing, words| setting_row(Place::Entry(id, kind), drawing, words, None);
    let withdraw =
        has_advance.then(|| entry(EntryKind::Withdraw, Icon::Out, Msg::AccountsWithdraw));
    let settle =
        (owes && has_advance).then(|| entry(EntryKind::Settle, Icon::Tick, Msg::AccountsSettle));
    let debt = owes.then(|| {
        view! {
            {setting_row(Place::Move(id), Icon::Send, Msg::AccountsMove, None)}
            {entry(EntryKind::WriteOff, Icon::Cross, Msg::AccountsGiveUp)}
        }
    });
    view! {
        <div class="rows">
            {entry(EntryKind::Deposit, Icon::In, Msg::AccountsDeposit)}
            {withdraw}
            {settle}
            {debt}
            {setting_row(Place::Same(id), Icon::Person, Msg::AccountsSame, None)}
            <button type="button" class="row" on:click=move |_| erasing.set(true)>
                {icon(Icon::Delete)}
                <span class="what title">{t(Msg::AccountsErase)}</span>
            </button>
        </div>
    }
    .into_any()
}

/// Says what will be gone and what stays, and does it.
fn erase(id: CustomerId) -> AnyView {
    let doing = Doing::new();
    let yes = move |_| {
        doing.run(EraseCustomer { customer: id }, move |_| {
            toast::saved(t(Msg::AccountsErased));
            // This page bears the name.
            history::back(&Place::Khata.to_string());
        });
    };
    view! {
        <p>{t(Msg::AccountsEraseWords)}</p>
        {doing.view()}
        <button
            type="button"
            class="button primary big"
            disabled=move || doing.is_busy()
            on:click=yes
        >
            {t(Msg::AccountsErase)}
        </button>
    }
    .into_any()
}
