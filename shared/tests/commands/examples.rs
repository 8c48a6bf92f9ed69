//! The worked examples of the project, to the paisa.

use shared::command::{
    AddCustomer, Details, GiveCredit, KhataRejection, ReceivePayment, RecordSale,
};
use shared::event::{Paid, Refund};
use shared::ids::{CustomerId, EventId};
use shared::ledger::Balance;
use shared::money::{Paise, RateBp};
use shared::testing::given::*;

const ROHIT: CustomerId = CustomerId(EventId::new(1, 6));

fn khata(given: &Given, customer: CustomerId) -> Paise {
    given.ledger.balance(customer).khata
}

/// Khata: what is bought for cash is never owed, what is paid is owed no more, and of returns only
/// the one to the khata changes a balance.
#[test]
fn the_khata_of_priya_amit_and_rohit() {
    let given = shop().given(AddCustomer::named("Rohit"));

    let given = given.given(GiveCredit {
        lines: vec![
            line("Atta", 1, 250_00),
            line("Oil", 1, 180_00),
            line("Dal", 2, 120_00),
        ],
        ..credit(PRIYA, 670_00)
    });
    assert_eq!(khata(&given, PRIYA), rupees(670));
    let given = given.given(RecordSale {
        customer: Some(AMIT),
        ..cash_sale(vec![line("Ghee", 1, 150_00), line("Soap", 2, 40_00)])
    });

    let given = given.on(tuesday()).given(ReceivePayment {
        details: Details::on(tuesday()),
        paid: upi("412345678901"),
        ..payment(PRIYA, 300_00)
    });
    assert_eq!(khata(&given, PRIYA), rupees(370));
    let given = given.given(RecordSale {
        details: Details::on(tuesday()),
        customer: Some(ROHIT),
        ..cash_sale(vec![line("Bread", 2, 25_00), line("Milk", 1, 60_00)])
    });
    let given = given.given(goods_back(Some(PRIYA), 50_00, Refund::Khata));
    assert_eq!(khata(&given, PRIYA), rupees(320));
    assert_eq!(khata(&given, AMIT), rupees(0));
    assert_eq!(khata(&given, ROHIT), rupees(0));
    assert_eq!(given.ledger.entries.len(), 5);

    let given = given.given(goods_back(Some(AMIT), 40_00, Refund::Money(Paid::CASH)));
    assert_eq!(khata(&given, AMIT), rupees(0));
}

/// Advance: 5,000, 7,000, 5,500, 8,500, 500, and then nothing beyond what there is.
#[test]
fn the_advance_of_priya() {
    let mut given = shop();
    let mut running = Vec::new();
    for paise in [5_000_00, 2_000_00, -1_500_00, 3_000_00, -8_000_00] {
        given = if paise > 0 {
            given.given(deposit(PRIYA, paise))
        } else {
            given.given(withdrawal(PRIYA, -paise))
        };
        running.push(given.ledger.balance(PRIYA).advance);
    }
    assert_eq!(running, [5_000, 7_000, 5_500, 8_500, 500].map(rupees));

    let before = given.ledger.checksum();
    let given = given
        .when(withdrawal(PRIYA, 5_000_00))
        .rejected(KhataRejection::AdvanceTooSmall {
            available: rupees(500),
            asked: rupees(5_000),
        });
    assert_eq!(given.ledger.checksum(), before, "nothing has changed");
    assert_eq!(
        given.ledger.balance(PRIYA),
        Balance {
            khata: rupees(0),
            advance: rupees(500),
        }
    );
    for paise in [0, -1] {
        assert!(
            given
                .clone()
                .when(withdrawal(PRIYA, paise))
                .result()
                .is_err()
        );
        assert!(given.clone().when(deposit(PRIYA, paise)).result().is_err());
    }
}

/// Tax inside the price, per line; a bill of these lines is taken with exactly this tax.
#[test]
fn the_tax_inside_a_bill() {
    let cases = [
        (250_00, 5, 11_90),
        (180_00, 5, 8_57),
        (240_00, 5, 11_43),
        (80_00, 40, 22_86),
        (60_00, 0, 0),
    ];
    let lines: Vec<_> = cases
        .into_iter()
        .map(|(paise, percent, tax)| {
            let mut line = line("Good", 1, paise);
            line.rate = Some(RateBp::percent(percent));
            line.tax = Some(shared::event::Tax {
                cgst: Paise(tax / 2),
                sgst: Paise(tax - tax / 2),
                igst: Paise(0),
                cess: Paise(0),
            });
            line
        })
        .collect();
    shop().given(cash_sale(lines));
}
