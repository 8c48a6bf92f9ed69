//! What the shop's books answer.

mod customers;
mod khata;
