//! A shop's working day: what people want goes through the real commands, on the books that their
//! phone shows.

use super::world::World;
use crate::bytes::Fixed;
use crate::command::{Command, Context, Decision, Refusal, UpdateCustomer, Why, compose, decide};
use crate::event::{Body, Event, ReasonCode};
use crate::ids::CustomerId;
use crate::ledger::Ledger;
use crate::sync::wire::SealingKey;
use crate::testing::device::SHOP;
use crate::text::{Entropy, Key, KeyRing};

/// The most questions that a person says yes to in one go.
const MAX_QUESTIONS: usize = 4;

impl World {
    /// Somebody wants something that people in a shop want.
    pub fn serve_customer(&mut self, at: usize) {
        let person = self.person_at(at);
        let command = match self.rng.below(100) {
            0..15 => self.rename(at),
            _ => None,
        };
        let command = command.unwrap_or_else(|| {
            let now = self.time_at(at);
            let ledger = self.stations[at].phone.ledger();
            self.demo.command(person, now, ledger)
        });
        self.want(at, command);
    }

    /// Who uses a phone: a copy is used as the phone was.
    fn person_at(&self, at: usize) -> usize {
        at % self.summary.phones as usize
    }

    /// A customer is called something else.
    fn rename(&mut self, at: usize) -> Option<Command> {
        let ledger = self.stations[at].phone.ledger();
        let known = ledger.customers.iter();
        let known = known.filter(|(_, it)| it.added.is_some() && !it.erased);
        let known: Vec<CustomerId> = known.map(|(id, _)| *id).collect();
        if known.is_empty() {
            return None;
        }
        let mut update = UpdateCustomer::of(*self.rng.pick(&known));
        update.name = Some(format!("Priya {}", self.rng.below(1000)));
        Some(update.into())
    }

    /// The command is decided, written and shown, or refused.
    fn want(&mut self, at: usize, command: Command) {
        let seed = self.rng.bytes();
        let now = self.time_at(at);
        let phone = &self.stations[at].phone;
        let mut keys = KeyRing::new(SHOP);
        for (id, key) in &phone.disk.keys {
            match key {
                Some(key) => keys.add(*id, Key(key.0)),
                None => keys.destroy(*id),
            }
        }
        let next_seq = phone.head().seq + 1;
        let entropy = Entropy::new(seed);
        let mut context = Context::new(phone.number(), next_seq, now, None, &keys, entropy);
        let Some(decision) = agree(phone.ledger(), &mut context, &command) else {
            self.summary.refused += 1;
            return;
        };
        // An app writes what it knows.
        let app = phone.disk.app;
        if decision.bodies().any(|body| !app.knows(body.kind())) {
            return;
        }
        let new_keys = decision.keys.iter().map(|(id, key)| SealingKey {
            id: *id,
            key: Some(Fixed(key.0)),
        });
        let new_keys = new_keys.collect();
        let events = compose(phone.ledger(), &context, decision);
        if self.append_events(at, &events, new_keys) {
            self.demo.done(self.person_at(at), &events);
            self.see(at, &events);
        }
    }

    /// What a person has just changed is what the screen shows.
    fn see(&self, at: usize, events: &[Event]) {
        let phone = &self.stations[at].phone;
        for event in events {
            if let Body::CustomerUpdated(update) = &event.body
                && phone.is_running()
            {
                let shown = phone.ledger().customers.get(&update.customer);
                let name = shown.and_then(|customer| customer.name.get());
                assert_eq!(
                    name,
                    update.name.as_ref(),
                    "phone {} shows another name than the one just written",
                    at + 1
                );
            }
        }
    }
}

/// Decides, and says yes to what is asked back.
fn agree(ledger: &Ledger, context: &mut Context<'_>, command: &Command) -> Option<Decision> {
    for _ in 0..MAX_QUESTIONS {
        match decide(ledger, context, command.clone()) {
            Ok(decision) => return Some(decision),
            Err(Refusal::Rejected(_)) => return None,
            Err(Refusal::Ask(question)) => {
                context.confirmed.insert(question.kind());
                context.reason = Some(Why::new(ReasonCode::Agreed));
            }
        }
    }
    None
}
