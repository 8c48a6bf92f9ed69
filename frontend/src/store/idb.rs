//! A thin binding of IndexedDB: just what Pakka needs, with nothing hidden.
//!
//! A transaction lives as long as it has requests to do, so every request is issued before the
//! first `await`; only then are answers awaited. Writing transactions ask for strict durability:
//! `complete` means that the bytes are on the disk (Chrome's default since 121 is that they are
//! with the operating system, and a power cut loses them).

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event, IdbCursor, IdbCursorDirection, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore,
    IdbOpenDbRequest, IdbRequest, IdbTransaction,
};

use super::StoreError;

#[wasm_bindgen]
extern "C" {
    /// `IDBDatabase` with the third argument of `transaction`, which web-sys hides.
    #[wasm_bindgen(extends = IdbDatabase)]
    type DurableDatabase;

    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn transaction_with(
        this: &DurableDatabase,
        stores: &Array,
        mode: &str,
        options: &Object,
    ) -> Result<DurableTransaction, JsValue>;

    /// `IDBTransaction` with what web-sys leaves out.
    #[wasm_bindgen(extends = IdbTransaction)]
    type DurableTransaction;

    #[wasm_bindgen(method, catch, js_name = commit)]
    fn finish(this: &DurableTransaction) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter)]
    fn durability(this: &DurableTransaction) -> Option<String>;

    /// The global `indexedDB`, in windows and in workers.
    #[wasm_bindgen(js_name = indexedDB, thread_local_v2)]
    static INDEXED_DB: Option<IdbFactory>;
}

/// An open database. It closes when another tab wants to upgrade or delete it, and when dropped.
pub struct Database {
    db: DurableDatabase,
    _on_close: Closure<dyn FnMut(Event)>,
}

/// How a database is opened.
pub struct Open<'a> {
    /// Its name.
    pub name: &'a str,
    /// The version of its stores.
    pub version: u32,
    /// Makes the stores of this version out of those of an older one (0: there were none).
    pub upgrade: fn(&IdbDatabase, u32) -> Result<(), JsValue>,
    /// Called when another tab holds an older version open. Opening goes on when it closes.
    pub blocked: Box<dyn FnMut()>,
    /// Called when the connection is lost: another tab upgrades, or the browser closed it.
    pub lost: Box<dyn FnMut(StoreError)>,
}

impl Database {
    /// Opens or makes a database.
    pub async fn open(open: Open<'_>) -> Result<Database, StoreError> {
        let Open {
            name,
            version,
            upgrade,
            mut blocked,
            mut lost,
        } = open;
        let request = factory()?.open_with_u32(name, version)?;
        let upgrading = Closure::once(move |event: web_sys::IdbVersionChangeEvent| {
            let request: IdbOpenDbRequest = event.target().expect("a request").unchecked_into();
            let db: IdbDatabase = request.result().expect("a database").unchecked_into();
            // A failed upgrade must not leave half of the stores behind.
            if upgrade(&db, event.old_version() as u32).is_err()
                && let Some(transaction) = request.transaction()
            {
                let _ = transaction.abort();
            }
        });
        let waiting = Closure::<dyn FnMut(Event)>::new(move |_| blocked());
        request.set_onupgradeneeded(Some(upgrading.as_ref().unchecked_ref()));
        request.set_onblocked(Some(waiting.as_ref().unchecked_ref()));
        let db: DurableDatabase = answer(&request).await?.unchecked_into();
        let on_close = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            if event.type_() == "versionchange" {
                if let Some(db) = event.target() {
                    db.unchecked_into::<IdbDatabase>().close();
                }
                lost(StoreError::NewerApp);
            } else {
                lost(StoreError::Gone);
            }
        });
        db.set_onversionchange(Some(on_close.as_ref().unchecked_ref()));
        db.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Database {
            db,
            _on_close: on_close,
        })
    }

    /// Deletes a database with all that is in it. Other tabs that have it open are told to close.
    pub async fn delete(name: &str) -> Result<(), StoreError> {
        answer(factory()?.delete_database(name)?.as_ref()).await?;
        Ok(())
    }

    /// Starts to read these stores.
    pub fn read(&self, stores: &[&str]) -> Result<Transaction, StoreError> {
        self.transaction(stores, "readonly", "default")
    }

    /// Starts to write these stores, durably.
    pub fn write(&self, stores: &[&str]) -> Result<Transaction, StoreError> {
        self.transaction(stores, "readwrite", "strict")
    }

    fn transaction(
        &self,
        stores: &[&str],
        mode: &str,
        durability: &str,
    ) -> Result<Transaction, StoreError> {
        let names: Array = stores.iter().map(|name| JsValue::from_str(name)).collect();
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &durability.into())?;
        let tx = self.db.transaction_with(&names, mode, &options)?;
        let ended = Promise::new(&mut |resolve, _| {
            tx.set_oncomplete(Some(&resolve));
            tx.set_onabort(Some(&resolve));
        });
        Ok(Transaction {
            tx,
            ended,
            settled: false,
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.db.set_onversionchange(None);
        self.db.set_onclose(None);
        self.db.close();
    }
}

fn factory() -> Result<IdbFactory, StoreError> {
    INDEXED_DB.with(|factory| factory.clone().ok_or(StoreError::Refused))
}

/// A transaction. Dropped before [`Transaction::commit`] it writes nothing.
pub struct Transaction {
    tx: DurableTransaction,
    ended: Promise,
    settled: bool,
}

impl Transaction {
    /// One of the stores that the transaction was started for.
    pub fn store(&self, name: &str) -> Result<Store, StoreError> {
        Ok(Store(self.tx.object_store(name)?))
    }

    /// The durability that the browser gives: `strict` for writing transactions.
    pub fn durability(&self) -> Option<String> {
        self.tx.durability()
    }

    /// Commits, and returns when all is on the disk. An error means that nothing was written.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.settled = true;
        // Fails where a request has failed already; the end of the transaction tells why.
        let _ = self.tx.finish();
        let event: Event = JsFuture::from(self.ended.clone()).await?.unchecked_into();
        match self.tx.error() {
            Some(error) => Err(StoreError::from_js(&error)),
            None if event.type_() == "complete" => Ok(()),
            None => Err(StoreError::Failed(
                "the browser gave up the transaction".into(),
            )),
        }
    }

    /// Gives up: nothing was written.
    pub fn abort(self) {}
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.settled {
            let _ = self.tx.abort();
        }
    }
}

/// A store inside a transaction. Values are bytes unless said otherwise.
pub struct Store(IdbObjectStore);

impl Store {
    /// Writes bytes under a key, over what was there.
    pub fn put(&self, key: impl Into<JsValue>, bytes: &[u8]) -> Result<(), StoreError> {
        self.put_value(key, &Uint8Array::from(bytes))
    }

    /// Writes any value that the browser can clone: a key pair, for instance.
    pub fn put_value(&self, key: impl Into<JsValue>, value: &JsValue) -> Result<(), StoreError> {
        self.0.put_with_key(value, &key.into())?;
        Ok(())
    }

    /// Deletes what stands under a key.
    pub fn delete(&self, key: impl Into<JsValue>) -> Result<(), StoreError> {
        self.0.delete(&key.into())?;
        Ok(())
    }

    /// Deletes all up to a key, with it.
    pub fn delete_up_to(&self, last: impl Into<JsValue>) -> Result<(), StoreError> {
        let range = IdbKeyRange::upper_bound(&last.into())?;
        self.0.delete(&range)?;
        Ok(())
    }

    /// Deletes all from a key to another, with both.
    pub fn delete_between(&self, first: f64, last: f64) -> Result<(), StoreError> {
        let range = IdbKeyRange::bound(&first.into(), &last.into())?;
        self.0.delete(&range)?;
        Ok(())
    }

    /// Asks for the bytes under a key.
    pub fn get(&self, key: impl Into<JsValue>) -> Result<Request, StoreError> {
        Ok(Request::of(self.0.get(&key.into())?))
    }

    /// Asks for all values from a key on, in the order of keys.
    pub fn get_all_from(&self, first: impl Into<JsValue>) -> Result<Request, StoreError> {
        let range = IdbKeyRange::lower_bound(&first.into())?;
        Ok(Request::of(self.0.get_all_with_key(&range)?))
    }

    /// Asks for so many values from a key on, in the order of keys.
    pub fn get_some_from(&self, first: f64, most: u32) -> Result<Request, StoreError> {
        let range = IdbKeyRange::lower_bound(&first.into())?;
        let values = self.0.get_all_with_key_and_limit(&range, most)?;
        Ok(Request::of(values))
    }

    /// Asks for all values up to a key, with it, in the order of keys.
    pub fn get_all_up_to(&self, last: impl Into<JsValue>) -> Result<Request, StoreError> {
        let range = IdbKeyRange::upper_bound(&last.into())?;
        Ok(Request::of(self.0.get_all_with_key(&range)?))
    }

    /// Asks for all values.
    pub fn get_all(&self) -> Result<Request, StoreError> {
        Ok(Request::of(self.0.get_all()?))
    }

    /// Asks for the last key up to a number, with it: [`Request::last_key`].
    pub fn last_key_up_to(&self, last: f64) -> Result<Request, StoreError> {
        let range = IdbKeyRange::upper_bound(&last.into())?;
        let request = self
            .0
            .open_key_cursor_with_range_and_direction(&range, IdbCursorDirection::Prev)?;
        Ok(Request::of(request))
    }

    /// Asks for all keys, in order.
    pub fn get_all_keys(&self) -> Result<Request, StoreError> {
        Ok(Request::of(self.0.get_all_keys()?))
    }
}

/// A question to a store. Asked already; to be awaited once all others are asked as well.
pub struct Request {
    request: IdbRequest,
    ended: Promise,
}

impl Request {
    fn of(request: IdbRequest) -> Request {
        let ended = ended(&request);
        Request { request, ended }
    }

    /// The answer as it is.
    pub async fn value(self) -> Result<JsValue, StoreError> {
        JsFuture::from(self.ended).await?;
        result(&self.request)
    }

    /// The answer as bytes, if there is one.
    pub async fn bytes(self) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.value().await?;
        if value.is_undefined() {
            return Ok(None);
        }
        to_bytes(&value).map(Some)
    }

    /// The answer to [`Store::last_key_up_to`].
    pub async fn last_key(self) -> Result<Option<f64>, StoreError> {
        let value = self.value().await?;
        let Some(cursor) = value.dyn_ref::<IdbCursor>() else {
            return Ok(None);
        };
        Ok(cursor.key()?.as_f64())
    }

    /// The answers to a question for many values.
    pub async fn all_bytes(self) -> Result<Vec<Vec<u8>>, StoreError> {
        let values: Array = self.value().await?.unchecked_into();
        values.iter().map(|value| to_bytes(&value)).collect()
    }

    /// The answers to a question for many numbers.
    pub async fn all_numbers(self) -> Result<Vec<f64>, StoreError> {
        let values: Array = self.value().await?.unchecked_into();
        values
            .iter()
            .map(|value| value.as_f64().ok_or(StoreError::Damaged("a key")))
            .collect()
    }
}

fn to_bytes(value: &JsValue) -> Result<Vec<u8>, StoreError> {
    value
        .dyn_ref::<Uint8Array>()
        .map(Uint8Array::to_vec)
        .ok_or(StoreError::Damaged("a value"))
}

/// Resolves when a request has ended, well or badly: a promise that nobody awaits must not fail.
fn ended(request: &IdbRequest) -> Promise {
    Promise::new(&mut |resolve: Function, _| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&resolve));
    })
}

fn result(request: &IdbRequest) -> Result<JsValue, StoreError> {
    match request.error()? {
        Some(error) => Err(StoreError::from_js(&error)),
        None => Ok(request.result()?),
    }
}

async fn answer(request: &IdbRequest) -> Result<JsValue, StoreError> {
    JsFuture::from(ended(request)).await?;
    result(request)
}
