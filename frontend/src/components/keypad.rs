//! The keypad of an entry: large keys, sums on the way, no keyboard that
//! covers the screen.

use leptos::ev;
use leptos::prelude::*;
use shared::keypad::{Key, Keypad, KeypadError, Operator};
use wasm_bindgen::JsCast as _;

use super::amount::amount;
use super::icon::{Icon, icon};
use crate::i18n::{Msg, t};

/// What is typed, large, with the sum above it.
pub fn reading(keypad: RwSignal<Keypad>) -> AnyView {
    let sum = move || {
        keypad.with(|keypad| {
            let rounded = keypad.reading().is_ok_and(|reading| reading.rounded);
            match (keypad.is_sum(), rounded) {
                (true, true) => format!("{} · {}", keypad.typed(), t(Msg::KeypadRounded)),
                (true, false) => keypad.typed().to_owned(),
                (false, _) => String::new(),
            }
        })
    };
    let result = move || match keypad.with(Keypad::reading) {
        Ok(reading) => view! { <p class="huge">{amount(reading.amount)}</p> }.into_any(),
        Err(error) => view! { <p class="wrong">{t(words(error))}</p> }.into_any(),
    };
    view! {
        <div class="reading" role="status">
            <p class="sum">{sum}</p>
            {result}
        </div>
    }
    .into_any()
}

fn words(error: KeypadError) -> Msg {
    match error {
        KeypadError::DividedByZero => Msg::KeypadDividedByZero,
        KeypadError::BelowZero => Msg::KeypadBelowZero,
        KeypadError::TooLarge => Msg::KeypadTooLarge,
    }
}

/// The keys. A keyboard, where there is one, types as well.
pub fn keys(keypad: RwSignal<Keypad>) -> AnyView {
    let listening = window_event_listener(ev::keydown, move |event| {
        let into_field = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|element| {
                element
                    .closest("input, textarea, dialog")
                    .ok()
                    .flatten()
                    .is_some()
            });
        if into_field || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        if let Some(key) = typed_key(&event.key()) {
            event.prevent_default();
            keypad.update(|keypad| keypad.press(key));
        }
    });
    on_cleanup(move || listening.remove());

    const ROWS: [[Key; 4]; 4] = [
        [
            Key::Digit(7),
            Key::Digit(8),
            Key::Digit(9),
            Key::Operator(Operator::Times),
        ],
        [
            Key::Digit(4),
            Key::Digit(5),
            Key::Digit(6),
            Key::Operator(Operator::Minus),
        ],
        [
            Key::Digit(1),
            Key::Digit(2),
            Key::Digit(3),
            Key::Operator(Operator::Plus),
        ],
        [Key::Point, Key::Digit(0), Key::Delete, Key::Equals],
    ];
    let buttons: Vec<AnyView> = ROWS
        .into_iter()
        .flatten()
        .map(|key| button(key, keypad))
        .collect();
    view! { <div class="keypad">{buttons}</div> }.into_any()
}

fn button(key: Key, keypad: RwSignal<Keypad>) -> AnyView {
    let (face, name) = match key {
        Key::Digit(digit) => (digit.to_string().into_any(), None),
        Key::Point => (".".into_any(), Some(Msg::KeypadPoint)),
        Key::Operator(operator) => {
            let name = match operator {
                Operator::Plus => Msg::KeypadPlus,
                Operator::Minus => Msg::KeypadMinus,
                Operator::Times => Msg::KeypadMultiply,
                Operator::Divide => Msg::KeypadDivide,
            };
            (operator.sign().to_string().into_any(), Some(name))
        }
        Key::Delete => (icon(Icon::Delete), Some(Msg::KeypadDelete)),
        Key::Equals => ("=".into_any(), Some(Msg::KeypadEquals)),
    };
    let is_operator = matches!(key, Key::Operator(_) | Key::Equals);
    view! {
        <button
            type="button"
            class="key"
            class:operator=is_operator
            aria-label=name.map(t)
            on:click=move |_| keypad.update(|keypad| keypad.press(key))
        >
            {face}
        </button>
    }
    .into_any()
}

/// The key of the pad for a key of a keyboard, by its DOM name.
fn typed_key(name: &str) -> Option<Key> {
    Some(match name {
        "." | "," => Key::Point,
        "+" => Key::Operator(Operator::Plus),
        "-" => Key::Operator(Operator::Minus),
        "*" => Key::Operator(Operator::Times),
        "/" => Key::Operator(Operator::Divide),
        "=" => Key::Equals,
        "Backspace" => Key::Delete,
        _ => match name.as_bytes() {
            [digit @ b'0'..=b'9'] => Key::Digit(digit - b'0'),
            _ => return None,
        },
    })
}
