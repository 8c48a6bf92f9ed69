//! The khata that a phone had before it joined another shop: the question whether to bring it, how
//! far it has come, and what to do with it then.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::command::Refusal;

use super::{desk, words};
use crate::components::bars::screen;
use crate::components::icon::{Icon, icon};
use crate::components::sheet::ConfirmSheet;
use crate::components::states::notice;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::store::{Arrived, Coming, Progress, Refused, Shop};

/// What this phone has of its own, and whether to bring it into the shop of the code.
pub fn question(own: Shop) -> AnyView {
    let held = move || {
        let tally = own.tally();
        let (entries, customers) = (tally.entries.into(), tally.customers.into());
        let unsent = own.unsent_entries();
        view! {
            <p>
                <strong>{desk::shop_name()}</strong>
                {": "}
                {t(Msg::OldEntries { n: entries })}
                {", "}
                {t(Msg::OldCustomers { n: customers })}
            </p>
            <p class="quiet small">{t(Msg::StorageUnsent { n: unsent })}</p>
        }
    };
    view! {
        <section class="card">
            <h2>{t(Msg::OldHere)}</h2>
            {held}
        </section>
        <h2>{t(Msg::OldQuestion)}</h2>
        <p class="quiet">{t(Msg::OldAbout)}</p>
        <a class="button" href=Place::Storage.to_string()>
            {t(Msg::StorageExport)}
        </a>
    }
    .into_any()
}

/// The strip on the khata as long as the old one is on this phone.
pub fn strip() -> AnyView {
    let shop = desk::shop();
    let shown = move || {
        let coming = shop.old_khata()?;
        let bar = match coming {
            Coming::Writing(Progress { done, total }) => Some(view! {
                <progress max=total.max(1).to_string() value=done.to_string()></progress>
            }),
            _ => None,
        };
        let open = matches!(coming, Coming::Arrived(_) | Coming::Stuck(_)).then(|| {
            view! {
                <a class="button" href=Place::OldKhata.to_string()>
                    {t(Msg::OldOpen)}
                </a>
            }
        });
        let action = view! {
            {bar}
            {open}
        };
        let attention = matches!(coming, Coming::Stuck(_));
        Some(notice(attention, said(&coming), Some(action.into_any())))
    };
    view! { <aside class="notices no-print">{shown}</aside> }.into_any()
}

fn said(coming: &Coming) -> String {
    match coming {
        Coming::Writing(Progress { done, total }) => t(Msg::OldComing {
            done: done.to_string(),
            total: total.to_string(),
        }),
        Coming::Sending(n) => t(Msg::OldSending { n: (*n).into() }),
        Coming::Arrived(arrived) => t(Msg::OldArrived {
            n: arrived.tally.entries.into(),
        }),
        Coming::Stuck(refused) => {
            let why = match refused {
                Refused::Rules(Refusal::Rejected(rejection)) => {
                    desk::books_untracked(|books| words::rejection(books, rejection))
                }
                // Nothing is asked of what has happened already.
                Refused::Rules(Refusal::Ask(_)) => String::new(),
                Refused::Storage(error) => words::storage(error),
            };
            t(Msg::OldStuck { why })
        }
    }
}

/// The screen.
pub fn old_khata() -> AnyView {
    let shop = desk::shop();
    let saying = RwSignal::new(None::<(bool, String)>);
    let body = move || {
        let Some(coming) = shop.old_khata() else {
            return view! { <p>{t(Msg::OldNone)}</p> }.into_any();
        };
        let stays = match &coming {
            Coming::Arrived(arrived) => Some(stays_behind(arrived)),
            _ => None,
        };
        let has_arrived = stays.is_some();
        view! {
            <div class="stack">
                {notice(!has_arrived, said(&coming), None)}
                {stays}
                {keep(shop, saying)}
                {has_arrived.then(|| remove(shop, saying))}
                {move || saying.get().map(|(wrong, words)| notice(wrong, words, None))}
            </div>
        }
        .into_any()
    };
    screen(Place::OldKhata, t(Msg::OldTitle), body.into_any(), None)
}

/// What did not come, each kind with its number.
fn stays_behind(arrived: &Arrived) -> AnyView {
    let (tally, missing) = (arrived.tally, arrived.missing);
    let line = |n: u32, words: fn(u64) -> Msg| {
        (n > 0).then(|| view! { <li>{t(words(n.into()))}</li> }.into_any())
    };
    let lines = [
        line(missing.for_manager, |n| Msg::OldForManager { n }),
        line(missing.other, |n| Msg::OldMissing { n }),
        line(tally.uncounted, |n| Msg::OldUncounted { n }),
        line(tally.unreadable, |n| Msg::OldUnreadable { n }),
        line(tally.staff, |n| Msg::OldStaff { n }),
        line(tally.sent, |n| Msg::OldSent { n }),
        line(tally.decisions, |n| Msg::OldDecisions { n }),
    ];
    view! {
        <section class="card">
            <h2>{t(Msg::OldStays)}</h2>
            <ul>
                <li>{t(Msg::OldSettings)}</li>
                {lines}
            </ul>
        </section>
    }
    .into_any()
}

/// The way back: the old khata as a file.
fn keep(shop: Shop, saying: RwSignal<Option<(bool, String)>>) -> AnyView {
    let save = move |_| {
        spawn_local(async move {
            let words = match shop.download_old_khata().await {
                Ok(()) => (false, t(Msg::StorageExported)),
                Err(error) => (true, words::storage(&error)),
            };
            saying.try_set(Some(words));
        });
    };
    view! {
        <p>{t(Msg::OldKept)}</p>
        <button type="button" class="button" on:click=save>
            {icon(Icon::Send)}
            {t(Msg::StorageExportNow)}
        </button>
    }
    .into_any()
}

fn remove(shop: Shop, saying: RwSignal<Option<(bool, String)>>) -> AnyView {
    let asking = RwSignal::new(false);
    let close = Callback::new(move |()| asking.set(false));
    let yes = Callback::new(move |()| {
        asking.set(false);
        spawn_local(async move {
            if let Err(error) = shop.remove_old_khata().await {
                saying.try_set(Some((true, words::storage(&error))));
            }
        });
    });
    let question = move || {
        asking.get().then(|| {
            view! {
                <ConfirmSheet
                    title=t(Msg::OldRemove)
                    words=t(Msg::OldRemoveWords)
                    yes=t(Msg::OldRemove)
                    on_yes=yes
                    on_close=close
                />
            }
        })
    };
    view! {
        <button type="button" class="button plain" on:click=move |_| asking.set(true)>
            {t(Msg::OldRemove)}
        </button>
        {question}
    }
    .into_any()
}
