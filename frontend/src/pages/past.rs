//! What stood in the khata at the end of a past day.

use leptos::prelude::*;
use shared::calendar::BusinessDay;
use shared::ids::CustomerId;
use shared::ledger::Balance;
use shared::money::Paise;
use shared::query::{Known, balances_as_of};

use super::{desk, words};
use crate::components::amount::{Side, amount_of_side};
use crate::components::bars::screen;
use crate::components::choices::choices;
use crate::components::date_field::other_day;
use crate::components::icon::Icon;
use crate::components::rows::{balance_side, initial, link_row};
use crate::components::states::empty;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::history;

/// Two answers: corrections that were written later are in the first only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    AsKnownNow,
    AsKnownThen,
}

/// The screen. The day stands in the address.
pub fn past() -> AnyView {
    let today = desk::today();
    let chosen = history::query_value("on").and_then(|on| BusinessDay::parse(&on));
    let last_month = today.month().previous().last_day();
    let typed = RwSignal::new(chosen.unwrap_or(last_month).to_string());
    let view = RwSignal::new(View::AsKnownNow);
    Effect::new(move |before: Option<()>| {
        let on = typed.get();
        if before.is_some() && BusinessDay::parse(&on).is_some() {
            history::replace(&history::with_query(
                &Place::Past.to_string(),
                &[("on", &on)],
            ));
        }
    });
    let options = vec![
        (View::AsKnownNow, t(Msg::PastAsKnownNow)),
        (View::AsKnownThen, t(Msg::PastAsKnownThen)),
    ];
    let list = move || {
        let day = BusinessDay::parse(&typed.get())?;
        Some(on_day(day, view.get()))
    };
    let body = view! {
        <div class="stack">
            {other_day(t(Msg::DateDay), typed)} {choices("known", t(Msg::PastView), options, view)} {list}
        </div>
    };
    screen(Place::Past, t(Msg::ReportsPast), body.into_any(), None)
}

fn on_day(day: BusinessDay, view: View) -> AnyView {
    let rows = desk::books(|books| {
        let known = match view {
            View::AsKnownNow => None,
            View::AsKnownThen => Some(Known::at(books.ledger, books.receipts, day.end())),
        };
        let balances = balances_as_of(books.ledger, day, known.as_ref());
        let mut rows: Vec<(CustomerId, String, Balance)> = balances
            .into_iter()
            .filter(|(_, balance)| *balance != Balance::default())
            .map(|(id, balance)| (id, words::customer(books, id), balance))
            .collect();
        rows.sort_by_key(|(_, _, balance)| core::cmp::Reverse(balance.khata));
        rows
    });
    if rows.is_empty() {
        return empty(Icon::Calendar, t(Msg::PastEmpty), String::new(), None);
    }
    let get: Paise = sum(&rows, |khata| khata.is_positive());
    let give: Paise = sum(&rows, |khata| khata.negated().is_positive());
    let rows: Vec<AnyView> = rows.into_iter().map(row).collect();
    view! {
        <div class="totals">
            <div>
                <p class="label">{Side::Get.words()}</p>
                <p>{amount_of_side(get, Side::Get)}</p>
            </div>
            <div>
                <p class="label">{Side::Give.words()}</p>
                <p>{amount_of_side(give, Side::Give)}</p>
            </div>
        </div>
        <div class="rows">{rows}</div>
    }
    .into_any()
}

fn sum(rows: &[(CustomerId, String, Balance)], counts: impl Fn(Paise) -> bool) -> Paise {
    let khatas = rows.iter().map(|(_, _, balance)| balance.khata);
    khatas.filter(|khata| counts(*khata)).sum()
}

fn row((id, name, balance): (CustomerId, String, Balance)) -> AnyView {
    let side = Side::of(balance.khata);
    link_row(
        Place::Customer(id),
        initial(&name),
        name,
        None,
        Some(balance_side(balance.khata, side.words())),
    )
}
