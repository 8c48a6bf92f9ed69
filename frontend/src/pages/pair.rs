//! Letting another phone in: a code to scan or type, and the owner's yes.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::command::EnrolDevice;
use shared::event::Role;
use shared::sync::wire::{Joiner, match_digits};

use super::doing::Doing;
use super::{desk, words};
use crate::components::bars::screen;
use crate::components::choices::choices;
use crate::components::icon::{Icon, icon};
use crate::components::qr::qr;
use crate::components::states::{empty, notice};
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::net::pairing::{Offer, offer, pairings};
use crate::place::Place;
use crate::platform::history;

/// The roles that a phone can be let in with.
const ROLES: [Role; 4] = [Role::Cashier, Role::Manager, Role::Owner, Role::Viewer];

/// How often the server is asked whether a phone has come, while the code is
/// shown.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// The screen.
pub fn pair() -> AnyView {
    let has_server = desk::shop().peek(|books| books.identity.server.is_some());
    let body = if has_server {
        inviting()
    } else {
        let to_server = view! {
            <a class="button primary" href=Place::Sync.to_string()>
                {t(Msg::PairToServer)}
            </a>
        };
        empty(
            Icon::Send,
            t(Msg::PairNoServer),
            t(Msg::PairNoServerNext),
            Some(to_server.into_any()),
        )
    };
    screen(Place::Pair, t(Msg::DevicesAdd), body, None)
}

fn inviting() -> AnyView {
    let role = RwSignal::new(Role::Cashier);
    let offered = RwSignal::new(None::<Offer>);
    let joiner = RwSignal::new(None::<Joiner>);
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(None::<String>);
    let invite = move |_| {
        busy.set(true);
        wrong.set(None);
        spawn_local(async move {
            match offer(desk::shop(), role.get_untracked()).await {
                Ok(offer) => offered.set(Some(offer)),
                Err(error) => wrong.set(Some(words::pairing(&error))),
            }
            busy.set(false);
        });
    };
    follow(offered, joiner);
    let step = move || match (offered.get(), joiner.get()) {
        (_, Some(joiner)) => confirm(joiner, role.get_untracked()),
        (Some(offer), None) => show(&offer),
        (None, None) => {
            let options = ROLES.map(|role| (role, words::role(role))).to_vec();
            view! {
                {choices("role", t(Msg::PairRole), options, role)}
                <button
                    type="button"
                    class="button primary big"
                    disabled=move || busy.get()
                    on:click=invite
                >
                    {t(Msg::PairInvite)}
                </button>
            }
            .into_any()
        }
    };
    view! {
        <div class="stack">
            {step}
            {move || wrong.get().map(|words| notice(true, words, None))}
        </div>
    }
    .into_any()
}

/// Asks the server now and then whether a phone has used the code.
fn follow(offered: RwSignal<Option<Offer>>, joiner: RwSignal<Option<Joiner>>) {
    let ask = move || {
        let (Some(offer), None) = (offered.get_untracked(), joiner.get_untracked()) else {
            return;
        };
        spawn_local(async move {
            // A failed look is followed by the next one.
            let Ok(pairings) = pairings(desk::shop()).await else {
                return;
            };
            let mine = pairings
                .into_iter()
                .find(|pairing| pairing.secret_hash == offer.secret_hash);
            if let Some(found) = mine.and_then(|pairing| pairing.joiner) {
                joiner.try_set(Some(found));
            }
        });
    };
    if let Ok(timer) = set_interval_with_handle(ask, ASK_EVERY) {
        on_cleanup(move || timer.clear());
    }
}

fn show(offer: &Offer) -> AnyView {
    let code = format!("{} {}", &offer.code[..4], &offer.code[4..]);
    view! {
        <p>{t(Msg::PairShow)}</p>
        {qr(&offer.link, t(Msg::PairQr))}
        <p class="centred">{t(Msg::PairOrType)}</p>
        <p class="code centred">{code}</p>
        <p class="quiet small centred">{t(Msg::PairFiveMinutes)}</p>
    }
    .into_any()
}

fn confirm(joiner: Joiner, role: Role) -> AnyView {
    let doing = Doing::new();
    let digits = match_digits(&joiner.key);
    let name = joiner.name.clone();
    let enrol = move |_| {
        let command = EnrolDevice {
            device: joiner.device,
            key: joiner.key,
            role,
            name: joiner.name.clone(),
            staff: None,
        };
        doing.run(command, |_| {
            toast::saved(t(Msg::PairDone));
            history::back(&Place::Devices.to_string());
        });
    };
    view! {
        <p>{t(Msg::PairConfirm { name })}</p>
        <p class="code centred">{digits}</p>
        {doing.view()}
        <div class="side-by-side">
            <a class="button" href=Place::Devices.to_string()>
                {t(Msg::CommonNo)}
            </a>
            <button
                type="button"
                class="button primary"
                disabled=move || doing.is_busy()
                on:click=enrol
            >
                {icon(Icon::Tick)}
                {t(Msg::PairLetIn)}
            </button>
        </div>
    }
    .into_any()
}
