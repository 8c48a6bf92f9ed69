//! The key pair of a native device.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use shared::bytes::Fixed;
use shared::event::{ECDSA_P256_SHA256, PublicKey};
use shared::sync::wire::Signature;
use shared::text::Entropy;

/// An ECDSA P-256 key pair. A native device keeps it as bytes in its folder, so its public half
/// says "software".
pub struct KeyPair {
    pkcs8: Vec<u8>,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

/// A key pair that cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of this device cannot be read or made")]
pub struct BadKey;

impl KeyPair {
    /// A new pair.
    pub fn generate() -> Result<KeyPair, BadKey> {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| BadKey)?;
        KeyPair::from_pkcs8(pkcs8.as_ref())
    }

    /// The pair in these bytes.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<KeyPair, BadKey> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random)
            .map_err(|_| BadKey)?;
        Ok(KeyPair {
            pkcs8: pkcs8.to_vec(),
            pair,
            random,
        })
    }

    /// The pair as bytes: a secret.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        let mut point = [0; 65];
        point.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey {
            alg: ECDSA_P256_SHA256,
            point: Fixed(point),
            software: true,
        }
    }

    /// Signs `message`: r ‖ s.
    pub fn sign(&self, message: &[u8]) -> Signature {
        // `sign` fails only if the system has no randomness, and then nothing here can go on.
        let signature = self
            .pair
            .sign(&self.random, message)
            .expect("the system gives random bytes");
        let mut bytes = [0; 64];
        bytes.copy_from_slice(signature.as_ref());
        Fixed(bytes)
    }
}

/// Was `message` signed by `key`?
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    key.alg == ECDSA_P256_SHA256
        && ring::signature::UnparsedPublicKey::new(
            &ring::signature::ECDSA_P256_SHA256_FIXED,
            &key.point.0,
        )
        .verify(message, &signature.0)
        .is_ok()
}

/// Random bytes of the system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A fresh supply of random bytes for one command.
pub fn entropy() -> Entropy {
    Entropy::new(random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_read_back_signs_for_the_same_device() {
        let pair = KeyPair::generate().expect("a pair");
        let again = KeyPair::from_pkcs8(pair.pkcs8()).expect("the same pair");
        let signature = again.sign(b"the chain");
        assert!(verify(&pair.public(), b"the chain", &signature));
        assert!(!verify(&pair.public(), b"another", &signature));
        assert!(KeyPair::from_pkcs8(&[1, 2, 3]).is_err());
    }
}
