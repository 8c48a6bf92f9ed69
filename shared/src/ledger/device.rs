//! The shop's devices and people.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::Register;
use crate::calendar::TimeMs;
use crate::event::{Language, PublicKey, Role};
use crate::ids::{DeviceNo, EventId, StaffId};
use crate::text::Text;

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Device {
    /// The most that it may do; set when it was enrolled.
    #[n(0)]
    pub role: Register<Role>,
    /// The key that it signs with.
    #[n(1)]
    pub key: Register<PublicKey>,
    /// What people call it.
    #[n(2)]
    pub name: Register<Text>,
    /// The member of staff who uses it, if it is one person's.
    #[n(3)]
    pub staff: Register<Option<StaffId>>,
    /// The events that revoked it, with the time of each; empty for a device in use.
    #[n(4)]
    pub revoked: BTreeMap<EventId, TimeMs>,
    /// The version of the app that it last started.
    #[n(5)]
    pub app: Register<String>,
    /// The device whose storage it is a copy of.
    #[n(6)]
    pub branch_of: Register<Option<DeviceNo>>,
}

impl Device {
    /// May write no more?
    pub fn is_revoked(&self) -> bool {
        !self.revoked.is_empty()
    }
}

/// A member of the staff.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Member {
    /// The name.
    #[n(0)]
    pub name: Register<Text>,
    /// What this person may do.
    #[n(1)]
    pub role: Register<Role>,
    /// The language of this person's screens.
    #[n(2)]
    pub language: Register<Option<Language>>,
    /// Has left the shop.
    #[n(3)]
    pub removed: bool,
}
