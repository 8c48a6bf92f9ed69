//! The shop that is open in this tab: what screens read, and the one way to write.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use leptos::prelude::*;
use shared::bytes::{Bytes, Fixed, KeyId};
use shared::calendar::TimeMs;
use shared::command::{self, Command, Context, QuestionKind, Refusal, StartSession, Why};
use shared::event::{self, Body, Decoded, Event};
use shared::ids::{EventId, ShopId, StaffId};
use shared::sync::engine::{Activity, Batch, Cursor, Input, SyncStatus};
use shared::sync::wire::SealingKey;
use shared::text::Entropy;
use wasm_bindgen_futures::spawn_local;

use super::StoreError;
use super::books::{Books, Folded};
use super::database::{Append, Appended, Loaded, ShopDatabase};
use super::pack;
use super::records::{Identity, Run, Segment, decode};
use super::slices::Slices;
use super::start::{self, APP_VERSION};
use super::status::{Contact, EntryState};
use super::turn::Turns;
use crate::crypto::{self, DeviceKey};
use crate::net::driver::Driver;
use crate::net::tabs::{Channel, Lead, News};

/// How often an append is decided anew because another tab wrote first. Tabs of one phone have one
/// pair of hands in front of them: twice is rare already.
const MAX_TRIES: u32 = 8;

/// The open shop. Cheap to copy into closures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shop(StoredValue<Rc<Live>, LocalStorage>);

/// What a [`Shop`] stands for.
pub(crate) struct Live {
    pub(crate) db: ShopDatabase,
    pub(crate) key: DeviceKey,
    books: RefCell<Books>,
    /// Raised with every change of the books.
    version: ArcRwSignal<u64>,
    contact: ArcRwSignal<Contact>,
    turns: Turns,
    channel: RefCell<Option<Channel>>,
    /// In the tab that syncs: what drives the engine.
    driver: RefCell<Option<Rc<Driver>>>,
    /// The wish to be that tab.
    lead: RefCell<Option<Lead>>,
    /// A person said that the clock is right although it went back.
    clock_confirmed: Cell<bool>,
}

/// How much of a long piece of work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// So many entries or bytes are done …
    pub done: u64,
    /// … of so many.
    pub total: u64,
}

/// What a person has said to questions, and what the entry settles.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Questions that were answered with yes.
    pub confirmed: Vec<QuestionKind>,
    /// The reason, for a question that needs one.
    pub reason: Option<Why>,
    /// The form whose draft goes with the entry.
    pub draft: Option<String>,
}

/// Written, and on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The events, in order: one at least. The first names the customer, staff or entry that was
    /// made.
    pub events: Vec<EventId>,
}

impl Committed {
    /// The first event.
    pub fn first(&self) -> EventId {
        self.events[0]
    }
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be, or the person has to say yes first.
    Rules(Refusal),
    /// The phone could not keep it.
    Storage(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        Refused::Storage(error)
    }
}

impl Shop {
    /// Opens a shop that is on this phone and folds it, a slice at a time. `None` where a first
    /// start was never finished. For `blocked` and `lost` see [`super::idb::Open`].
    pub async fn open(
        shop: ShopId,
        progress: impl Fn(Progress),
        blocked: impl FnMut() + 'static,
        lost: impl FnMut(StoreError) + 'static,
    ) -> Result<Option<Shop>, StoreError> {
        let db = ShopDatabase::open(shop, blocked, lost).await?;
        match db.load().await? {
            Some(loaded) => Shop::start(db, loaded, progress).await.map(Some),
            None => Ok(None),
        }
    }

    async fn start(
        db: ShopDatabase,
        loaded: Loaded,
        progress: impl Fn(Progress),
    ) -> Result<Shop, StoreError> {
        let key = DeviceKey::load(loaded.device_key.clone(), loaded.identity.key)
            .await
            .map_err(|_| StoreError::Damaged("device key"))?;
        let shop = loaded.identity.shop;
        let segments = pack::is_worth_it(loaded.segments.iter().map(Vec::len));
        let tail = pack::is_worth_it(loaded.tail.iter().map(Run::length_bytes));
        let held = loaded.keys.iter().filter(|key| key.key.is_some());
        let held: BTreeSet<KeyId> = held.map(|key| key.id).collect();
        let books = fold_all(loaded, progress).await?;
        let erased: BTreeSet<KeyId> = held
            .intersection(&books.ledger.erased_keys)
            .copied()
            .collect();
        if !erased.is_empty() {
            // An erasure that counts only since the owner let it in, or that an older app stored.
            db.destroy_keys(&erased).await?;
        }
        let live = Rc::new(Live {
            db,
            key,
            books: RefCell::new(books),
            version: ArcRwSignal::new(0),
            contact: ArcRwSignal::new(Contact::NONE),
            turns: Turns::default(),
            channel: RefCell::new(None),
            driver: RefCell::new(None),
            lead: RefCell::new(None),
            clock_confirmed: Cell::new(false),
        });
        live.listen(shop)?;
        live.start_sync();
        live.pack(segments, tail);
        Ok(Shop(StoredValue::new_local(live)))
    }

    pub(crate) fn live(self) -> Rc<Live> {
        self.0.get_value()
    }

    /// Looks into the books. A view that looks is drawn again when they change.
    pub fn with<R>(self, look: impl FnOnce(&Books) -> R) -> R {
        let live = self.live();
        live.version.track();
        let books = live.books.borrow();
        look(&books)
    }

    /// Looks into the books once, for event handlers.
    pub fn peek<R>(self, look: impl FnOnce(&Books) -> R) -> R {
        look(&self.live().books.borrow())
    }

    /// Does what someone wants, and returns when it is on the disk: the moment for the tick. A
    /// refusal has written nothing. The network plays no part in it.
    pub async fn execute(self, command: impl Into<Command>) -> Result<Committed, Refused> {
        self.execute_with(command, Answers::default()).await
    }

    /// Like [`Shop::execute`], with what the person has said to questions.
    pub async fn execute_with(
        self,
        command: impl Into<Command>,
        answers: Answers,
    ) -> Result<Committed, Refused> {
        self.live().execute(command.into(), &answers).await
    }

    /// Somebody says who is at the phone, until the app is opened anew.
    pub fn set_staff(self, staff: Option<StaffId>) {
        self.live().change(|books| books.chosen = staff);
    }

    /// How the sync stands. Tracked.
    pub fn contact(self) -> Contact {
        let contact = self.live().contact.get();
        if contact.status.activity != Activity::Alone {
            return contact;
        }
        let waiting = self.with(Books::unconfirmed);
        let status = SyncStatus {
            waiting,
            ..SyncStatus::ALONE
        };
        Contact { status, ..contact }
    }

    /// Where one entry is. Tracked.
    pub fn entry_state(self, entry: EventId) -> EntryState {
        let waiting = self.contact().status.waiting;
        self.with(|books| {
            if entry.device != books.device() || entry.seq <= books.confirmed_seq {
                EntryState::OnServer
            } else if books.last_seq() - waiting.min(books.last_seq()) >= entry.seq {
                EntryState::Sent
            } else {
                EntryState::Saved
            }
        })
    }

    /// Syncs now, without waiting for the next attempt.
    pub fn sync_now(self) {
        let live = self.live();
        live.tell(&News::SyncNow);
        live.drive(Input::SyncNow);
    }

    /// Keeps what is being typed, for a phone that dies before it is saved.
    pub async fn save_draft(self, form: &str, draft: &[u8]) -> Result<(), StoreError> {
        self.live().db.save_draft(form, draft).await
    }

    /// What was being typed into a form.
    pub async fn draft(self, form: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.live().db.draft(form).await
    }
}

impl Live {
    /// See [`Shop::execute`].
    pub(crate) async fn execute(
        &self,
        command: Command,
        answers: &Answers,
    ) -> Result<Committed, Refused> {
        let _turn = self.turns.take().await;
        for _ in 0..MAX_TRIES {
            let (expected, events, keys) = self.decide(command.clone(), answers)?;
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
                draft: answers.draft.as_deref(),
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
                    let events = events.iter().map(|event| event.envelope.id).collect();
                    return Ok(Committed { events });
                }
                Appended::Moved => self.read_news(true).await?,
            }
        }
        Err(StoreError::Failed("other tabs keep writing".into()).into())
    }

    /// Tells the books which version of the app works on them, if it is another than before.
    pub(crate) async fn start_session(&self) {
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
    fn decide(
        &self,
        command: Command,
        answers: &Answers,
    ) -> Result<(shared::sync::log::ChainHead, Vec<Event>, Vec<SealingKey>), Refused> {
        let books = self.books.borrow();
        let entropy = Entropy::new(crypto::random());
        let next_seq = books.chain.seq + 1;
        let mut context = Context::new(
            books.device(),
            next_seq,
            now(),
            books.staff(),
            &books.keys,
            entropy,
        );
        context.confirmed.extend(answers.confirmed.iter().copied());
        if answers.confirmed.contains(&QuestionKind::ClockWentBack) {
            self.clock_confirmed.set(true);
        }
        if self.clock_confirmed.get() {
            context.confirmed.insert(QuestionKind::ClockWentBack);
        }
        context.reason = answers.reason.clone();
        let decision = command::decide(&books.ledger, &context, command).map_err(Refused::Rules)?;
        let keys = keys_of(&decision);
        let events = command::compose(&books.ledger, &context, decision);
        Ok((books.chain, events, keys))
    }

    /// Changes the books and has the screens drawn again.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Books) -> R) -> R {
        let changed = change(&mut self.books.borrow_mut());
        self.version.update(|version| *version += 1);
        changed
    }

    pub(crate) fn peek<R>(&self, look: impl FnOnce(&Books) -> R) -> R {
        look(&self.books.borrow())
    }

    /// Reads and folds what other tabs have written, with keys if there may be new ones. To be called
    /// in turn.
    pub(crate) async fn read_news(&self, keys: bool) -> Result<(), StoreError> {
        let (seq, position) = self.peek(|books| (books.chain.seq + 1, books.position + 1));
        let news = self.db.news(seq, position, keys).await?;
        let folded = self.change(|books| {
            books.chain = news.chain;
            if let Some(identity) = news.identity {
                books.identity = identity;
            }
            for chunk in news.segments.iter().flat_map(|segment| &segment.0) {
                if books.fold_chunk(chunk)? == Folded::Refold {
                    return Ok(Folded::Refold);
                }
            }
            for run in &news.tail {
                books.fold_own(run.first_seq, &run.events)?;
            }
            books.cursor = news.cursor;
            books.take_keys(&news.keys);
            Ok::<_, StoreError>(Folded::Done)
        })?;
        if folded == Folded::Refold {
            return self.refold().await;
        }
        for run in news.tail {
            self.drive(Input::Appended {
                first_seq: run.first_seq,
                keys: made_keys(&run, &news.keys),
                events: run.events,
            });
        }
        Ok(())
    }

    /// Folds everything anew from storage, and puts it in place at once when done. To be called in
    /// turn.
    pub(crate) async fn refold(&self) -> Result<(), StoreError> {
        let loaded = self.db.load().await?.ok_or(StoreError::Gone)?;
        let chosen = self.peek(|books| books.chosen);
        let mut books = fold_all(loaded, |_| {}).await?;
        books.chosen = chosen;
        self.change(|old| *old = books);
        Ok(())
    }

    /// Stores a part of the server's log durably, folds it and tells the other tabs. Folding lets the
    /// screen move and entries be written in between: in any order they give the same state.
    pub(crate) async fn take(self: &Rc<Live>, batch: &Batch) -> Result<(), StoreError> {
        let stored = {
            let _turn = self.turns.take().await;
            let erased = self.peek(|books| books.ledger.erased_keys.clone());
            self.db.persist(batch, &erased).await
        };
        stored?;
        self.tell(&News::Written {
            keys: !batch.keys.is_empty(),
        });
        let filled_before = self.peek(Books::is_filled);
        // It is durable, whatever becomes of the books on the screen: to call it failed would make
        // the engine read the same part again. Books that could not take it are made anew.
        let folded = match batch.rebuild || batch.restored.is_some() {
            true => Ok(Folded::Refold),
            false => self.fold_in_slices(batch).await,
        };
        if folded != Ok(Folded::Done) {
            let _turn = self.turns.take().await;
            let _ = self.refold().await;
        }
        if !filled_before && self.peek(Books::is_filled) {
            let live = self.clone();
            spawn_local(async move { live.start_session().await });
        }
        Ok(())
    }

    async fn fold_in_slices(&self, batch: &Batch) -> Result<Folded, StoreError> {
        let mut slices = Slices::start();
        let mut rest = batch.chunks.as_slice();
        self.change(|books| books.take_keys(&batch.keys));
        while !rest.is_empty() {
            let turn = self.turns.take().await;
            let folded = self.change(|books| {
                // At least one, however long the turn was waited for.
                while let Some((chunk, behind)) = rest.split_first() {
                    if books.fold_chunk(chunk)? == Folded::Refold {
                        return Ok(Folded::Refold);
                    }
                    rest = behind;
                    if slices.is_over() {
                        break;
                    }
                }
                Ok(Folded::Done)
            });
            if folded != Ok(Folded::Done) {
                return folded;
            }
            drop(turn);
            slices.breathe().await;
        }
        self.change(|books| {
            books.cursor = Some(batch.cursor.clone());
            books.take_keys(&[]);
        });
        Ok(Folded::Done)
    }

    /// The shop has a server from now on.
    pub(crate) async fn take_server(
        self: &Rc<Live>,
        identity: Identity,
        cursor: Cursor,
    ) -> Result<(), StoreError> {
        let _turn = self.turns.take().await;
        self.db.set_server(&identity, &cursor).await?;
        self.change(|books| {
            books.identity = identity;
            books.cursor = Some(cursor);
        });
        self.tell(&News::Written { keys: false });
        self.start_sync();
        Ok(())
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// The tab that syncs says how it goes.
    pub(crate) fn set_contact(&self, contact: Contact) {
        self.contact.set(contact);
        self.tell(&News::Contact(contact));
    }

    pub(crate) fn contact(&self) -> Contact {
        self.contact.get_untracked()
    }

    pub(crate) fn tell(&self, news: &News) {
        if let Some(channel) = self.channel.borrow().as_ref() {
            channel.tell(news);
        }
    }

    /// Tells the engine, if this is the tab that syncs.
    fn drive(&self, input: Input) {
        let driver = self.driver.borrow().clone();
        if let Some(driver) = driver {
            driver.input(input);
        }
    }

    /// Starts to sync if there is a server, as soon as no other tab does.
    pub(crate) fn start_sync(self: &Rc<Live>) {
        if self.peek(|books| books.identity.server.is_none()) || self.lead.borrow().is_some() {
            return;
        }
        let weak = Rc::downgrade(self);
        let lead = Lead::ask(self.peek(|books| books.identity.shop), move || {
            let Some(live) = weak.upgrade() else {
                return;
            };
            spawn_local(async move {
                match Driver::start(&live).await {
                    Ok(driver) => *live.driver.borrow_mut() = Some(driver),
                    Err(error) => start::lost(error),
                }
            });
        });
        *self.lead.borrow_mut() = Some(lead);
    }

    /// Packs stores with many small records, behind the screen. What fails is tried again at the
    /// next start.
    fn pack(self: &Rc<Live>, segments: bool, tail: bool) {
        let live = self.clone();
        spawn_local(async move {
            let _turn = live.turns.take().await;
            if segments {
                let _ = live.db.pack_segments().await;
            }
            if tail {
                let _ = live.db.pack_tail().await;
            }
        });
    }

    /// Hears what other tabs do.
    fn listen(self: &Rc<Live>, shop: ShopId) -> Result<(), StoreError> {
        let weak = Rc::downgrade(self);
        let channel = Channel::open(shop, move |news| {
            let Some(live) = weak.upgrade() else {
                return;
            };
            match news {
                News::Written { keys } => spawn_local(async move {
                    let _turn = live.turns.take().await;
                    // What cannot be read now is read with the next news, or at the next append.
                    let _ = live.read_news(keys).await;
                    live.start_sync();
                }),
                News::Contact(contact) => live.contact.set(contact),
                News::SyncNow => live.drive(Input::SyncNow),
                News::Hello if live.driver.borrow().is_some() => {
                    live.tell(&News::Contact(live.contact()));
                }
                News::Hello => {}
            }
        })?;
        channel.tell(&News::Hello);
        *self.channel.borrow_mut() = Some(channel);
        Ok(())
    }
}

/// The keys that were made with a run, out of all keys.
pub(crate) fn made_keys(run: &Run, keys: &[SealingKey]) -> Vec<SealingKey> {
    let made = run.keys.iter().filter_map(|made| {
        let key = keys.iter().find(|key| key.id == made.id);
        key.cloned()
    });
    made.collect()
}

/// What the phone's clock says.
pub fn now() -> TimeMs {
    TimeMs(js_sys::Date::now() as i64)
}

/// The keys that a decision makes, and the tombstones of those that it destroys.
pub(super) fn keys_of(decision: &command::Decision) -> Vec<SealingKey> {
    let made = decision.keys.iter().map(|(id, key)| SealingKey {
        id: *id,
        key: Some(Fixed(key.0)),
    });
    let destroyed = decision.bodies().flat_map(|body| match body {
        Body::CustomerErased(erased) => erased.keys.as_slice(),
        _ => &[],
    });
    let destroyed = destroyed.map(|id| SealingKey { id: *id, key: None });
    made.chain(destroyed).collect()
}

/// Folds what was read from storage, letting the screen breathe now and then.
async fn fold_all(loaded: Loaded, progress: impl Fn(Progress)) -> Result<Books, StoreError> {
    let segments = loaded.segments.iter().map(Vec::len);
    let tail = loaded.tail.iter().map(Run::length_bytes);
    let total = segments.chain(tail).sum::<usize>() as u64;
    let mut done = 0;
    let mut slices = Slices::start();
    let mut books = Books::new(loaded.identity, loaded.chain);
    for bytes in &loaded.segments {
        let segment: Segment = decode(bytes, "segment")?;
        for chunk in &segment.0 {
            if books.fold_chunk(chunk)? == Folded::Refold {
                return Err(StoreError::Damaged("segment"));
            }
            if slices.breathe().await {
                progress(Progress { done, total });
            }
        }
        done += bytes.len() as u64;
    }
    for run in &loaded.tail {
        books.fold_own(run.first_seq, &run.events)?;
        done += run.length_bytes() as u64;
        if slices.breathe().await {
            progress(Progress { done, total });
        }
    }
    if books.last_own_seq() != books.chain.seq {
        return Err(StoreError::Damaged("tail"));
    }
    books.cursor = loaded.cursor;
    books.take_keys(&loaded.keys);
    Ok(books)
}
