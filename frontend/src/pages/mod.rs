//! The screens. No rule of the shop is here: they show what the core answers and
//! pass on what a person wants.

mod customer;
mod customer_form;
mod desk;
mod devices;
mod disputes;
mod doing;
mod entry;
mod entry_sheet;
mod form;
mod home;
mod join;
mod month;
mod more;
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

pub use customer::customer;
pub use customer_form::{details, new_customer};
pub use desk::open;
pub use devices::devices;
pub use disputes::disputes;
pub use entry::{correct, new_entry, sale};
pub use home::home;
pub use join::{filling, join};
pub use month::month;
pub use more::more;
pub use pair::pair;
pub use past::past;
pub use reports::reports;
pub use server::server;
pub use shop::shop;
pub use staff::staff;
pub use start::{first_start, opening, trouble};
pub use statement::of_customer as statement;
pub use storage::storage;
pub use tasks::review;
