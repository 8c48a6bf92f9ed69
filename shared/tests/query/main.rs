//! What the shop's books answer.

mod customers;
mod disputes;
mod khata;
mod past;
mod properties;
mod reports;
mod reviews;

/// A day as people write it.
fn day(text: &str) -> shared::calendar::BusinessDay {
    shared::calendar::BusinessDay::parse(text).expect("a date")
}
