//! Opening a shop.

use shared::event::{Kind, Role};
use shared::ids::DeviceNo;
use shared::testing::given::*;
use shared::text::Field;

#[test]
fn a_shop_opens_with_its_first_phone_and_its_owner() {
    let given = new_phone().when(opening()).then_kinds([
        Kind::ShopOpened,
        Kind::DeviceEnrolled,
        Kind::StaffAdded,
    ]);
    let ledger = &given.ledger;
    let owner = &ledger.staff[&OWNER];
    assert_eq!(owner.role.get(), Some(&Role::Owner));
    let name = given
        .keys
        .words(owner.name.get().expect("named"), Field::Name);
    assert_eq!(name.as_deref(), Some("Owner"));
    let phone = &ledger.devices[&DeviceNo::FOUNDER];
    assert_eq!(phone.staff.value(), Some(&OWNER));
    assert_eq!(
        ledger.shop.opened.get().map(|opened| opened.shop),
        Some(SHOP)
    );
}

#[test]
fn the_names_of_people_are_sealed_and_that_of_the_shop_is_not() {
    let opened = new_phone().when(opening()).happened();
    let bytes = opened.ledger.to_bytes();
    let contains = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
    assert!(contains(b"Sharma Kirana"));
    assert!(!contains(b"Owner"));
}
