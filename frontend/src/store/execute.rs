//! One command, decided on the books and written in one transaction.

use std::rc::Rc;

use shared::bytes::{Bytes, Fixed, KeyId};
use shared::command::{self, Command, Context, QuestionKind, StartSession};
use shared::event::{self, Body, Decoded, Event};
use shared::sync::engine::Input;
use shared::sync::log::ChainHead;
use shared::sync::wire::SealingKey;
use shared::text::{Entropy, Key};

use super::StoreError;
use super::books::Books;
use super::database::{Append, Appended};
use super::live::Live;
use super::shop::{Answers, Committed, Refused, now};
use super::start::APP_VERSION;
use crate::crypto;
use crate::net::tabs::News;

/// How often an append is decided anew because another tab wrote first. Tabs of one phone have one
/// pair of hands in front of them: twice is rare already.
const MAX_TRIES: u32 = 8;

/// What is to be written, and the end of the chain that it was decided on.
pub(super) struct Decided {
    expected: ChainHead,
    events: Vec<Event>,
    keys: Vec<SealingKey>,
}

impl Decided {
    /// Events that follow an end of the chain, with the keys that were made for them.
    pub fn new(expected: ChainHead, events: Vec<Event>, made: &[(KeyId, Key)]) -> Decided {
        Decided {
            keys: keys_of(made, events.iter().map(|event| &event.body)),
            expected,
            events,
        }
    }
}

impl Live {
    /// See [`super::Shop::execute`].
    pub(crate) async fn execute(
        self: &Rc<Live>,
        command: Command,
        answers: &Answers,
    ) -> Result<Committed, Refused> {
        let decide = || self.decide(command.clone(), answers);
        self.write(answers.draft.as_deref(), &decide).await
    }

    /// Writes what is decided on the books as they are, in one transaction; decides anew when
    /// another tab wrote first. Nothing is written where nothing is to be.
    pub(super) async fn write(
        self: &Rc<Live>,
        draft: Option<&str>,
        decide: &dyn Fn() -> Result<Decided, Refused>,
    ) -> Result<Committed, Refused> {
        let _turn = self.turns.take().await;
        for _ in 0..MAX_TRIES {
            let Decided {
                expected,
                events,
                keys,
            } = decide()?;
            if events.is_empty() {
                return Ok(Committed { events: Vec::new() });
            }
            let stored: Vec<Bytes> = events
                .iter()
                .map(|event| Bytes(event::encode(event)))
                .collect();
            for (event, bytes) in events.iter().zip(&stored) {
                // What cannot be read again must not be written.
                if event::decode(&bytes.0, None).as_ref() != Ok(&Decoded::Known(event.clone())) {
                    return Err(StoreError::Damaged("event").into());
                }
            }
            let first_seq = expected.seq + 1;
            let append = Append {
                expected,
                events: &stored,
                keys: &keys,
                draft,
            };
            match self.db.append(append).await? {
                Appended::Saved(chain) => {
                    self.change(|books| {
                        books.chain = chain;
                        let folded = books.fold_own(first_seq, &stored);
                        books.take_keys(&keys);
                        folded
                    })?;
                    let with_keys = !keys.is_empty();
                    self.tell(&News::Written { keys: with_keys });
                    self.drive(Input::Appended {
                        first_seq,
                        events: stored,
                        keys,
                    });
                    self.keep_snapshot();
                    let events = events.iter().map(|event| event.envelope.id).collect();
                    return Ok(Committed { events });
                }
                Appended::Moved => self.read_news(true).await?,
            }
        }
        Err(StoreError::Failed("other tabs keep writing".into()).into())
    }

    /// Tells the books which version of the app works on them, if it is another than before.
    pub(crate) async fn start_session(self: &Rc<Live>) {
        let new = self.peek(|books| {
            let device = books.ledger.devices.get(&books.device());
            device.is_some_and(|device| device.app.get().is_none_or(|app| app != APP_VERSION))
        });
        if new {
            let session = StartSession {
                app: APP_VERSION.to_owned(),
            };
            // A device that may only read writes nothing.
            let _ = self.execute(session.into(), &Answers::default()).await;
        }
    }

    /// Decides a command on the books as they are.
    fn decide(&self, command: Command, answers: &Answers) -> Result<Decided, Refused> {
        let books = self.books.borrow();
        let mut context = self.context(&books);
        context.confirmed.extend(answers.confirmed.iter().copied());
        if answers.confirmed.contains(&QuestionKind::ClockWentBack) {
            self.clock_confirmed.set(true);
        }
        if self.clock_confirmed.get() {
            context.confirmed.insert(QuestionKind::ClockWentBack);
        }
        context.reason = answers.reason.clone();
        let decision = command::decide(&books.ledger, &context, command).map_err(Refused::Rules)?;
        let made = decision.keys.clone();
        let events = command::compose(&books.ledger, &context, decision);
        Ok(Decided::new(books.chain, events, &made))
    }

    /// Who decides, where and when.
    pub(super) fn context<'b>(&self, books: &'b Books) -> Context<'b> {
        Context::new(
            books.device(),
            books.chain.seq + 1,
            now(),
            books.staff(),
            &books.keys,
            Entropy::new(crypto::random()),
        )
    }
}

/// Keys that were made, and the tombstones of those that are destroyed.
pub(super) fn keys_of<'b>(
    made: &[(KeyId, Key)],
    bodies: impl Iterator<Item = &'b Body>,
) -> Vec<SealingKey> {
    let made = made.iter().map(|(id, key)| SealingKey {
        id: *id,
        key: Some(Fixed(key.0)),
    });
    let destroyed = bodies.flat_map(|body| match body {
        Body::CustomerErased(erased) => erased.keys.as_slice(),
        _ => &[],
    });
    let destroyed = destroyed.map(|id| SealingKey { id: *id, key: None });
    made.chain(destroyed).collect()
}
