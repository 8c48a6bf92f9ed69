//! The shop that is open in this tab: what screens read, and the one way to write.

use std::rc::Rc;

use leptos::prelude::*;
use shared::calendar::TimeMs;
use shared::command::{Command, QuestionKind, Refusal, Why};
use shared::ids::{EventId, ShopId, StaffId};
use shared::sync::engine::{Activity, Input, SyncStatus};

use super::StoreError;
use super::books::Books;
use super::database::ShopDatabase;
use super::live::Live;
use super::status::{Contact, EntryState};
use crate::net::tabs::News;

/// The open shop. Cheap to copy into closures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shop(StoredValue<Rc<Live>, LocalStorage>);

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
    /// The events, in order: one at least of a command. The first names the customer, staff or entry
    /// that was made.
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
    /// Opens a shop that is on this phone: from a snapshot, or by folding all of it, a slice at a
    /// time. `None` where a first
    /// start was never finished. For `blocked` and `lost` see [`super::idb::Open`].
    pub async fn open(
        shop: ShopId,
        progress: impl Fn(Progress),
        blocked: impl FnMut() + 'static,
        lost: impl FnMut(StoreError) + 'static,
    ) -> Result<Option<Shop>, StoreError> {
        let db = ShopDatabase::open(shop, blocked, lost).await?;
        let live = Live::start(db, shop, progress).await?;
        Ok(live.map(|live| Shop(StoredValue::new_local(live))))
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

/// What the phone's clock says.
pub fn now() -> TimeMs {
    TimeMs(js_sys::Date::now() as i64)
}
