//! Who may write what: the little that a server has to know of a shop's log.
//!
//! The server checks the most that a *device* may do. What a member of the staff may do is decided
//! by the command side on the phone.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::wire::{BranchOf, Verdict};
use crate::event::{Body, Branch, Decoded, Event, Kind, MAX_CLOCK_JUMP, PublicKey, Role};
use crate::ids::{DeviceNo, EventId, ShopId};

/// The devices of a shop, as the accepted events of its log in their order say.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Authority {
    #[n(0)]
    shop: ShopId,
    #[n(1)]
    devices: BTreeMap<DeviceNo, Device>,
    /// The greatest Lamport clock of an accepted event.
    #[n(2)]
    clock: u64,
}

/// A device as the server knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Device {
    /// The key that it was enrolled with.
    #[n(0)]
    pub first_key: PublicKey,
    /// The key that it signs with now.
    #[n(1)]
    pub key: PublicKey,
    /// The most that it may do.
    #[n(2)]
    pub role: Role,
    /// What it sends is held for the owner.
    #[n(3)]
    pub revoked: bool,
    /// The device that it is a copy of.
    #[n(4)]
    pub branch_of: Option<BranchOf>,
}

impl Device {
    const fn new(key: PublicKey, role: Role) -> Device {
        Device {
            first_key: key,
            key,
            role,
            revoked: false,
            branch_of: None,
        }
    }
}

impl Authority {
    /// A shop at the moment when its founding phone claimed the server.
    pub fn claimed(shop: ShopId, founder: PublicKey, server: PublicKey) -> Authority {
        let mut claimed = Authority::unclaimed(shop, server);
        let founder = Device::new(founder, Role::Owner);
        claimed.devices.insert(DeviceNo::FOUNDER, founder);
        claimed
    }

    /// A shop of which nothing is known but its server: its log names the founding phone too.
    pub fn unclaimed(shop: ShopId, server: PublicKey) -> Authority {
        Authority {
            shop,
            devices: BTreeMap::from([(DeviceNo::SERVER, Device::new(server, Role::Owner))]),
            clock: 0,
        }
    }

    /// A device, revoked ones too.
    pub fn device(&self, number: DeviceNo) -> Option<&Device> {
        self.devices.get(&number)
    }

    /// All devices, the server first.
    pub const fn devices(&self) -> &BTreeMap<DeviceNo, Device> {
        &self.devices
    }

    /// The greatest Lamport clock of an accepted event.
    pub const fn clock(&self) -> u64 {
        self.clock
    }

    /// How the bytes of a device are to be read: set for the copy of another.
    pub fn branch(&self, device: DeviceNo) -> Option<Branch> {
        let of = self.devices.get(&device)?.branch_of?;
        Some(Branch {
            device,
            of: of.device,
            from_seq: of.from_seq,
        })
    }

    /// Judges an event of an enrolled device that is in its right place.
    pub fn judge(&self, event: &Decoded) -> Verdict {
        let envelope = event.envelope();
        let Some(writer) = self.devices.get(&envelope.id.device) else {
            return Verdict::QuarantinedForbidden;
        };
        if envelope.clock > self.clock.saturating_add(MAX_CLOCK_JUMP) {
            return Verdict::QuarantinedClock;
        }
        let permitted = match event {
            Decoded::Unknown(unknown) => may_write(writer.role, unknown.kind),
            Decoded::Known(event) => {
                may_write(writer.role, event.body.kind() as u16)
                    && self.permits(writer, envelope.id, &event.body)
            }
        };
        match (permitted, writer.revoked) {
            (false, _) => Verdict::QuarantinedForbidden,
            (true, true) => Verdict::Held,
            (true, false) => Verdict::Accepted,
        }
    }

    /// What the kind alone does not tell: whom an event of authority may touch.
    fn permits(&self, writer: &Device, id: EventId, body: &Body) -> bool {
        match body {
            Body::ShopOpened(body) => {
                body.shop == self.shop && id == EventId::new(DeviceNo::FOUNDER.0, 1)
            }
            Body::DeviceEnrolled(body) => {
                // Known is the founder before its own enrolment, or a device that gets another
                // role. A number belongs to one key for ever.
                let free = self.devices.get(&body.device).is_none_or(|known| {
                    known.first_key == body.key && !known.revoked && known.role <= writer.role
                });
                free && body.device != DeviceNo::SERVER && body.role <= writer.role
            }
            Body::DeviceNamed(body) => body.device == id.device || writer.role >= Role::Manager,
            Body::DeviceRevoked(body) => {
                let target = self.devices.get(&body.device);
                body.device != DeviceNo::SERVER
                    && target.is_some_and(|target| target.role <= writer.role)
            }
            Body::DeviceKeyChanged(body) => {
                let own = body.device == id.device;
                body.device != DeviceNo::SERVER && (own || writer.role == Role::Owner)
            }
            Body::BranchRegistered(body) => {
                id.device == DeviceNo::SERVER
                    && self.devices.contains_key(&body.of)
                    && !self.devices.contains_key(&body.device)
            }
            Body::GenerationOpened(_) => id.device == DeviceNo::SERVER,
            Body::StaffAdded(body) => body.role <= writer.role,
            Body::StaffChanged(body) => body.role.is_none_or(|role| role <= writer.role),
            _ => true,
        }
    }

    /// Takes note of an accepted event.
    pub fn accept(&mut self, event: &Decoded) {
        self.clock = self.clock.max(event.envelope().clock);
        let Decoded::Known(Event { body, .. }) = event else {
            return;
        };
        match body {
            Body::DeviceEnrolled(body) => {
                let device = self.devices.entry(body.device);
                let device = device.or_insert(Device::new(body.key, body.role));
                // A number belongs to one key for ever. What comes back after a loss may have given
                // it to another.
                if device.first_key == body.key {
                    device.role = body.role;
                }
            }
            Body::DeviceRevoked(body) => {
                if let Some(device) = self.devices.get_mut(&body.device) {
                    device.revoked = true;
                }
            }
            Body::DeviceKeyChanged(body) => {
                let by_server = event.envelope().id.device == DeviceNo::SERVER;
                if let Some(device) = self.devices.get_mut(&body.device) {
                    device.key = body.key;
                    // A branch begins with the key of the copied device, and gets its own at once.
                    if by_server && device.branch_of.is_some() {
                        device.first_key = body.key;
                    }
                }
            }
            Body::BranchRegistered(body) => {
                if let Some(&copied) = self.devices.get(&body.of) {
                    let branch = Device {
                        branch_of: Some(BranchOf {
                            device: body.of,
                            from_seq: body.from_seq,
                        }),
                        ..copied
                    };
                    self.devices.insert(body.device, branch);
                }
            }
            _ => {}
        }
    }
}

/// The kinds whose contents say who may write what, or are bounded by it. Of all others a server
/// needs the envelope only.
pub fn is_of_authority(kind: u16) -> bool {
    const KINDS: [Kind; 9] = [
        Kind::ShopOpened,
        Kind::DeviceEnrolled,
        Kind::DeviceNamed,
        Kind::DeviceRevoked,
        Kind::DeviceKeyChanged,
        Kind::BranchRegistered,
        Kind::GenerationOpened,
        Kind::StaffAdded,
        Kind::StaffChanged,
    ];
    KINDS.iter().any(|&known| known as u16 == kind)
}

/// May a device of this role write events of this kind at all? Kinds that this build does not know
/// may be written by whoever makes entries.
pub fn may_write(role: Role, kind: u16) -> bool {
    let kind = Kind::ALL.iter().find(|&&known| known as u16 == kind);
    let needs = match kind {
        Some(Kind::SessionStarted) => Role::Display,
        Some(
            Kind::ShopOpened | Kind::GenerationOpened | Kind::HeldReleased | Kind::HeldRefused,
        ) => Role::Owner,
        Some(
            Kind::ShopChanged
            | Kind::DeviceEnrolled
            | Kind::DeviceRevoked
            | Kind::BranchRegistered
            | Kind::StaffAdded
            | Kind::StaffChanged
            | Kind::StaffRemoved
            | Kind::CustomersMerged
            | Kind::CustomerErased
            | Kind::WrittenOff
            | Kind::TaskResolved,
        ) => Role::Manager,
        // A device may always change its own key.
        Some(Kind::DeviceKeyChanged) => Role::Display,
        Some(
            Kind::CustomerAdded
            | Kind::CustomerUpdated
            | Kind::CustomerArchived
            | Kind::DeviceNamed
            | Kind::CreditGiven
            | Kind::PaymentReceived
            | Kind::GoodsReturned
            | Kind::AdvanceDeposited
            | Kind::AdvanceWithdrawn
            | Kind::AdvanceUsed
            | Kind::AmountTransferred
            | Kind::SaleRecorded
            | Kind::EntryReversed
            | Kind::EntryCorrected
            | Kind::StatementSent
            | Kind::MessageSent,
        )
        | None => Role::Cashier,
    };
    role >= needs
}
