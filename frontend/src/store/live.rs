//! What a [`super::Shop`] stands for: the books of this tab, and its bonds with the other tabs and
//! the sync.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use leptos::prelude::*;
use shared::bytes::KeyId;
use shared::ids::{CustomerId, ShopId};
use shared::sync::engine::{Cursor, Input};
use wasm_bindgen_futures::spawn_local;

use super::StoreError;
use super::books::Books;
use super::bringing::{Coming, OldBooks};
use super::database::ShopDatabase;
use super::fold::{Opened, open_books};
use super::history::{History, Recount};
use super::records::Identity;
use super::shop::Progress;
use super::slices::pause_ms;
use super::start;
use super::status::Contact;
use super::turn::Turns;
use crate::crypto::DeviceKey;
use crate::net::driver::{Driver, WindowListener, visible};
use crate::net::tabs::{Channel, Lead, News};
use crate::parts;

/// Tells the engine something.
type Drive = Rc<dyn Fn(Input)>;

/// The list that the snapshot is for is drawn first.
const LIST_FIRST_MS: i32 = 100;

/// How soon a part of the app that could not be fetched is asked for again.
const PART_RETRY_MS: i32 = 5_000;

/// What a [`super::Shop`] stands for.
pub(crate) struct Live {
    pub(crate) db: ShopDatabase,
    pub(crate) key: DeviceKey,
    pub(super) books: RefCell<Books>,
    /// Raised with every change of the books.
    pub(super) version: ArcRwSignal<u64>,
    pub(super) contact: ArcRwSignal<Contact>,
    pub(super) turns: Turns,
    channel: RefCell<Option<Channel>>,
    /// In the tab that syncs: what drives the engine. It lies in another part of the app.
    driver: RefCell<Option<Drive>>,
    /// The wish to be that tab.
    lead: RefCell<Option<Lead>>,
    /// Where the history of the shop is.
    pub(super) history: ArcRwSignal<History>,
    /// Whole books in the making, while they wait for more of the log.
    pub(super) recount: RefCell<Option<Recount>>,
    /// More of the log was stored since they last looked.
    pub(super) more_stored: Cell<bool>,
    /// Who reads the log: one after the other.
    pub(super) readings: Turns,
    /// The customers whose past was looked for in these books.
    pub(super) recalled: RefCell<BTreeSet<CustomerId>>,
    /// Damaged parts of the log were asked for, since it was last read to its end.
    pub(super) mending: Cell<bool>,
    /// The number of the newest snapshot.
    pub(super) last_snapshot: Cell<u64>,
    /// Hears when the app goes out of sight.
    hidden: RefCell<Option<WindowListener>>,
    /// An old khata that is on its way into this shop, while it waits.
    pub(super) old_books: RefCell<Option<OldBooks>>,
    /// How far it has come.
    pub(super) coming: ArcRwSignal<Option<Coming>>,
    /// A person said that the clock is right although it went back.
    pub(super) clock_confirmed: Cell<bool>,
}

impl Live {
    /// Folds what was read, joins the other tabs, and syncs if there is a server.
    pub(super) async fn start(
        mut db: ShopDatabase,
        shop: ShopId,
        progress: impl Fn(Progress),
    ) -> Result<Option<Rc<Live>>, StoreError> {
        let mut opened = open_books(&db, shop, &progress).await;
        if let Err(StoreError::Damaged(_)) = opened {
            let (mended, came) = parts::mend(db).await?;
            db = mended;
            if came > 0 {
                opened = open_books(&db, shop, &progress).await;
            }
        }
        let Some(opened) = opened? else {
            return Ok(None);
        };
        let Opened {
            books,
            snapshot,
            scattered,
            device_key,
            keys,
        } = opened;
        let key = DeviceKey::load(device_key, books.identity.key)
            .await
            .map_err(|_| StoreError::Damaged("device key"))?;
        let held = keys.iter().filter(|key| key.key.is_some());
        let held: BTreeSet<KeyId> = held.map(|key| key.id).collect();
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
            history: ArcRwSignal::new(History::Here),
            recount: RefCell::new(None),
            more_stored: Cell::new(false),
            readings: Turns::default(),
            recalled: RefCell::default(),
            mending: Cell::new(false),
            last_snapshot: Cell::new(snapshot.as_ref().map_or(0, |(number, _)| *number)),
            hidden: RefCell::new(None),
            old_books: RefCell::new(None),
            coming: ArcRwSignal::new(None),
            clock_confirmed: Cell::new(false),
        });
        live.listen(shop)?;
        if let Some((_, snapshot)) = snapshot {
            live.expect_history(snapshot);
        }
        let settling = live.clone();
        spawn_local(async move {
            // The lists work without it.
            while parts::settle(settling.clone(), scattered).await.is_err() {
                pause_ms(PART_RETRY_MS).await;
            }
        });
        Ok(Some(live))
    }

    /// Begins with what goes on beside the screens of an open shop.
    pub(crate) async fn settle(self: &Rc<Live>, scattered: [bool; 2]) {
        self.start_sync();
        self.snapshot_when_hidden();
        self.pack(scattered);
        if let Err(error) = self.look_for_old_khata().await {
            self.coming.set(Some(Coming::Stuck(error.into())));
        }
        match self.history.get_untracked() {
            History::Here => self.keep_snapshot(),
            _ => {
                pause_ms(LIST_FIRST_MS).await;
                self.count_history();
            }
        }
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
    pub(super) fn drive(&self, input: Input) {
        let driver = self.driver.borrow().clone();
        if let Some(driver) = driver {
            driver(input);
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
                    Ok(driver) => {
                        let drive = move |input| driver.input(input);
                        *live.driver.borrow_mut() = Some(Rc::new(drive));
                    }
                    Err(error) => start::lost(error),
                }
            });
        });
        *self.lead.borrow_mut() = Some(lead);
    }

    /// Packs stores with many small records, behind the screen. What fails is tried again at the
    /// next start.
    pub(super) fn pack(self: &Rc<Live>, [segments, tail]: [bool; 2]) {
        let live = self.clone();
        spawn_local(async move {
            let mut more = segments;
            while more {
                let _turn = live.turns.take().await;
                more = live.db.pack_segments().await.unwrap_or(false);
            }
            let mut more = tail;
            while more {
                let _turn = live.turns.take().await;
                more = live.db.pack_tail().await.unwrap_or(false);
            }
            live.seal().await;
        });
    }

    /// A snapshot is written when the app goes out of sight: it may not come back, and nobody taps.
    fn snapshot_when_hidden(self: &Rc<Live>) {
        let weak = Rc::downgrade(self);
        let listener = WindowListener::on("visibilitychange", move || {
            if let Some(live) = weak.upgrade()
                && !visible()
            {
                live.keep_snapshot_after(1);
            }
        });
        *self.hidden.borrow_mut() = listener;
    }

    /// Hears what other tabs do.
    fn listen(self: &Rc<Live>, shop: ShopId) -> Result<(), StoreError> {
        let weak = Rc::downgrade(self);
        let channel = Channel::open(shop, move |news| {
            let Some(live) = weak.upgrade() else {
                return;
            };
            spawn_local(async move {
                let _ = parts::hear(live, news).await;
            });
        })?;
        channel.tell(&News::Hello);
        *self.channel.borrow_mut() = Some(channel);
        Ok(())
    }

    /// Does what another tab tells.
    pub(crate) async fn hear(self: &Rc<Live>, news: News) {
        match news {
            News::Written { keys } => {
                let _turn = self.turns.take().await;
                // What cannot be read now is read with the next news, or at the next append.
                let _ = self.read_news(keys).await;
                self.start_sync();
                self.bring();
            }
            News::Moved => start::reload(),
            News::Contact(contact) => self.contact.set(contact),
            News::SyncNow => self.drive(Input::SyncNow),
            News::Hello if self.driver.borrow().is_some() => {
                self.tell(&News::Contact(self.contact()));
            }
            News::Hello => {}
        }
    }
}
