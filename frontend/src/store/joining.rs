//! What a phone keeps while it is joining a shop, or claiming a server for one.

use shared::event::PublicKey;
use shared::sync::wire::Token;
use wasm_bindgen::JsValue;

use super::StoreError;
use super::database::{ShopDatabase, read_optional};
use super::idb::{Database, Open};
use super::records::encode;
use super::schema;

impl ShopDatabase {
    /// Opens the database of a phone that joins a shop which it does not know yet.
    pub async fn open_for_joining() -> Result<ShopDatabase, StoreError> {
        let db = Database::open(Open {
            name: schema::JOINING,
            version: schema::VERSION,
            upgrade: schema::upgrade,
            blocked: Box::new(|| {}),
            lost: Box::new(|_| {}),
        })
        .await?;
        Ok(ShopDatabase { db })
    }

    /// The key with which this phone began to join, if it did.
    pub async fn joining_key(&self) -> Result<Option<(JsValue, PublicKey)>, StoreError> {
        let tx = self.db.read(&[schema::META])?;
        let meta = tx.store(schema::META)?;
        let key = meta.get(schema::DEVICE_KEY)?;
        let public = meta.get(schema::JOINING_KEY)?;
        let key = key.value().await?;
        let public = read_optional(public.bytes().await?, "joining key")?;
        Ok(public.map(|public| (key, public)))
    }

    /// Notes the public half of the key with which this phone joins.
    pub async fn set_joining_key(&self, key: &PublicKey) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::META])?;
        tx.store(schema::META)?
            .put(schema::JOINING_KEY, &encode(key))?;
        tx.commit().await
    }

    /// The phone has joined: the next time it makes another key.
    pub async fn forget_joining(&self) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::META])?;
        let meta = tx.store(schema::META)?;
        for record in [schema::JOINING_KEY, schema::DEVICE_KEY, schema::TOKEN] {
            meta.delete(record)?;
        }
        tx.commit().await
    }

    /// A token for the server: the one that was made for it before, if a claim or a pairing was
    /// begun and its answer got lost, else `fresh`, which is kept from now on.
    pub async fn token(&self, fresh: Token) -> Result<Token, StoreError> {
        let tx = self.db.write(&[schema::META])?;
        let meta = tx.store(schema::META)?;
        let kept = meta.get(schema::TOKEN)?.bytes().await?;
        if let Some(token) = read_optional(kept, "token")? {
            return Ok(token);
        }
        meta.put(schema::TOKEN, &encode(&fresh))?;
        tx.commit().await?;
        Ok(fresh)
    }
}
