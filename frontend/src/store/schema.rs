//! The stores of a shop's database and the keys in them.

use wasm_bindgen::JsValue;
use web_sys::IdbDatabase;

use shared::ids::ShopId;

/// The version of the stores. A change of a store raises it and adds a step to [`upgrade`].
pub const VERSION: u32 = 2;

/// This device's own events that no server has confirmed. Key: number of the first event; value:
/// [`super::records::Run`].
pub const TAIL: &str = "tail";
/// The log as the server ordered it. Key: first position; value: [`super::records::Segment`].
pub const SEGMENTS: &str = "segments";
/// What stands in the larger records of [`SEGMENTS`]. Key: as there; value:
/// [`shared::history::Index`]. A record without one is looked into.
pub const INDEX: &str = "index";
/// The last two snapshots, in the bytes of [`shared::snapshot`]. Key: position of the last counted
/// event; in a shop without a server, the number of the last own event.
pub const SNAPSHOT: &str = "snapshot";
/// One record of each kind; see the names below.
pub const META: &str = "meta";
/// Keys that seal texts. Key: the name of the key in hexadecimal; value: `SealingKey`.
pub const KEYS: &str = "keys";
/// What was being typed. Key: the name of the form; value: its bytes.
pub const DRAFTS: &str = "drafts";

/// Every store.
pub const ALL: [&str; 7] = [TAIL, SEGMENTS, INDEX, SNAPSHOT, META, KEYS, DRAFTS];

/// In [`META`]: which shop and device this is ([`super::records::Identity`]).
pub const IDENTITY: &str = "identity";
/// In [`META`]: the end of the device's own chain (`ChainHead`).
pub const CHAIN: &str = "chain";
/// In [`META`]: how far the server's log was read (`Cursor`).
pub const CURSOR: &str = "cursor";
/// In [`META`]: the token that this device made for its server.
pub const TOKEN: &str = "token";
/// In [`META`]: the device's private key, as the browser keeps it.
pub const DEVICE_KEY: &str = "device key";

/// In [`META`], with the generation in hexadecimal behind it: what others wrote in a log that was
/// given up when that generation began, and nobody could prove (array of `Chunk`).
pub const ASIDE: &str = "aside";

/// In [`META`]: what a copy asks its server with, to be a device of its own (`BranchRequest`).
pub const CLAIM: &str = "claim";
/// In [`META`]: the private key that goes with it.
pub const CLAIM_KEY: &str = "claim key";

/// In [`META`]: how often a snapshot was found to be wrong (u32).
pub const WRONG_SNAPSHOTS: &str = "wrong snapshots";

/// In [`META`]: up to this record (its key, u64) the log lies in segments.
pub const SEALED: &str = "sealed";

/// In [`META`]: how many parts of the log were damaged and came again from the server (u32).
pub const MENDED: &str = "mended";

/// In [`META`]: the khata that this phone had before it joined this shop
/// ([`super::bringing::OldKhata`]).
pub const OLD_KHATA: &str = "old khata";

/// In [`META`] of [`JOINING`]: the public half of the device's key.
pub const JOINING_KEY: &str = "joining key";

/// The name of the database of a phone that joins a shop which it does not know yet.
pub const JOINING: &str = "pakka-joining";

const PREFIX: &str = "pakka-";

/// The name of a shop's database.
pub fn database_name(shop: ShopId) -> String {
    format!("{PREFIX}{shop}")
}

/// The shop whose database has this name.
pub fn shop_of(database_name: &str) -> Option<ShopId> {
    let uuid = database_name.strip_prefix(PREFIX)?.parse().ok()?;
    Some(ShopId(uuid))
}

/// Makes the stores of [`VERSION`] out of those of version `from`.
pub fn upgrade(db: &IdbDatabase, from: u32) -> Result<(), JsValue> {
    let new = match from {
        0 => &ALL[..],
        1 => &[INDEX],
        _ => &[],
    };
    new.iter()
        .try_for_each(|store| db.create_object_store(store).map(drop))
}
