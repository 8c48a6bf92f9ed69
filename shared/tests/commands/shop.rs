//! Opening a shop, and what is known of it.

use shared::calendar::{BusinessDay, TimeMs};
use shared::command::{
    ChangeShop, Context, DateRejection, MAX_OVERDUE_DAYS, OpenShop, Question, QuestionKind,
    ShopRejection, TextField, TextRejection, compose, decide, new_shop_id,
};
use shared::event::{Kind, Language, Patch, Role};
use shared::ids::DeviceNo;
use shared::ledger::Ledger;
use shared::testing::given::*;
use shared::text::{Entropy, Field, KeyRing, Text};

use crate::{Accepted, Refused, accepted, asked, refused};

const OPENING: [Kind; 3] = [Kind::ShopOpened, Kind::DeviceEnrolled, Kind::StaffAdded];
const HOUR_MS: i64 = 60 * 60 * 1000;

fn changed(change: impl FnOnce(&mut ChangeShop)) -> ChangeShop {
    let mut command = ChangeShop::default();
    change(&mut command);
    command
}

pub fn all_accepted() -> Vec<Accepted> {
    vec![
        accepted(
            "A shop opens with its first phone and its owner, all or nothing",
            new_phone().when(opening()),
            OPENING,
        ),
        accepted(
            "A shop that kept a notebook before opens on an earlier day",
            new_phone().when(OpenShop {
                on: monday().plus_days(-400),
                ..opening()
            }),
            OPENING,
        ),
        accepted(
            "The owner says where payments go",
            shop().when(changed(|shop| {
                shop.upi = Patch::Set(" corner@ybl ".into());
                shop.gstin = Patch::Set("27aapfu0939f1zv".into());
                shop.state = Patch::Set(27);
                shop.credit_limit = Patch::Set(rupees(0));
            })),
            [Kind::ShopChanged],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let overdue = |days| changed(|shop| shop.overdue_days = Some(days));
    let out_of_range = |days| ShopRejection::OverdueDays {
        days,
        limit: u32::from(MAX_OVERDUE_DAYS),
    };
    let tomorrow = monday().plus_days(1);
    let day_before = monday().plus_days(-1);
    let moon = BusinessDay(-1);
    let mut on_sunday = credit(PRIYA, 1_00);
    on_sunday.details.on = day_before;
    let mut before_1970 = credit(PRIYA, 1_00);
    before_1970.details.on = moon;
    let mut on_tuesday = credit(PRIYA, 1_00);
    on_tuesday.details.on = tomorrow;
    let at_ten = monday().start().plus_ms(10 * HOUR_MS);
    vec![
        refused(
            "A shop opens once",
            shop().when(opening()),
            ShopRejection::AlreadyOpen,
        ),
        refused(
            "Nothing is written before the books are opened",
            new_phone().when(credit(PRIYA, 1_00)),
            ShopRejection::NotOpened,
        ),
        refused(
            "A second phone joins a shop and opens none",
            new_phone().at(COUNTER).when(opening()),
            ShopRejection::NotTheFounder,
        ),
        refused(
            "A shop has a name",
            new_phone().when(OpenShop {
                name: " ".into(),
                ..opening()
            }),
            TextRejection::Empty {
                field: TextField::Name,
            },
        ),
        refused(
            "A khata is not overdue at once",
            shop().when(overdue(0)),
            out_of_range(0),
        ),
        refused(
            "A khata is overdue within ten years",
            shop().when(overdue(3651)),
            out_of_range(3651),
        ),
        refused(
            "A change changes something",
            shop().when(ChangeShop::default()),
            ShopRejection::NothingChanges,
        ),
        refused(
            "Books are not opened tomorrow",
            new_phone().when(OpenShop {
                on: tomorrow,
                ..opening()
            }),
            DateRejection::InFuture {
                on: tomorrow,
                today: monday(),
            },
        ),
        refused(
            "Nothing is written for tomorrow",
            shop().when(on_tuesday),
            DateRejection::InFuture {
                on: tomorrow,
                today: monday(),
            },
        ),
        refused(
            "A date before 1970 is a slip",
            shop().when(before_1970),
            DateRejection::TooEarly { on: moon },
        ),
        asked(
            "A date before the books were opened is asked about",
            shop().when(on_sunday),
            Question::BeforeOpening {
                on: day_before,
                opened_on: monday(),
            },
        ),
        asked(
            "A clock that went back is asked about",
            shop().after_ms(-HOUR_MS).when(credit(PRIYA, 1_00)),
            Question::ClockWentBack {
                now: at_ten.plus_ms(-HOUR_MS),
                latest: at_ten,
            },
        ),
        asked(
            "So it is when something is taken back",
            shop()
                .given(credit(PRIYA, 1_00))
                .after_ms(-HOUR_MS)
                .when(reversal(shared::ids::EntryId(shared::ids::EventId::new(
                    1, 6,
                )))),
            Question::ClockWentBack {
                now: at_ten.plus_ms(-HOUR_MS),
                latest: at_ten,
            },
        ),
    ]
}

#[test]
fn a_yes_lets_an_early_date_and_a_wrong_clock_pass() {
    let mut on_sunday = credit(PRIYA, 1_00);
    on_sunday.details.on = monday().plus_days(-1);
    shop()
        .confirming(QuestionKind::BeforeOpening)
        .given(on_sunday)
        .after_ms(-HOUR_MS)
        .confirming(QuestionKind::ClockWentBack)
        .given(credit(PRIYA, 1_00));
}

#[test]
fn a_clock_that_is_set_right_by_a_minute_is_not_worth_a_question() {
    shop().after_ms(-60_000).given(credit(PRIYA, 1_00));
}

#[test]
fn a_clock_that_went_back_a_day_does_not_make_today_the_future() {
    let given = shop().on(tuesday()).given(credit(PRIYA, 1_00));
    let mut today = credit(PRIYA, 1_00);
    today.details.on = tuesday();
    given
        .on(monday())
        .confirming(QuestionKind::ClockWentBack)
        .given(today);
}

#[test]
fn a_shop_knows_its_first_phone_and_its_owner() {
    let given = new_phone().when(opening()).then_kinds(OPENING);
    let ledger = &given.ledger;
    let owner = &ledger.staff[&OWNER];
    assert_eq!(owner.role.get(), Some(&Role::Owner));
    let name = given
        .keys
        .words(owner.name.get().expect("named"), Field::Name);
    assert_eq!(name.as_deref(), Some("Owner"));
    let phone = &ledger.devices[&DeviceNo::FOUNDER];
    assert_eq!(phone.staff.value(), Some(&OWNER));
    assert_eq!(phone.key.get(), Some(&public_key(1)));
    assert_eq!(
        ledger.shop.opened.get().map(|opened| opened.shop),
        Some(SHOP)
    );
    assert_eq!(ledger.shop.opened_on.get(), Some(&monday()));
}

#[test]
fn the_names_of_people_are_sealed_and_that_of_the_shop_is_not() {
    let bytes = shop().ledger.to_bytes();
    let contains = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
    assert!(contains(b"Kirana Corner"));
    assert!(!contains(b"Owner") && !contains(b"Priya") && !contains(b"Founding phone"));
}

#[test]
fn what_is_known_of_a_shop_is_written_in_one_form() {
    let given = shop().given(changed(|shop| {
        shop.upi = Patch::Set(" corner@ybl ".into());
        shop.gstin = Patch::Set("27aapfu0939f1zv".into());
        shop.phone = Patch::Set("98765 43210".into());
        shop.address = Patch::Set(" 12 Bazaar Road\nPune ".into());
        shop.language = Some(Language::Marathi);
        shop.opened_on = Some(monday().plus_days(-30));
    }));
    let shop = &given.ledger.shop;
    assert_eq!(shop.upi.value().map(String::as_str), Some("corner@ybl"));
    assert_eq!(
        shop.gstin.value().map(String::as_str),
        Some("27AAPFU0939F1ZV")
    );
    assert_eq!(shop.phone.value(), Some(&Text::from("+919876543210")));
    assert_eq!(
        shop.address.value(),
        Some(&Text::from("12 Bazaar Road\nPune"))
    );
    assert_eq!(shop.language.get(), Some(&Language::Marathi));
    assert_eq!(shop.opened_on.get(), Some(&monday().plus_days(-30)));
}

#[test]
fn the_events_of_one_command_form_one_group_with_clocks_of_their_own() {
    let keys = KeyRing::new(SHOP);
    let now = monday().start();
    let context = Context::new(
        DeviceNo::FOUNDER,
        1,
        now,
        None,
        &keys,
        Entropy::new([7; 32]),
    );
    let ledger = Ledger::default();
    let decision = decide(&ledger, &context, opening()).expect("opens");
    let events = compose(&ledger, &context, decision);
    let envelopes = events.iter().map(|event| &event.envelope);
    for (envelope, number) in envelopes.zip(1u32..) {
        assert_eq!(envelope.id.seq, number);
        assert_eq!(envelope.clock, u64::from(number));
        assert_eq!(envelope.at, now);
        let group = envelope.group.expect("a group");
        assert_eq!((group.first, group.count), (1, 3));
    }
}

#[test]
fn a_shop_is_named_by_its_moment_and_by_chance() {
    let mut entropy = Entropy::new([1; 32]);
    let (one, other) = (
        new_shop_id(TimeMs(1_795_000_000_000), &mut entropy),
        new_shop_id(TimeMs(1_795_000_000_000), &mut entropy),
    );
    assert_ne!(one, other);
    assert_eq!(one.0.get_version_num(), 7);
    assert!(one < new_shop_id(TimeMs(1_795_000_000_001), &mut entropy));
}
