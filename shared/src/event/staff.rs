//! The people who work in the shop. A PIN's verifier lies beside the log, never in it.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::{Language, Role};
use super::shape::fields;
use crate::ids::{IdMap, StaffId};
use crate::text::Text;

/// Someone joined the staff.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct StaffAdded {
    /// The name.
    #[n(0)]
    pub name: Text,
    /// What this person may do.
    #[n(1)]
    pub role: Role,
    /// The language of this person's screens.
    #[n(2)]
    pub language: Option<Language>,
}

/// Facts about a member of the staff changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct StaffChanged {
    /// Who.
    #[n(0)]
    pub staff: StaffId,
    /// The name.
    #[n(1)]
    pub name: Option<Text>,
    /// What this person may do.
    #[n(2)]
    pub role: Option<Role>,
    /// The language of this person's screens.
    #[n(3)]
    pub language: Option<Language>,
}

/// Someone left the staff.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct StaffRemoved {
    /// Who.
    #[n(0)]
    pub staff: StaffId,
}

fields! {
    StaffAdded: name role language;
    StaffChanged: staff name role language;
    StaffRemoved: staff;
}
