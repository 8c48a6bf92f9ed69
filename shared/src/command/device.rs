//! Devices and their keys.

use super::fields::required;
use super::rejection::rejections;
use super::{Desk, Rejection, TextField};
use crate::event::{
    DeviceEnrolled, DeviceKeyChanged, DeviceNamed, DeviceRevoked, ECDSA_P256_SHA256, PublicKey,
    Role, SessionStarted,
};
use crate::ids::{DeviceNo, StaffId};
use crate::ledger::{Device, FOLD_VERSION};
use crate::text::Field;

rejections! {
    /// What cannot be done with a device.
    pub enum DeviceRejection {
        /// There is no such device.
        #[error("there is no device {}", .device.0)]
        "unknown_device" Unknown {
            /// The device.
            device: DeviceNo,
        },
        /// A number is never given twice.
        #[error("the number {} was given before", .device.0)]
        "device_number_taken" NumberTaken {
            /// The device.
            device: DeviceNo,
        },
        /// Every device has a key of its own.
        #[error("device {} signs with this key", .device.0)]
        "device_key_taken" KeyTaken {
            /// The other device.
            device: DeviceNo,
        },
        /// Not a public key that Pakka can check.
        #[error("this is not a public key on P-256")]
        "not_a_public_key" NotAKey,
        /// The device was revoked before.
        #[error("device {} was revoked before", .device.0)]
        "device_already_revoked" AlreadyRevoked {
            /// The device.
            device: DeviceNo,
        },
        /// The shop would have no device of an owner left.
        #[error("this is the last device of an owner")]
        "last_owner_device" LastOwnerDevice,
    }
}

/// Let a device write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolDevice {
    /// Its number: never used before, unless it is a copy's that the server has registered.
    pub device: DeviceNo,
    /// The key that it signs with.
    pub key: PublicKey,
    /// The most that it may do.
    pub role: Role,
    /// What people call it.
    pub name: String,
    /// The member of staff who uses it, if it is one person's.
    pub staff: Option<StaffId>,
}

impl EnrolDevice {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let EnrolDevice { device, key, .. } = self;
        desk.require(self.role.max(Role::Manager))?;
        let known = desk.ledger.devices.get(&device);
        if !known.is_some_and(|known| is_unconfirmed_copy(known, &key)) {
            let lanes = &desk.ledger.lanes;
            if known.is_some() || device == DeviceNo::SERVER || lanes.contains_key(&device) {
                return Err(DeviceRejection::NumberTaken { device }.into());
            }
            check_free(desk, &key)?;
        }
        if let Some(staff) = self.staff {
            desk.member(staff)?;
        }
        let name = required(&self.name, TextField::Name)?;
        let shop_key = desk.shop_key()?;
        let name = desk.seal(&name, Field::Device, shop_key)?;
        desk.push(DeviceEnrolled {
            device,
            key,
            role: self.role,
            name,
            staff: self.staff,
        });
        Ok(())
    }
}

/// A copy that the server has registered with this key: to enrol it makes it a device like any other.
fn is_unconfirmed_copy(known: &Device, key: &PublicKey) -> bool {
    known.is_unconfirmed_copy() && known.key.get() == Some(key)
}

/// Call a device something else. Who works at a device may name it; a manager names any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameDevice {
    /// The device.
    pub device: DeviceNo,
    /// What people call it.
    pub name: String,
}

impl NameDevice {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        device(desk, self.device)?;
        if self.device != desk.context.device {
            desk.require(Role::Manager)?;
        }
        let name = required(&self.name, TextField::Name)?;
        let key = desk.shop_key()?;
        let name = desk.seal(&name, Field::Device, key)?;
        desk.push(DeviceNamed {
            device: self.device,
            name,
        });
        Ok(())
    }
}

/// Let a device write no more: what it sends from now on is held for the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokeDevice {
    /// The device.
    pub device: DeviceNo,
}

impl RevokeDevice {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let known = device(desk, self.device)?;
        let role = known.role.get().copied().unwrap_or(Role::Display);
        desk.require(role.max(Role::Manager))?;
        let device = self.device;
        if known.is_revoked() {
            return Err(DeviceRejection::AlreadyRevoked { device }.into());
        }
        let others = desk.ledger.devices.iter().filter(|&(&other, known)| {
            other != device && !known.is_revoked() && known.role.get() == Some(&Role::Owner)
        });
        if role == Role::Owner && others.count() == 0 {
            return Err(DeviceRejection::LastOwnerDevice.into());
        }
        desk.push(DeviceRevoked { device });
        Ok(())
    }
}

/// Let a device sign with another key from its next event on. A device changes its own; an owner
/// changes any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeKey {
    /// The device.
    pub device: DeviceNo,
    /// The new key.
    pub key: PublicKey,
}

impl ChangeKey {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        device(desk, self.device)?;
        if self.device != desk.context.device {
            desk.require(Role::Owner)?;
        }
        check_free(desk, &self.key)?;
        desk.push(DeviceKeyChanged {
            device: self.device,
            key: self.key,
        });
        Ok(())
    }
}

/// The app was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartSession {
    /// The version of the app.
    pub app: String,
}

impl StartSession {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let app = required(&self.app, TextField::App)?;
        desk.push(SessionStarted {
            app,
            fold_version: FOLD_VERSION,
        });
        Ok(())
    }
}

fn device<'l>(desk: &Desk<'l, '_>, device: DeviceNo) -> Result<&'l Device, DeviceRejection> {
    let known = desk.ledger.devices.get(&device);
    known.ok_or(DeviceRejection::Unknown { device })
}

/// The form of a key: an uncompressed point (SEC 1). Whether it lies on the curve shows when it is
/// first used.
pub(super) fn check_key(key: &PublicKey) -> Result<(), DeviceRejection> {
    if key.alg != ECDSA_P256_SHA256 || key.point.0[0] != 4 {
        return Err(DeviceRejection::NotAKey);
    }
    Ok(())
}

fn check_free(desk: &Desk<'_, '_>, key: &PublicKey) -> Result<(), DeviceRejection> {
    check_key(key)?;
    let mut devices = desk.ledger.devices.iter();
    let signs = devices.find(|(_, known)| known.key.get().is_some_and(|of| of.point == key.point));
    match signs {
        Some((&device, _)) => Err(DeviceRejection::KeyTaken { device }),
        None => Ok(()),
    }
}
