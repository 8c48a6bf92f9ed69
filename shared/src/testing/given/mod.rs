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

mod bring;
mod wants;

use std::collections::BTreeSet;

pub use bring::OTHER_SHOP;
pub use wants::*;

use crate::calendar::{BusinessDay, TimeMs};
use crate::command::{
    AddCustomer, AddStaff, Command, Context, Decision, Draft, EnrolDevice, Question, QuestionKind,
    Refusal, Rejection, Why, compose, decide,
};
use crate::event::{Body, Event, Kind, Role, decode, encode};
use crate::ids::{DeviceNo, EntryId, StaffId};
use crate::ledger::{Ledger, Standing, Step};
use crate::text::{Entropy, KeyRing};

/// A founding phone on which nothing has happened: Monday, 10 o'clock.
pub fn new_phone() -> Given {
    Given {
        ledger: Ledger::default(),
        keys: KeyRing::new(SHOP),
        log: Vec::new(),
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
    /// All that happened, in order.
    pub log: Vec<Event>,
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
        self.events_of(device, vec![body.into()], Standing::Counted)
    }

    /// This came in one step from a revoked device and waits for the owner's decision.
    pub fn held<const N: usize>(self, device: DeviceNo, bodies: [Body; N]) -> Given {
        self.events_of(device, bodies.into(), Standing::Held)
    }

    fn events_of(mut self, device: DeviceNo, bodies: Vec<Body>, standing: Standing) -> Given {
        let here = self.device;
        self.device = device;
        let draft = |body| Draft {
            body,
            cause: None,
            correlation: None,
        };
        let decision = Decision {
            drafts: bodies.into_iter().map(draft).collect(),
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
            self.log.push(event);
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

    /// What was given.
    pub const fn before(&self) -> &Given {
        &self.given
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
