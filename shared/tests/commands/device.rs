//! Devices and their keys.

use shared::bytes::Fixed;
use shared::command::{
    AccessRejection, ChangeKey, DeviceRejection, EnrolDevice, NameDevice, RevokeDevice,
    StartSession,
};
use shared::event::{DeviceKeyChanged, DeviceRevoked, Kind, PublicKey, Role, SessionStarted};
use shared::ids::{DeviceNo, EventId, StaffId};
use shared::ledger::FOLD_VERSION;
use shared::testing::given::*;
use shared::text::Field;

use crate::{Accepted, Refused, accepted, refused};

fn tablet(device: u32, key: PublicKey) -> EnrolDevice {
    EnrolDevice {
        device: DeviceNo(device),
        key,
        role: Role::Cashier,
        name: "Tablet".into(),
        staff: None,
    }
}

pub fn all_accepted() -> Vec<Accepted> {
    vec![
        accepted(
            "The owner lets a second phone write",
            shop().when(tablet(2, public_key(2))),
            [Kind::DeviceEnrolled],
        ),
        accepted(
            "Who works at a device may name it",
            staffed_shop().at(COUNTER).when(NameDevice {
                device: COUNTER,
                name: "Front counter".into(),
            }),
            [Kind::DeviceNamed],
        ),
        accepted(
            "A manager revokes a lost phone",
            staffed_shop()
                .by(MANAGER)
                .when(RevokeDevice { device: COUNTER }),
            [Kind::DeviceRevoked],
        ),
        accepted(
            "A device changes its own key",
            staffed_shop().at(COUNTER).by(VIEWER).when(ChangeKey {
                device: COUNTER,
                key: public_key(4),
            }),
            [Kind::DeviceKeyChanged],
        ),
        accepted(
            "The owner gives a copied phone a new key",
            staffed_shop().when(ChangeKey {
                device: COUNTER,
                key: public_key(4),
            }),
            [Kind::DeviceKeyChanged],
        ),
        accepted(
            "The app was opened",
            shop().when(StartSession {
                app: "0.1.0".into(),
            }),
            [Kind::SessionStarted],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let unknown = DeviceNo(7);
    let nobody = StaffId(EventId::new(1, 99));
    let compressed = PublicKey {
        point: Fixed([2; 65]),
        ..public_key(9)
    };
    let of_another_kind = PublicKey {
        alg: 9,
        ..public_key(9)
    };
    vec![
        refused(
            "A device that nobody enrolled has no name",
            shop().when(NameDevice {
                device: unknown,
                name: "Ghost".into(),
            }),
            DeviceRejection::Unknown { device: unknown },
        ),
        refused(
            "A number is never given twice",
            staffed_shop().when(tablet(2, public_key(5))),
            DeviceRejection::NumberTaken { device: COUNTER },
        ),
        refused(
            "The server's number is nobody else's",
            shop().when(tablet(0, public_key(5))),
            DeviceRejection::NumberTaken {
                device: DeviceNo::SERVER,
            },
        ),
        refused(
            "Two devices do not share a key",
            staffed_shop().when(tablet(3, public_key(2))),
            DeviceRejection::KeyTaken { device: COUNTER },
        ),
        refused(
            "A new key is nobody else's",
            staffed_shop().when(ChangeKey {
                device: COUNTER,
                key: public_key(1),
            }),
            DeviceRejection::KeyTaken {
                device: DeviceNo::FOUNDER,
            },
        ),
        refused(
            "A key is an uncompressed point",
            shop().when(tablet(2, compressed)),
            DeviceRejection::NotAKey,
        ),
        refused(
            "A key is on P-256",
            shop().when(tablet(2, of_another_kind)),
            DeviceRejection::NotAKey,
        ),
        refused(
            "A device is enrolled for somebody who works here",
            shop().when(EnrolDevice {
                staff: Some(nobody),
                ..tablet(2, public_key(2))
            }),
            AccessRejection::NotOnStaff { staff: nobody },
        ),
        refused(
            "A device is revoked once",
            staffed_shop()
                .given(RevokeDevice { device: COUNTER })
                .when(RevokeDevice { device: COUNTER }),
            DeviceRejection::AlreadyRevoked { device: COUNTER },
        ),
        refused(
            "The last device of an owner stays",
            staffed_shop().when(RevokeDevice {
                device: DeviceNo::FOUNDER,
            }),
            DeviceRejection::LastOwnerDevice,
        ),
    ]
}

#[test]
fn an_owner_with_a_second_phone_may_give_up_the_first() {
    let second = EnrolDevice {
        role: Role::Owner,
        ..tablet(2, public_key(2))
    };
    shop()
        .given(second)
        .at(DeviceNo(2))
        .when(RevokeDevice {
            device: DeviceNo::FOUNDER,
        })
        .then([DeviceRevoked {
            device: DeviceNo::FOUNDER,
        }
        .into()]);
}

#[test]
fn a_new_name_and_a_new_key_are_known_from_then_on() {
    let given = staffed_shop()
        .given(NameDevice {
            device: COUNTER,
            name: " Front counter ".into(),
        })
        .when(ChangeKey {
            device: COUNTER,
            key: public_key(4),
        })
        .then([DeviceKeyChanged {
            device: COUNTER,
            key: public_key(4),
        }
        .into()]);
    let counter = &given.ledger.devices[&COUNTER];
    let name = counter.name.get().expect("named");
    assert_eq!(
        given.keys.words(name, Field::Device).as_deref(),
        Some("Front counter")
    );
    assert_eq!(counter.key.get(), Some(&public_key(4)));
}

#[test]
fn a_session_says_which_folds_it_runs() {
    shop()
        .when(StartSession {
            app: " 0.1.0 ".into(),
        })
        .then([SessionStarted {
            app: "0.1.0".into(),
            fold_version: FOLD_VERSION,
        }
        .into()]);
}
