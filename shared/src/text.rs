//! Text as events carry it: plain, or sealed when it is about a person.
//!
//! A sealed text can be made unreadable for good by destroying its key, while the bytes that the
//! log's proof covers stay. Folds see sealed bytes; queries open them with a [`KeyRing`].

use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::bytes::{Bytes, Fixed, KeyId};
use crate::ids::ShopId;

/// Text in an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Text {
    /// Readable by whoever reads the log.
    Plain(String),
    /// Readable with its key only.
    Sealed(Sealed),
}

/// An authenticated ciphertext with the name of its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Sealed {
    /// The algorithm: [`XCHACHA20_POLY1305`].
    #[n(0)]
    pub alg: u8,
    /// The key.
    #[n(1)]
    pub key: KeyId,
    /// The nonce.
    #[n(2)]
    pub nonce: Fixed<24>,
    /// Ciphertext and tag of the text padded to a multiple of [`PAD`] bytes.
    #[n(3)]
    pub bytes: Bytes,
}

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), 24-byte nonce, 16-byte tag.
pub const XCHACHA20_POLY1305: u8 = 1;

/// Sealed texts are padded to a multiple of this many bytes, so that lengths tell little.
pub const PAD: usize = 16;

/// What a sealed text is, bound into the seal so that one field cannot pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Field {
    /// The name of a person.
    Name = 1,
    /// A telephone number.
    Phone = 2,
    /// A postal address.
    Address = 3,
    /// A free note.
    Note = 4,
    /// The name of a device.
    Device = 5,
}

/// A secret key that seals texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl core::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("a key")
    }
}

/// A supply of random bytes for one command, stretched from one random seed.
///
/// The core has no randomness of its own: the shell passes a fresh seed with every command.
#[derive(Debug, Clone)]
pub struct Entropy {
    seed: [u8; 32],
    drawn: u64,
}

impl Entropy {
    /// A supply from 32 bytes of a cryptographically secure source, used for nothing else.
    pub const fn new(seed: [u8; 32]) -> Entropy {
        Entropy { seed, drawn: 0 }
    }

    /// The next `N` bytes, at most 32.
    pub fn draw<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32) };
        let mut hasher = Sha256::new();
        hasher.update(b"pakka/entropy/v1");
        hasher.update(self.seed);
        hasher.update(self.drawn.to_be_bytes());
        self.drawn += 1;
        let block = hasher.finalize();
        core::array::from_fn(|index| block[index])
    }
}

impl Text {
    /// Seals `plain`. The same text sealed twice gives different bytes.
    pub fn seal(
        plain: &str,
        with: (&KeyId, &Key),
        shop: ShopId,
        field: Field,
        entropy: &mut Entropy,
    ) -> Text {
        let mut padded = plain.as_bytes().to_vec();
        // ISO/IEC 7816-4 padding: one 0x80, then zeroes.
        padded.push(0x80);
        padded.resize(padded.len().next_multiple_of(PAD), 0);
        let nonce = entropy.draw::<24>();
        let cipher = XChaCha20Poly1305::new((&with.1.0).into());
        let bytes = cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &padded,
                    aad: &associated_data(shop, field),
                },
            )
            .expect("a text is far below the cipher's limit of 256 GiB");
        Text::Sealed(Sealed {
            alg: XCHACHA20_POLY1305,
            key: *with.0,
            nonce: Fixed(nonce),
            bytes: Bytes(bytes),
        })
    }
}

impl From<&str> for Text {
    fn from(plain: &str) -> Text {
        Text::Plain(plain.to_owned())
    }
}

fn associated_data(shop: ShopId, field: Field) -> [u8; 17] {
    let mut data = [0; 17];
    data[..16].copy_from_slice(shop.0.as_bytes());
    data[16] = field as u8;
    data
}

/// What a text turns out to be for someone with a certain key ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The words.
    Words(String),
    /// The key was destroyed: this person asked to be forgotten.
    Erased,
    /// The key has not come yet, or is not for this role.
    NoKey,
    /// The bytes do not belong to this key, shop and field.
    Damaged,
}

impl Opened {
    /// The words, if they can be read.
    pub fn words(&self) -> Option<&str> {
        match self {
            Opened::Words(words) => Some(words),
            Opened::Erased | Opened::NoKey | Opened::Damaged => None,
        }
    }
}

/// The keys that one reader holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRing {
    shop: ShopId,
    /// `None` marks a key that was destroyed.
    keys: BTreeMap<KeyId, Option<Key>>,
}

impl KeyRing {
    /// An empty ring for a shop.
    pub const fn new(shop: ShopId) -> KeyRing {
        KeyRing {
            shop,
            keys: BTreeMap::new(),
        }
    }

    /// The shop whose texts this ring opens.
    pub const fn shop(&self) -> ShopId {
        self.shop
    }

    /// Adds a key. A destroyed key never comes back.
    pub fn add(&mut self, id: KeyId, key: Key) {
        self.keys.entry(id).or_insert(Some(key));
    }

    /// Destroys a key: what it sealed is unreadable for good.
    pub fn destroy(&mut self, id: KeyId) {
        self.keys.insert(id, None);
    }

    /// The keys that the ring holds.
    pub fn held(&self) -> impl Iterator<Item = (&KeyId, &Key)> {
        let keys = self.keys.iter();
        keys.filter_map(|(id, key)| Some((id, key.as_ref()?)))
    }

    /// The key of this name, if the ring holds it.
    pub fn get(&self, id: &KeyId) -> Option<&Key> {
        self.keys.get(id)?.as_ref()
    }

    /// Reads a text.
    pub fn open(&self, text: &Text, field: Field) -> Opened {
        let sealed = match text {
            Text::Plain(words) => return Opened::Words(words.clone()),
            Text::Sealed(sealed) => sealed,
        };
        let key = match self.keys.get(&sealed.key) {
            Some(Some(key)) => key,
            Some(None) => return Opened::Erased,
            None => return Opened::NoKey,
        };
        if sealed.alg != XCHACHA20_POLY1305 {
            return Opened::NoKey;
        }
        let cipher = XChaCha20Poly1305::new((&key.0).into());
        let opened = cipher.decrypt(
            &XNonce::from(sealed.nonce.0),
            Payload {
                msg: &sealed.bytes.0,
                aad: &associated_data(self.shop, field),
            },
        );
        let words = opened.ok().and_then(|mut padded| {
            let end = padded.iter().rposition(|&byte| byte == 0x80)?;
            padded.truncate(end);
            String::from_utf8(padded).ok()
        });
        words.map_or(Opened::Damaged, Opened::Words)
    }

    /// The words of a text, or `None` where they cannot be read.
    pub fn words(&self, text: &Text, field: Field) -> Option<String> {
        match self.open(text, field) {
            Opened::Words(words) => Some(words),
            Opened::Erased | Opened::NoKey | Opened::Damaged => None,
        }
    }
}

impl<C> Encode<C> for Text {
    /// Plain text is a CBOR text string, sealed text an array.
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self {
            Text::Plain(words) => encoder.str(words)?.ok(),
            Text::Sealed(sealed) => sealed.encode(encoder, context),
        }
    }
}

impl<'b, C> Decode<'b, C> for Text {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Text, decode::Error> {
        match decoder.datatype()? {
            Type::String => Ok(Text::Plain(decoder.str()?.to_owned())),
            _ => Sealed::decode(decoder, context).map(Text::Sealed),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SHOP: ShopId = ShopId(Uuid::from_u128(7));

    fn sealed(words: &str) -> (Text, KeyRing) {
        let (id, key) = (Fixed([1; 16]), Key([2; 32]));
        let text = Text::seal(
            words,
            (&id, &key),
            SHOP,
            Field::Name,
            &mut Entropy::new([3; 32]),
        );
        let mut ring = KeyRing::new(SHOP);
        ring.add(id, key);
        (text, ring)
    }

    #[test]
    fn a_sealed_name_is_read_with_its_key_only() {
        let (text, ring) = sealed("प्रिया");
        assert_eq!(ring.open(&text, Field::Name), Opened::Words("प्रिया".into()));
        assert_eq!(KeyRing::new(SHOP).open(&text, Field::Name), Opened::NoKey);
        assert_eq!(
            ring.open(&text, Field::Phone),
            Opened::Damaged,
            "bound to its field"
        );
    }

    #[test]
    fn a_destroyed_key_never_comes_back() {
        let (text, mut ring) = sealed("Priya");
        let key = ring.get(&Fixed([1; 16])).expect("held").clone();
        ring.destroy(Fixed([1; 16]));
        ring.add(Fixed([1; 16]), key);
        assert_eq!(ring.open(&text, Field::Name), Opened::Erased);
    }

    #[test]
    fn lengths_tell_little() {
        let length = |words: &str| match sealed(words).0 {
            Text::Sealed(sealed) => sealed.bytes.0.len(),
            Text::Plain(_) => panic!("sealed"),
        };
        assert_eq!(length("Om"), length("Lakshmi Narayan"));
        assert_eq!(length("") % PAD, 0);
    }
}
