//! The last resort: entries that are on this phone only, as a file.

use js_sys::{Array, Uint8Array};
use minicbor::{Decode, Encode};
use shared::chain::head_message;
use shared::event::PublicKey;
use shared::ids::{DeviceNo, ShopId};
use shared::sync::wire::{Push, SealingKey};
use wasm_bindgen::JsCast as _;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use super::StoreError;
use super::fold::made_keys;
use super::records::encode;
use super::shop::Shop;

/// The content of an export file: everything that is needed to bring the entries into the shop's
/// log from elsewhere. It holds the keys of the names in it: as private as the khata itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Unsent {
    /// `pakka/unsent/v1`.
    #[n(0)]
    pub form: String,
    /// The shop.
    #[n(1)]
    pub shop: ShopId,
    /// The device that wrote them.
    #[n(2)]
    pub device: DeviceNo,
    /// The key that it signs with.
    #[n(3)]
    pub key: PublicKey,
    /// The entries, signed as they would be sent.
    #[n(4)]
    pub push: Push,
    /// The keys that were made with them.
    #[n(5)]
    pub keys: Vec<SealingKey>,
}

const FORM: &str = "pakka/unsent/v1";

impl Shop {
    /// The entries that stand in no server's log, signed; `None` when there are none.
    pub async fn unsent(self) -> Result<Option<Unsent>, StoreError> {
        let live = self.live();
        let loaded = live.db.load_after(u64::MAX, 0).await?;
        let loaded = loaded.ok_or(StoreError::Gone)?;
        let Some(first) = loaded.tail.first() else {
            return Ok(None);
        };
        let first_seq = first.first_seq;
        let identity = loaded.identity;
        let confirmed = match &loaded.cursor {
            Some(cursor) => cursor.log.chain(identity.device),
            None => None,
        };
        let previous = confirmed.map_or_else(
            || shared::chain::genesis(identity.shop, &identity.key),
            |head| head.hash,
        );
        let message = head_message(
            identity.shop,
            identity.device,
            loaded.chain.seq,
            &loaded.chain.hash,
        );
        let signature = live.key.sign(&message).await;
        let keys = loaded
            .tail
            .iter()
            .flat_map(|run| made_keys(run, &loaded.keys));
        let keys = keys.collect();
        Ok(Some(Unsent {
            form: FORM.to_owned(),
            shop: identity.shop,
            device: identity.device,
            key: identity.key,
            push: Push {
                first_seq,
                previous,
                events: loaded.tail.into_iter().flat_map(|run| run.events).collect(),
                signature: signature.map_err(|error| StoreError::Failed(error.0))?,
            },
            keys,
        }))
    }

    /// Offers the unsent entries as a download. False when there are none.
    pub async fn download_unsent(self) -> Result<bool, StoreError> {
        let Some(unsent) = self.unsent().await? else {
            return Ok(false);
        };
        let push = &unsent.push;
        let last_seq = push.first_seq as usize + push.events.len() - 1;
        let name = format!(
            "pakka-unsent-{}-{}-to-{last_seq}.cbor",
            unsent.device.0, push.first_seq
        );
        download(&name, &encode(&unsent))?;
        Ok(true)
    }
}

fn download(name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let kind = BlobPropertyBag::new();
    kind.set_type("application/cbor");
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
