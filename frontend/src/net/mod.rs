//! How this phone meets the others: the server, and the other tabs.

pub mod tabs;
