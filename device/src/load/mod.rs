//! The bills of a real shop, from a file, into the books.

pub mod bills;
pub mod report;
pub mod rows;
