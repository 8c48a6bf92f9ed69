//! One customer's khata: how it stands, and every entry by day.

use leptos::prelude::*;
use shared::calendar::{BusinessDay, TimeMs};
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::query::{Books, EntryRow, Header, entries, header};

use super::{accounts, desk, history, words};
use crate::components::amount::{Side, amount_of_side, in_words};
use crate::components::bars::{screen, screen_of};
use crate::components::icon::{Icon, icon};
use crate::components::rows::{EntryLine, entry_row};
use crate::components::states::{empty, notice};
use crate::i18n::{Msg, t};
use crate::parts::{Drawing, Part};
use crate::place::{EntryKind, Place};
use crate::platform::clock::now_ms;

/// Entries that are drawn at first, and more with each tap on "more".
const ROWS_AT_ONCE: usize = 30;

/// The screen.
pub fn customer(id: CustomerId) -> AnyView {
    let is_known = desk::books_untracked(|books| {
        let page = books.ledger.canonical(id);
        books.ledger.customers.contains_key(&page)
    });
    if !is_known {
        return unknown(Place::Customer(id));
    }
    // Another phone may correct it, or erase it.
    let name = move || desk::books(|books| words::customer(books, id));
    let is_here = history::is_here_of(id);
    let head = move || {
        let head = desk::books(|books| header(books, id, TimeMs(now_ms())));
        head.map(|head| head_card(&head, is_here.get()))
    };
    let entries = move || match is_here.get() {
        true => page_of_entries(id),
        false => history::coming(),
    };
    let body = view! {
        <div class="stack">
            {head}
            <nav class="tools">
                {link(Place::Statement(id), Icon::Document, Msg::CustomerStatement)}
                {link(Place::Entry(id, EntryKind::Return), Icon::Return, Msg::EntryReturn)}
                {link(Place::Details(id), Icon::Person, Msg::CustomerDetails)}
                {accounts::tool(id)}
            </nav>
            {entries}
        </div>
    };
    let foot = view! {
        <a class="button gave" href=Place::Entry(id, EntryKind::Give).to_string()>
            {icon(Icon::Out)}
            {t(Msg::CustomerYouGave)}
        </a>
        <a class="button got" href=Place::Entry(id, EntryKind::Get).to_string()>
            {icon(Icon::In)}
            {t(Msg::CustomerYouGot)}
        </a>
    };
    screen_of(
        Place::Customer(id),
        name.into_any(),
        body.into_any(),
        Some(foot.into_any()),
    )
}

/// A page that is not on this phone, or not yet.
pub fn unknown(place: Place) -> AnyView {
    let body = empty(
        Icon::Person,
        t(Msg::CustomerUnknown),
        t(Msg::CustomerUnknownNext),
        None,
    );
    screen(place, t(Msg::NavKhata), body, None)
}

fn link(to: Place, drawing: Icon, words: Msg) -> AnyView {
    view! {
        <a class="button tool" href=to.to_string()>
            {icon(drawing)}
            {t(words)}
        </a>
    }
    .into_any()
}

/// The balance, large, and what is known of the customer.
fn head_card(head: &Header, is_here: bool) -> AnyView {
    let balance = head.person.balance;
    let side = Side::of(balance.khata);
    let advance = (balance.advance.0 != 0).then(|| {
        let amount = in_words(balance.advance);
        view! { <p>{t(Msg::CustomerAdvance { amount })}</p> }
    });
    let mut facts: Vec<String> = Vec::new();
    facts.extend(head.since.map(|day| {
        t(Msg::CustomerSince {
            date: day.to_string(),
        })
    }));
    facts.extend(head.limit.map(|limit| {
        t(Msg::CustomerLimit {
            amount: in_words(limit),
        })
    }));
    let room = head.room.filter(|room| room.0 < 0).map(|room| {
        let amount = in_words(room);
        notice(true, t(Msg::CustomerOverLimit { amount }), None)
    });
    // What sums up all entries is shown once all are here.
    let totals = is_here.then(|| {
        facts.push(words::class(head.class));
        t(Msg::CustomerLifetime {
            bought: in_words(head.purchases),
            paid: in_words(head.payments),
        })
    });
    view! {
        <section class="card balance">
            <div>
                <p class="quiet">{side.words()}</p>
                <p>{amount_of_side(balance.khata, side)}</p>
                {advance}
            </div>
            <p class="quiet small">{facts.join(" · ")} <br /> {totals}</p>
            {room}
        </section>
    }
    .into_any()
}

fn page_of_entries(id: CustomerId) -> AnyView {
    let drawn = RwSignal::new(ROWS_AT_ONCE);
    let opened = RwSignal::new(None);
    let rows = move || {
        let drawn_now = drawn.get();
        let page = desk::books(|books| entries(books, id, 0));
        if page.total == 0 {
            return empty(
                Icon::Book,
                t(Msg::CustomerNoEntries),
                t(Msg::CustomerNoEntriesNext),
                None,
            );
        }
        let today = desk::today();
        let left = page.total.saturating_sub(drawn_now);
        let shown: Vec<EntryRow> = page.rows.into_iter().take(drawn_now).collect();
        let days: Vec<AnyView> = shown
            .chunk_by(|one, next| one.on == next.on)
            .map(|rows| one_day(rows, today, opened))
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
            <div>{days}</div>
            {more}
        }
        .into_any()
    };
    view! {
        {rows}
        {move || opened.get().map(|entry| Part::Work.show(Drawing::Entry(entry, opened)))}
    }
    .into_any()
}

fn one_day(
    rows: &[EntryRow],
    today: BusinessDay,
    opened: RwSignal<Option<shared::ids::EntryId>>,
) -> AnyView {
    let heading = rows.first().map(|row| words::day(row.on, today));
    let lines: Vec<AnyView> = rows
        .iter()
        .map(|row| {
            let id = row.id;
            entry_row(
                desk::books_untracked(|books| entry_line(books, row)),
                Some(Callback::new(move |()| opened.set(Some(id)))),
            )
        })
        .collect();
    view! {
        <section>
            <h2 class="day">{heading}</h2>
            <div class="entries">{lines}</div>
        </section>
    }
    .into_any()
}

/// An entry as a line of the khata.
pub fn entry_line(books: Books<'_>, row: &EntryRow) -> EntryLine {
    let mut tags = Vec::new();
    if let Some(taken_back) = &row.taken_back {
        tags.push(t(match taken_back.replacement {
            Some(_) => Msg::EntryCorrected,
            None => Msg::EntryTakenBack,
        }));
    }
    if row.back_dated {
        tags.push(t(Msg::EntryBackDated));
    }
    EntryLine {
        drawing: words::entry_icon(row),
        title: format!("{} {}", words::clock(row.at), words::entry_kind(books, row)),
        note: words::entry_note(books, row),
        tags,
        amount: row.amount,
        side: words::entry_side(row),
        // What the entry did not move need not be told again.
        running: row
            .running
            .filter(|_| row.change.khata != Paise::ZERO || row.change.advance == Paise::ZERO)
            .map(|running| running.khata),
        advance: row
            .running
            .filter(|_| row.change.advance != Paise::ZERO)
            .map(|running| running.advance),
        state: desk::state_of(row.id),
        struck: row.taken_back.is_some(),
    }
}
