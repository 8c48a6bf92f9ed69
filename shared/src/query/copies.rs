//! Copies of phones that wrote on, and wait for the owner's word.

use super::{Books, Name};
use crate::calendar::TimeMs;
use crate::command::EnrolDevice;
use crate::event::PublicKey;
use crate::ids::DeviceNo;
use crate::text::Field;

/// A phone that was copied, or came back from an older copy, and has written on as a device of its
/// own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedDevice {
    /// Its number.
    pub device: DeviceNo,
    /// What people call the phone that it is a copy of.
    pub name: Name,
    /// When it last wrote, by its own clock.
    pub latest: TimeMs,
    key: PublicKey,
}

impl CopiedDevice {
    /// Lets it go on under a name of its own, with what the copied phone may do and for whom.
    pub fn keep(&self, books: Books<'_>, name: String) -> Option<EnrolDevice> {
        let mut lineage = books.ledger.lineage(self.device);
        Some(EnrolDevice {
            device: self.device,
            key: self.key,
            role: books.ledger.role_of(self.device)?,
            name,
            staff: lineage
                .find_map(|known| known.staff.get().copied())
                .flatten(),
        })
    }
}

/// The copies that nobody has let go on or removed.
pub fn copies(books: Books<'_>) -> Vec<CopiedDevice> {
    let devices = books.ledger.devices.iter();
    devices
        .filter(|(_, known)| known.is_unconfirmed_copy())
        .filter_map(|(&device, known)| {
            let mut lineage = books.ledger.lineage(device);
            let named = lineage.find(|known| known.name.get().is_some());
            Some(CopiedDevice {
                device,
                name: named.map_or(Name::Waiting, |of| books.open(&of.name, Field::Device)),
                latest: books.ledger.lanes.get(&device)?.latest,
                key: *known.key.get()?,
            })
        })
        .collect()
}
