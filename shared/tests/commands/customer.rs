//! The customers, each with a page in the khata.

use shared::calendar::BusinessDay;
use shared::command::{
    AddCustomer, ArchiveCustomer, CustomerRejection, EraseCustomer, MergeCustomers, Question,
    QuestionKind, RecordSale, ShopRejection, UpdateCustomer,
};
use shared::event::{CustomerArchived, CustomersMerged, Kind, Messages, Paid, Patch};
use shared::ids::{CustomerId, DeviceNo, EventId};
use shared::money::Paise;
use shared::testing::given::*;
use shared::text::{Field, Opened};

use crate::{Accepted, Refused, accepted, asked, refused};

const NOBODY: CustomerId = CustomerId(EventId::new(1, 99));

fn merge() -> MergeCustomers {
    MergeCustomers {
        customer: PRIYA,
        with: AMIT,
    }
}

fn archive(customer: CustomerId, archived: bool) -> ArchiveCustomer {
    ArchiveCustomer { customer, archived }
}

fn erase(customer: CustomerId) -> EraseCustomer {
    EraseCustomer { customer }
}

fn with_phone(name: &str, phone: &str) -> AddCustomer {
    AddCustomer {
        phone: Some(phone.into()),
        ..AddCustomer::named(name)
    }
}

fn phone_of(customer: CustomerId, phone: &str) -> UpdateCustomer {
    UpdateCustomer {
        phone: Patch::Set(phone.into()),
        ..UpdateCustomer::of(customer)
    }
}

/// A paid sale to Priya on the last day of March 2026, and the shop some years later.
fn invoice(total: Paise, today: BusinessDay) -> Given {
    let march = BusinessDay::from_ymd(2026, 3, 31).expect("a date");
    shop()
        .confirming(QuestionKind::BeforeOpening)
        .given(RecordSale {
            customer: Some(PRIYA),
            ..RecordSale::quick(march, total, Paid::CASH)
        })
        .on(today)
}

fn last_day_of_2032() -> BusinessDay {
    BusinessDay::from_ymd(2032, 12, 31).expect("a date")
}

pub fn all_accepted() -> Vec<Accepted> {
    vec![
        accepted(
            "A customer gets a page with a key of its own",
            shop().when(AddCustomer {
                limit: Some(rupees(0)),
                messages: Some(Messages::Always),
                ..with_phone("Rohit", "98765 43210")
            }),
            [Kind::CustomerAdded],
        ),
        accepted(
            "A customer's limit changes",
            shop().when(UpdateCustomer {
                limit: Patch::Set(rupees(5_000)),
                ..UpdateCustomer::of(PRIYA)
            }),
            [Kind::CustomerUpdated],
        ),
        accepted(
            "A page is put away",
            shop().when(archive(PRIYA, true)),
            [Kind::CustomerArchived],
        ),
        accepted(
            "A page is taken out again",
            shop()
                .given(archive(PRIYA, true))
                .when(archive(PRIYA, false)),
            [Kind::CustomerArchived],
        ),
        accepted(
            "Two pages are one customer's",
            shop().when(merge()),
            [Kind::CustomersMerged],
        ),
        accepted(
            "A customer who owes nothing may be forgotten",
            shop().when(erase(PRIYA)),
            [Kind::CustomerErased],
        ),
        accepted(
            "A customer is forgotten on all pages, or on none",
            shop().given(merge()).when(erase(AMIT)),
            [Kind::CustomerErased, Kind::CustomerErased],
        ),
        accepted(
            "An invoice below ₹50,000 names nobody by law",
            invoice(Paise(49_999_99), tuesday()).when(erase(PRIYA)),
            [Kind::CustomerErased],
        ),
        accepted(
            "An invoice of ₹50,000 need not be kept for ever",
            invoice(rupees(50_000), last_day_of_2032().plus_days(1)).when(erase(PRIYA)),
            [Kind::CustomerErased],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let unknown = CustomerRejection::Unknown { customer: NOBODY };
    let settled = |khata, advance| CustomerRejection::NotSettled { khata, advance };
    let b2b = RecordSale {
        customer: Some(PRIYA),
        buyer_gstin: Some("27AAPFU0939F1ZV".into()),
        ..RecordSale::quick(monday(), rupees(10), Paid::CASH)
    };
    vec![
        refused(
            "Credit is given to somebody",
            shop().when(credit(NOBODY, 1_00)),
            unknown,
        ),
        refused(
            "A customer whose page has not come yet cannot be changed",
            shop()
                .event(
                    DeviceNo(2),
                    CustomerArchived {
                        customer: NOBODY,
                        archived: false,
                    },
                )
                .when(phone_of(NOBODY, "9876543210")),
            unknown,
        ),
        refused(
            "Two pages that are merged are both known",
            shop().when(MergeCustomers {
                customer: PRIYA,
                with: NOBODY,
            }),
            unknown,
        ),
        refused(
            "Nothing is written on a page that was put away",
            shop()
                .given(archive(PRIYA, true))
                .when(payment(PRIYA, 1_00)),
            CustomerRejection::Archived { customer: PRIYA },
        ),
        refused(
            "Nothing is written on the page of a customer who was erased",
            shop().given(erase(PRIYA)).when(credit(PRIYA, 1_00)),
            CustomerRejection::Erased { customer: PRIYA },
        ),
        refused(
            "A customer is erased once",
            shop().given(erase(PRIYA)).when(erase(PRIYA)),
            CustomerRejection::Erased { customer: PRIYA },
        ),
        refused(
            "A page on which something is owed is not put away",
            shop()
                .given(credit(PRIYA, 670_00))
                .when(archive(PRIYA, true)),
            settled(rupees(670), Paise::ZERO),
        ),
        refused(
            "A customer with an advance is not forgotten",
            shop().given(deposit(PRIYA, 500_00)).when(erase(PRIYA)),
            settled(Paise::ZERO, rupees(500)),
        ),
        refused(
            "What is owed on another page counts",
            shop()
                .given(merge())
                .given(credit(AMIT, 10_00))
                .when(erase(PRIYA)),
            settled(rupees(10), Paise::ZERO),
        ),
        refused(
            "An invoice of ₹50,000 keeps its buyer's name for 72 months after the annual return",
            invoice(rupees(50_000), last_day_of_2032()).when(erase(PRIYA)),
            CustomerRejection::MustBeKept {
                until: last_day_of_2032(),
            },
        ),
        refused(
            "An invoice to a business keeps its buyer's name, however small",
            shop().given(b2b).when(erase(PRIYA)),
            CustomerRejection::MustBeKept {
                until: BusinessDay::from_ymd(2033, 12, 31).expect("a date"),
            },
        ),
        refused(
            "A page is not merged with itself",
            shop().when(MergeCustomers {
                customer: PRIYA,
                with: PRIYA,
            }),
            CustomerRejection::Same { customer: PRIYA },
        ),
        refused(
            "Pages are merged once",
            shop().given(merge()).when(MergeCustomers {
                customer: AMIT,
                with: PRIYA,
            }),
            CustomerRejection::Same { customer: AMIT },
        ),
        refused(
            "A change changes something",
            shop().when(UpdateCustomer::of(PRIYA)),
            ShopRejection::NothingChanges,
        ),
        refused(
            "A page that lies open is not taken out",
            shop().when(archive(PRIYA, false)),
            ShopRejection::NothingChanges,
        ),
        asked(
            "A telephone number that another customer has is asked about",
            shop()
                .given(phone_of(PRIYA, "98765 43210"))
                .when(with_phone("Priya S", "+91 9876543210")),
            Question::SamePhone { customer: PRIYA },
        ),
        asked(
            "So it is when a number changes",
            shop()
                .given(phone_of(PRIYA, "98765 43210"))
                .when(phone_of(AMIT, "9876543210")),
            Question::SamePhone { customer: PRIYA },
        ),
    ]
}

#[test]
fn a_customers_own_number_and_that_of_a_merged_page_are_not_asked_about() {
    shop()
        .given(phone_of(PRIYA, "98765 43210"))
        .given(phone_of(PRIYA, "9876543210"))
        .when(merge())
        .then([CustomersMerged {
            customer: PRIYA,
            with: AMIT,
        }
        .into()])
        .given(phone_of(AMIT, "9876543210"));
}

#[test]
fn two_customers_may_share_a_telephone_if_the_person_says_so() {
    shop()
        .given(phone_of(PRIYA, "98765 43210"))
        .confirming(QuestionKind::SamePhone)
        .given(phone_of(AMIT, "9876543210"));
}

#[test]
fn an_erased_customer_cannot_be_read_and_the_amounts_stay() {
    let given = shop()
        .given(credit(PRIYA, 670_00))
        .given(payment(PRIYA, 670_00))
        .given(erase(PRIYA));
    let priya = &given.ledger.customers[&PRIYA];
    let name = priya.name.get().expect("sealed");
    assert_eq!(given.keys.open(name, Field::Name), Opened::Erased);
    assert_eq!(priya.entries.len(), 2);
    let amit = &given.ledger.customers[&AMIT];
    let name = amit.name.get().expect("sealed");
    assert_eq!(given.keys.words(name, Field::Name).as_deref(), Some("Amit"));
}

#[test]
fn a_refusal_makes_no_key() {
    let outcome = shop().when(AddCustomer::named(""));
    assert!(outcome.result().is_err());
    let added = shop().when(AddCustomer::named("Rohit"));
    assert_eq!(added.result().expect("added").keys.len(), 1);
}
