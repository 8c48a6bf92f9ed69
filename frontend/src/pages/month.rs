//! What happened in a month.

use leptos::prelude::*;
use shared::calendar::Month;
use shared::event::Mode;
use shared::money::Paise;
use shared::query::{ByMode, Report, month_report};

use super::{desk, words};
use crate::components::amount::{amount, in_words};
use crate::components::bars::screen;
use crate::components::icon::{Icon, icon};
use crate::components::states::{empty, notice};
use crate::i18n::{Msg, coded, t};
use crate::place::Place;

/// Ways of paying, in the order in which they are told.
const MODES: [Mode; 5] = [Mode::Cash, Mode::Upi, Mode::Card, Mode::Bank, Mode::Cheque];

/// The screen.
pub fn month(month: Month) -> AnyView {
    let this_month = desk::today().month();
    let report = move || desk::books(|books| month_report(books.ledger, month));
    let body = view! {
        <div class="stack">
            <nav class="side-by-side no-print">
                {neighbour(month.previous(), Msg::ReportsPrevious)}
                {(month < this_month).then(|| neighbour(month.next(), Msg::ReportsNext))}
            </nav>
            {move || shown(&report())}
        </div>
    };
    screen(Place::Month(month), name(month), body.into_any(), None)
}

/// "November 2026".
fn name(month: Month) -> String {
    let word = coded("month", &month.month.to_string(), &[]);
    format!("{word} {}", month.year)
}

fn neighbour(month: Month, words: Msg) -> AnyView {
    view! {
        <a class="button small" href=Place::Month(month).to_string() aria-label=t(words)>
            {name(month)}
        </a>
    }
    .into_any()
}

fn shown(report: &Report) -> AnyView {
    if report.entries == 0 && report.taken_back == 0 {
        return empty(
            Icon::Bars,
            t(Msg::ReportsEmpty),
            t(Msg::ReportsEmptyNext),
            None,
        );
    }
    let uncounted = (report.uncounted > 0).then(|| {
        let n = report.uncounted;
        notice(true, t(Msg::HomeNotCounted { n }), None)
    });
    let change = report.khata_change();
    let change_words = match change.0 {
        0.. => Msg::ReportsNetChange,
        _ => Msg::ReportsNetChangeLess,
    };
    let sales = [
        line(
            Msg::ReportsCashSales,
            report.sales.total(),
            modes(&report.sales),
        ),
        line(Msg::ReportsCreditSales, report.credit_sales, None),
        rare(Msg::ReportsAdvanceSales, report.advance_sales, None),
        line(
            Msg::ReportsPayments,
            report.payments.total(),
            modes(&report.payments),
        ),
        line(Msg::ReportsReturns, report.returns(), returns(report)),
        rare(
            Msg::EntryDeposit,
            report.deposits.total(),
            modes(&report.deposits),
        ),
        rare(
            Msg::EntryWithdrawal,
            report.withdrawals.total(),
            modes(&report.withdrawals),
        ),
        rare(Msg::EntryAdvanceUsed, report.advances_used, None),
        rare(Msg::EntryGivenUp, report.write_offs, None),
    ];
    let cash = report.money(Mode::Cash);
    let cash_words = match cash.0 {
        0.. => Msg::ReportsCashMore,
        _ => Msg::ReportsCashLess,
    };
    let entries = t(Msg::ReportsEntries {
        n: report.entries as u64,
    });
    let taken_back = (report.taken_back > 0).then(|| {
        t(Msg::ReportsTakenBack {
            n: report.taken_back as u64,
        })
    });
    view! {
        {uncounted}
        <dl class="sums">
            {sales.into_iter().collect::<Vec<_>>()}
            <div class="total">
                <dt>{t(change_words)}</dt>
                <dd>{amount(change)}</dd>
            </div>
        </dl>
        <dl class="sums">
            {line(Msg::ReportsOpening, report.opening.khata, None)}
            {line(Msg::ReportsClosing, report.closing.khata, None)}
            {line(cash_words, cash, None)}
        </dl>
        <p class="quiet small">
            {entries} {taken_back.map(|words| format!(" · {words}"))}
        </p>
        <button
            type="button"
            class="button no-print"
            on:click=move |_| {
                let _ = crate::platform::window().print();
            }
        >
            {icon(Icon::Document)}
            {t(Msg::StatementPrint)}
        </button>
    }
    .into_any()
}

fn line(words: Msg, sum: Paise, note: Option<String>) -> Option<AnyView> {
    let note = note.map(|note| view! { <p class="quiet small">{note}</p> });
    Some(
        view! {
            <div>
                <dt>{t(words)} {note}</dt>
                <dd>{amount(sum)}</dd>
            </div>
        }
        .into_any(),
    )
}

/// A line that stands only where there is something to tell.
fn rare(words: Msg, sum: Paise, note: Option<String>) -> Option<AnyView> {
    match sum {
        Paise::ZERO => None,
        sum => line(words, sum, note),
    }
}

/// "Cash ₹340 · UPI ₹300".
fn modes(sums: &ByMode) -> Option<String> {
    let parts: Vec<String> = MODES
        .into_iter()
        .filter(|mode| sums.of(*mode) != Paise::ZERO)
        .map(|mode| format!("{} {}", words::mode(mode), in_words(sums.of(mode))))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// What was taken off the khata, and what was given back in money.
fn returns(report: &Report) -> Option<String> {
    let khata = match report.khata_returns {
        Paise::ZERO => None,
        sum => Some(format!("{} {}", t(Msg::EntryRefundKhata), in_words(sum))),
    };
    let parts: Vec<String> = khata
        .into_iter()
        .chain(modes(&report.money_returns))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
