//! How a shop gets its server, and how one more phone joins the shop.

use gloo_net::http::Method;
use shared::bytes::{Bytes, Fixed, Hash};
use shared::chain::digest;
use shared::event::Role;
use shared::snapshot::Snapshot;
use shared::sync::engine::Cursor;
use shared::sync::log::ChainHead;
use shared::sync::tree::head_message;
use shared::sync::wire::{
    ClaimAnswer, ClaimRequest, JoinAnswer, JoinRequest, Joined, PAIRING_CODE_CHARS, Pairing,
    PairingOffer, SnapshotAnswer, Token, match_digits,
};

use super::base64url;
use super::http::{Address, AskError, body};
use crate::crypto::{self, DeviceKey};
use crate::place::Place;
use crate::platform::history;
use crate::store::StoreError;
use crate::store::database::{Append, ShopDatabase};
use crate::store::records::{Identity, Server};
use crate::store::shop::Shop;
use crate::store::{device_key, start};

const CLAIM: &str = "/api/v1/claim";
const PAIRINGS: &str = "/api/v1/pairings";
const JOIN: &str = "/api/v1/pairings/join";

const SNAPSHOT: &str = "/api/v1/snapshot";

/// How long a new phone waits for the state of the shop before it reads the log instead: a slow link
/// brings that of a thousand customers.
const SNAPSHOT_WAIT_MS: u32 = 30_000;

/// How long a person waits for an answer.
pub(super) const ASK_WAIT_MS: u32 = 15_000;

/// How long the server may wait for the owner before it says "not yet".
const JOIN_WAIT_MS: u32 = 20_000;

/// The length of the secret in a pairing's QR.
const SECRET_BYTES: usize = 16;

/// Crockford's base 32: no I, L, O, U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a claim or a pairing did not come about. Nothing was changed; it can be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairingError {
    /// The server said no, or was not reached.
    Server(AskError),
    /// The phone could not keep what it needs.
    Storage(StoreError),
    /// What was typed or scanned is not an invitation.
    NotAnInvitation,
    /// The shop is on this phone already: open it instead.
    AlreadyHere,
    /// The shop has no server yet: claim one first.
    NoServer,
}

impl From<AskError> for PairingError {
    fn from(error: AskError) -> PairingError {
        PairingError::Server(error)
    }
}

impl From<StoreError> for PairingError {
    fn from(error: StoreError) -> PairingError {
        PairingError::Storage(error)
    }
}

/// Takes the server that this app came from for the shop, with the code that it printed.
pub async fn claim(shop: Shop, code: &str) -> Result<(), PairingError> {
    let live = shop.live();
    let here = Address::here().ok_or(AskError::Unreachable)?;
    let identity = live.peek(|books| books.identity.clone());
    let token = live.db.token(Fixed(crypto::random())).await?;
    let request = ClaimRequest {
        code: code.trim().to_owned(),
        shop: identity.shop,
        key: identity.key,
        token,
    };
    let answer: ClaimAnswer = here
        .ask(Method::POST, CLAIM, body(&request), ASK_WAIT_MS)
        .await?;
    let cursor = Cursor::start(
        identity.shop,
        answer.generation,
        answer.server_key,
        identity.device,
        &identity.key,
    );
    let identity = Identity {
        server: Some(Server {
            url: here.url,
            token,
            key: answer.server_key,
        }),
        ..identity
    };
    live.take_server(identity, cursor).await?;
    Ok(())
}

/// An invitation for one more phone, as the owner shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What the QR says: an address that opens the app on the other phone.
    pub link: String,
    /// What can be typed instead.
    pub code: String,
    /// Names the pairing in [`pairings`].
    pub secret_hash: Hash,
}

/// Makes an invitation. It works once, for five minutes, and the owner confirms the phone that
/// used it by a [`shared::command::EnrolDevice`] with the number and key of the joiner.
pub async fn offer(shop: Shop, role: Role) -> Result<Offer, PairingError> {
    let server = server(shop)?;
    let secret = crypto::random::<SECRET_BYTES>();
    let code = typed_code(crypto::random());
    let secret_hash = digest(&[&secret]);
    let request = PairingOffer {
        secret_hash,
        code_hash: digest(&[code.as_bytes()]),
        role,
    };
    server
        .tell(Method::POST, PAIRINGS, body(&request), ASK_WAIT_MS)
        .await?;
    Ok(Offer {
        link: format!("{}/join#{}", server.url, base64url::encode(&secret)),
        code,
        secret_hash,
    })
}

/// The invitations under way, with the phones that used them.
pub async fn pairings(shop: Shop) -> Result<Vec<Pairing>, PairingError> {
    let server = server(shop)?;
    Ok(server.ask(Method::GET, PAIRINGS, None, ASK_WAIT_MS).await?)
}

/// Takes an invitation back.
pub async fn cancel(shop: Shop, secret_hash: Hash) -> Result<(), PairingError> {
    let path = format!("{PAIRINGS}/{secret_hash}");
    server(shop)?
        .tell(Method::DELETE, &path, None, ASK_WAIT_MS)
        .await?;
    Ok(())
}

pub(super) fn server(shop: Shop) -> Result<Address, PairingError> {
    let server = shop.peek(|books| books.identity.server.clone());
    let server = server.ok_or(PairingError::NoServer)?;
    Ok(Address {
        url: server.url,
        token: Some(server.token),
    })
}

/// Eight characters of Crockford's base 32 out of 40 random bits.
fn typed_code(random: [u8; 5]) -> String {
    let bits = random
        .iter()
        .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let digits = (0..PAIRING_CODE_CHARS as u32).rev();
    digits
        .map(|digit| char::from(CROCKFORD[(bits >> (5 * digit)) as usize & 31]))
        .collect()
}

/// What was scanned or typed on the new phone: the bytes that the server knows the hash of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation(Bytes);

impl Invitation {
    /// Reads the link of a QR, its part after `#`, or a typed code with blanks and look-alikes.
    pub fn parse(text: &str) -> Option<Invitation> {
        let text = text.trim();
        let secret = text.rsplit('#').next().unwrap_or(text);
        if let Some(bytes) = base64url::decode(secret)
            && bytes.len() == SECRET_BYTES
        {
            return Some(Invitation(Bytes(bytes)));
        }
        let mut code = String::with_capacity(PAIRING_CODE_CHARS);
        for character in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            code.push(match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other if CROCKFORD.contains(&(u8::try_from(other).ok()?)) => other,
                _ => return None,
            });
        }
        (code.len() == PAIRING_CODE_CHARS).then(|| Invitation(Bytes(code.into_bytes())))
    }
}

/// A phone on its way into a shop.
pub struct Joining {
    server: Address,
    db: ShopDatabase,
    key: DeviceKey,
    token: Token,
    invitation: Invitation,
    name: String,
    old: Option<Shop>,
}

impl Joining {
    /// Makes the phone's key and token, and keeps them until it has joined: tried again after a
    /// lost answer or a reload, the same phone asks. `name` is what the phone calls itself, at most
    /// 40 characters. `old` is the shop that this phone has already: once joined, its khata is
    /// brought along, and the app opens anew.
    pub async fn begin(
        invitation: Invitation,
        name: &str,
        old: Option<Shop>,
    ) -> Result<Joining, PairingError> {
        let server = Address::here().ok_or(AskError::Unreachable)?;
        let db = ShopDatabase::open_for_joining().await?;
        let key = match db.joining_key().await? {
            Some((stored, public)) => DeviceKey::load(stored, public).await.ok(),
            None => None,
        };
        let key = match key {
            Some(key) => key,
            None => {
                let key = device_key::make(&db).await?;
                db.set_joining_key(&key.public()).await?;
                key
            }
        };
        Ok(Joining {
            server,
            token: db.token(Fixed(crypto::random())).await?,
            db,
            key,
            invitation,
            name: name.chars().take(40).collect(),
            old,
        })
    }

    /// Four digits that the owner's phone shows too.
    pub fn digits(&self) -> String {
        match_digits(&self.key.public())
    }

    /// Asks and waits for the owner, some seconds at most: false means "not yet", to be called
    /// again. Once joined, the app's stage changes by itself.
    pub async fn wait(&self) -> Result<bool, PairingError> {
        let request = JoinRequest {
            secret: self.invitation.0.clone(),
            key: self.key.public(),
            token: self.token,
            name: self.name.clone(),
            wait_ms: JOIN_WAIT_MS,
        };
        let wait_ms = JOIN_WAIT_MS + ASK_WAIT_MS;
        let answer = self
            .server
            .ask(Method::POST, JOIN, body(&request), wait_ms)
            .await?;
        match answer {
            JoinAnswer::Waiting => Ok(false),
            JoinAnswer::Joined(joined) => self.joined(joined).await.map(|()| true),
        }
    }

    async fn joined(&self, joined: Joined) -> Result<(), PairingError> {
        let key = self.key.public();
        let db = ShopDatabase::open(joined.shop, start::blocked, start::lost).await?;
        match db.load_after(u64::MAX, u32::MAX).await? {
            // The answer came, and was lost with the tab before this was noted.
            Some(loaded) if loaded.identity.key == key => {}
            Some(_) => return Err(PairingError::AlreadyHere),
            None => {
                db.keep_device_key(self.key.stored()).await?;
                let identity = Identity {
                    shop: joined.shop,
                    device: joined.device,
                    role: joined.role,
                    key,
                    server: Some(Server {
                        url: self.server.url.clone(),
                        token: self.token,
                        key: joined.server_key,
                    }),
                    branch_of: None,
                };
                let cursor = Cursor::start(
                    joined.shop,
                    joined.generation,
                    joined.server_key,
                    joined.device,
                    &key,
                );
                if let Some(old) = self.old {
                    old.is_old_khata_of(&db, joined.shop).await?;
                }
                let nothing = Append {
                    expected: ChainHead::genesis(joined.shop, &key),
                    events: &[],
                    keys: &[],
                    draft: None,
                };
                db.found(&identity, Some(&cursor), nothing).await?;
                // Without it the phone reads the whole log first.
                let _ = take_snapshot(&db, &identity, cursor).await;
            }
        }
        drop(db);
        self.db.forget_joining().await?;
        if let Some(old) = self.old {
            old.move_on();
            return Ok(());
        }
        let shop = start::open(joined.shop).await?;
        // The screen for joining is left for the khata.
        history::replace(&Place::Khata.to_string());
        start::opened(shop).await;
        Ok(())
    }
}

/// Takes the state of the shop from the server, so that the phone works before it has read the log.
/// It is believed if it stands at a place of the log that the server has signed; what it says is
/// compared with the log as soon as that is here.
async fn take_snapshot(db: &ShopDatabase, identity: &Identity, cursor: Cursor) -> Option<()> {
    let server = identity.server.as_ref()?;
    let address = Address {
        url: server.url.clone(),
        token: Some(server.token),
    };
    let answer = address.ask(Method::GET, SNAPSHOT, None, SNAPSHOT_WAIT_MS);
    let SnapshotAnswer {
        snapshot: Bytes(bytes),
        head,
        keys,
        keys_last,
    } = answer.await.ok()?;
    let snapshot = Snapshot::from_bytes(&bytes, identity.shop).ok()?;
    let log = snapshot.log();
    let (size, root, generation) = (log.size(), log.root(), cursor.log.generation());
    if (size, root, log.generation()) != (head.size, head.root, generation) {
        return None;
    }
    let message = head_message(identity.shop, &generation, size, &root, head.at);
    if crypto::verify(&server.key, &message, &head.signature).await != Ok(true) {
        return None;
    }
    let cursor = Cursor {
        keys_last: cursor.keys_last.max(keys_last),
        ..cursor
    };
    db.take_snapshot(size, &bytes, &keys, &cursor).await.ok()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let written = typed_code([0x12, 0x34, 0x56, 0x78, 0x9a]);
        assert_eq!(written, "28T5CY4T");
        let code = Some(Invitation(Bytes(b"28T5CY4T".to_vec())));
        for typed in ["28T5CY4T", " 28t5 cy4t ", "28T5-CY4T"] {
            assert_eq!(Invitation::parse(typed), code, "{typed}");
        }
        let look_alike = Some(Invitation(Bytes(b"00110011".to_vec())));
        assert_eq!(Invitation::parse("oOiL00lI"), look_alike);
        for typed in ["", "28T5CY4", "28T5CY4TT", "28T5CY4U", "ड28T5CY4"] {
            assert_eq!(Invitation::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_link_is_read_whole_or_in_part() {
        let secret = [7; SECRET_BYTES];
        let invitation = Some(Invitation(Bytes(secret.to_vec())));
        let text = base64url::encode(&secret);
        assert_eq!(Invitation::parse(&text), invitation);
        let link = format!("https://shop.local:8443/join#{text}");
        assert_eq!(Invitation::parse(&link), invitation);
        assert_eq!(Invitation::parse(&format!("#{text}")), invitation);
    }
}
