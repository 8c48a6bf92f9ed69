//! A customer's statement between two days: to look at, to send, to print. That
//! it was given, and what it said, is itself written down.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::calendar::BusinessDay;
use shared::command::SendStatement;
use shared::event::Channel;
use shared::ids::CustomerId;
use shared::query::{EntryRow, Statement, statement};

use super::doing::Doing;
use super::{desk, words};
use crate::components::amount::{Side, amount, amount_of_side, in_words};
use crate::components::bars::screen;
use crate::components::choices::filters;
use crate::components::date_field::other_day;
use crate::components::icon::{Icon, icon};
use crate::components::rows::entry_row;
use crate::components::states::{empty, notice};
use crate::components::toast;
use crate::i18n::{self, Msg, t};
use crate::place::Place;
use crate::platform::share::{Shared, share, sms_link, whatsapp_link};
use crate::platform::window;

/// Entries that a message tells, the latest: more belongs on paper.
const ENTRIES_IN_MESSAGE: usize = 10;

/// For which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    ThisMonth,
    LastMonth,
    ThisYear,
    Everything,
    Other,
}

/// The screen.
pub fn of_customer(id: CustomerId) -> AnyView {
    let today = desk::today();
    let Some(head) = desk::header_untracked(id) else {
        return super::customer::unknown(Place::Statement(id));
    };
    let first = head.since.unwrap_or(today);
    let period = RwSignal::new(Period::Everything);
    let from = RwSignal::new(first.to_string());
    let to = RwSignal::new(today.to_string());
    let days = Memo::new(move |_| {
        let month = today.month();
        match period.get() {
            Period::ThisMonth => Some((month.first_day(), today)),
            Period::LastMonth => {
                let month = month.previous();
                Some((month.first_day(), month.last_day()))
            }
            Period::ThisYear => Some((today.financial_year().first_day(), today)),
            Period::Everything => Some((first, today)),
            Period::Other => {
                let from = BusinessDay::parse(&from.get())?;
                let to = BusinessDay::parse(&to.get())?;
                (from <= to).then_some((from, to))
            }
        }
    });
    let options = vec![
        (Period::Everything, t(Msg::StatementEverything)),
        (Period::ThisMonth, t(Msg::StatementThisMonth)),
        (Period::LastMonth, t(Msg::StatementLastMonth)),
        (Period::ThisYear, t(Msg::StatementThisYear)),
        (Period::Other, t(Msg::StatementOther)),
    ];
    let other = move || {
        (period.get() == Period::Other).then(|| {
            view! {
                <div class="tight">
                    {other_day(t(Msg::DateFrom), from)} {other_day(t(Msg::DateTo), to)}
                </div>
            }
        })
    };
    let doing = Doing::new();
    let phone = head.person.phone.clone();
    let shown = move || {
        let Some((from, to)) = days.get() else {
            return notice(true, t(Msg::DateWrong), None);
        };
        let heads = desk::shop().with(|books| books.heads());
        let made = desk::books(|books| statement(books, id, from, to, &heads, 0));
        view! {
            {table(&made)}
            {ways(made, phone.clone(), doing)}
        }
        .into_any()
    };
    let name = words::name(&head.person.name);
    let body = view! {
        <div class="stack">
            <div class="no-print">
                {filters("period", t(Msg::StatementPeriod), options, period)}
            </div>
            <div class="no-print">{other}</div>
            <p class="print-only">{desk::shop_name()} " · " {name.clone()}</p>
            {shown}
            {doing.view()}
        </div>
    };
    screen(Place::Statement(id), name, body.into_any(), None)
}

/// Opening, entries oldest first, closing.
fn table(made: &Statement) -> AnyView {
    let days = t(Msg::StatementDays {
        from: made.from.to_string(),
        to: made.to.to_string(),
    });
    let side = Side::of(made.closing.khata);
    let rows: Vec<AnyView> = desk::books_untracked(|books| {
        let lines = made.rows.iter().map(|row| {
            let mut line = super::customer::entry_line(books, row);
            line.title = format!("{} {}", row.on, words::entry_kind(books, row));
            entry_row(line, None)
        });
        lines.collect()
    });
    let left = made.total.saturating_sub(made.rows.len());
    let left = (left > 0).then(|| notice(true, t(Msg::StatementLeft { n: left as u64 }), None));
    let entries = match rows.is_empty() {
        true => empty(Icon::Document, t(Msg::StatementNone), String::new(), None),
        false => view! { <div class="entries">{rows}</div> }.into_any(),
    };
    view! {
        <p class="quiet small">{days}</p>
        <dl class="sums">
            <div>
                <dt>{t(Msg::ReportsOpening)}</dt>
                <dd>{amount(made.opening.khata)}</dd>
            </div>
        </dl>
        {entries}
        {left}
        <dl class="sums">
            <div class="total">
                <dt>{side.words()}</dt>
                <dd>{amount_of_side(made.closing.khata, side)}</dd>
            </div>
        </dl>
    }
    .into_any()
}

/// The ways in which a statement reaches the customer.
fn ways(made: Statement, phone: Option<String>, doing: Doing) -> AnyView {
    let text = message(&made);
    let made = StoredValue::new(made);
    let given = move |channel| {
        let command = made.with_value(|made| SendStatement {
            customer: made.customer,
            channel,
            language: i18n::current_untracked().of_shop,
            from: made.from,
            to: made.to,
            balance: made.closing.khata,
            cut: made.cut.clone(),
        });
        doing.run(command, |_| toast::saved(t(Msg::StatementWrittenDown)));
    };
    let links = phone.map(|phone| {
        view! {
            <a
                class="button tool"
                href=whatsapp_link(&phone, &text)
                target="_blank"
                rel="noopener"
                on:click=move |_| given(Channel::WhatsApp)
            >
                {icon(Icon::Send)}
                {t(Msg::StatementWhatsapp)}
            </a>
            <a
                class="button tool"
                href=sms_link(&phone, &text)
                target="_blank"
                on:click=move |_| given(Channel::Sms)
            >
                {icon(Icon::Phone)}
                {t(Msg::StatementSms)}
            </a>
        }
    });
    let hand_over = move |_| {
        let text = text.clone();
        spawn_local(async move {
            match share(&text).await {
                Shared::Handed => given(Channel::Share),
                Shared::Copied => toast::saved(t(Msg::StatementCopied)),
                Shared::No => {}
            }
        });
    };
    let print = move |_| {
        given(Channel::Print);
        let _ = window().print();
    };
    view! {
        <nav class="tools no-print">
            {links}
            <button type="button" class="button tool" on:click=hand_over>
                {icon(Icon::Send)}
                {t(Msg::CommonShare)}
            </button>
            <button type="button" class="button tool" on:click=print>
                {icon(Icon::Document)}
                {t(Msg::StatementPrint)}
            </button>
        </nav>
    }
    .into_any()
}

/// The statement as a message: the latest entries and what is owed.
fn message(made: &Statement) -> String {
    let mut lines = vec![desk::shop_name()];
    let rows = made.rows.iter().filter(|row| row.taken_back.is_none());
    let rows: Vec<&EntryRow> = rows.collect();
    let latest = rows.len().saturating_sub(ENTRIES_IN_MESSAGE);
    desk::books_untracked(|books| {
        lines.extend(rows[latest..].iter().map(|row| {
            let kind = words::entry_kind(books, row);
            format!("{} {kind} {}", row.on, in_words(row.amount))
        }));
    });
    let amount = in_words(made.closing.khata);
    let date = made.to.to_string();
    lines.push(t(match Side::of(made.closing.khata) {
        Side::Get => Msg::MessageYouOwe { amount, date },
        Side::Give => Msg::MessageWeOwe { amount, date },
        Side::Settled => Msg::MessageSettled { date },
    }));
    lines.join("\n")
}
