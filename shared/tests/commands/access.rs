//! Who may do what.

use shared::bytes::Fixed;
use shared::command::{
    AccessRejection, AddStaff, ChangeKey, ChangeShop, Details, DeviceRejection, EnrolDevice,
    EraseCustomer, MergeCustomers, RevokeDevice, StartSession, Why, WriteOff,
};
use shared::event::{
    BranchRegistered, DeviceKeyChanged, DeviceRevoked, Language, ReasonCode, Role,
};
use shared::ids::{DeviceNo, EventId, StaffId};
use shared::ledger::Receipts;
use shared::query::{Books, Name, copies};
use shared::testing::given::*;

use crate::{Refused, refused};

fn not_allowed(needed: Role, role: Role) -> AccessRejection {
    AccessRejection::NotAllowed { needed, role }
}

fn write_off() -> WriteOff {
    WriteOff {
        details: Details::on(monday()),
        customer: PRIYA,
        amount: rupees(10),
        why: Why::new(ReasonCode::Agreed),
    }
}

fn session() -> StartSession {
    StartSession {
        app: "0.1.0".into(),
    }
}

pub fn all_refused() -> Vec<Refused> {
    let stranger = DeviceNo(9);
    let nobody = StaffId(EventId::new(1, 4));
    let by_owner = staffed_shop().given(credit(PRIYA, 100_00));
    let entry = by_owner.last_entry();
    let mut without_history = by_owner.clone();
    without_history.ledger = by_owner.ledger.without_history().expect("whole books");
    vec![
        refused(
            "An entry is taken back when it is in the books",
            without_history.when(reversal(entry)),
            AccessRejection::HistoryNotHere,
        ),
        refused(
            "A device of another shop writes nothing",
            shop().at(stranger).when(credit(PRIYA, 1_00)),
            AccessRejection::NotEnrolled { device: stranger },
        ),
        refused(
            "A revoked phone that knows it writes nothing",
            staffed_shop()
                .event(DeviceNo::FOUNDER, DeviceRevoked { device: COUNTER })
                .at(COUNTER)
                .when(credit(PRIYA, 1_00)),
            AccessRejection::Revoked { device: COUNTER },
        ),
        refused(
            "Somebody who does not work here writes nothing",
            shop().by(nobody).when(credit(PRIYA, 1_00)),
            AccessRejection::NotOnStaff { staff: nobody },
        ),
        refused(
            "A viewer writes nothing",
            staffed_shop().by(VIEWER).when(credit(PRIYA, 1_00)),
            not_allowed(Role::Cashier, Role::Viewer),
        ),
        refused(
            "A cashier writes nothing off",
            by_owner.clone().by(CASHIER).when(write_off()),
            not_allowed(Role::Manager, Role::Cashier),
        ),
        refused(
            "An owner at a cashier's phone is a cashier",
            by_owner.clone().at(COUNTER).when(write_off()),
            not_allowed(Role::Manager, Role::Cashier),
        ),
        refused(
            "A cashier does not take back what somebody else wrote",
            by_owner.clone().by(CASHIER).when(reversal(entry)),
            AccessRejection::NotYourEntry { entry },
        ),
        refused(
            "A cashier does not correct what somebody else wrote",
            by_owner
                .clone()
                .by(CASHIER)
                .when(correction(entry, credit(PRIYA, 90_00))),
            AccessRejection::NotYourEntry { entry },
        ),
        refused(
            "Nobody in particular does not take back what the owner wrote",
            by_owner.at(COUNTER).by_nobody().when(reversal(entry)),
            AccessRejection::NotYourEntry { entry },
        ),
        refused(
            "A cashier does not change the shop",
            staffed_shop().by(CASHIER).when(ChangeShop {
                language: Some(Language::Hindi),
                ..ChangeShop::default()
            }),
            not_allowed(Role::Manager, Role::Cashier),
        ),
        refused(
            "A cashier does not enrol devices",
            staffed_shop().by(CASHIER).when(EnrolDevice {
                device: DeviceNo(3),
                key: public_key(3),
                role: Role::Viewer,
                name: "Tablet".into(),
                staff: None,
            }),
            not_allowed(Role::Manager, Role::Cashier),
        ),
        refused(
            "A manager does not enrol a device with an owner's rights",
            staffed_shop().by(MANAGER).when(EnrolDevice {
                device: DeviceNo(3),
                key: public_key(3),
                role: Role::Owner,
                name: "Tablet".into(),
                staff: None,
            }),
            not_allowed(Role::Owner, Role::Manager),
        ),
        refused(
            "A manager does not revoke an owner's device",
            staffed_shop().by(MANAGER).when(RevokeDevice {
                device: DeviceNo::FOUNDER,
            }),
            not_allowed(Role::Owner, Role::Manager),
        ),
        refused(
            "A manager does not change another device's key",
            staffed_shop().by(MANAGER).when(ChangeKey {
                device: COUNTER,
                key: public_key(4),
            }),
            not_allowed(Role::Owner, Role::Manager),
        ),
        refused(
            "A manager makes nobody an owner",
            staffed_shop().by(MANAGER).when(AddStaff {
                name: "Partner".into(),
                role: Role::Owner,
                language: None,
            }),
            not_allowed(Role::Owner, Role::Manager),
        ),
        refused(
            "A cashier does not merge customers",
            staffed_shop().by(CASHIER).when(MergeCustomers {
                customer: PRIYA,
                with: AMIT,
            }),
            not_allowed(Role::Manager, Role::Cashier),
        ),
        refused(
            "A manager erases nobody",
            staffed_shop()
                .by(MANAGER)
                .when(EraseCustomer { customer: PRIYA }),
            not_allowed(Role::Owner, Role::Manager),
        ),
    ]
}

/// The server found that device 1 was copied; the copy goes on under number 3.
fn copied(of: u32, copy: u32) -> BranchRegistered {
    BranchRegistered {
        device: DeviceNo(copy),
        of: DeviceNo(of),
        from_seq: 5,
        previous: Fixed([0; 32]),
    }
}

#[test]
fn a_copy_of_a_phone_may_do_what_the_phone_may() {
    staffed_shop()
        .event(DeviceNo::SERVER, copied(2, 3))
        .event(DeviceNo::SERVER, copied(3, 4))
        .at(DeviceNo(4))
        .given(credit(PRIYA, 1_00))
        .when(write_off())
        .rejected(not_allowed(Role::Manager, Role::Cashier));
}

#[test]
fn the_owner_lets_a_copy_go_on_under_a_name_of_its_own() {
    let device = DeviceNo(3);
    let keep = |key| EnrolDevice {
        device,
        key: public_key(key),
        role: Role::Cashier,
        name: "Second counter".into(),
        staff: None,
    };
    let shop = || {
        let key = public_key(3);
        staffed_shop()
            .event(DeviceNo::SERVER, copied(2, 3))
            .event(DeviceNo::SERVER, DeviceKeyChanged { device, key })
    };
    let kept = shop().given(keep(3));
    assert_eq!(
        kept.ledger.devices[&device].role.get(),
        Some(&Role::Cashier)
    );
    let taken = DeviceRejection::NumberTaken { device };
    kept.when(keep(3)).rejected(taken);
    shop().when(keep(4)).rejected(taken);
    shop()
        .given(RevokeDevice { device })
        .when(keep(3))
        .rejected(taken);
}

#[test]
fn the_owner_is_asked_about_a_copy_until_it_goes_on_or_is_removed() {
    let (first, second) = (DeviceNo(3), DeviceNo(4));
    let asked = |shop: &Given| {
        let receipts = Receipts::default();
        let books = Books {
            ledger: &shop.ledger,
            keys: &shop.keys,
            receipts: &receipts,
            reader: None,
        };
        let found = copies(books);
        found
            .into_iter()
            .map(|copy| {
                let keep = copy.keep(books, "Second counter".into());
                (copy.device, copy.name, keep.expect("a role"))
            })
            .collect::<Vec<_>>()
    };
    let key = |device, key| DeviceKeyChanged {
        device,
        key: public_key(key),
    };
    // The counter's phone was copied, and the copy again.
    let shop = staffed_shop()
        .event(DeviceNo::SERVER, copied(2, 3))
        .event(DeviceNo::SERVER, key(first, 3))
        .event(DeviceNo::SERVER, copied(3, 4))
        .event(DeviceNo::SERVER, key(second, 4));
    let found = asked(&shop);
    assert_eq!(found.len(), 2);
    for ((device, name, keep), number) in found.iter().zip([first, second]) {
        assert_eq!(*device, number);
        assert_eq!(*name, Name::Words("Counter".into()));
        assert_eq!(keep.role, Role::Cashier);
    }
    let shop = shop.given(found[0].2.clone());
    let left: Vec<DeviceNo> = asked(&shop)
        .into_iter()
        .map(|(device, ..)| device)
        .collect();
    assert_eq!(left, [second]);
    let shop = shop.given(RevokeDevice { device: second });
    assert_eq!(asked(&shop), []);
}

#[test]
fn copies_of_each_other_may_do_nothing() {
    let device = DeviceNo(3);
    shop()
        .event(DeviceNo::SERVER, copied(4, 3))
        .event(DeviceNo::SERVER, copied(3, 4))
        .at(device)
        .when(credit(PRIYA, 1_00))
        .rejected(AccessRejection::NotEnrolled { device });
}

#[test]
fn a_cashier_takes_back_an_entry_of_their_own() {
    let given = staffed_shop().by(CASHIER).given(credit(PRIYA, 100_00));
    let entry = given.last_entry();
    let given = given.given(reversal(entry));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
}

#[test]
fn a_phone_without_a_person_takes_back_its_own_entries() {
    let given = staffed_shop()
        .at(COUNTER)
        .by_nobody()
        .given(credit(PRIYA, 100_00));
    let entry = given.last_entry();
    let given = given.given(reversal(entry));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(0));
}

#[test]
fn a_manager_corrects_what_a_cashier_wrote() {
    let given = staffed_shop().by(CASHIER).given(credit(PRIYA, 100_00));
    let entry = given.last_entry();
    let given = given
        .by(MANAGER)
        .given(correction(entry, credit(PRIYA, 90_00)));
    assert_eq!(given.ledger.balance(PRIYA).khata, rupees(90));
}

#[test]
fn a_viewer_still_says_that_the_app_was_opened() {
    staffed_shop().by(VIEWER).given(session());
}
