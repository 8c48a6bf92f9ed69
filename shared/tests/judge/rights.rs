//! Who may write what.

use crate::jig::*;
use shared::event::{DeviceKeyChanged, DeviceRevoked, Role, ShopOpened, StaffAdded};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::authority::may_write;
use shared::sync::wire::{Advice, PushResult, Verdict};
use shared::testing::device::{Writer, enrolled, key, opened};

#[test]
fn a_device_that_was_never_enrolled_is_asked_to_enrol() {
    let (server, ..) = Server::with_phones();
    let mut stranger = Writer::new(77);
    stranger.write(credit(10));
    let judgement = server.judge(77, &stranger.ask_with(1, 1)).expect("sound");
    assert_eq!(judgement.standing.advice, Advice::Reenrol);
    assert!(judgement.after.is_none());
    assert!(!judgement.may_read());
}

#[test]
fn entries_of_a_revoked_phone_are_held_and_it_reads_no_more() {
    let (mut server, mut founder, mut cashier, _) = Server::with_phones();
    cashier.write(credit(10));
    server.push_all(&cashier);
    founder.write(DeviceRevoked {
        device: DeviceNo(2),
    });
    server.push_all(&founder);
    cashier.write(credit(20));
    let judgement = server.push_all(&cashier);
    assert_eq!(judgement.standing.advice, Advice::Revoked);
    assert_eq!(
        judgement.results,
        [
            run(1, 1, PushResult::Duplicate),
            stored(2, 1, Verdict::Held)
        ]
    );
    assert!(!judgement.may_read());
    let idle = server.judge(2, &cashier.ask()).expect("sound");
    assert_eq!(idle.standing.advice, Advice::Revoked);
}

#[test]
fn a_phone_that_revokes_itself_has_its_later_entries_held_in_the_same_push() {
    let (mut server, _, _, mut manager) = Server::with_phones();
    manager.write(credit(10));
    manager.write(DeviceRevoked {
        device: DeviceNo(3),
    });
    manager.write(credit(20));
    let judgement = server.push_all(&manager);
    assert_eq!(
        verdicts(&judgement),
        [Verdict::Accepted, Verdict::Accepted, Verdict::Held]
    );
    assert_eq!(judgement.standing.advice, Advice::Revoked);
}

#[test]
fn a_number_belongs_to_one_key_for_ever() {
    let (mut server, mut founder, ..) = Server::with_phones();
    let mut stolen = enrolled(2, Role::Owner);
    stolen.key = key(66);
    founder.write(stolen);
    founder.write(enrolled(2, Role::Manager));
    founder.write(enrolled(0, Role::Owner));
    let judgement = server.push(&founder, 5, 7);
    assert_eq!(
        verdicts(&judgement),
        [
            Verdict::QuarantinedForbidden,
            Verdict::Accepted,
            Verdict::QuarantinedForbidden
        ]
    );
    let device = server.0.authority.device(DeviceNo(2)).expect("enrolled");
    assert_eq!((device.key, device.role), (key(2), Role::Manager));
}

#[test]
fn nobody_gives_more_rights_than_they_have() {
    let (mut server, _, mut cashier, mut manager) = Server::with_phones();
    cashier.write(enrolled(7, Role::Display));
    cashier.write(DeviceRevoked {
        device: DeviceNo(1),
    });
    cashier.write(StaffAdded {
        name: "Ravi".into(),
        role: Role::Cashier,
        language: None,
    });
    assert_eq!(
        verdicts(&server.push_all(&cashier)),
        [Verdict::QuarantinedForbidden; 3]
    );
    manager.write(enrolled(7, Role::Owner));
    manager.write(DeviceRevoked {
        device: DeviceNo(1),
    });
    manager.write(DeviceKeyChanged {
        device: DeviceNo(1),
        key: key(3),
    });
    manager.write(enrolled(1, Role::Viewer));
    assert_eq!(
        verdicts(&server.push_all(&manager)),
        [Verdict::QuarantinedForbidden; 4]
    );
}

#[test]
fn a_shop_is_opened_once_and_under_its_own_name() {
    let mut server = Server::claimed();
    let mut founder = Writer::new(1);
    founder.write(ShopOpened {
        shop: ShopId(uuid::Uuid::from_u128(5)),
        ..opened()
    });
    founder.write(opened());
    assert_eq!(
        verdicts(&server.push_all(&founder)),
        [Verdict::QuarantinedForbidden; 2]
    );
}

#[test]
fn a_display_says_only_that_it_was_opened() {
    for role in [Role::Display, Role::Viewer] {
        let allowed = shared::event::Kind::ALL
            .iter()
            .filter(|&&kind| may_write(role, kind as u16));
        let names: Vec<_> = allowed.map(|kind| kind.name()).collect();
        assert_eq!(names, ["DeviceKeyChanged", "SessionStarted"]);
        assert!(!may_write(role, 9_999), "kinds of the future are entries");
    }
}

#[test]
fn after_a_change_of_key_the_new_one_signs() {
    let (mut server, _, mut cashier, _) = Server::with_phones();
    cashier.write(DeviceKeyChanged {
        device: DeviceNo(2),
        key: key(22),
    });
    server.push_all(&cashier);
    cashier.write(credit(10));
    let old = server.judge(2, &cashier.ask_with(2, 2)).expect("sound");
    assert_eq!(old.standing.advice, Advice::Resign);
    cashier.key = key(22);
    let new = server.push(&cashier, 2, 2);
    assert_eq!(verdicts(&new), [Verdict::Accepted]);
}
