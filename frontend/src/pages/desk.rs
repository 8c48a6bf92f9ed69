//! What a screen does with the shop that is open: look into the books, and have
//! something written.

use std::cell::Cell;
use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::calendar::BusinessDay;
use shared::command::{Command, Question, QuestionKind, Refusal, Rejection, Why};
use shared::ids::{CustomerId, DeviceNo, EntryId, EventId};
use shared::query::{Books, Directory, Header, header};
use shared::text::Text;

use crate::store::shop::now;
use crate::store::{self, Answers, EntryState, Refused, Shop, StoreError};

thread_local! {
    // Event handlers have no context to find it in.
    static SHOP: Cell<Option<Shop>> = const { Cell::new(None) };
}

/// Makes a shop the one that screens work on. Called before any of them is drawn.
pub fn open(shop: Shop) {
    SHOP.set(Some(shop));
}

/// The shop that screens work on.
pub fn shop() -> Shop {
    opened().expect("screens are drawn once a shop is open")
}

/// The shop that is open, if one is: a phone may join without.
pub fn opened() -> Option<Shop> {
    SHOP.get()
}

/// Why nothing was written.
pub enum Failed {
    /// It cannot be.
    Rejected(Rejection),
    /// It can be if the person says yes.
    Asked(Question),
    /// The phone could not keep it.
    Storage(StoreError),
}

/// The part of the store's books that queries read.
fn readable(books: &store::Books) -> Books<'_> {
    Books {
        ledger: &books.ledger,
        keys: &books.keys,
        receipts: &books.receipts,
        reader: books.staff(),
    }
}

/// Looks into the books; a view that looks is drawn again when they change.
pub fn books<T>(look: impl FnOnce(Books<'_>) -> T) -> T {
    shop().with(|books| look(readable(books)))
}

/// Looks into the books once.
pub fn books_untracked<T>(look: impl FnOnce(Books<'_>) -> T) -> T {
    shop().peek(|books| look(readable(books)))
}

/// The list of all customers, kept from one change of the books to the next.
#[derive(Clone, Copy)]
pub struct People {
    directory: StoredValue<Directory>,
    /// Rises when the directory was read again.
    turn: Memo<u64>,
}

impl People {
    /// Reads everybody.
    pub fn new() -> Self {
        let directory = StoredValue::new(Directory::default());
        let turn = Memo::new(move |turn: Option<&u64>| {
            books(|books| directory.update_value(|directory| directory.update(books)));
            turn.map_or(0, |turn| turn + 1)
        });
        Self { directory, turn }
    }

    /// Looks at the list; tracked.
    pub fn with<T>(self, look: impl FnOnce(&Directory) -> T) -> T {
        self.turn.get(); // a memo that is only tracked reads nothing
        self.directory.with_value(look)
    }
}

/// The day in India, by this phone's clock.
pub fn today() -> BusinessDay {
    now().day()
}

/// The name of the shop.
pub fn shop_name() -> String {
    books_untracked(|books| match books.ledger.shop.name.get() {
        Some(Text::Plain(name)) => name.clone(),
        Some(Text::Sealed(_)) | None => String::new(),
    })
}

/// The head of a customer's page.
pub fn header_untracked(id: CustomerId) -> Option<Header> {
    books_untracked(|books| header(books, id, now()))
}

/// This phone.
pub fn this_device() -> DeviceNo {
    shop().peek(store::Books::device)
}

/// Where an entry is; tracked. `None` in a shop without a server.
pub fn state_of(id: EntryId) -> Option<EntryState> {
    let shop = shop();
    let has_server = shop.with(|books| books.identity.server.is_some());
    has_server.then(|| shop.entry_state(id.0))
}

/// Has something written, then says how it went: with the new events once they
/// are on the disk.
pub fn execute(
    command: Command,
    confirmed: BTreeSet<QuestionKind>,
    reason: Option<Why>,
    then: impl FnOnce(Result<Vec<EventId>, Failed>) + 'static,
) {
    let shop = shop();
    let answers = Answers {
        confirmed: confirmed.into_iter().collect(),
        reason,
        draft: None,
    };
    spawn_local(async move {
        let result = shop.execute_with(command, answers).await;
        then(match result {
            Ok(committed) => Ok(committed.events),
            Err(Refused::Rules(Refusal::Rejected(rejection))) => Err(Failed::Rejected(rejection)),
            Err(Refused::Rules(Refusal::Ask(question))) => Err(Failed::Asked(question)),
            Err(Refused::Storage(error)) => Err(Failed::Storage(error)),
        });
    });
}
