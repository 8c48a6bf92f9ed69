//! The screens. No rule of the shop is here: they show what the core answers and
//! pass on what a person wants.

mod customer;
mod customer_form;
mod desk;
mod devices;
mod doing;
mod entry;
mod entry_sheet;
mod form;
mod home;
mod join;
mod more;
mod pair;
mod reports;
mod server;
mod shop;
mod staff;
mod start;
mod storage;
mod words;

pub use customer::customer;
pub use customer_form::{details, new_customer};
pub use desk::open;
pub use devices::devices;
pub use entry::{correct, new_entry, sale};
pub use home::home;
pub use join::{filling, join};
pub use more::more;
pub use pair::pair;
pub use reports::reports;
pub use server::server;
pub use shop::shop;
pub use staff::staff;
pub use start::{first_start, opening, trouble};
pub use storage::storage;
