//! Native devices against the real server.

mod devices;
mod load;
mod support;
