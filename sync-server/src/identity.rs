//! The server's own key, and the check of devices' signatures.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use shared::bytes::Fixed;
use shared::calendar::TimeMs;
use shared::event::{ECDSA_P256_SHA256, PublicKey};
use shared::sync::log::Log;
use shared::sync::tree;
use shared::sync::wire::{Signature, TreeHead};

/// The file in the data folder that holds the server's private key (PKCS #8).
pub const KEY_FILE: &str = "server.key";

/// Whether `signature` is by `key` over `message`.
pub fn is_signed_by(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    key.alg == ECDSA_P256_SHA256
        && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.point.0)
            .verify(message, &signature.0)
            .is_ok()
}

/// The key with which the server signs the heads of the logs that it keeps.
pub struct Identity {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    public: PublicKey,
}

impl Identity {
    /// Reads the key from the data folder.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where there is none, and whatever else stands in the way.
    pub fn load(data: &Path) -> io::Result<Identity> {
        Identity::from_pkcs8(&fs::read(data.join(KEY_FILE))?)
    }

    /// Makes a key and keeps it in the data folder, readable by the owner of the folder only.
    ///
    /// # Errors
    ///
    /// Whatever stands in the way of writing the file.
    pub fn create(data: &Path) -> io::Result<Identity> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| io::Error::other("the system gave no random bytes"))?;
        write_secret(data, KEY_FILE, document.as_ref())?;
        Identity::from_pkcs8(document.as_ref())
    }

    fn from_pkcs8(document: &[u8]) -> io::Result<Identity> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document, &random)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let point = <[u8; 65]>::try_from(pair.public_key().as_ref())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let public = PublicKey {
            alg: ECDSA_P256_SHA256,
            point: Fixed(point),
            software: true,
        };
        Ok(Identity {
            pair,
            random,
            public,
        })
    }

    /// The public half.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// The head of a shop's log, signed.
    pub fn sign_head(&self, log: &Log, at: TimeMs) -> TreeHead {
        let (size, root) = (log.size(), log.root());
        let message = tree::head_message(log.shop(), &log.generation(), size, &root, at);
        TreeHead {
            size,
            root,
            at,
            signature: self.sign(&message),
        }
    }

    /// The server's signature of a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature = self
            .pair
            .sign(&self.random, message)
            .expect("the system gives random bytes");
        Fixed(<[u8; 64]>::try_from(signature.as_ref()).expect("r and s have 32 bytes each"))
    }
}

/// Writes a file that nobody else may read, whole or not at all.
pub(crate) fn write_secret(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}.new"));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))?;
    fs::File::open(folder)?.sync_all()
}
