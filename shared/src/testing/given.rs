//! Given what happened, when someone wants something, then this happens, or it is refused.
//!
//! ```
//! use shared::command::KhataRejection;
//! use shared::testing::given::*;
//!
//! shop()
//!     .given(deposit(PRIYA, 500_00))
//!     .when(withdrawal(PRIYA, 5_000_00))
//!     .rejected(KhataRejection::AdvanceTooSmall {
//!         available: rupees(500),
//!         asked: rupees(5_000),
//!     });
//! ```

use std::collections::BTreeSet;

use crate::bytes::Fixed;
use crate::calendar::{BusinessDay, TimeMs};
use crate::command::{
    AddCustomer, AddStaff, Command, Context, CorrectEntry, Decision, DepositAdvance, Details,
    EnrolDevice, GiveCredit, NewEntry, OpenShop, Question, QuestionKind, ReceivePayment,
    RecordSale, Refusal, Rejection, ReturnGoods, ReverseEntry, Why, WithdrawAdvance, compose,
    decide,
};
use crate::event::{
    Body, ECDSA_P256_SHA256, Event, Kind, Language, Line, Mode, Paid, PublicKey, ReasonCode,
    Refund, Role, decode, encode,
};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId};
use crate::ledger::{Ledger, Standing, Step};
use crate::money::Paise;
use crate::quantity::{Quantity, Unit};
use crate::text::{Entropy, KeyRing};

/// The shop of all tests.
pub use super::samples::SHOP;
/// Its owner, who opened it.
pub const OWNER: StaffId = StaffId(EventId::new(1, 3));
/// A customer.
pub const PRIYA: CustomerId = CustomerId(EventId::new(1, 4));
/// Another customer.
pub const AMIT: CustomerId = CustomerId(EventId::new(1, 5));
/// A manager, in [`staffed_shop`].
pub const MANAGER: StaffId = StaffId(EventId::new(1, 6));
/// A cashier, in [`staffed_shop`].
pub const CASHIER: StaffId = StaffId(EventId::new(1, 7));
/// Someone who only looks, in [`staffed_shop`].
pub const VIEWER: StaffId = StaffId(EventId::new(1, 8));
/// The second phone, a cashier's, in [`staffed_shop`].
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
        name: "Sharma Kirana".to_owned(),
        language: Language::English,
        on: monday(),
        owner: "Owner".to_owned(),
        device: "Founding phone".to_owned(),
        key: public_key(1),
    }
}

/// A founding phone on which nothing has happened: Monday, 10 o'clock.
pub fn new_phone() -> Given {
    Given {
        ledger: Ledger::default(),
        keys: KeyRing::new(SHOP),
        now: monday().start().plus_ms(10 * 60 * 60 * 1000),
        device: DeviceNo::FOUNDER,
        by: None,
        confirmed: BTreeSet::new(),
        reason: None,
        draws: 0,
    }
}

/// An open shop with its owner at the founding phone and two customers, Priya and Amit.
pub fn shop() -> Given {
    new_phone()
        .given(opening())
        .by(OWNER)
        .given(AddCustomer::named("Priya"))
        .given(AddCustomer::named("Amit"))
}

/// The same with a manager, a cashier and a viewer, and a second phone for cashiers.
pub fn staffed_shop() -> Given {
    let member = |name: &str, role| AddStaff {
        name: name.to_owned(),
        role,
        language: None,
    };
    shop()
        .given(member("Manager", Role::Manager))
        .given(member("Cashier", Role::Cashier))
        .given(member("Viewer", Role::Viewer))
        .given(EnrolDevice {
            device: COUNTER,
            key: public_key(2),
            role: Role::Cashier,
            name: "Counter".to_owned(),
            staff: None,
        })
}

/// What has happened, and who is at which device when.
#[derive(Debug, Clone)]
pub struct Given {
    /// What all that happened folds into.
    pub ledger: Ledger,
    /// The keys made on the way.
    pub keys: KeyRing,
    now: TimeMs,
    device: DeviceNo,
    by: Option<StaffId>,
    confirmed: BTreeSet<QuestionKind>,
    reason: Option<Why>,
    draws: u64,
}

impl Given {
    /// This was done. Panics if it would be refused.
    pub fn given(self, command: impl Into<Command>) -> Given {
        let outcome = self.when(command);
        match outcome.result {
            Ok(_) => outcome.happened(),
            Err(refusal) => panic!("given was refused: {refusal}"),
        }
    }

    /// This came from a device, however wrong it may be.
    pub fn event(self, device: DeviceNo, body: impl Into<Body>) -> Given {
        self.event_of(device, body, Standing::Counted)
    }

    /// This came from a revoked device and waits for the owner's decision.
    pub fn held(self, device: DeviceNo, body: impl Into<Body>) -> Given {
        self.event_of(device, body, Standing::Held)
    }

    fn event_of(mut self, device: DeviceNo, body: impl Into<Body>, standing: Standing) -> Given {
        let here = self.device;
        self.device = device;
        let decision = Decision {
            drafts: vec![crate::command::Draft {
                body: body.into(),
                cause: None,
                correlation: None,
            }],
            keys: Vec::new(),
        };
        let events = compose(&self.ledger, &self.context(), decision);
        self.fold(events, standing);
        self.device = here;
        self
    }

    /// From now on this person is at the device.
    pub fn by(mut self, staff: StaffId) -> Given {
        self.by = Some(staff);
        self
    }

    /// From now on nobody in particular is at the device.
    pub fn by_nobody(mut self) -> Given {
        self.by = None;
        self
    }

    /// From now on at this device.
    pub fn at(mut self, device: DeviceNo) -> Given {
        self.device = device;
        self
    }

    /// The clock is moved.
    pub fn after_ms(mut self, ms: i64) -> Given {
        self.now = self.now.plus_ms(ms);
        self
    }

    /// The clock is at 10 in the morning of this day.
    pub fn on(mut self, day: BusinessDay) -> Given {
        self.now = day.start().plus_ms(10 * 60 * 60 * 1000);
        self
    }

    /// The person says yes to this kind of question from now on.
    pub fn confirming(mut self, kind: QuestionKind) -> Given {
        self.confirmed.insert(kind);
        self
    }

    /// The person gives a reason from now on.
    pub fn because(mut self, why: Why) -> Given {
        self.reason = Some(why);
        self
    }

    /// The last entry that this device wrote.
    pub fn last_entry(&self) -> EntryId {
        let mine = |id: &&EntryId| id.0.device == self.device;
        let last = self.ledger.entries.keys().rev().find(mine);
        *last.expect("no entry was written")
    }

    /// The context of the next command.
    pub fn context(&self) -> Context<'_> {
        let lane = self.ledger.lanes.get(&self.device);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.draws.to_be_bytes());
        seed[8..12].copy_from_slice(&self.device.0.to_be_bytes());
        Context {
            confirmed: self.confirmed.clone(),
            reason: self.reason.clone(),
            ..Context::new(
                self.device,
                lane.map_or(0, |lane| lane.last_seq) + 1,
                self.now,
                self.by,
                &self.keys,
                Entropy::new(seed),
            )
        }
    }

    /// Someone wants this.
    pub fn when(self, command: impl Into<Command>) -> Outcome {
        let result = decide(&self.ledger, &self.context(), command);
        Outcome {
            given: self,
            result,
        }
    }

    fn fold(&mut self, events: Vec<Event>, standing: Standing) {
        self.draws += 1;
        for event in events {
            if let Body::CustomerErased(erased) = &event.body {
                erased.keys.iter().for_each(|&key| self.keys.destroy(key));
            }
            let id = event.envelope.id;
            let decoded = decode(&encode(&event), None);
            let step = self.ledger.fold(id.device, id.seq, decoded, standing);
            assert_eq!(step, Step::Read, "{id}");
        }
    }
}

/// What came of it.
#[derive(Debug)]
#[must_use]
pub struct Outcome {
    given: Given,
    result: Result<Decision, Refusal>,
}

impl Outcome {
    /// Exactly this happens, and has happened from now on.
    #[track_caller]
    pub fn then<const N: usize>(self, bodies: [Body; N]) -> Given {
        let happened: Vec<&Body> = self.decision().bodies().collect();
        assert_eq!(happened, bodies.iter().collect::<Vec<_>>());
        self.happened()
    }

    /// Events of these kinds happen, and have happened from now on.
    #[track_caller]
    pub fn then_kinds<const N: usize>(self, kinds: [Kind; N]) -> Given {
        let happened: Vec<Kind> = self.decision().bodies().map(Body::kind).collect();
        assert_eq!(happened, kinds);
        self.happened()
    }

    /// It is refused for this reason, and nothing is written.
    #[track_caller]
    pub fn rejected(self, rejection: impl Into<Rejection>) -> Given {
        assert_eq!(
            self.result.expect_err("this must be refused"),
            Refusal::Rejected(rejection.into())
        );
        self.given
    }

    /// It is asked about, and nothing is written.
    #[track_caller]
    pub fn asked(self, question: Question) -> Given {
        assert_eq!(
            self.result.expect_err("this must be asked about"),
            Refusal::Ask(question)
        );
        self.given
    }

    /// What was decided, or why not.
    pub fn result(&self) -> Result<&Decision, &Refusal> {
        self.result.as_ref()
    }

    #[track_caller]
    fn decision(&self) -> &Decision {
        match &self.result {
            Ok(decision) => decision,
            Err(refusal) => panic!("refused: {refusal}"),
        }
    }

    /// Whatever was decided happens.
    #[track_caller]
    pub fn happened(self) -> Given {
        let decision = self.decision().clone();
        let mut given = self.given;
        for (id, key) in &decision.keys {
            given.keys.add(*id, key.clone());
        }
        let events = compose(&given.ledger, &given.context(), decision);
        given.fold(events, Standing::Counted);
        given
    }
}
