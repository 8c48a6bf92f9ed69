//! Words, numbers and codes that people type.

use rstest::rstest;
use shared::command::{
    AddCustomer, ChangeShop, Details, EraseCustomer, GiveCredit, MAX_NAME_CHARS, MAX_NOTE_CHARS,
    ReverseEntry, TextField, TextRejection, UpdateCustomer, Why, gstin, phone, upi as upi_address,
};
use shared::event::{Patch, ReasonCode};
use shared::testing::given::*;
use shared::text::{Field, KeyRing};

use crate::{Refused, refused};

fn noted(note: &str) -> GiveCredit {
    GiveCredit {
        details: Details {
            note: Some(note.into()),
            ..Details::on(monday())
        },
        ..credit(PRIYA, 1_00)
    }
}

fn change(change: impl FnOnce(&mut ChangeShop)) -> ChangeShop {
    let mut command = ChangeShop::default();
    change(&mut command);
    command
}

pub fn all_refused() -> Vec<Refused> {
    let name = TextField::Name;
    let mut without_keys = shop();
    without_keys.keys = KeyRing::new(SHOP);
    let erased = shop()
        .given(credit(PRIYA, 5_00))
        .given(payment(PRIYA, 5_00));
    let entry = erased.last_entry();
    let erased = erased.given(EraseCustomer { customer: PRIYA });
    let about_the_erased = ReverseEntry {
        why: Why {
            code: ReasonCode::Other,
            note: Some("It was Priya's sister".into()),
        },
        ..reversal(entry)
    };
    vec![
        refused(
            "A customer has a name",
            shop().when(AddCustomer::named("   ")),
            TextRejection::Empty { field: name },
        ),
        refused(
            "A name of nothing but invisible joiners is no name",
            shop().when(AddCustomer::named("\u{200D}\u{200C}")),
            TextRejection::Empty { field: name },
        ),
        refused(
            "A name is not longer than a line",
            shop().when(AddCustomer::named(&"न".repeat(MAX_NAME_CHARS + 1))),
            TextRejection::TooLong {
                field: name,
                limit: 80,
            },
        ),
        refused(
            "A note is not a letter",
            shop().when(noted(&"n".repeat(MAX_NOTE_CHARS + 1))),
            TextRejection::TooLong {
                field: TextField::Note,
                limit: 500,
            },
        ),
        refused(
            "A name has no control characters",
            shop().when(AddCustomer::named("Pri\u{7}ya")),
            TextRejection::ForbiddenCharacter { field: name },
        ),
        refused(
            "A name is one line",
            shop().when(AddCustomer::named("Priya\nAmit")),
            TextRejection::ForbiddenCharacter { field: name },
        ),
        refused(
            "A note cannot turn its direction round to read as something else",
            shop().when(noted("paid \u{202E}005 sR")),
            TextRejection::ForbiddenCharacter {
                field: TextField::Note,
            },
        ),
        refused(
            "A telephone number has digits enough",
            shop().when(AddCustomer {
                phone: Some("12345".into()),
                ..AddCustomer::named("Rohit")
            }),
            TextRejection::NotAPhone,
        ),
        refused(
            "A GSTIN with a wrong check digit is a slip",
            shop().when(change(|shop| {
                shop.gstin = Patch::Set("27AAPFU0939F1ZW".into());
            })),
            TextRejection::NotAGstin,
        ),
        refused(
            "A UPI address has a name and a handle",
            shop().when(change(|shop| shop.upi = Patch::Set("corner".into()))),
            TextRejection::NotAUpiAddress,
        ),
        refused(
            "There is no state 39",
            shop().when(change(|shop| shop.state = Patch::Set(39))),
            TextRejection::NotAState { code: 39 },
        ),
        refused(
            "A note about a customer whose key has not come is not written with another",
            without_keys.when(noted("ten rupees short")),
            TextRejection::KeyMissing,
        ),
        refused(
            "Nothing is said any more about a customer who was erased",
            erased.when(about_the_erased),
            TextRejection::KeyMissing,
        ),
    ]
}

#[test]
fn a_name_in_an_indian_script_keeps_its_joiners() {
    let name = "क्\u{200D}षमा";
    let given = shop().given(AddCustomer::named(name));
    let added = given.ledger.customers.last_key_value().expect("added").1;
    let sealed = added.name.get().expect("named");
    assert_eq!(given.keys.words(sealed, Field::Name).as_deref(), Some(name));
}

#[test]
fn blanks_around_words_are_not_kept_and_blank_notes_are_absent() {
    let given = shop().given(AddCustomer {
        note: Some("  ".into()),
        address: Some(" Lane 4\nSector 9 ".into()),
        ..AddCustomer::named("  Rohit ")
    });
    let rohit = given.ledger.customers.last_key_value().expect("added").1;
    let words = |text, field| given.keys.words(text, field);
    assert_eq!(
        words(rohit.name.get().expect("named"), Field::Name).as_deref(),
        Some("Rohit")
    );
    let address = rohit.address.value().expect("an address");
    assert_eq!(
        words(address, Field::Address).as_deref(),
        Some("Lane 4\nSector 9")
    );
    assert_eq!(rohit.note.value(), None);
}

#[test]
fn a_note_is_sealed_with_the_key_of_its_customer() {
    let given = shop().given(noted("ten rupees short"));
    let entry = &given.ledger.entries[&given.last_entry()];
    let note = entry.what.particulars().note.as_deref().expect("a note");
    assert_eq!(
        given.keys.words(note, Field::Note).as_deref(),
        Some("ten rupees short")
    );
    let mut forgotten = given.keys.clone();
    let priya = given.ledger.customers[&PRIYA].added.as_ref().expect("here");
    forgotten.destroy(priya.key);
    assert_eq!(forgotten.words(note, Field::Note), None);
}

#[rstest]
#[case("98765 43210", Some("+919876543210"))]
#[case("09876543210", Some("+919876543210"))]
#[case("+91-98765-43210", Some("+919876543210"))]
#[case("919876543210", Some("+919876543210"))]
#[case("९८७६५४३२१०", Some("+919876543210"))]
#[case("+44 20 7946 0958", Some("+442079460958"))]
#[case("022-2345 6789", Some("+912223456789"))]
#[case("98765", None)]
#[case("98765x43210", None)]
#[case("+1234567890123456", None)]
#[case("", None)]
fn telephone_numbers_are_read_as_people_write_them(
    #[case] typed: &str,
    #[case] expected: Option<&str>,
) {
    assert_eq!(phone(typed).as_deref(), expected);
}

#[rstest]
#[case("27AAPFU0939F1ZV", true)]
#[case(" 27aapfu0939f1zv ", true)]
#[case("29AAGCB7383J1Z4", true)]
#[case("27AAPFU0939F1ZA", false)]
#[case("72AAPFU0939F1ZV", false)]
#[case("ZZAAPFU0939F1ZV", false)]
#[case("27AAPFU0939F1Z", false)]
#[case("27AAPFU09é9F1Z", false)]
fn a_gstin_is_known_by_its_check_digit(#[case] typed: &str, #[case] sound: bool) {
    assert_eq!(gstin(typed).is_some(), sound);
}

#[rstest]
#[case("corner.kirana-1@okaxis", true)]
#[case("9876543210@ybl", true)]
#[case("a@ybl", false)]
#[case("corner@", false)]
#[case("corner@ok axis", false)]
#[case("corner@ok@axis", false)]
#[case("कोना@ybl", false)]
fn a_upi_address_has_the_form_that_the_banks_give_it(#[case] typed: &str, #[case] sound: bool) {
    assert_eq!(upi_address(typed).is_some(), sound);
}

#[test]
fn a_customers_data_can_be_taken_away_again() {
    let set = UpdateCustomer {
        phone: Patch::Set("9876543210".into()),
        note: Patch::Set("third floor".into()),
        ..UpdateCustomer::of(PRIYA)
    };
    let clear = UpdateCustomer {
        phone: Patch::Clear,
        ..UpdateCustomer::of(PRIYA)
    };
    let given = shop().given(set).given(clear);
    assert_eq!(given.ledger.customers[&PRIYA].phone.value(), None);
    assert!(given.ledger.customers[&PRIYA].note.value().is_some());
}
