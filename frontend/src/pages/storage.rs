//! This phone's storage, and the export as the last resort.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{desk, words};
use crate::components::bars::screen;
use crate::components::icon::{Icon, icon};
use crate::components::states::{loading, notice};
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::store::start::APP_VERSION;
use crate::store::{Progress, Rebuilt, Storage};

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
            <div class="stack">{about(storage)} {super::history::coming()} {count_anew()} {export()}
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
    let wrong = (storage.wrong_snapshots > 0).then(|| {
        let n = storage.wrong_snapshots.into();
        notice(true, t(Msg::StorageCopiesWrong { n }), None)
    });
    let mended = (storage.mended > 0).then(|| {
        let n = storage.mended.into();
        notice(false, t(Msg::StorageMended { n }), None)
    });
    let n = storage.unconfirmed.into();
    view! {
        {kept}
        <p>{used}</p>
        <p>{t(Msg::StorageUnsent { n })}</p>
        {software_key}
        {wrong}
        {mended}
    }
    .into_any()
}

/// Counting everything anew, and what was found.
fn count_anew() -> AnyView {
    let at_work = RwSignal::new(None::<Progress>);
    let said = RwSignal::new(Vec::<(bool, String)>::new());
    let count = move |_| {
        said.set(Vec::new());
        at_work.set(Some(Progress::default()));
        spawn_local(async move {
            let progress = move |progress| {
                let _ = at_work.try_set(Some(progress));
            };
            let found = desk::shop().rebuild(progress).await;
            said.try_set(match found {
                Ok(Some(found)) => found_words(found),
                Ok(None) => vec![(false, t(Msg::HistoryWaits))],
                Err(error) => vec![(true, words::storage(&error))],
            });
            at_work.try_set(None);
        });
    };
    let bar = move || {
        at_work.get().map(|Progress { done, total }| {
            view! { <progress max=total.max(1).to_string() value=done.to_string()></progress> }
        })
    };
    view! {
        <section class="card">
            <h2>{t(Msg::StorageCount)}</h2>
            <p class="quiet">{t(Msg::StorageCountAbout)}</p>
            <button
                type="button"
                class="button"
                on:click=count
                disabled=move || at_work.with(Option::is_some)
            >
                {t(Msg::StorageCountNow)}
            </button>
            {bar}
            {move || {
                let said = said.get().into_iter();
                said.map(|(wrong, words)| notice(wrong, words, None)).collect::<Vec<_>>()
            }}
        </section>
    }
    .into_any()
}

fn found_words(found: Rebuilt) -> Vec<(bool, String)> {
    let counted = t(Msg::StorageCounted {
        n: found.entries as u64,
        sum: format!("{:08x}", found.checksum),
    });
    let mut said = vec![(false, counted)];
    if found.corrected > 0 {
        let n = found.corrected as u64;
        said.push((true, t(Msg::StorageCorrected { n })));
    } else if found.same {
        said.push((false, t(Msg::StorageSame)));
    } else {
        said.push((true, t(Msg::StorageOther)));
    }
    if found.uncounted > 0 {
        let n = found.uncounted;
        said.push((true, t(Msg::HomeNotCounted { n })));
    }
    said
}

/// A file with all that this phone holds.
pub(super) fn export() -> AnyView {
    let said = RwSignal::new(None::<(bool, String)>);
    let save = move |_| {
        spawn_local(async move {
            let words = match desk::shop().download_export().await {
                Ok(()) => (false, t(Msg::StorageExported)),
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
