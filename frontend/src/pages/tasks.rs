//! What a person has to look at, and entries of revoked phones that wait.

use leptos::prelude::*;
use shared::command::{MergeCustomers, RefuseHeld, ReleaseHeld, ResolveTask};
use shared::event::{Resolution, Subject, TaskKind};
use shared::ids::{CustomerId, EntryId, EventId};
use shared::query::{Books, Directory, Held, Task, copies, device_name, entry, held, tasks};

use super::copies::questions;
use super::desk::People;
use super::doing::Doing;
use super::{desk, words};
use crate::components::amount::in_words;
use crate::components::bars::screen;
use crate::components::icon::{Icon, icon};
use crate::components::rows::{entry_row, initial, link_row};
use crate::components::states::empty;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::platform::history;

/// The screen.
pub fn review() -> AnyView {
    let people = People::new();
    let doing = Doing::new();
    let list = move || {
        let (found, waiting) =
            people.with(|people| desk::books(|books| (tasks(books, people), held(books))));
        let waiting: Vec<Held> = waiting.into_iter().filter(|held| !held.refused).collect();
        let is_copied = desk::books(|books| !copies(books).is_empty());
        if found.is_empty() && waiting.is_empty() && !is_copied {
            return empty(Icon::Tick, t(Msg::TasksNone), t(Msg::TasksNoneNext), None);
        }
        let cards: Vec<AnyView> = found
            .into_iter()
            .map(|task| task_card(task, doing))
            .chain(waiting.into_iter().map(|held| held_card(held, doing)))
            .collect();
        cards.into_any()
    };
    let body = view! { <div class="stack">{doing.view()} {questions()} {list}</div> };
    screen(Place::Tasks, t(Msg::MoreTasks), body.into_any(), None)
}

/// How many things wait for a person; tracked.
pub fn count(people: &Directory) -> u64 {
    desk::books(|books| {
        if !books.ledger.is_whole() {
            return 0;
        }
        let waiting = held(books).into_iter().filter(|held| !held.refused);
        (tasks(books, people).len() + waiting.count() + copies(books).len()) as u64
    })
}

fn task_card(task: Task, doing: Doing) -> AnyView {
    let (title, about) = desk::books_untracked(|books| told(books, &task));
    let evidence = desk::books_untracked(|books| evidence(books, &task));
    let pages: Vec<CustomerId> = match task.kind {
        TaskKind::DuplicateCustomer => task.evidence.iter().copied().map(CustomerId).collect(),
        _ => Vec::new(),
    };
    let merge = (pages.len() > 1).then(|| {
        view! {
            <button
                type="button"
                class="button"
                disabled=move || doing.is_busy()
                on:click=move |_| merge(pages.clone(), doing)
            >
                {t(Msg::TasksMerge)}
            </button>
        }
    });
    let fine = move |_| {
        let command = ResolveTask {
            task: task.kind,
            subject: task.subject.clone(),
            resolution: Resolution::Fine,
            evidence: task.evidence.iter().copied().collect(),
            covers: task.amount,
            why: None,
        };
        doing.run(command, |_| toast::saved(t(Msg::CommonSaved)));
    };
    view! {
        <section class="card">
            <h2>{icon(Icon::Warning)} " " {title}</h2>
            <p>{about}</p>
            {evidence}
            <div class="side-by-side">
                {merge}
                <button
                    type="button"
                    class="button"
                    disabled=move || doing.is_busy()
                    on:click=fine
                >
                    {t(Msg::TasksFine)}
                </button>
            </div>
        </section>
    }
    .into_any()
}

/// Joins the first page with each of the others, one after the other.
fn merge(pages: Vec<CustomerId>, doing: Doing) {
    let Some((&customer, rest)) = pages.split_first() else {
        return;
    };
    let Some((&with, rest)) = rest.split_first() else {
        toast::saved(t(Msg::TasksMerged));
        return;
    };
    let left: Vec<CustomerId> = core::iter::once(customer)
        .chain(rest.iter().copied())
        .collect();
    doing.run(MergeCustomers { customer, with }, move |_| {
        merge(left.clone(), doing)
    });
}

/// What the task is, and what may be done about it.
fn told(books: Books<'_>, task: &Task) -> (String, String) {
    let amount = task.amount.map(in_words).unwrap_or_default();
    let subject = match &task.subject {
        Subject::Customer(id) => words::customer(books, *id),
        Subject::Entry(id) => id.to_string(),
        Subject::Device(no) => words::name(&device_name(books, *no)),
        Subject::Reference(text) => text.clone(),
    };
    let name = || subject.clone();
    let (title, about) = match task.kind {
        TaskKind::DuplicateCustomer => {
            (Msg::TaskDuplicate { name: name() }, Msg::TaskDuplicateAbout)
        }
        TaskKind::LimitPassed => (
            Msg::TaskLimit { name: name() },
            Msg::TaskLimitAbout { amount },
        ),
        TaskKind::SameReference => (
            Msg::TaskReference { reference: name() },
            Msg::TaskReferenceAbout,
        ),
        TaskKind::AdvanceOverdrawn => (
            Msg::TaskOverdrawn { name: name() },
            Msg::TaskOverdrawnAbout { amount },
        ),
        TaskKind::ReturnedTooMuch => (
            Msg::TaskReturned,
            match task.amount {
                Some(_) => Msg::TaskReturnedAbout { amount },
                None => Msg::TaskReturnedAboutGoods,
            },
        ),
        TaskKind::ReversedTwice => (Msg::TaskReversedTwice, Msg::TaskReversedTwiceAbout),
        TaskKind::ClockOff => (Msg::TaskClock { name: name() }, Msg::TaskClockAbout),
        TaskKind::SameBillNumber => (Msg::TaskBill { number: name() }, Msg::TaskBillAbout),
    };
    (t(title), t(about))
}

/// The pages or entries that show it.
fn evidence(books: Books<'_>, task: &Task) -> AnyView {
    let page = |id: CustomerId| {
        let name = words::customer(books, id);
        let balance = in_words(books.ledger.balance(id).khata);
        link_row(
            Place::Customer(id),
            initial(&name),
            name,
            Some(balance),
            None,
        )
    };
    let line = |id: EventId| {
        let row = entry(books, EntryId(id))?;
        let customer = row.customer;
        let open = customer.map(|customer| {
            Callback::new(move |()| history::go(&Place::Customer(customer).to_string()))
        });
        Some(entry_row(super::customer::entry_line(books, &row), open))
    };
    let rows: Vec<AnyView> = match (task.kind, &task.subject) {
        (TaskKind::DuplicateCustomer, _) => task
            .evidence
            .iter()
            .map(|id| page(CustomerId(*id)))
            .collect(),
        (_, Subject::Customer(id)) => vec![page(*id)],
        (_, Subject::Entry(id)) => core::iter::once(id.0)
            .chain(task.evidence.iter().copied())
            .filter_map(line)
            .collect(),
        _ => task.evidence.iter().copied().filter_map(line).collect(),
    };
    view! { <div class="rows">{rows}</div> }.into_any()
}

fn held_card(waiting: Held, doing: Doing) -> AnyView {
    let name = words::name(&waiting.device_name);
    let at = format!("{} {}", waiting.at.day(), words::clock(waiting.at));
    let items: Vec<AnyView> = waiting
        .items
        .iter()
        .map(|item| {
            let customer = item.customer.as_ref().map(|(_, name)| words::name(name));
            let amount = item.amount.map(in_words);
            let parts: Vec<String> = customer.into_iter().chain(amount).collect();
            view! { <li>{parts.join(" · ")}</li> }.into_any()
        })
        .collect();
    let events = StoredValue::new(waiting.events);
    let saved = |_| toast::saved(t(Msg::CommonSaved));
    let release = move |_| {
        let events = events.get_value();
        doing.run(ReleaseHeld { events }, saved);
    };
    let refuse = move |_| {
        let events = events.get_value();
        doing.run(RefuseHeld { events, why: None }, saved);
    };
    view! {
        <section class="card">
            <h2>{t(Msg::HeldTitle { name })}</h2>
            <p>{t(Msg::HeldAbout { when: at })}</p>
            <ul>{items}</ul>
            <div class="side-by-side">
                <button
                    type="button"
                    class="button"
                    disabled=move || doing.is_busy()
                    on:click=refuse
                >
                    {t(Msg::HeldKeepOut)}
                </button>
                <button
                    type="button"
                    class="button primary"
                    disabled=move || doing.is_busy()
                    on:click=release
                >
                    {t(Msg::HeldLetIn)}
                </button>
            </div>
        </section>
    }
    .into_any()
}
