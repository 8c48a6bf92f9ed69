//! Adding a customer, and changing what is known of one.

use leptos::prelude::*;
use shared::command::{
    AddCustomer, ArchiveCustomer, MAX_ADDRESS_CHARS, MAX_CODE_CHARS, MAX_NAME_CHARS, UpdateCustomer,
};
use shared::ids::CustomerId;
use shared::text::Opened;

use super::doing::Doing;
use super::form::{Value, form_screen};
use super::{desk, words};
use crate::components::fields::{TextField, Typing};
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::history;

#[derive(Clone, Copy)]
struct Form {
    name: Value,
    phone: Value,
    address: Value,
    limit: Value,
}

impl Form {
    fn fields(self, name_first: bool) -> AnyView {
        let optional = || Some(Msg::CommonOptional);
        view! {
            <TextField
                label=t(Msg::CustomerName)
                value=self.name.signal()
                max_length=MAX_NAME_CHARS
                first=name_first
            />
            {self.phone.field(Msg::CustomerPhone, MAX_CODE_CHARS, Typing::Phone, optional())}
            {self
                .address
                .field(Msg::CustomerPlace, MAX_ADDRESS_CHARS, Typing::Words, optional())}
            {self.limit.amount_field(Msg::CustomerCreditLimit, optional())}
        }
        .into_any()
    }

    fn ready(self) -> Signal<bool> {
        Signal::derive(move || !self.name.is_blank() && self.limit.is_amount_or_blank())
    }
}

/// The screen that adds a customer, and then opens the new page.
pub fn new_customer() -> AnyView {
    let form = Form {
        name: Value::new(history::query_value("name").as_deref()),
        phone: Value::new(None),
        address: Value::new(None),
        limit: Value::new(None),
    };
    let doing = Doing::new();
    let add = move |()| {
        let command = AddCustomer {
            phone: form.phone.typed(),
            address: form.address.typed(),
            limit: form.limit.amount(),
            ..AddCustomer::named(&form.name.signal().get_untracked())
        };
        doing.run(command, move |events| {
            toast::saved(t(Msg::CommonSaved));
            if let Some(id) = events.first() {
                history::replace(&Place::Customer(CustomerId(*id)).to_string());
            }
        });
    };
    form_screen(
        Place::NewCustomer,
        t(Msg::CustomerNew),
        form.fields(true),
        doing,
        form.ready(),
        Callback::new(add),
    )
}

/// The screen that changes what is known of a customer.
pub fn details(id: CustomerId) -> AnyView {
    let Some(head) = desk::header_untracked(id) else {
        return super::customer::unknown(Place::Details(id));
    };
    // The customer's own limit; the head has the shop's where there is none.
    let limit = desk::books_untracked(|books| {
        let page = books.ledger.customers.get(&head.person.id)?;
        page.limit.value().copied()
    });
    let form = Form {
        name: Value::new(head.person.name.words()),
        phone: Value::new(head.person.phone.as_deref()),
        address: Value::new(head.address.as_ref().and_then(Opened::words)),
        limit: Value::of_amount(limit),
    };
    let doing = Doing::new();
    let saved = move || {
        toast::saved(t(Msg::CommonSaved));
        history::back(&Place::Customer(id).to_string());
    };
    let save = move |()| {
        let command = UpdateCustomer {
            name: form.name.change(),
            phone: form.phone.patch(),
            address: form.address.patch(),
            limit: form.limit.amount_patch(),
            ..UpdateCustomer::of(id)
        };
        doing.run(command, move |_| saved());
    };
    let archived = head.person.archived;
    let archive = move |_| {
        let command = ArchiveCustomer {
            customer: id,
            archived: !archived,
        };
        doing.run(command, move |_| saved());
    };
    let words = match archived {
        true => Msg::CustomerTakeOut,
        false => Msg::CustomerPutAway,
    };
    let fields = view! {
        {form.fields(false)}
        <button
            type="button"
            class="button plain"
            disabled=move || doing.is_busy()
            on:click=archive
        >
            {t(words)}
        </button>
    };
    form_screen(
        Place::Details(id),
        words::name(&head.person.name),
        fields.into_any(),
        doing,
        form.ready(),
        Callback::new(save),
    )
}
