//! "But I paid!": what the books say about what a customer says.

use leptos::prelude::*;
use shared::calendar::BusinessDay;
use shared::ids::{CustomerId, EntryId};
use shared::money::Paise;
use shared::query::{
    Answer, Books, Candidate, Claim, ClaimKind, CustomerFilter, CustomerSort, Evidence, NextStep,
    Verdict, dispute, entry,
};

use super::desk::People;
use super::entry_sheet::entry_sheet;
use super::form::Value;
use super::{desk, words};
use crate::components::amount::in_words;
use crate::components::bars::screen;
use crate::components::choices::choices;
use crate::components::date_field::other_day;
use crate::components::fields::search_box;
use crate::components::icon::{Icon, icon};
use crate::components::rows::{entry_row, initial};
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::history;

/// Customers that the search offers.
const OFFERED: usize = 5;

/// How far back the look goes, unless the person says.
const DAYS_BACK: i32 = 90;

/// The screen.
pub fn disputes() -> AnyView {
    let named = history::query_value("customer").and_then(|id| id.parse().ok());
    let customer = RwSignal::new(named);
    let kind = RwSignal::new(ClaimKind::Payment);
    let amount = Value::new(None);
    let today = desk::today();
    let from = RwSignal::new(today.plus_days(-DAYS_BACK).to_string());
    let to = RwSignal::new(today.to_string());
    let opened = RwSignal::new(None);
    let claim = move || {
        let typed = amount.signal().get();
        Some(Claim {
            customer: customer.get()?,
            kind: kind.get(),
            amount: Paise::parse(&typed).ok().filter(|sum| sum.is_positive())?,
            from: BusinessDay::parse(&from.get())?,
            to: BusinessDay::parse(&to.get())?,
        })
    };
    let answer = move || {
        let claim = claim()?;
        Some(desk::books(|books| {
            answered(books, &dispute(books, &claim), opened)
        }))
    };
    let kinds = vec![
        (ClaimKind::Payment, t(Msg::ClaimPayment)),
        (ClaimKind::Purchase, t(Msg::ClaimPurchase)),
        (ClaimKind::Return, t(Msg::ClaimReturn)),
        (ClaimKind::Deposit, t(Msg::EntryDeposit)),
        (ClaimKind::Withdrawal, t(Msg::EntryWithdrawal)),
    ];
    let body = view! {
        <div class="stack">
            {who(customer)} {choices("kind", t(Msg::ClaimKind), kinds, kind)}
            {amount.amount_field(Msg::CommonAmount, None)}
            {other_day(t(Msg::DateFrom), from)}
            {other_day(t(Msg::DateTo), to)}
            <div class="stack" aria-live="polite">
                {answer}
            </div>
        </div>
        {move || opened.get().map(|entry| entry_sheet(entry, opened))}
    };
    screen(
        Place::Disputes,
        t(Msg::ReportsDisputes),
        body.into_any(),
        None,
    )
}

/// The customer, chosen by searching.
fn who(customer: RwSignal<Option<CustomerId>>) -> AnyView {
    let people = People::new();
    let typed = RwSignal::new(String::new());
    let chosen = move || match customer.get() {
        Some(id) => {
            let name = desk::books(|books| words::customer(books, id));
            view! {
                <button type="button" class="row" on:click=move |_| customer.set(None)>
                    {initial(&name)}
                    <span class="what">
                        <span class="title">{name}</span>
                    </span>
                    {icon(Icon::Cross)}
                </button>
            }
            .into_any()
        }
        None => {
            let found = people.with(|people| {
                people.list(
                    CustomerFilter::All,
                    &typed.get(),
                    CustomerSort::LastActivity,
                    desk::today(),
                    0,
                )
            });
            let rows: Vec<AnyView> = found
                .rows
                .into_iter()
                .take(OFFERED)
                .map(|row| {
                    let name = words::name(&row.name);
                    view! {
                        <button
                            type="button"
                            class="row"
                            on:click=move |_| customer.set(Some(row.id))
                        >
                            {initial(&name)}
                            <span class="what">
                                <span class="title">{name}</span>
                            </span>
                        </button>
                    }
                    .into_any()
                })
                .collect();
            rows.into_any()
        }
    };
    let search = move || {
        customer
            .get()
            .is_none()
            .then(|| search_box(t(Msg::HomeSearch), typed))
    };
    view! {
        <div class="tight">
            {search} <div class="rows">{chosen}</div>
        </div>
    }
    .into_any()
}

fn answered(books: Books<'_>, answer: &Answer, opened: RwSignal<Option<EntryId>>) -> AnyView {
    let (class, drawing, verdict) = match answer.verdict {
        Verdict::Proved => ("notice", Icon::Tick, Msg::DisputeProved),
        Verdict::NotFound => ("notice attention", Icon::Warning, Msg::DisputeNotFound),
    };
    let matches: Vec<AnyView> = answer
        .matches
        .iter()
        .map(|evidence| shown(books, evidence, None, opened))
        .collect();
    let candidates: Vec<AnyView> = answer
        .candidates
        .iter()
        .map(|candidate| {
            let differs = differences(books, candidate);
            shown(books, &candidate.evidence, Some(differs), opened)
        })
        .collect();
    let near = (!candidates.is_empty()).then(|| {
        view! {
            <h2>{t(Msg::DisputeNear)}</h2>
            <div class="entries">{candidates}</div>
        }
    });
    view! {
        <div class=class>
            {icon(drawing)} <p><strong>{t(verdict)}</strong><br />{next(books, answer.next)}</p>
        </div>
        <div class="entries">{matches}</div>
        {near}
    }
    .into_any()
}

/// An entry with what speaks for it.
fn shown(
    books: Books<'_>,
    evidence: &Evidence,
    differs: Option<String>,
    opened: RwSignal<Option<EntryId>>,
) -> AnyView {
    let id = evidence.row.id;
    let mut line = super::customer::entry_line(books, &evidence.row);
    line.title = format!(
        "{} {}",
        evidence.row.on,
        words::entry_kind(books, &evidence.row)
    );
    let proof = t(Msg::DisputeEvidence {
        number: id.to_string(),
        day: evidence.recorded.day().to_string(),
        time: words::clock(evidence.recorded),
        n: evidence.chained_after.into(),
    });
    let parts = [differs, Some(line.note), Some(proof)];
    let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.collect();
    line.note = parts.join(" · ");
    entry_row(line, Some(Callback::new(move |()| opened.set(Some(id)))))
}

/// In what an entry differs from the claim.
fn differences(books: Books<'_>, candidate: &Candidate) -> String {
    let differs = &candidate.differs;
    let mut parts = Vec::new();
    if differs.kind.is_some() {
        parts.push(t(Msg::DifferKind));
    }
    match differs.amount.0 {
        0 => {}
        1.. => parts.push(t(Msg::DifferMore {
            amount: in_words(differs.amount),
        })),
        _ => parts.push(t(Msg::DifferLess {
            amount: in_words(differs.amount),
        })),
    }
    let days = u64::from(differs.days.unsigned_abs());
    match differs.days {
        0 => {}
        1.. => parts.push(t(Msg::DifferLater { n: days })),
        _ => parts.push(t(Msg::DifferEarlier { n: days })),
    }
    if let Some(page) = differs.page {
        parts.push(t(Msg::DifferPage {
            name: words::customer(books, page),
        }));
    }
    parts.join(", ")
}

/// What to do next, in words.
fn next(books: Books<'_>, step: NextStep) -> String {
    let amount = |id: EntryId| {
        let row = entry(books, id);
        row.map(|row| in_words(row.amount)).unwrap_or_default()
    };
    let day = |id: EntryId| {
        let row = entry(books, id);
        row.map(|row| row.on.to_string()).unwrap_or_default()
    };
    t(match step {
        NextStep::Show(_) => Msg::NextShow,
        NextStep::ShowCorrection { replacement, .. } => Msg::NextShowCorrection {
            amount: amount(replacement),
        },
        NextStep::TellWhyTakenBack(id) => Msg::NextTakenBack {
            reason: entry(books, id)
                .and_then(|row| row.taken_back)
                .map(|taken_back| words::reason(taken_back.reason))
                .unwrap_or_default(),
        },
        NextStep::AskAboutPage(page, _) => Msg::NextAskPage {
            name: words::customer(books, page),
        },
        NextStep::AskAboutDay(id) => Msg::NextAskDay { day: day(id) },
        NextStep::AskAboutAmount(id) => Msg::NextAskAmount { amount: amount(id) },
        NextStep::TellKind(id) => Msg::NextTellKind {
            kind: entry(books, id)
                .map(|row| words::entry_kind(books, &row))
                .unwrap_or_default(),
        },
        NextStep::CountFirst { uncounted } => Msg::NextCountFirst { n: uncounted },
        NextStep::AskForProof => Msg::NextAskForProof,
    })
}
