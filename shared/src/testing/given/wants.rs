//! Who is in the shop of all tests, and what they usually want, in few words.

use crate::bytes::Fixed;
use crate::calendar::BusinessDay;
use crate::command::{
    CorrectEntry, DepositAdvance, Details, GiveCredit, NewEntry, OpenShop, ReceivePayment,
    RecordSale, ReturnGoods, ReverseEntry, Why, WithdrawAdvance,
};
use crate::event::{ECDSA_P256_SHA256, Language, Line, Mode, Paid, PublicKey, ReasonCode, Refund};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId};
use crate::money::Paise;
use crate::quantity::{Quantity, Unit};

/// The shop of all tests.
pub use crate::testing::samples::SHOP;
/// Its owner, who opened it.
pub const OWNER: StaffId = StaffId(EventId::new(1, 3));
/// A customer.
pub const PRIYA: CustomerId = CustomerId(EventId::new(1, 4));
/// Another customer.
pub const AMIT: CustomerId = CustomerId(EventId::new(1, 5));
/// A manager, in [`staffed_shop`](super::staffed_shop).
pub const MANAGER: StaffId = StaffId(EventId::new(1, 6));
/// A cashier, in [`staffed_shop`](super::staffed_shop).
pub const CASHIER: StaffId = StaffId(EventId::new(1, 7));
/// Someone who only looks, in [`staffed_shop`](super::staffed_shop).
pub const VIEWER: StaffId = StaffId(EventId::new(1, 8));
/// The second phone, a cashier's, in [`staffed_shop`](super::staffed_shop).
pub const COUNTER: DeviceNo = DeviceNo(2);

/// The first day of the books: Monday, 16 November 2026.
pub fn monday() -> BusinessDay {
    BusinessDay::from_ymd(2026, 11, 16).expect("a date")
}

/// The day after [`monday`].
pub fn tuesday() -> BusinessDay {
    monday().plus_days(1)
}

/// So many rupees.
pub const fn rupees(rupees: i64) -> Paise {
    Paise(rupees * 100)
}

/// A key that no other number has. It signs nothing.
pub const fn public_key(number: u8) -> PublicKey {
    let mut point = [number; 65];
    point[0] = 4;
    PublicKey {
        alg: ECDSA_P256_SHA256,
        point: Fixed(point),
        software: false,
    }
}

/// Goods on credit today, paise.
pub fn credit(customer: CustomerId, paise: i64) -> GiveCredit {
    GiveCredit {
        details: Details::on(monday()),
        customer,
        amount: Paise(paise),
        lines: Vec::new(),
        due: None,
    }
}

/// A payment in cash, paise.
pub fn payment(customer: CustomerId, paise: i64) -> ReceivePayment {
    ReceivePayment {
        details: Details::on(monday()),
        customer,
        amount: Paise(paise),
        paid: Paid::CASH,
        allocations: Vec::new(),
    }
}

/// An advance in cash, paise.
pub fn deposit(customer: CustomerId, paise: i64) -> DepositAdvance {
    DepositAdvance {
        details: Details::on(monday()),
        customer,
        amount: Paise(paise),
        paid: Paid::CASH,
    }
}

/// An advance given back in cash, paise.
pub fn withdrawal(customer: CustomerId, paise: i64) -> WithdrawAdvance {
    WithdrawAdvance {
        details: Details::on(monday()),
        customer,
        amount: Paise(paise),
        paid: Paid::CASH,
    }
}

/// So many whole pieces at a price of so many paise each.
pub fn line(name: &str, pieces: i64, price: i64) -> Line {
    Line {
        name: name.to_owned(),
        quantity: Quantity::whole(pieces),
        unit: Unit::Piece,
        price: Paise(price),
        amount: Paise(pieces * price),
        item: None,
        batch: None,
        mrp: None,
        discount: None,
        hsn: None,
        rate: None,
        tax: None,
        cost: None,
    }
}

/// A sale of these lines for cash, to nobody in particular.
pub fn cash_sale(lines: Vec<Line>) -> RecordSale {
    let total = lines.iter().map(|line| line.amount).sum();
    RecordSale {
        lines,
        ..RecordSale::quick(monday(), total, Paid::CASH)
    }
}

/// Goods that come back, of no sale in particular.
pub fn goods_back(customer: Option<CustomerId>, paise: i64, refund: Refund) -> ReturnGoods {
    ReturnGoods {
        details: Details::on(monday()),
        customer,
        amount: Paise(paise),
        refund,
        of: None,
        lines: Vec::new(),
    }
}

/// Taken back because the amount was wrong.
pub fn reversal(target: EntryId) -> ReverseEntry {
    ReverseEntry {
        target,
        why: Why::new(ReasonCode::WrongAmount),
        witness: None,
    }
}

/// Replaced because the amount was wrong.
pub fn correction(target: EntryId, replacement: impl Into<NewEntry>) -> CorrectEntry {
    CorrectEntry {
        target,
        replacement: replacement.into(),
        why: Why::new(ReasonCode::WrongAmount),
        witness: None,
    }
}

/// Paid by UPI, with this reference.
pub fn upi(reference: &str) -> Paid {
    Paid {
        mode: Mode::Upi,
        reference: Some(reference.to_owned()),
        app: None,
    }
}

/// The opening of the shop of all tests.
pub fn opening() -> OpenShop {
    OpenShop {
        name: "Kirana Corner".to_owned(),
        language: Language::English,
        on: monday(),
        owner: "Owner".to_owned(),
        device: "Founding phone".to_owned(),
        key: public_key(1),
    }
}
