//! How the app starts: which of its first screens is due, and the way from there to an open shop.

use leptos::prelude::*;
use shared::command::{self, Command, Context, OpenShop, new_shop_id};
use shared::event::{self, Language, Role};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::log::ChainHead;
use shared::text::{Entropy, KeyRing};

use super::books::Books;
use super::database::{Append, ShopDatabase};
use super::execute::keys_of;
use super::index;
use super::records::Identity;
use super::shop::{Progress, Refused, Shop, now};
use super::{StoreError, device_key, space};
use crate::crypto;
use crate::parts::{self, Part};

/// The version of the app, as it stands in the books.
pub const APP_VERSION: &str = env!("CARGO_PKG_VERSION");

/// How far the app is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The shop is being read from storage. Show progress when it takes longer than a moment.
    Opening(Progress),
    /// Nothing is kept here: begin a shop, or join one. Nothing was written yet.
    FirstStart {
        /// A shop was kept at this address before, and the browser has cleared it: ask "had one
        /// before?" and lead to pairing first.
        was_here: bool,
    },
    /// This phone has joined a shop and reads its books for the first time. Show how far it is
    /// ([`Shop::contact`]), and no totals: they would be wrong.
    Filling(Shop),
    /// The shop is open.
    Open(Shop),
    /// Something a person has to look at first. Whatever was shown as saved is saved.
    Trouble(Trouble),
}

/// Why the app does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The address is not secure, so browsers give no safe storage. Nothing is stored; the person
    /// has to open the app at its `https` address.
    Insecure,
    /// Another tab runs an older version and must be closed. Goes on by itself then.
    Blocked,
    /// Storage failed; see there for what to do. Of the ways on, [`StoreError::Gone`] and
    /// [`StoreError::NewerApp`] need only a reload.
    Storage(StoreError),
}

thread_local! {
    static STAGE: ArcRwSignal<Stage> = ArcRwSignal::new(Stage::Opening(Progress::default()));
}

/// How far the app is. Tracked.
pub fn stage() -> Stage {
    match STAGE.with(|stage| stage.get()) {
        Stage::Open(shop) if !shop.with(Books::is_filled) => Stage::Filling(shop),
        stage => stage,
    }
}

fn set(stage: Stage) {
    STAGE.with(|signal| signal.set(stage));
}

/// Opens the shop of this phone, or finds that there is none. Called once, at start.
pub async fn begin() {
    let secure = web_sys::window().is_some_and(|window| window.is_secure_context());
    if !secure {
        return set(Stage::Trouble(Trouble::Insecure));
    }
    for shop in index::shops().await {
        let progress = |progress| set(Stage::Opening(progress));
        match Shop::open(shop, progress, blocked, lost).await {
            Ok(Some(shop)) => return opened(shop).await,
            // A first start that was never finished.
            Ok(None) => {}
            Err(error) => return set(Stage::Trouble(Trouble::Storage(error))),
        }
    }
    let was_here = index::was_here();
    set(Stage::FirstStart { was_here });
    // Whatever comes next needs it; without a network it is fetched then.
    let _ = Part::Work.fetch().await;
}

pub(crate) fn blocked() {
    set(Stage::Trouble(Trouble::Blocked));
}

pub(crate) fn lost(error: StoreError) {
    set(Stage::Trouble(Trouble::Storage(error)));
}

/// Opens a shop that was written just now.
pub(crate) async fn open(shop: ShopId) -> Result<Shop, StoreError> {
    let shop = Shop::open(shop, |_| {}, blocked, lost).await?;
    shop.ok_or(StoreError::Gone)
}

/// Shows a shop that is open.
pub(crate) async fn opened(shop: Shop) {
    index::remember(shop.peek(|books| books.identity.shop));
    set(Stage::Open(shop));
    let _ = parts::begin_session(shop.live()).await;
    space::ask().await;
}

/// Opens the app anew: with the shop that is remembered.
pub(crate) fn reload() {
    if let Some(window) = web_sys::window() {
        let _ = window.location().replace("/");
    }
}

/// What a person says when a new shop begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShop {
    /// Its name, as over the door.
    pub name: String,
    /// The name of the owner.
    pub owner: String,
    /// What to call this phone.
    pub device: String,
    /// The language of the shop.
    pub language: Language,
}

/// Begins a shop on this phone, without any server.
pub async fn create_shop(new: NewShop) -> Result<Shop, Refused> {
    let now = now();
    let shop = new_shop_id(now, &mut Entropy::new(crypto::random()));
    let db = ShopDatabase::open(shop, blocked, lost).await?;
    let key = device_key::make(&db).await?;
    let identity = Identity {
        shop,
        device: DeviceNo::FOUNDER,
        role: Role::Owner,
        key: key.public(),
        server: None,
        branch_of: None,
    };
    let start = ChainHead::genesis(shop, &key.public());
    let empty = Books::new(identity.clone(), start);
    let ring = KeyRing::new(shop);
    let entropy = Entropy::new(crypto::random());
    let context = Context::new(DeviceNo::FOUNDER, 1, now, None, &ring, entropy);
    let command = Command::OpenShop(OpenShop {
        name: new.name,
        language: new.language,
        on: now.day(),
        owner: new.owner,
        device: new.device,
        key: key.public(),
    });
    let decision = command::decide(&empty.ledger, &context, command).map_err(Refused::Rules)?;
    let keys = keys_of(&decision.keys, decision.bodies());
    let events = command::compose(&empty.ledger, &context, decision);
    let events: Vec<_> = events
        .iter()
        .map(|event| shared::bytes::Bytes(event::encode(event)))
        .collect();
    let append = Append {
        expected: start,
        events: &events,
        keys: &keys,
        draft: None,
    };
    db.found(&identity, None, append).await?;
    drop(db);
    let shop = open(shop).await?;
    opened(shop).await;
    Ok(shop)
}
