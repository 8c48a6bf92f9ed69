//! The shop's devices and people.

use std::collections::BTreeMap;
use std::iter;

use minicbor::{Decode, Encode};

use super::{Ledger, Register};
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

    /// Is it a copy that nobody has let go on or removed?
    pub fn is_unconfirmed_copy(&self) -> bool {
        self.branch_of.value().is_some() && self.role.get().is_none() && !self.is_revoked()
    }
}

impl Ledger {
    /// A device, the one that it is a copy of, and so on to one that was never copied.
    pub fn lineage(&self, device: DeviceNo) -> impl Iterator<Item = &Device> {
        let copied = |of: &&Device| self.devices.get(of.branch_of.value()?);
        // No chain of copies is longer than there are devices; a ring of them ends here too.
        iter::successors(self.devices.get(&device), copied).take(self.devices.len())
    }

    /// The most that a device may do. A copy may do what the copied phone may.
    pub fn role_of(&self, device: DeviceNo) -> Option<Role> {
        // The server is nobody's device: it writes only what its own host asks for.
        if device == DeviceNo::SERVER {
            return Some(Role::Owner);
        }
        self.lineage(device)
            .find_map(|known| known.role.get().copied())
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
