//! The parts of the app that are not in the first load.
//!
//! `cargo xtask build` cuts the released wasm at the functions below. What only they need lies in a
//! file of its own, which is fetched when one of them is first called; the service worker keeps all
//! files of a version together, so that happens once, and afterwards works without a network.
//! Everything else (a debug build, the tests) is one piece, and the functions are what they look
//! like.
//!
//! A path from the first load into a part is a call of one of these functions and nothing else: one
//! plain call more, and the part's code is in the first load. `cargo xtask weigh` shows it.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use shared::ids::{CustomerId, EntryId};
use shared::sync::wire::Chunk;
use wasm_bindgen_futures::spawn_local;

use crate::components::bars::screen;
use crate::components::states::{failed, loading};
use crate::i18n::{Msg, t};
use crate::net::mending;
use crate::net::tabs::News;
use crate::pages;
use crate::place::Place;
use crate::store::database::ShopDatabase;
use crate::store::live::Live;
use crate::store::records::{Segment, decode};
use crate::store::{NewShop, StoreError};

/// A part of the app could not be fetched: no network before the app was kept whole, or another
/// version has taken its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHere;

impl From<leptos::wasm_split::SplitLoaderError> for NotHere {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> NotHere {
        NotHere
    }
}

/// What a split function gives across the border of its part.
#[cfg(split)]
type Later<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

/// Puts a function into a part. Whoever calls it waits until the part is here.
macro_rules! in_part {
    (
        $part:ident,
        $(#[$about:meta])*
        $visible:vis async fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty $body:block
    ) => {
        #[cfg(split)]
        #[leptos::wasm_split::wasm_split(
            $part,
            wasm_split_path = leptos::wasm_split,
            fallible,
            return_wrapper(let later = _; { Ok(later.await) } -> Result<$answer, NotHere>)
        )]
        $(#[$about])*
        $visible fn $name($($argument: $kind),*) -> Later<$answer> {
            Box::pin(async move $body)
        }

        #[cfg(not(split))]
        $(#[$about])*
        $visible async fn $name($($argument: $kind),*) -> Result<$answer, NotHere> {
            Ok($body)
        }
    };
}

in_part! { work,
    /// What an open shop does beside its screens: it syncs, counts its history, packs.
    pub async fn settle(live: Rc<Live>, scattered: [bool; 2]) -> () {
        live.settle(scattered).await;
    }
}

in_part! { work,
    /// Another tab has something to tell.
    pub async fn hear(live: Rc<Live>, news: News) -> () {
        live.hear(news).await;
    }
}

in_part! { work,
    /// The chunks of a record of the log that is packed.
    pub async fn unpack(record: Vec<u8>) -> Result<Vec<Chunk>, StoreError> {
        decode(&record, "segment").map(|segment: Segment| segment.0)
    }
}

in_part! { work,
    /// Has damaged parts of the stored log come again; gives how many did.
    pub async fn mend(db: ShopDatabase) -> (ShopDatabase, u32) {
        let came = mending::mend(&db).await.unwrap_or(0);
        (db, came)
    }
}

in_part! { work,
    /// Looks for a customer's entries in the log.
    pub async fn look_for(live: Rc<Live>, customer: CustomerId) -> Result<(), StoreError> {
        live.look_for(customer).await
    }
}

in_part! { work,
    /// Tells the books that the app was opened.
    pub async fn begin_session(live: Rc<Live>) -> () {
        live.start_session().await;
    }
}

in_part! { work,
    /// Begins a shop on this phone, or says in words why it cannot be.
    pub async fn open_new_shop(new: NewShop) -> Result<(), String> {
        pages::open_new_shop(new).await
    }
}

in_part! { work,
    async fn work_drawings() -> Draw {
        pages::draw_work as Draw
    }
}

in_part! { office,
    async fn office_drawings() -> Draw {
        pages::draw_office as Draw
    }
}

/// What the screens of the first load leave to a part to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// A screen.
    Screen(Place),
    /// One entry, closer, until it is `None`.
    Entry(EntryId, RwSignal<Option<EntryId>>),
    /// What is wanted of a customer's page now and then, until it is false.
    Accounts(CustomerId, RwSignal<bool>),
    /// The state of the sync in whole sentences.
    Contact,
    /// What this phone has become: a shop's that had a khata of its own, or one that was a copy.
    News,
}

type Draw = fn(Drawing) -> AnyView;

/// A part with screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Writing and syncing: fetched as soon as the first screen stands.
    Work,
    /// Reports, statements, settings: fetched when one of them is opened.
    Office,
}

thread_local! {
    static DRAWINGS: [Cell<Option<Draw>>; 2] = const { [const { Cell::new(None) }; 2] };
}

impl Part {
    /// Fetches the part, unless it is here.
    pub async fn fetch(self) -> Result<(), NotHere> {
        let draw = match self {
            Part::Work => work_drawings().await?,
            Part::Office => office_drawings().await?,
        };
        DRAWINGS.with(|drawings| drawings[self as usize].set(Some(draw)));
        Ok(())
    }

    fn draw(self) -> Option<Draw> {
        DRAWINGS.with(|drawings| drawings[self as usize].get())
    }

    /// Draws what lies in the part: at once if it is here, else as soon as it is.
    pub fn show(self, drawing: Drawing) -> AnyView {
        if let Some(draw) = self.draw() {
            return draw(drawing);
        }
        let fetched = RwSignal::new(None::<Result<(), NotHere>>);
        let fetch = move || {
            fetched.set(None);
            spawn_local(async move {
                let result = self.fetch().await;
                // Who has gone to another screen meanwhile has taken the signal along.
                let _ = fetched.try_set(Some(result));
            });
        };
        fetch();
        let shown = move || match (fetched.get(), self.draw()) {
            (Some(Ok(())), Some(draw)) => draw(drawing),
            (Some(_), _) => framed(drawing, not_here(fetch)),
            (None, _) => framed(drawing, loading()),
        };
        shown.into_any()
    }
}

fn framed(drawing: Drawing, body: AnyView) -> AnyView {
    match drawing {
        Drawing::Screen(place) => screen(place, t(Msg::AppName), body, None),
        Drawing::Entry(..) | Drawing::Accounts(..) | Drawing::Contact | Drawing::News => body,
    }
}

fn not_here(again: impl Fn() + 'static) -> AnyView {
    let action = view! {
        <button type="button" class="button primary" on:click=move |_| again()>
            {t(Msg::CommonTryAgain)}
        </button>
    };
    failed(t(Msg::ErrorPartMissing), Some(action.into_any()))
}
