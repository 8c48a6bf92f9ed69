//! The desk where a command is decided: what every topic needs at hand.

use super::rejection::rejections;
use super::{
    AmountRejection, CLOCK_BACK_TOLERANCE_MS, Context, Decision, Draft, Question, Refusal,
    Rejection, ShopRejection, TextRejection, compose,
};
use crate::bytes::{Fixed, KeyId};
use crate::calendar::BusinessDay;
use crate::event::{Body, MAX_EVENT_BYTES, MAX_GROUP_EVENTS, Role, TaskResolved, encode};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId};
use crate::ledger::{Balance, Device, Ledger, Member};
use crate::text::{Entropy, Field, Key, Text};

rejections! {
    /// Who may not do it.
    pub enum AccessRejection {
        /// The device does not belong to the shop.
        #[error("device {} is not enrolled", .device.0)]
        "device_not_enrolled" NotEnrolled {
            /// The device.
            device: DeviceNo,
        },
        /// The device may write no more.
        #[error("device {} was revoked", .device.0)]
        "device_revoked" Revoked {
            /// The device.
            device: DeviceNo,
        },
        /// The person does not work here, or no more.
        #[error("{staff} is not on the staff")]
        "not_on_staff" NotOnStaff {
            /// Who.
            staff: StaffId,
        },
        /// Somebody with more rights must do it.
        #[error("this needs the role {needed:?}, and the role here is {role:?}")]
        "not_allowed" NotAllowed {
            /// The least role that may do it.
            needed: Role,
            /// The role of this person at this device.
            role: Role,
        },
        /// Only who wrote the entry, or a manager, may take it back.
        #[error("the entry was written by somebody else")]
        "not_your_entry" NotYourEntry {
            /// The entry.
            entry: EntryId,
        },
        /// It looks at earlier entries, and they are not in the books yet.
        #[error("earlier entries are not in the books yet")]
        "history_not_here" HistoryNotHere,
    }
}

rejections! {
    /// A day that cannot stand in the books.
    pub enum DateRejection {
        /// The day has not come yet.
        #[error("{on} has not come yet, today is {today}")]
        "date_in_future" InFuture {
            /// What was asked for.
            on: BusinessDay,
            /// The latest day that can be.
            today: BusinessDay,
        },
        /// Before 1970: a slip of the pen.
        #[error("{on} is too long ago")]
        "date_too_early" TooEarly {
            /// What was asked for.
            on: BusinessDay,
        },
    }
}

/// Everything at hand while one command is decided.
pub(super) struct Desk<'l, 'c> {
    pub ledger: &'l Ledger,
    pub context: &'c Context<'c>,
    entropy: Entropy,
    /// An entry that is being replaced: balances are seen without it.
    pub replacing: Option<EntryId>,
    role: Role,
    drafts: Vec<Draft>,
    /// An override that goes behind the entry that it lets pass.
    pub(super) override_task: Option<TaskResolved>,
    keys: Vec<(KeyId, Key)>,
    questions: Vec<Question>,
}

impl<'l, 'c> Desk<'l, 'c> {
    pub fn new(ledger: &'l Ledger, context: &'c Context<'c>) -> Desk<'l, 'c> {
        Desk {
            ledger,
            context,
            entropy: context.entropy.clone(),
            replacing: None,
            role: Role::Display,
            drafts: Vec::new(),
            override_task: None,
            keys: Vec::new(),
            questions: Vec::new(),
        }
    }

    /// Lets in who may write at all, with the lesser of the rights of the device and the person.
    pub fn admit(&mut self) -> Result<(), Rejection> {
        if self.ledger.shop.opened.get().is_none() {
            return Err(ShopRejection::NotOpened.into());
        }
        let device = self.context.device;
        let known = self.ledger.devices.get(&device);
        if known.is_some_and(Device::is_revoked) {
            return Err(AccessRejection::Revoked { device }.into());
        }
        let role = self.ledger.role_of(device);
        self.role = role.ok_or(AccessRejection::NotEnrolled { device })?;
        if let Some(staff) = self.context.by {
            let role = self.member(staff)?.role.get().copied();
            self.role = self.role.min(role.unwrap_or(Role::Display));
        }
        Ok(())
    }

    /// The rights of this person at this device.
    pub const fn role(&self) -> Role {
        self.role
    }

    pub fn require(&self, needed: Role) -> Result<(), Rejection> {
        if self.role < needed {
            let role = self.role;
            return Err(AccessRejection::NotAllowed { needed, role }.into());
        }
        Ok(())
    }

    /// A person who works here.
    pub fn member(&self, staff: StaffId) -> Result<&'l Member, AccessRejection> {
        let member = self.ledger.staff.get(&staff);
        member
            .filter(|member| !member.removed && member.role.get().is_some())
            .ok_or(AccessRejection::NotOnStaff { staff })
    }

    /// Asks, unless the person has said yes to this kind of question.
    pub fn ask(&mut self, question: Question) {
        let answered = if question.needs_reason() {
            self.context.reason.is_some()
        } else {
            self.context.confirmed.contains(&question.kind())
        };
        if !answered {
            self.questions.push(question);
        }
    }

    /// Asks when the clock stands before the last entry of this device. A wrong clock never stops
    /// a sale.
    pub fn check_clock(&mut self) {
        let lane = self.ledger.lanes.get(&self.context.device);
        let (now, latest) = (self.context.now, lane.map(|lane| lane.latest));
        if let Some(latest) = latest
            && now.plus_ms(CLOCK_BACK_TOLERANCE_MS) < latest
        {
            self.ask(Question::ClockWentBack { now, latest });
        }
    }

    /// The day by the later of the clock and the device's last entry.
    pub fn today(&self) -> BusinessDay {
        let lane = self.ledger.lanes.get(&self.context.device);
        let latest = lane.map_or(self.context.now, |lane| lane.latest);
        self.context.now.max(latest).day()
    }

    /// A day that has come and is not absurdly long ago.
    pub fn past_day(&self, on: BusinessDay) -> Result<BusinessDay, DateRejection> {
        let today = self.today();
        if on > today {
            return Err(DateRejection::InFuture { on, today });
        }
        if on < BusinessDay(0) {
            return Err(DateRejection::TooEarly { on });
        }
        Ok(on)
    }

    /// A day that business was done on; asks about one before the books were opened.
    pub fn business_day(&mut self, on: BusinessDay) -> Result<BusinessDay, DateRejection> {
        self.past_day(on)?;
        if let Some(&opened_on) = self.ledger.shop.opened_on.get()
            && on < opened_on
        {
            self.ask(Question::BeforeOpening { on, opened_on });
        }
        Ok(on)
    }

    /// What a customer owes and has in advance over all pages, without the entry that is being
    /// replaced.
    pub fn balance(&self, customer: CustomerId) -> Balance {
        let mut balance = self.ledger.balance(customer);
        let replaced = self.replacing.and_then(|id| self.ledger.entries.get(&id));
        if let Some(entry) = replaced {
            let canonical = self.ledger.canonical(customer);
            for effect in entry.what.effects().into_iter().flatten() {
                if self.ledger.canonical(effect.customer) == canonical {
                    balance -= effect.change;
                }
            }
        }
        balance
    }

    /// The key that seals what belongs to no customer.
    pub fn shop_key(&self) -> Result<KeyId, TextRejection> {
        let opened = self.ledger.shop.opened.get();
        opened.map(|shop| shop.key).ok_or(TextRejection::KeyMissing)
    }

    /// Makes a key.
    pub fn new_key(&mut self) -> KeyId {
        let id = Fixed(self.entropy.draw());
        let key = Key(self.entropy.draw());
        self.keys.push((id, key));
        id
    }

    pub fn seal(&mut self, plain: &str, field: Field, id: KeyId) -> Result<Text, TextRejection> {
        let new = self.keys.iter().find(|(new, _)| *new == id);
        let key = match new {
            Some((_, key)) => Some(key),
            None => self.context.keys.get(&id),
        };
        let key = key.ok_or(TextRejection::KeyMissing)?;
        let shop = self.context.keys.shop();
        Ok(Text::seal(
            plain,
            (&id, key),
            shop,
            field,
            &mut self.entropy,
        ))
    }

    /// The id that the next event will have.
    pub fn next_id(&self) -> EventId {
        EventId {
            device: self.context.device,
            seq: self.context.next_seq + self.drafts.len() as u32,
        }
    }

    /// Writes down what happens; gives the id that it will have.
    pub fn push(&mut self, body: impl Into<Body>) -> EventId {
        let id = self.next_id();
        self.drafts.push(Draft {
            body: body.into(),
            cause: None,
            correlation: None,
        });
        id
    }

    /// Writes down an entry: caused by the one that it replaces, followed by the override that let
    /// it pass.
    pub fn push_entry(&mut self, body: Body) {
        self.push(body);
        if let (Some(replaced), Some(draft)) = (self.replacing, self.drafts.last_mut()) {
            draft.cause = Some(replaced.0);
        }
        if let Some(task) = self.override_task.take() {
            self.push(task);
        }
    }

    /// The key of a customer's page, be it one that this decision opens.
    pub fn key_of_customer(&self, customer: CustomerId) -> Option<KeyId> {
        let known = self.ledger.customers.get(&customer);
        if let Some(added) = known.and_then(|customer| customer.added.as_ref()) {
            return Some(added.key);
        }
        let nth = customer.0.seq.checked_sub(self.context.next_seq)?;
        match self.drafts.get(nth as usize).map(|draft| &draft.body) {
            Some(Body::CustomerAdded(added)) => Some(added.key),
            _ => None,
        }
    }

    /// What was written down, without any question.
    pub fn into_decision(self) -> Decision {
        Decision {
            drafts: self.drafts,
            keys: self.keys,
        }
    }

    pub fn finish(self) -> Result<Decision, Refusal> {
        if let Some(&question) = self.questions.first() {
            return Err(Refusal::Ask(question));
        }
        let decision = Decision {
            drafts: self.drafts,
            keys: self.keys,
        };
        debug_assert!(!decision.drafts.is_empty(), "a decision says something");
        if decision.drafts.len() > usize::from(MAX_GROUP_EVENTS) {
            let limit = u32::from(MAX_GROUP_EVENTS);
            return Err(AmountRejection::TooManyAtOnce { limit }.into());
        }
        let events = compose(self.ledger, self.context, decision.clone());
        if events
            .iter()
            .any(|event| encode(event).len() > MAX_EVENT_BYTES)
        {
            let limit_bytes = MAX_EVENT_BYTES as u32;
            return Err(AmountRejection::TooLong { limit_bytes }.into());
        }
        Ok(decision)
    }
}
