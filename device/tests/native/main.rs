//! Native devices against the real server.

mod devices;
mod history;
mod load;
mod portal;
mod support;
