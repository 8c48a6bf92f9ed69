//! What a server decides about what phones send.

mod jig;
mod log;
mod rights;
