//! A phone that joins a shop: by the code of the owner's phone.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::command::MAX_NAME_CHARS;

use super::form::Value;
use super::words;
use crate::components::bars::screen;
use crate::components::fields::{TextField, Typing};
use crate::components::states::notice;
use crate::i18n::{Msg, t};
use crate::net::pairing::{Invitation, Joining, PairingError};
use crate::place::Place;
use crate::platform::window;
use crate::store::Shop;

/// Longer than any link or code.
const MAX_CODE_CHARS: usize = 300;

/// The screen. A scanned QR brings the secret in the address, behind the `#`,
/// which no server ever sees. A phone that has a khata of its own is asked whether to bring it.
pub fn join(own: Option<Shop>) -> AnyView {
    let secret = window().location().hash().unwrap_or_default();
    let scanned = Invitation::parse(&secret).is_some();
    let code = Value::new(scanned.then_some(secret.as_str()));
    let name = Value::new(Some(&t(Msg::JoinPhoneDefault)));
    let busy = RwSignal::new(false);
    let digits = RwSignal::new(None::<String>);
    let wrong = RwSignal::new(None::<String>);
    let start = move || {
        busy.set(true);
        wrong.set(None);
        let (typed, name) = (code.signal().get_untracked(), name.signal().get_untracked());
        spawn_local(async move {
            if let Err(error) = ask(&typed, &name, own, digits).await {
                wrong.set(Some(words::pairing(&error)));
            }
            digits.set(None);
            busy.set(false);
        });
    };
    let ready = move || !busy.get() && !code.is_blank() && !name.is_blank();
    let field = (!scanned).then(|| {
        view! {
            <TextField
                label=t(Msg::JoinCode)
                value=code.signal()
                max_length=MAX_CODE_CHARS
                typing=Typing::Code
                hint=t(Msg::JoinCodeHint)
                first=true
            />
        }
    });
    let waiting = move || {
        digits.get().map(|digits| {
            view! {
                <section class="card" role="status">
                    <p>{t(Msg::JoinWaiting)}</p>
                    <p class="code centred">{digits}</p>
                </section>
            }
        })
    };
    let body = view! {
        <form
            class="stack"
            on:submit=move |event| {
                event.prevent_default();
                if ready() {
                    start();
                }
            }
        >
            {own.map(super::old_khata::question)}
            <p>{t(Msg::JoinAbout)}</p>
            {field}
            {name.field(Msg::StartPhoneName, MAX_NAME_CHARS, Typing::Words, None)}
            {waiting}
            {move || wrong.get().map(|words| notice(true, words, None))}
            <button type="submit" class="button primary big" disabled=move || !ready()>
                {t(if own.is_some() { Msg::JoinBring } else { Msg::JoinAsk })}
            </button>
            {own.map(|_| {
                view! {
                    <a class="button big" href=Place::Khata.to_string()>
                        {t(Msg::JoinApart)}
                    </a>
                }
            })}
        </form>
    };
    screen(Place::Join, t(Msg::JoinTitle), body.into_any(), None)
}

/// Asks until the owner has said yes. Once joined, the first screen of the shop
/// comes by itself.
async fn ask(
    code: &str,
    name: &str,
    own: Option<Shop>,
    digits: RwSignal<Option<String>>,
) -> Result<(), PairingError> {
    let invitation = Invitation::parse(code).ok_or(PairingError::NotAnInvitation)?;
    let joining = Joining::begin(invitation, name, own).await?;
    digits.set(Some(joining.digits()));
    while !joining.wait().await? {
        if digits.is_disposed() {
            return Ok(()); // the person went to another screen
        }
    }
    Ok(())
}

/// The shop's books are on their way to this phone for the first time.
pub fn filling(shop: Shop) -> AnyView {
    let progress = move || {
        let status = shop.contact().status;
        view! {
            <progress
                max=status.log_size.max(1).to_string()
                value=status.position.to_string()
            ></progress>
        }
    };
    let body = view! {
        <div class="stack">
            <h2>{t(Msg::JoinFilling)}</h2>
            {progress}
            <p class="quiet">{t(Msg::JoinFillingNext)}</p>
        </div>
    };
    screen(Place::Start, t(Msg::AppName), body.into_any(), None)
}
