//! Everything that was written for one day, sales to nobody known among them: where a slip is found
//! and taken back.

use leptos::prelude::*;
use shared::calendar::BusinessDay;
use shared::query::{Books, EntryRow, day_book};

use super::customer::entry_line;
use super::entry_sheet::entry_sheet;
use super::{desk, words};
use crate::components::bars::screen;
use crate::components::date_field::other_day;
use crate::components::icon::Icon;
use crate::components::rows::{EntryLine, entry_row};
use crate::components::states::empty;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::history;

/// The screen. The day stands in the address.
pub fn day() -> AnyView {
    let chosen = history::query_value("on").and_then(|on| BusinessDay::parse(&on));
    let typed = RwSignal::new(chosen.unwrap_or(desk::today()).to_string());
    let opened = RwSignal::new(None);
    Effect::new(move |before: Option<()>| {
        let on = typed.get();
        if before.is_some() && BusinessDay::parse(&on).is_some() {
            history::replace(&history::with_query(
                &Place::Day.to_string(),
                &[("on", &on)],
            ));
        }
    });
    let list = move || {
        let day = BusinessDay::parse(&typed.get())?;
        let lines = desk::books(|books| {
            let book = day_book(books, day, day, 0);
            let rows = book.rows.iter();
            rows.map(|row| (row.id, line(books, row)))
                .collect::<Vec<_>>()
        });
        if lines.is_empty() {
            return Some(empty(Icon::Book, t(Msg::DayEmpty), String::new(), None));
        }
        let lines: Vec<AnyView> = lines
            .into_iter()
            .map(|(id, line)| entry_row(line, Some(Callback::new(move |()| opened.set(Some(id))))))
            .collect();
        Some(view! { <div class="entries">{lines}</div> }.into_any())
    };
    let body = view! {
        <div class="stack">
            {other_day(t(Msg::DateDay), typed)} {list}
        </div>
        {move || opened.get().map(|entry| entry_sheet(entry, opened))}
    };
    screen(Place::Day, t(Msg::ReportsDay), body.into_any(), None)
}

/// An entry with the name of whose it is; a running balance means nothing across customers.
fn line(books: Books<'_>, row: &EntryRow) -> EntryLine {
    let name = row
        .customer
        .map(|customer| words::customer(books, customer));
    let line = entry_line(books, row);
    let note = name.into_iter().chain(Some(line.note));
    let note: Vec<String> = note.filter(|part| !part.is_empty()).collect();
    EntryLine {
        note: note.join(" · "),
        running: None,
        ..line
    }
}
