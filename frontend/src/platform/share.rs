//! Handing text to another app: the phone's share sheet, WhatsApp or SMS.

use js_sys::encode_uri_component;
use wasm_bindgen_futures::JsFuture;

use super::window;

/// What became of sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Given to another app.
    Handed,
    /// Put into the clipboard, because the browser has no share sheet.
    Copied,
    /// The person closed the share sheet, or the browser can do neither.
    No,
}

/// Opens the share sheet with a text; without one, copies it.
pub async fn share(text: &str) -> Shared {
    let navigator = window().navigator();
    if js_sys::Reflect::has(&navigator, &"share".into()).unwrap_or(false) {
        let data = web_sys::ShareData::new();
        data.set_text(text);
        return match JsFuture::from(navigator.share_with_data(&data)).await {
            Ok(_) => Shared::Handed,
            Err(_) => Shared::No,
        };
    }
    match JsFuture::from(navigator.clipboard().write_text(text)).await {
        Ok(_) => Shared::Copied,
        Err(_) => Shared::No,
    }
}

/// A WhatsApp chat with a customer, the text ready to send. `phone` has ten
/// digits, or more with the country in front.
pub fn whatsapp_link(phone: &str, text: &str) -> String {
    let text = String::from(encode_uri_component(text));
    format!("https://wa.me/{}?text={text}", with_country(phone))
}

/// An SMS to a customer, the text ready to send.
pub fn sms_link(phone: &str, text: &str) -> String {
    let text = String::from(encode_uri_component(text));
    format!("sms:+{}?body={text}", with_country(phone))
}

/// Digits only; ten digits are a number of India.
fn with_country(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        10 => format!("91{digits}"),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_ten_digits_is_in_india() {
        assert_eq!(with_country("98200 12345"), "919820012345");
        assert_eq!(with_country("+91 98200-12345"), "919820012345");
    }
}
