//! The screens. No rule of the shop is here: they show what the core answers and
//! pass on what a person wants.

mod accounts;
mod choose;
mod conflict;
mod copies;
mod customer;
mod customer_form;
mod day;
mod desk;
mod devices;
mod disputes;
mod doing;
mod entry;
mod entry_sheet;
mod form;
pub mod history;
mod home;
mod join;
mod month;
mod more;
mod old_khata;
mod pair;
mod past;
mod reports;
mod server;
mod shop;
mod staff;
mod start;
mod statement;
mod storage;
mod tasks;
mod words;

use leptos::prelude::*;

use crate::app::nowhere;
use crate::components::sync_chip::sync_details;
use crate::parts::{Drawing, Part};
use crate::place::Place;

pub use conflict::strip as conflict_strip;
pub use customer::customer;
pub use desk::open;
pub use home::home;
pub use join::filling;
pub use start::{first_start, open_new_shop, opening, trouble};

/// The part of the app that a screen lies in; `None` for the first load.
pub const fn part_of(place: Place) -> Option<Part> {
    Some(match place {
        Place::Khata | Place::Customer(_) | Place::Start => return None,
        Place::Join
        | Place::OldKhata
        | Place::Entry(..)
        | Place::Transfer(..)
        | Place::Correct(_)
        | Place::ReturnOf(_)
        | Place::NewCustomer
        | Place::Sale => Part::Work,
        Place::Move(_)
        | Place::Same(_)
        | Place::Statement(_)
        | Place::Details(_)
        | Place::Reports
        | Place::Month(_)
        | Place::Day
        | Place::Past
        | Place::Disputes
        | Place::Tasks
        | Place::More
        | Place::Shop
        | Place::Devices
        | Place::Pair
        | Place::Staff
        | Place::Sync
        | Place::Storage
        | Place::Conflict => Part::Office,
    })
}

/// What lies in [`Part::Work`].
pub fn draw_work(drawing: Drawing) -> AnyView {
    match drawing {
        Drawing::Entry(id, opened) => entry_sheet::entry_sheet(id, opened),
        Drawing::Accounts(id, opened) => accounts::sheet(id, opened),
        Drawing::Contact => sync_details(desk::shop()),
        Drawing::News => (copies::strip(), old_khata::strip()).into_any(),
        Drawing::Screen(place) => match place {
            Place::Join => join::join(desk::opened()),
            Place::OldKhata => old_khata::old_khata(),
            Place::Entry(id, kind) => entry::new_entry(id, kind),
            Place::Transfer(from, to) => entry::transfer(from, to),
            Place::Correct(id) => entry::correct(id),
            Place::ReturnOf(id) => entry::return_of(id),
            Place::NewCustomer => customer_form::new_customer(),
            Place::Sale => entry::sale(),
            _ => nowhere(),
        },
    }
}

/// What lies in [`Part::Office`].
pub fn draw_office(drawing: Drawing) -> AnyView {
    let Drawing::Screen(place) = drawing else {
        return nowhere();
    };
    match place {
        Place::Move(id) => choose::move_to(id),
        Place::Same(id) => choose::same_person(id),
        Place::Statement(id) => statement::of_customer(id),
        Place::Details(id) => customer_form::details(id),
        Place::Reports => reports::reports(),
        Place::Month(month) => month::month(month),
        Place::Day => day::day(),
        Place::Past => past::past(),
        Place::Disputes => disputes::disputes(),
        Place::Tasks => tasks::review(),
        Place::Shop => shop::shop(),
        Place::Devices => devices::devices(),
        Place::Pair => pair::pair(),
        Place::Staff => staff::staff(),
        Place::Sync => server::server(),
        Place::Storage => storage::storage(),
        Place::Conflict => conflict::conflict(),
        Place::More => more::more(),
        _ => nowhere(),
    }
}
