//! How the copies of one log come together: what is sent, who decides, what is proved.
//!
//! [`wire`] is what phones and servers send each other. [`judge`] is the server's decision,
//! [`authority`] the little that it must know to decide. [`engine`] is the device's side.
//! [`branch`] is how a copy of a device goes on as another. [`erasure`] tells which keys to destroy.
//! [`restore`] is how a server that lost a part of its log gets it back from the phones, [`generation`]
//! how a log goes on where that cannot be. [`segment`] keeps what is old in few bytes. [`log`] and
//! [`tree`] are
//! the hashes that both sides keep.

pub mod authority;
pub mod branch;
pub mod engine;
pub mod erasure;
pub mod generation;
pub mod judge;
pub mod log;
pub mod restore;
pub mod segment;
pub mod tree;
pub mod wire;
