//! This phone's storage, and the export as the last resort.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{desk, words};
use crate::components::bars::screen;
use crate::components::icon::{Icon, icon};
use crate::components::states::{loading, notice};
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::store::Storage;
use crate::store::start::APP_VERSION;

/// Bytes of a megabyte, as phones count them.
const MEGABYTE: u64 = 1_000_000;

/// The screen.
pub fn storage() -> AnyView {
    let known = RwSignal::new(None::<Storage>);
    spawn_local(async move {
        let storage = desk::shop().storage().await;
        known.try_set(Some(storage));
    });
    let body = move || match known.get() {
        None => loading(),
        Some(storage) => view! {
            <div class="stack">{about(storage)} {export()}
                <p class="quiet small">{t(Msg::StorageVersion { version: APP_VERSION.into() })}</p>
            </div>
        }
        .into_any(),
    };
    screen(Place::Storage, t(Msg::MoreStorage), body.into_any(), None)
}

fn about(storage: Storage) -> AnyView {
    let space = storage.space;
    let kept = match space.persisted {
        Some(true) => notice(false, t(Msg::StorageKept), None),
        Some(false) | None => notice(true, t(Msg::NoticeNotPersistent), None),
    };
    let megabytes = |bytes: u64| bytes.div_ceil(MEGABYTE).to_string();
    let used = space
        .used_bytes
        .zip(space.quota_bytes)
        .map(|(used, quota)| {
            t(Msg::StorageUsed {
                used: megabytes(used),
                quota: megabytes(quota),
            })
        });
    let software_key = storage
        .software_key
        .then(|| notice(true, t(Msg::StorageSoftwareKey), None));
    let n = storage.unconfirmed.into();
    view! {
        {kept}
        <p>{used}</p>
        <p>{t(Msg::StorageUnsent { n })}</p>
        {software_key}
    }
    .into_any()
}

/// A file with what no server has.
fn export() -> AnyView {
    let said = RwSignal::new(None::<(bool, String)>);
    let save = move |_| {
        spawn_local(async move {
            let words = match desk::shop().download_unsent().await {
                Ok(true) => (false, t(Msg::StorageExported)),
                Ok(false) => (false, t(Msg::StorageNothingToExport)),
                Err(error) => (true, words::storage(&error)),
            };
            said.try_set(Some(words));
        });
    };
    view! {
        <section class="card">
            <h2>{t(Msg::StorageExport)}</h2>
            <p class="quiet">{t(Msg::StorageExportAbout)}</p>
            <button type="button" class="button" on:click=save>
                {icon(Icon::Send)}
                {t(Msg::StorageExportNow)}
            </button>
            {move || said.get().map(|(wrong, words)| notice(wrong, words, None))}
        </section>
    }
    .into_any()
}
