//! What a server decides about what phones send.

mod branch;
mod jig;
mod log;
mod rights;
