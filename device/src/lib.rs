//! A native device: what a phone is, without a screen.

#![forbid(unsafe_code)]

pub mod http;
pub mod journal;
pub mod keys;
pub mod load;
