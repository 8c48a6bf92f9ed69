//! What tests, benches and demonstrations share: samples, generators, simulated shops.
//!
//! Behind the feature `testing`; never part of the app or the server.

pub mod archive;
pub mod build;
pub mod demo;
pub mod device;
pub mod forge;
pub mod given;
pub mod logs;
pub mod phone;
pub mod planted;
pub mod rng;
pub mod samples;
pub mod sealed;
pub mod server;
pub mod sim;
