//! The khata: what the shop will get and give, and who.

use leptos::prelude::*;
use shared::calendar::BusinessDay;
use shared::ledger::Balance;
use shared::query::{CustomerFilter, CustomerRow, CustomerSort, Totals, totals};

use super::desk::People;
use super::{desk, words};
use crate::components::ago::ago;
use crate::components::amount::{Side, amount_of_side};
use crate::components::bars::screen;
use crate::components::choices::filters;
use crate::components::fields::search_box;
use crate::components::icon::{Icon, icon};
use crate::components::rows::{balance_side, initial, link_row};
use crate::components::states::{empty, notice};
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::clock::now_ms;
use crate::platform::history;

/// Rows that are drawn at first, and more with each tap on "more": what a small
/// phone draws between two frames.
const ROWS_AT_ONCE: usize = 40;

/// The filters and their words in the address.
const FILTERS: [(CustomerFilter, &str); 4] = [
    (CustomerFilter::All, ""),
    (CustomerFilter::Due, "due"),
    (CustomerFilter::Advance, "advance"),
    (CustomerFilter::Overdue, "overdue"),
];

/// The screen.
pub fn home() -> AnyView {
    let search = RwSignal::new(history::query_value("q").unwrap_or_default());
    let shown = history::query_value("show").unwrap_or_default();
    let filter = RwSignal::new(
        FILTERS
            .iter()
            .find(|(_, word)| *word == shown)
            .map_or(CustomerFilter::All, |(filter, _)| *filter),
    );
    let people = People::new();
    // The address follows, so that back returns to the same list.
    Effect::new(move |before: Option<()>| {
        let (typed, chosen) = (search.get(), filter.get());
        let word = FILTERS.iter().find(|(known, ..)| *known == chosen);
        let show = word.map_or("", |(_, word)| word);
        if before.is_some() {
            history::replace(&history::with_query("/", &[("q", &typed), ("show", show)]));
        }
    });
    let options = vec![
        (CustomerFilter::All, t(Msg::HomeAll)),
        (CustomerFilter::Due, t(Msg::HomeDue)),
        (CustomerFilter::Advance, t(Msg::HomeAdvance)),
        (CustomerFilter::Overdue, t(Msg::HomeOverdue)),
    ];
    let body = view! {
        <div class="stack">
            {super::history::coming()}
            {move || sums(desk::books(|books| totals(books.ledger)))}
            {search_box(t(Msg::HomeSearch), search)}
            {filters("filter", t(Msg::HomeFilter), options, filter)} {list(people, search, filter)}
        </div>
        <a class="button primary big float" href=Place::NewCustomer.to_string()>
            {icon(Icon::Plus)}
            {t(Msg::HomeAddCustomer)}
        </a>
    };
    screen(Place::Khata, desk::shop_name(), body.into_any(), None)
}

fn sums(totals: Totals) -> AnyView {
    let uncounted = (totals.uncounted > 0).then(|| {
        let n = totals.uncounted;
        notice(true, t(Msg::HomeNotCounted { n }), None)
    });
    view! {
        <div class="totals">
            <div>
                <p class="label">{t(Msg::AmountGet)}</p>
                <p>{amount_of_side(totals.will_get, Side::Get)}</p>
            </div>
            <div>
                <p class="label">{t(Msg::AmountGive)}</p>
                <p>{amount_of_side(totals.will_give, Side::Give)}</p>
            </div>
        </div>
        {uncounted}
    }
    .into_any()
}

fn list(people: People, search: RwSignal<String>, filter: RwSignal<CustomerFilter>) -> AnyView {
    let drawn = RwSignal::new(ROWS_AT_ONCE);
    let rows = move || {
        let (typed, chosen, drawn_now) = (search.get(), filter.get(), drawn.get());
        let today = desk::today();
        let found = people
            .with(|directory| directory.list(chosen, &typed, CustomerSort::LastActivity, today, 0));
        if found.total == 0 {
            return nobody(&typed, chosen);
        }
        let left = found.total.saturating_sub(drawn_now);
        let rows: Vec<AnyView> = found
            .rows
            .into_iter()
            .take(drawn_now)
            .map(|row| customer_row(row, today))
            .collect();
        let more = (left > 0).then(|| {
            view! {
                <button
                    type="button"
                    class="button plain wide"
                    on:click=move |_| drawn.update(|drawn| *drawn += ROWS_AT_ONCE)
                >
                    {t(Msg::CommonMore { n: left as u64 })}
                </button>
            }
        });
        view! {
            <div class="rows">{rows}</div>
            {more}
        }
        .into_any()
    };
    rows.into_any()
}

fn nobody(typed: &str, filter: CustomerFilter) -> AnyView {
    if typed.trim().is_empty() && filter == CustomerFilter::All {
        return empty(Icon::Book, t(Msg::HomeEmpty), t(Msg::HomeEmptyNext), None);
    }
    let name = typed.trim().to_owned();
    let add = (!name.is_empty()).then(|| {
        let address = history::with_query(&Place::NewCustomer.to_string(), &[("name", &name)]);
        view! {
            <a class="button" href=address>
                {icon(Icon::Plus)}
                {t(Msg::HomeAddNamed { name })}
            </a>
        }
        .into_any()
    });
    empty(Icon::Search, t(Msg::HomeNoneFound), String::new(), add)
}

fn customer_row(row: CustomerRow, today: BusinessDay) -> AnyView {
    let name = words::name(&row.name);
    let late = row.days_unpaid.filter(|_| row.late);
    let note = match (late, row.last_activity) {
        (Some(days), _) => t(Msg::HomeLate { n: days.into() }),
        (None, Some(at)) if at.day() == today => ago(at.0, now_ms()),
        (None, Some(at)) => words::day(at.day(), today),
        (None, None) => String::new(),
    };
    let balance = Balance {
        khata: row.khata,
        advance: row.advance,
    };
    link_row(
        Place::Customer(row.id),
        initial(&name),
        name,
        Some(note),
        Some(side(balance)),
    )
}

/// The khata decides; an advance shows where the khata is settled.
fn side(balance: Balance) -> AnyView {
    let sum = match Side::of(balance.khata) {
        Side::Settled => balance.advance.negated(),
        _ => balance.khata,
    };
    let words = t(match Side::of(sum) {
        Side::Get => Msg::HomeToGet,
        Side::Give => Msg::HomeToGive,
        Side::Settled => Msg::HomeSettled,
    });
    balance_side(sum, words)
}
