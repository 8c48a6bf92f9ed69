//! The people who work in the shop, and what each may do.

use leptos::prelude::*;
use shared::command::{AddStaff, ChangeStaff, MAX_NAME_CHARS, RemoveStaff};
use shared::event::Role;
use shared::ids::StaffId;

use super::doing::Doing;
use super::form::Value;
use super::{desk, words};
use crate::components::bars::screen;
use crate::components::choices::choices;
use crate::components::fields::Typing;
use crate::components::icon::{Icon, icon};
use crate::components::rows::initial;
use crate::components::sheet::Sheet;
use crate::components::toast;
use crate::i18n::{Msg, t};
use crate::place::Place;

/// The roles that people have; a display is no person.
const ROLES: [Role; 4] = [Role::Owner, Role::Manager, Role::Cashier, Role::Viewer];

/// Who is being changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    New,
    Known(StaffId),
}

/// The screen.
pub fn staff() -> AnyView {
    let opened = RwSignal::new(None);
    let rows = move || {
        desk::books(|books| {
            let members = books.ledger.staff.iter();
            members
                .filter(|(_, member)| !member.removed)
                .map(|(&id, member)| {
                    let name = words::staff(books, id);
                    let role = member.role.get().copied().unwrap_or(Role::Viewer);
                    person_row(
                        name,
                        role,
                        Callback::new(move |()| opened.set(Some(Who::Known(id)))),
                    )
                })
                .collect::<Vec<AnyView>>()
        })
    };
    let body = view! {
        <div class="rows">{rows}</div>
        {move || opened.get().map(|who| person_sheet(who, opened))}
    };
    let foot = view! {
        <button type="button" class="button primary big" on:click=move |_| opened.set(Some(Who::New))>
            {icon(Icon::Plus)}
            {t(Msg::StaffAdd)}
        </button>
    };
    screen(
        Place::Staff,
        t(Msg::MoreStaff),
        body.into_any(),
        Some(foot.into_any()),
    )
}

fn person_row(name: String, role: Role, open: Callback<()>) -> AnyView {
    view! {
        <button type="button" class="row" on:click=move |_| open.run(())>
            {initial(&name)}
            <span class="what">
                <span class="title">{name}</span>
                <span class="note">{words::role(role)}</span>
            </span>
        </button>
    }
    .into_any()
}

fn person_sheet(who: Who, opened: RwSignal<Option<Who>>) -> AnyView {
    let (known_name, known_role) = match who {
        Who::New => (None, Role::Cashier),
        Who::Known(id) => desk::books_untracked(|books| {
            let member = books.ledger.staff.get(&id);
            let role = member.and_then(|member| member.role.get().copied());
            (Some(words::staff(books, id)), role.unwrap_or(Role::Viewer))
        }),
    };
    let name = Value::new(known_name.as_deref());
    let role = RwSignal::new(known_role);
    let doing = Doing::new();
    let close = Callback::new(move |()| opened.set(None));
    let done = move |_| {
        toast::saved(t(Msg::CommonSaved));
        close.run(());
    };
    let save = move |_| match who {
        Who::New => doing.run(
            AddStaff {
                name: name.signal().get_untracked(),
                role: role.get_untracked(),
                language: None,
            },
            done,
        ),
        Who::Known(staff) => doing.run(
            ChangeStaff {
                staff,
                name: name.change(),
                role: Some(role.get_untracked()).filter(|role| *role != known_role),
                language: None,
            },
            done,
        ),
    };
    let remove = match who {
        Who::New => None,
        Who::Known(staff) => Some(view! {
            <button
                type="button"
                class="button plain"
                disabled=move || doing.is_busy()
                on:click=move |_| doing.run(RemoveStaff { staff }, done)
            >
                {t(Msg::StaffRemove)}
            </button>
        }),
    };
    let options = ROLES.map(|role| (role, words::role(role))).to_vec();
    let title = match who {
        Who::New => t(Msg::StaffAdd),
        Who::Known(_) => known_name.unwrap_or_default(),
    };
    view! {
        <Sheet title=title on_close=close>
            {name.field(Msg::CustomerName, MAX_NAME_CHARS, Typing::Words, None)}
            {choices("role", t(Msg::StaffRole), options, role)} {doing.view()}
            <button
                type="button"
                class="button primary big"
                disabled=move || doing.is_busy() || name.is_blank()
                on:click=save
            >
                {icon(Icon::Tick)}
                {t(Msg::EntrySave)}
            </button>
            {remove}
        </Sheet>
    }
    .into_any()
}
