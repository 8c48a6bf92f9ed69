//! Every word on the screen: [`Msg`] names a text, [`t`] gives its words in the
//! chosen language. Only the chosen locale file is loaded.
//!
//! Texts are plain strings, not signals: a change of the language renders the
//! whole app anew (see `app.rs`), which is rare, and no text pays for it.

mod language;
mod template;

use std::cell::RefCell;

use js_sys::{JSON, Reflect};
use leptos::prelude::{ArcRwSignal, Get as _, GetUntracked as _, Set as _};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::platform::{remembered, root, window};
pub use language::{LANGUAGES, Language, by_code, offered};
use template::{Template, Value};

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// Where the choice is kept in the local storage.
const STORAGE_KEY: &str = "pakka.language";

thread_local! {
    static TEMPLATES: RefCell<Vec<Template>> = const { RefCell::new(Vec::new()) };
    static CURRENT: ArcRwSignal<&'static Language> = ArcRwSignal::new(&LANGUAGES[0]);
}

/// The words of a text in the chosen language.
pub fn t(message: Msg) -> String {
    let (index, values) = message.parts();
    let language = CURRENT.with(|current| current.get_untracked());
    TEMPLATES.with_borrow(|templates| match templates.get(index) {
        Some(template) => template.fill(language, &values),
        None => KEYS[index].to_owned(),
    })
}

/// The words for a stable code of the core, such as `over_limit` of the topic
/// `refusal`; `values` fill its placeholders.
///
/// A code without a text (a test forbids that) shows itself.
pub fn coded(topic: &str, code: &str, values: &[(&'static str, String)]) -> String {
    let key = format!("code.{topic}.{code}");
    let values: Vec<(&'static str, Value<'_>)> = values
        .iter()
        .map(|(name, words)| (*name, Value::Words(words)))
        .collect();
    let language = CURRENT.with(|current| current.get_untracked());
    TEMPLATES.with_borrow(|templates| {
        let index = KEYS.binary_search(&key.as_str()).ok();
        match index.and_then(|index| templates.get(index)) {
            Some(template) => template.fill(language, &values),
            None => key,
        }
    })
}

/// The language of the screen; tracked, so what reads it renders anew.
pub fn current() -> &'static Language {
    CURRENT.with(|current| current.get())
}

/// The language of the screen, for event handlers.
pub fn current_untracked() -> &'static Language {
    CURRENT.with(|current| current.get_untracked())
}

/// The language that a person chose before, or else the first of the browser's
/// that is offered. `None` when neither exists: the first start asks.
pub fn remembered() -> Option<&'static Language> {
    remembered::get(STORAGE_KEY).and_then(|code| by_code(&code))
}

/// The best guess from the languages that the browser is set to.
pub fn guessed() -> &'static Language {
    window()
        .navigator()
        .languages()
        .iter()
        .filter_map(|code| code.as_string())
        .find_map(|code| by_code(&code))
        .unwrap_or(&LANGUAGES[0])
}

/// Keeps the choice on this phone. A browser without storage forgets it, which
/// harms nothing.
pub fn remember(language: &'static Language) {
    remembered::set(STORAGE_KEY, language.code);
}

/// Loads the words of a language and makes it the language of the screen.
///
/// # Errors
/// When the file cannot be fetched or read; the language stays as it was.
pub async fn load(language: &'static Language) -> Result<(), JsValue> {
    let path = format!("/locales/{}.json", language.code);
    let response: web_sys::Response = JsFuture::from(window().fetch_with_str(&path))
        .await?
        .dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from_str(&path));
    }
    let text = JsFuture::from(response.text()?).await?;
    let texts = JSON::parse(&text.as_string().unwrap_or_default())?;
    let templates = KEYS.iter().map(|key| read(&texts, key)).collect();
    TEMPLATES.set(templates);
    CURRENT.with(|current| current.set(language));
    if let Some(root) = root() {
        let _ = root.set_attribute("lang", language.code);
    }
    Ok(())
}

/// The text of a key; a file that lacks it (a test forbids that) shows the key.
fn read(texts: &JsValue, key: &str) -> Template {
    let field = |of: &JsValue, name: &str| {
        Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
    };
    let value = field(texts, key);
    let words = |value: JsValue| value.as_string().unwrap_or_else(|| key.to_owned());
    if value.is_object() {
        Template::Plural {
            one: words(field(&value, "one")),
            other: words(field(&value, "other")),
        }
    } else {
        Template::Plain(words(value))
    }
}
