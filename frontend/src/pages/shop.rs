//! What is known of the shop.

use leptos::prelude::*;
use shared::command::{
    ChangeShop, MAX_ADDRESS_CHARS, MAX_CODE_CHARS, MAX_NAME_CHARS, MAX_UPI_CHARS,
};
use shared::ledger::Register;
use shared::text::Text;

use super::desk;
use super::doing::Doing;
use super::form::{Value, form_screen};
use crate::components::fields::Typing;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::history;

/// Most digits of a number of days.
const MAX_DAYS_CHARS: usize = 4;

/// The screen.
pub fn shop() -> AnyView {
    let (name, address, phone, upi, gstin, limit, days) = desk::books_untracked(|books| {
        let shop = &books.ledger.shop;
        let plain = |text: Option<&Text>| match text {
            Some(Text::Plain(words)) => Value::new(Some(words)),
            Some(Text::Sealed(_)) | None => Value::new(None),
        };
        let code = |code: &Register<Option<String>>| Value::new(code.value().map(String::as_str));
        (
            plain(shop.name.get()),
            plain(shop.address.value()),
            plain(shop.phone.value()),
            code(&shop.upi),
            code(&shop.gstin),
            Value::of_amount(shop.credit_limit.value().copied()),
            Value::new(Some(&shop.overdue_days().to_string())),
        )
    });
    let doing = Doing::new();
    let save = move |()| {
        let command = ChangeShop {
            name: name.change(),
            address: address.patch(),
            phone: phone.patch(),
            upi: upi.patch(),
            gstin: gstin.patch(),
            credit_limit: limit.amount_patch(),
            overdue_days: days.change().and_then(|days| days.parse().ok()),
            ..ChangeShop::default()
        };
        doing.run(command, move |_| {
            toast::saved(t(Msg::CommonSaved));
            history::back(&Place::More.to_string());
        });
    };
    let ready = Signal::derive(move || {
        let days_fit = days
            .signal()
            .with(|days| days.trim().parse::<u16>().is_ok());
        !name.is_blank() && limit.is_amount_or_blank() && days_fit
    });
    let optional = || Some(Msg::CommonOptional);
    let fields = view! {
        {name.field(Msg::ShopName, MAX_NAME_CHARS, Typing::Words, None)}
        {address.field(Msg::ShopAddress, MAX_ADDRESS_CHARS, Typing::Words, optional())}
        {phone.field(Msg::CustomerPhone, MAX_CODE_CHARS, Typing::Phone, optional())}
        {upi.field(Msg::ShopUpi, MAX_UPI_CHARS, Typing::Code, Some(Msg::ShopUpiHint))}
        {gstin.field(Msg::ShopGstin, MAX_CODE_CHARS, Typing::Code, optional())}
        {limit.amount_field(Msg::ShopLimit, optional())}
        {days.field(Msg::ShopOverdueDays, MAX_DAYS_CHARS, Typing::Digits, None)}
    };
    form_screen(
        Place::Shop,
        t(Msg::MoreShop),
        fields.into_any(),
        doing,
        ready,
        Callback::new(save),
    )
}
