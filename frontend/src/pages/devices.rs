//! The phones of the shop: which they are, and taking one out.

use leptos::prelude::*;
use shared::command::{MAX_NAME_CHARS, NameDevice, RevokeDevice};
use shared::ids::DeviceNo;
use shared::query::device_name;

use super::doing::Doing;
use super::form::Value;
use super::{copies, desk, words};
use crate::components::bars::screen;
use crate::components::fields::Typing;
use crate::components::icon::{Icon, icon};
use crate::components::sheet::{ConfirmSheet, Sheet};
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::Place;

/// The screen.
pub fn devices() -> AnyView {
    let opened = RwSignal::new(None);
    let rows = move || {
        desk::books(|books| {
            let devices = books.ledger.devices.iter();
            devices
                // They are asked about above.
                .filter(|(_, device)| !device.is_unconfirmed_copy())
                .map(|(&no, device)| {
                    let mut note: Vec<String> = Vec::new();
                    if no == desk::this_device() {
                        note.push(t(Msg::DevicesThis));
                    }
                    note.extend(device.role.get().map(|role| words::role(*role)));
                    if device.is_revoked() {
                        note.push(t(Msg::DevicesRevoked));
                    }
                    let name = words::name(&device_name(books, no));
                    let open = Callback::new(move |()| opened.set(Some(no)));
                    device_row(name, note.join(" · "), open)
                })
                .collect::<Vec<AnyView>>()
        })
    };
    let body = view! {
        <div class="stack">
            {copies::questions()} <div class="rows">{rows}</div>
        </div>
        {move || opened.get().map(|no| device_sheet(no, opened))}
    };
    let foot = view! {
        <a class="button primary big" href=Place::Pair.to_string()>
            {icon(Icon::Plus)}
            {t(Msg::DevicesAdd)}
        </a>
    };
    screen(
        Place::Devices,
        t(Msg::MoreDevices),
        body.into_any(),
        Some(foot.into_any()),
    )
}

fn device_row(name: String, note: String, open: Callback<()>) -> AnyView {
    view! {
        <button type="button" class="row" on:click=move |_| open.run(())>
            {icon(Icon::Phone)}
            <span class="what">
                <span class="title">{name}</span>
                <span class="note">{note}</span>
            </span>
        </button>
    }
    .into_any()
}

fn device_sheet(no: DeviceNo, opened: RwSignal<Option<DeviceNo>>) -> AnyView {
    let (known_name, revoked) = desk::books_untracked(|books| {
        let device = books.ledger.devices.get(&no);
        let name = device_name(books, no).words().map(str::to_owned);
        (name, device.is_some_and(|device| device.is_revoked()))
    });
    let name = Value::new(known_name.as_deref());
    let asking = RwSignal::new(false);
    let doing = Doing::new();
    let close = Callback::new(move |()| opened.set(None));
    let done = move |_| {
        toast::saved(t(Msg::CommonSaved));
        close.run(());
    };
    let rename = move |_| match name.change() {
        Some(name) => doing.run(NameDevice { device: no, name }, done),
        None => close.run(()),
    };
    let revoke = (!revoked).then(|| {
        view! {
            <button type="button" class="button plain" on:click=move |_| asking.set(true)>
                {t(Msg::DevicesRevoke)}
            </button>
        }
    });
    let question = move || {
        asking.get().then(|| {
            view! {
                <ConfirmSheet
                    title=t(Msg::DevicesRevoke)
                    words=t(Msg::DevicesRevokeWords)
                    yes=t(Msg::DevicesRevoke)
                    on_yes=Callback::new(move |()| {
                        asking.set(false);
                        doing.run(RevokeDevice { device: no }, done);
                    })
                    on_close=Callback::new(move |()| asking.set(false))
                />
            }
        })
    };
    view! {
        <Sheet title=known_name.unwrap_or_default() on_close=close>
            {name.field(Msg::StartPhoneName, MAX_NAME_CHARS, Typing::Words, None)} {doing.view()}
            <button
                type="button"
                class="button primary big"
                disabled=move || doing.is_busy() || name.is_blank()
                on:click=rename
            >
                {icon(Icon::Tick)}
                {t(Msg::EntrySave)}
            </button>
            {revoke}
            {question}
        </Sheet>
    }
    .into_any()
}
