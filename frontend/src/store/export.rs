//! The last resort, and a copy to keep: all that this phone holds, as a file.

use js_sys::{Array, Uint8Array};
use shared::bytes::Bytes;
use shared::chain::head_message;
use shared::export::{Header, Writer, known_devices};
use shared::ids::DeviceNo;
use shared::sync::wire::{Chunk, Verdict};
use shared::verify::{KnownDevice, Origin, Run, Signer};
use wasm_bindgen::JsCast as _;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use super::StoreError;
use super::database::ShopDatabase;
use super::records::{Segment, decode};
use super::shop::{Shop, now};
use crate::crypto::{CryptoError, DeviceKey};

/// The media type of the file: for its app only.
const FILE_TYPE: &str = "application/octet-stream";

impl Shop {
    /// All that this phone holds, see [`shared::export`]. It holds the keys of the names in it: as
    /// private as the khata itself.
    pub async fn export(self) -> Result<Vec<u8>, StoreError> {
        export(&self.live().db).await.map(|(_, bytes)| bytes)
    }

    /// Offers the file as a download.
    pub async fn download_export(self) -> Result<(), StoreError> {
        download_of(&self.live().db).await
    }
}

/// Offers all that lies in a shop's database as a download.
pub(super) async fn download_of(db: &ShopDatabase) -> Result<(), StoreError> {
    let (device, bytes) = export(db).await?;
    let name = format!("khata-{}-{}.pakka", now().day(), device.0);
    download(&name, &bytes)
}

async fn export(db: &ShopDatabase) -> Result<(DeviceNo, Vec<u8>), StoreError> {
    let loaded = db.load().await?.ok_or(StoreError::Gone)?;
    let identity = &loaded.identity;
    let mut log: Vec<Chunk> = Vec::new();
    for record in &loaded.segments {
        log.extend(decode::<Segment>(record, "segment")?.0);
    }
    let own = KnownDevice {
        device: identity.device,
        key: identity.key,
    };
    let accepted = log
        .iter()
        .filter(|chunk| chunk.verdict == Verdict::Accepted)
        .flat_map(|chunk| chunk.events.iter().flatten());
    let origin = Origin {
        shop: identity.shop,
        server: loaded.cursor.as_ref().map(|cursor| Signer {
            generation: cursor.log.generation(),
            key: cursor.server_key,
        }),
        devices: known_devices(own, accepted.map(|event| event.0.as_slice())),
    };
    let mut writer = Writer::new(&Header {
        origin,
        device: identity.device,
    });
    if let Some(pinned) = loaded.cursor.as_ref().and_then(|cursor| cursor.pinned) {
        writer.head(&pinned);
    }
    for chunk in &log {
        writer.run(&run(chunk), &slices(chunk.events.iter().flatten()));
    }
    if let Some(first) = loaded.tail.first() {
        let chain = loaded.chain;
        let message = head_message(identity.shop, identity.device, chain.seq, &chain.hash);
        let failed = |error: CryptoError| StoreError::Failed(error.0);
        let key = DeviceKey::load(loaded.device_key, identity.key).await;
        let signature = key.map_err(failed)?.sign(&message).await.map_err(failed)?;
        let events = slices(loaded.tail.iter().flat_map(|run| &run.events));
        writer.unsent(identity.device, first.first_seq, &events, &signature);
    }
    writer.keys(&loaded.keys);
    Ok((identity.device, writer.finish()))
}

/// A phone keeps neither the signatures of others nor the ends of their chains: the server's
/// signature covers both.
fn run(chunk: &Chunk) -> Run {
    Run {
        position: chunk.position,
        device: chunk.device,
        first_seq: chunk.first_seq,
        received: chunk.received,
        verdict: chunk.verdict,
        branch_of: chunk.branch_of,
        end_hash: None,
        signature: None,
    }
}

fn slices<'e>(events: impl Iterator<Item = &'e Bytes>) -> Vec<&'e [u8]> {
    events.map(|event| event.0.as_slice()).collect()
}

fn download(name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let kind = BlobPropertyBag::new();
    kind.set_type(FILE_TYPE);
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &kind)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(document) = document {
        let link: HtmlAnchorElement = document.create_element("a")?.unchecked_into();
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    Url::revoke_object_url(&url)?;
    Ok(())
}
