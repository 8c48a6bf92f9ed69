//! Choosing another customer: for a debt that moves, or for two pages of one person.

use leptos::prelude::*;
use shared::command::MergeCustomers;
use shared::ids::CustomerId;
use shared::query::{CustomerFilter, CustomerSort};

use super::desk::People;
use super::doing::Doing;
use super::{desk, words};
use crate::components::bars::screen;
use crate::components::fields::search_box;
use crate::components::icon::Icon;
use crate::components::rows::initial;
use crate::components::sheet::ConfirmSheet;
use crate::components::states::empty;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::history;

/// Rows that are drawn; who is not among them is found by typing.
const MAX_ROWS: usize = 40;

/// Whose khata a debt moves to. The form takes the place of this screen, so that back leads to the
/// customer.
pub fn move_to(from: CustomerId) -> AnyView {
    let chosen = move |to| history::replace(&Place::Transfer(from, to).to_string());
    let body = list(from, Callback::new(chosen));
    screen(Place::Move(from), t(Msg::AccountsMove), body, None)
}

/// The other page of the same person.
pub fn same_person(id: CustomerId) -> AnyView {
    let doing = Doing::new();
    let asked = RwSignal::new(None);
    let close = Callback::new(move |()| asked.set(None));
    let confirm = move || {
        let with = asked.get()?;
        let yes = Callback::new(move |()| {
            asked.set(None);
            doing.run(MergeCustomers { customer: id, with }, move |_| {
                toast::saved(t(Msg::TasksMerged));
                history::back(&Place::Customer(id).to_string());
            });
        });
        let (one, other) = desk::books_untracked(|books| {
            (words::customer(books, id), words::customer(books, with))
        });
        Some(view! {
            <ConfirmSheet
                title=t(Msg::QuestionTitle)
                words=t(Msg::AccountsSameWords { one, other })
                yes=t(Msg::TasksMerge)
                on_yes=yes
                on_close=close
            />
        })
    };
    let body = view! {
        {doing.view()}
        {list(id, Callback::new(move |with| asked.set(Some(with))))}
        {confirm}
    };
    screen(Place::Same(id), t(Msg::AccountsSame), body.into_any(), None)
}

/// Everybody but one, by what is typed.
fn list(except: CustomerId, choose: Callback<CustomerId>) -> AnyView {
    let people = People::new();
    let search = RwSignal::new(String::new());
    let rows = move || {
        let typed = search.get();
        let (filter, sort) = (CustomerFilter::All, CustomerSort::LastActivity);
        let found = people.with(|people| people.list(filter, &typed, sort, desk::today(), 0));
        let except = desk::books_untracked(|books| books.ledger.canonical(except));
        let others = found.rows.into_iter().filter(|row| row.id != except);
        let rows: Vec<AnyView> = others
            .take(MAX_ROWS)
            .map(|row| {
                let name = words::name(&row.name);
                view! {
                    <button type="button" class="row" on:click=move |_| choose.run(row.id)>
                        {initial(&name)}
                        <span class="what title">{name}</span>
                    </button>
                }
                .into_any()
            })
            .collect();
        match rows.is_empty() {
            true => empty(Icon::Search, t(Msg::HomeNoneFound), String::new(), None),
            false => view! { <div class="rows">{rows}</div> }.into_any(),
        }
    };
    view! {
        <div class="stack">{search_box(t(Msg::HomeSearch), search)} {rows}</div>
    }
    .into_any()
}
