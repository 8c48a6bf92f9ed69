//! Completed sales.

use shared::command::{
    AddCustomer, Command, EnrolDevice, KhataRejection, MAX_TENDERS, RecordSale, SaleRejection,
    TextRejection, UpdateCustomer, bill_number,
};
use shared::event::{
    Document, Kind, Line, Mode, Paid, Particulars, Patch, Role, SaleRecorded, Tax, Tender, TenderBy,
};
use shared::ids::DeviceNo;
use shared::ledger::What;
use shared::money::{Paise, RateBp};
use shared::testing::given::*;

use crate::{Accepted, Refused, accepted, refused};

fn tender(paise: i64, by: TenderBy) -> Tender {
    Tender {
        amount: Paise(paise),
        by,
    }
}

fn cash(paise: i64) -> Tender {
    tender(paise, TenderBy::Money(Paid::CASH))
}

/// A bill of atta, oil and dal, ₹670, paid like this.
fn bill(tenders: Vec<Tender>) -> RecordSale {
    RecordSale {
        tenders,
        ..cash_sale(vec![
            line("Atta", 1, 250_00),
            line("Oil", 1, 180_00),
            line("Dal", 2, 120_00),
        ])
    }
}

fn to_priya(sale: RecordSale) -> RecordSale {
    RecordSale {
        customer: Some(PRIYA),
        ..sale
    }
}

fn taxed(line: Line, percent: u32, cgst: i64, sgst: i64) -> Line {
    Line {
        rate: Some(RateBp::percent(percent)),
        tax: Some(Tax {
            cgst: Paise(cgst),
            sgst: Paise(sgst),
            igst: Paise(0),
            cess: Paise(0),
        }),
        ..line
    }
}

pub fn all_accepted() -> Vec<Accepted> {
    let split = bill(vec![
        cash(200_00),
        tender(200_00, TenderBy::Money(upi("412345678901"))),
        tender(170_00, TenderBy::Khata),
        tender(100_00, TenderBy::Advance),
    ]);
    let rounded = RecordSale {
        total: rupees(640),
        tenders: vec![cash(640_00)],
        discount: Some(Paise(49_50)),
        charges: Some(rupees(20)),
        round_off: Some(Paise(-50)),
        place_of_supply: Some(27),
        buyer_gstin: Some("29aagcb7383j1z4".into()),
        document: Some(Document::TaxInvoice),
        handed_over: Some(rupees(700)),
        ..bill(Vec::new())
    };
    vec![
        accepted(
            "A quick sale is a total and how it was paid",
            shop().when(RecordSale::quick(monday(), rupees(110), Paid::CASH)),
            [Kind::SaleRecorded],
        ),
        accepted(
            "A bill is paid in several ways at once",
            shop().given(deposit(PRIYA, 100_00)).when(to_priya(split)),
            [Kind::SaleRecorded],
        ),
        accepted(
            "A bill has a discount, charges and a round-off",
            shop().when(rounded),
            [Kind::SaleRecorded],
        ),
        accepted(
            "A bill that comes to nothing is a bill, and nothing is owed",
            shop().when(RecordSale {
                tenders: Vec::new(),
                ..cash_sale(vec![line("Sample", 1, 0)])
            }),
            [Kind::SaleRecorded],
        ),
        accepted(
            "Every line keeps the tax that was printed",
            shop().when(cash_sale(vec![
                taxed(line("Atta", 1, 250_00), 5, 5_95, 5_95),
                taxed(line("Oil", 1, 180_00), 5, 4_28, 4_29),
                taxed(line("Cola", 1, 80_00), 40, 11_43, 11_43),
                taxed(line("Loose rice", 1, 60_00), 0, 0, 0),
            ])),
            [Kind::SaleRecorded],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let paid = || bill(vec![cash(670_00)]);
    let limited = staffed_shop()
        .given(UpdateCustomer {
            limit: Patch::Set(rupees(100)),
            ..UpdateCustomer::of(PRIYA)
        })
        .by(CASHIER);
    let far = DeviceNo(u32::MAX);
    let mut worn_out = shop()
        .given(EnrolDevice {
            device: far,
            key: public_key(9),
            role: Role::Owner,
            name: "Worn-out till".into(),
            staff: None,
        })
        .at(far);
    worn_out.ledger.lanes.entry(far).or_default().bills = 99_999_999;
    vec![
        refused(
            "A bill comes to its lines",
            shop().when(RecordSale {
                total: rupees(700),
                ..paid()
            }),
            SaleRejection::TotalDoesNotAddUp {
                expected: rupees(670),
                total: rupees(700),
            },
        ),
        refused(
            "A bill is paid in full, one way or another",
            shop().when(bill(vec![cash(600_00)])),
            SaleRejection::TendersDoNotAddUp {
                tendered: rupees(600),
                total: rupees(670),
            },
        ),
        refused(
            "A bill is not paid twice",
            shop().when(bill(vec![cash(670_00), cash(670_00)])),
            SaleRejection::TendersDoNotAddUp {
                tendered: rupees(1_340),
                total: rupees(670),
            },
        ),
        refused(
            "A quick sale of nothing is nothing",
            shop().when(RecordSale {
                tenders: Vec::new(),
                ..RecordSale::quick(monday(), rupees(0), Paid::CASH)
            }),
            SaleRejection::NothingSold,
        ),
        refused(
            "A discount is taken off something",
            shop().when(RecordSale {
                discount: Some(rupees(10)),
                ..RecordSale::quick(monday(), rupees(100), Paid::CASH)
            }),
            SaleRejection::NothingSold,
        ),
        refused(
            "A bill is paid in so many ways at most",
            shop().when(bill(vec![cash(1_00); MAX_TENDERS + 1])),
            SaleRejection::TooManyTenders { limit: 10 },
        ),
        refused(
            "Credit is somebody's",
            shop().when(bill(vec![tender(670_00, TenderBy::Khata)])),
            SaleRejection::CustomerNeeded,
        ),
        refused(
            "An advance is somebody's",
            shop().when(bill(vec![tender(670_00, TenderBy::Advance)])),
            SaleRejection::CustomerNeeded,
        ),
        refused(
            "An advance pays no more than there is",
            shop()
                .given(deposit(PRIYA, 500_00))
                .when(to_priya(bill(vec![tender(670_00, TenderBy::Advance)]))),
            KhataRejection::AdvanceTooSmall {
                available: rupees(500),
                asked: rupees(670),
            },
        ),
        refused(
            "A cashier puts no more on the khata than the limit",
            limited.when(to_priya(bill(vec![
                cash(500_00),
                tender(170_00, TenderBy::Khata),
            ]))),
            KhataRejection::LimitPassed {
                owed: rupees(0),
                asked: rupees(170),
                limit: rupees(100),
            },
        ),
        refused(
            "A discount is at most what was bought",
            shop().when(RecordSale {
                total: rupees(0),
                discount: Some(rupees(671)),
                charges: Some(rupees(1)),
                ..bill(Vec::new())
            }),
            SaleRejection::DiscountTooLarge {
                discount: rupees(671),
                lines: rupees(670),
            },
        ),
        refused(
            "A round-off is no discount",
            shop().when(RecordSale {
                round_off: Some(Paise(-10_01)),
                ..paid()
            }),
            SaleRejection::RoundOffTooLarge {
                asked: Paise(-10_01),
                limit: rupees(10),
            },
        ),
        refused(
            "What was handed over covers what is paid in cash",
            shop().when(RecordSale {
                handed_over: Some(rupees(600)),
                ..paid()
            }),
            SaleRejection::HandedOverTooLittle {
                handed_over: rupees(600),
                cash: rupees(670),
            },
        ),
        refused(
            "A buyer's GSTIN is a GSTIN",
            shop().when(RecordSale {
                buyer_gstin: Some("29AAGCB7383J1Z5".into()),
                ..paid()
            }),
            TextRejection::NotAGstin,
        ),
        refused(
            "Goods are supplied in a state that there is",
            shop().when(RecordSale {
                place_of_supply: Some(0),
                ..paid()
            }),
            TextRejection::NotAState { code: 0 },
        ),
        refused(
            "A bill number has 16 characters at most",
            worn_out.when(paid()),
            SaleRejection::NoBillNumberLeft,
        ),
    ]
}

#[test]
fn a_quick_sale_says_exactly_what_happened() {
    shop()
        .when(RecordSale::quick(monday(), rupees(110), Paid::CASH))
        .then([SaleRecorded {
            particulars: Particulars::on(monday()),
            bill: "1-000001".into(),
            total: rupees(110),
            tenders: vec![cash(110_00)],
            customer: None,
            lines: None,
            discount: None,
            round_off: None,
            charges: None,
            place_of_supply: None,
            buyer_gstin: None,
            document: None,
            handed_over: None,
            order: None,
        }
        .into()]);
}

#[test]
fn only_the_part_on_the_khata_is_owed_and_only_the_advance_part_is_used() {
    let given = shop()
        .given(deposit(PRIYA, 300_00))
        .given(to_priya(bill(vec![
            cash(400_00),
            tender(170_00, TenderBy::Khata),
            tender(100_00, TenderBy::Advance),
        ])));
    let balance = given.ledger.balance(PRIYA);
    assert_eq!((balance.khata, balance.advance), (rupees(170), rupees(200)));
}

#[test]
fn every_device_numbers_its_own_bills() {
    let quick = || Command::from(RecordSale::quick(monday(), rupees(10), Paid::CASH));
    let given = staffed_shop()
        .given(quick())
        .given(AddCustomer::named("Rohit"))
        .given(quick())
        .at(COUNTER)
        .given(quick());
    let bills: Vec<&str> = given
        .ledger
        .entries
        .values()
        .filter_map(|entry| match &entry.what {
            What::Sale(sale) => Some(sale.bill.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(bills, ["1-000001", "1-000002", "2-000001"]);
}

#[test]
fn bill_numbers_keep_to_the_letters_and_length_of_the_law() {
    assert_eq!(bill_number(DeviceNo(35), 42), "Z-000042");
    assert_eq!(bill_number(DeviceNo(65_537), 1_000_000), "1EKH-1000000");
    assert_eq!(bill_number(DeviceNo(u32::MAX), 99_999_999).len(), 16);
}

#[test]
fn what_a_customer_hands_over_need_only_cover_the_cash() {
    shop().given(RecordSale {
        handed_over: Some(rupees(500)),
        ..bill(vec![
            cash(470_00),
            tender(
                200_00,
                TenderBy::Money(Paid {
                    mode: Mode::Upi,
                    reference: None,
                    app: None,
                }),
            ),
        ])
    });
}
