//! Random numbers and the device's own key, from the browser's WebCrypto.
//!
//! The private key is made so that no code can read it, and kept by the browser inside IndexedDB.
//! Some private modes refuse to keep such a key; then it lies in storage as bytes, and the public
//! key says so.

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use shared::bytes::Fixed;
use shared::event::{ECDSA_P256_SHA256, PublicKey};
use shared::sync::wire::Signature;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, CryptoKey, CryptoKeyPair, SubtleCrypto};

use crate::platform::words_of;

#[wasm_bindgen]
extern "C" {
    /// The global `crypto`, in windows and in workers.
    #[wasm_bindgen(js_name = crypto, thread_local_v2)]
    static CRYPTO: Option<Crypto>;
}

/// The browser could not do what was asked of its cryptography.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoError(pub String);

impl From<JsValue> for CryptoError {
    fn from(error: JsValue) -> CryptoError {
        CryptoError(words_of(&error))
    }
}

/// `N` bytes of the browser's secure randomness.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("every browser has crypto.getRandomValues");
    bytes
}

/// Where the private key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custody {
    /// With the browser: no code can read it.
    Browser,
    /// In storage, as bytes.
    Software,
}

/// The device's key pair.
#[derive(Debug, Clone)]
pub struct DeviceKey {
    private: CryptoKey,
    public: PublicKey,
    /// What is written into storage: the key itself, or its bytes (PKCS #8).
    stored: JsValue,
}

impl DeviceKey {
    /// Makes a key pair.
    pub async fn make(custody: Custody) -> Result<DeviceKey, CryptoError> {
        let software = custody == Custody::Software;
        let subtle = subtle()?;
        let made =
            subtle.generate_key_with_object(&ecdsa()?, software, &usages(&["sign", "verify"]))?;
        let pair: CryptoKeyPair = settle(made).await?.unchecked_into();
        let (private, public) = (pair.get_private_key(), pair.get_public_key());
        let point = settle(subtle.export_key("raw", &public)?).await?;
        let point = Uint8Array::new(&point).to_vec();
        let point = <[u8; 65]>::try_from(point)
            .map_err(|_| CryptoError("a public key of an unknown form".into()))?;
        let stored = if software {
            Uint8Array::new(&settle(subtle.export_key("pkcs8", &private)?).await?).into()
        } else {
            private.clone().into()
        };
        Ok(DeviceKey {
            private,
            public: PublicKey {
                alg: ECDSA_P256_SHA256,
                point: Fixed(point),
                software,
            },
            stored,
        })
    }

    /// The key pair whose private half was read from storage.
    pub async fn load(stored: JsValue, public: PublicKey) -> Result<DeviceKey, CryptoError> {
        let private = match stored.dyn_ref::<Uint8Array>() {
            Some(pkcs8) => {
                let imported = subtle()?.import_key_with_object(
                    "pkcs8",
                    pkcs8,
                    &ecdsa()?,
                    false,
                    &usages(&["sign"]),
                )?;
                settle(imported).await?
            }
            None => stored.clone(),
        };
        let private = private
            .dyn_into::<CryptoKey>()
            .map_err(|_| CryptoError("no key was kept".into()))?;
        Ok(DeviceKey {
            private,
            public,
            stored,
        })
    }

    /// The public half.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// What is to be written into storage, for [`DeviceKey::load`].
    pub const fn stored(&self) -> &JsValue {
        &self.stored
    }

    /// Signs a message: ECDSA with SHA-256, r ‖ s.
    pub async fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        let message = Uint8Array::from(message);
        let signed =
            subtle()?.sign_with_object_and_buffer_source(&ecdsa()?, &self.private, &message)?;
        let signature = Uint8Array::new(&settle(signed).await?).to_vec();
        <[u8; 64]>::try_from(signature)
            .map(Fixed)
            .map_err(|_| CryptoError("a signature of an unknown form".into()))
    }
}

/// Is this the signature of `message` by `key`?
pub async fn verify(
    key: &PublicKey,
    message: &[u8],
    signature: &Signature,
) -> Result<bool, CryptoError> {
    if key.alg != ECDSA_P256_SHA256 {
        return Ok(false);
    }
    let subtle = subtle()?;
    let imported = subtle.import_key_with_object(
        "raw",
        &Uint8Array::from(key.point.0.as_slice()),
        &ecdsa()?,
        false,
        &usages(&["verify"]),
    )?;
    let key: CryptoKey = settle(imported).await?.unchecked_into();
    let verified = subtle.verify_with_object_and_buffer_source_and_buffer_source(
        &ecdsa()?,
        &key,
        &Uint8Array::from(signature.0.as_slice()),
        &Uint8Array::from(message),
    )?;
    Ok(settle(verified).await?.is_truthy())
}

fn subtle() -> Result<SubtleCrypto, CryptoError> {
    CRYPTO.with(|crypto| {
        crypto
            .as_ref()
            .map(Crypto::subtle)
            .filter(|subtle| !subtle.is_undefined())
            .ok_or_else(|| CryptoError("only a secure address has cryptography".into()))
    })
}

fn ecdsa() -> Result<Object, CryptoError> {
    let algorithm = Object::new();
    for (name, value) in [
        ("name", "ECDSA"),
        ("namedCurve", "P-256"),
        ("hash", "SHA-256"),
    ] {
        Reflect::set(&algorithm, &name.into(), &value.into())?;
    }
    Ok(algorithm)
}

fn usages(names: &[&str]) -> Array {
    names.iter().map(|name| JsValue::from_str(name)).collect()
}

async fn settle(promise: Promise) -> Result<JsValue, JsValue> {
    JsFuture::from(promise).await
}
