//! How a device comes to a server: the founder claims it, others are paired.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use shared::bytes::{Bytes, Fixed, Hash};
use shared::chain::digest;
use shared::command::EnrolDevice;
use shared::event::Role;
use shared::sync::wire::{
    ClaimAnswer, ClaimRequest, JoinAnswer, JoinRequest, Joined, Joiner, PAIRING_CODE_CHARS,
    Pairing, PairingOffer, Token, match_digits,
};

use crate::DeviceError;
use crate::device::Device;
use crate::http::{Address, Http};
use crate::keys::{KeyPair, random};
use crate::storage::{Home, Identity};

/// How long the server may wait for the owner before it answers a join.
const JOIN_WAIT_MS: u32 = 20_000;
/// How often a join is asked before the pairing has lapsed for sure.
const MAX_JOIN_TRIES: u32 = 20;

/// Crockford's base 32: no I, L, O, U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A pairing that the owner offers: whoever has the secret or the code may ask to join, once.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What stands in the QR.
    pub secret: [u8; 16],
    /// What can be typed instead.
    pub code: String,
}

impl Offer {
    /// The name of the pairing.
    pub fn secret_hash(&self) -> Hash {
        digest(&[&self.secret])
    }

    /// What the QR says: an address that opens the app of `server` on the new phone.
    pub fn link(&self, server: &str) -> String {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(self.secret);
        format!("{}/join#{secret}", server.trim_end_matches('/'))
    }
}

impl Device {
    /// Takes a new server for the shop, with the code that the server printed.
    pub async fn claim(
        &mut self,
        server: impl Into<Address>,
        code: &str,
    ) -> Result<(), DeviceError> {
        let address = server.into();
        let http = Http::new(address.clone())?;
        let request = ClaimRequest {
            code: code.to_owned(),
            shop: self.shop(),
            key: self.public_key(),
            token: *self.token(),
        };
        let answer: ClaimAnswer = http.post("claim", None, &request).await?;
        self.belong_to(Home {
            server: http.server().to_owned(),
            server_key: answer.server_key,
            generation: answer.generation,
            authority: address.authority.map(Bytes),
        })
    }

    /// Lets one more device join, at most as `role`.
    pub async fn offer_pairing(&self, role: Role) -> Result<Offer, DeviceError> {
        let code = random::<PAIRING_CODE_CHARS>();
        let code = code.map(|byte| char::from(CROCKFORD[usize::from(byte) % CROCKFORD.len()]));
        let offer = Offer {
            secret: random(),
            code: code.into_iter().collect(),
        };
        let request = PairingOffer {
            secret_hash: offer.secret_hash(),
            code_hash: digest(&[offer.code.as_bytes()]),
            role,
        };
        let http = self.http()?;
        let _: Pairing = http.post("pairings", Some(self.token()), &request).await?;
        Ok(offer)
    }

    /// The phone that wants to join by this offer, if there is one yet.
    pub async fn joiner(&self, offer: &Offer) -> Result<Option<Joiner>, DeviceError> {
        let pairings: Vec<Pairing> = self.http()?.get("pairings", Some(self.token())).await?;
        let hash = offer.secret_hash();
        let pairing = pairings.into_iter().find(|known| known.secret_hash == hash);
        Ok(pairing.ok_or(DeviceError::PairingLapsed)?.joiner)
    }

    /// Lets the phone in: it belongs to the shop from the next sync on.
    pub async fn confirm(&mut self, joiner: &Joiner, role: Role) -> Result<(), DeviceError> {
        self.execute(EnrolDevice {
            device: joiner.device,
            key: joiner.key,
            role,
            name: joiner.name.clone(),
            staff: None,
        })?;
        self.sync_until_quiet().await
    }
}

/// A device that asks to join a shop.
pub struct Joining {
    http: Http,
    authority: Option<Bytes>,
    key: KeyPair,
    token: Token,
    secret: Bytes,
    name: String,
}

impl Joining {
    /// Gets ready to join with the secret of the QR, or the bytes of the typed code. Nothing is
    /// sent yet.
    pub fn new(
        server: impl Into<Address>,
        secret: &[u8],
        name: &str,
    ) -> Result<Joining, DeviceError> {
        let address = server.into();
        Ok(Joining {
            http: Http::new(address.clone())?,
            authority: address.authority.map(Bytes),
            key: KeyPair::generate()?,
            token: Fixed(random()),
            secret: Bytes(secret.to_vec()),
            name: name.to_owned(),
        })
    }

    /// Four digits that both sides show.
    pub fn match_digits(&self) -> String {
        match_digits(&self.key.public())
    }

    /// Asks once; the server answers when the owner has confirmed, or after a while.
    pub async fn ask(&self, wait_ms: u32) -> Result<JoinAnswer, DeviceError> {
        let request = JoinRequest {
            secret: self.secret.clone(),
            key: self.key.public(),
            token: self.token,
            name: self.name.clone(),
            wait_ms,
        };
        Ok(self.http.post("pairings/join", None, &request).await?)
    }

    /// Asks until the owner has confirmed, and reads nothing yet: a sync comes next.
    pub async fn join(self, folder: Option<&Path>) -> Result<Device, DeviceError> {
        for _ in 0..MAX_JOIN_TRIES {
            if let JoinAnswer::Joined(joined) = self.ask(JOIN_WAIT_MS).await? {
                return self.finish(joined, folder);
            }
        }
        Err(DeviceError::PairingLapsed)
    }

    /// Becomes the device that the owner has let in.
    pub fn finish(self, joined: Joined, folder: Option<&Path>) -> Result<Device, DeviceError> {
        let identity = Identity {
            token: self.token,
            ..Identity::new(joined.shop, joined.device, &self.key)
        };
        let home = Home {
            server: self.http.server().to_owned(),
            server_key: joined.server_key,
            generation: joined.generation,
            authority: self.authority,
        };
        Device::joined(identity, home, folder)
    }
}
