//! How the copies of one log come together: what is sent, who decides, what is proved.

pub mod tree;
pub mod wire;
