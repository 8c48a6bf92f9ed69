//! A phone and its server, step by step.

mod copies;
mod generations;
mod history;
mod jig;
mod line;
mod meeting;
mod mended;
mod people;
mod races;
mod restored;
mod rewritten;
mod storage;
