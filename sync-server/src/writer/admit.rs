//! How shops and phones come to be known: claims and pairings.

use shared::bytes::Fixed;
use shared::bytes::Hash;
use shared::calendar::TimeMs;
use shared::chain::digest;
use shared::event::{ECDSA_P256_SHA256, PublicKey};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::judge::LogState;
use shared::sync::wire::{
    ClaimAnswer, ClaimRequest, JoinRequest, PAIRING_LIFE_MS, PairingOffer, Token,
};

use super::restore::{is_after_a_loss, number_after_a_loss};
use super::{Task, unknown};
use crate::code;
use crate::http::error::{Code, Refusal};
use crate::store::{Change, ClaimCode, JoinerRecord, PairingRecord, ShopNumber, ShopRecord};

/// The most pairings of a shop under way.
const MAX_PAIRINGS: usize = 16;

/// So long a phone that has asked to join waits for the owner, whose phone may be without a network.
const JOINER_LIFE_MS: i64 = 24 * 60 * 60 * 1000;

/// The longest name that a joining phone gives itself, in characters.
const MAX_NAME_CHARS: usize = 40;

/// What is kept of a token.
pub fn token_hash(token: &Token) -> Hash {
    digest(&[&token.0])
}

impl Task {
    pub(super) async fn claim(&self, request: ClaimRequest) -> Result<ClaimAnswer, Refusal> {
        check_key(&request.key)?;
        let unknown_code = || Refusal::new(Code::UnknownCode, "no such claim code");
        let code = code::Code::parse(&request.code)
            .ok_or_else(unknown_code)?
            .hash();
        let token_hash = token_hash(&request.token);
        match self.store.claim_code(code).await? {
            None => return Err(unknown_code()),
            Some(ClaimCode::UsedBy(shop)) if shop == request.shop => {
                return self.claimed_before(&request, token_hash).await;
            }
            Some(ClaimCode::UsedBy(_)) => {
                return Err(Refusal::new(
                    Code::UsedCode,
                    "the code was used for another shop",
                ));
            }
            Some(ClaimCode::Free) => {}
        }
        if self.store.shop(request.shop).await?.is_some() {
            return Err(Refusal::new(
                Code::ShopTaken,
                "the shop is on this server already",
            ));
        }
        let generation = Fixed(crate::random());
        let server_key = self.identity.public();
        let state = LogState::claimed(request.shop, generation, request.key, server_key);
        let head = self.identity.sign_head(&state.log, crate::now());
        let record = ShopRecord {
            number: ShopNumber::default(),
            state,
            head,
            next_device: DeviceNo(DeviceNo::FOUNDER.0 + 1),
            last_key: 0,
        };
        let changes = [
            Change::ShopOpened(record),
            Change::CodeUsed {
                hash: code,
                shop: request.shop,
            },
            Change::DeviceAdmitted {
                token_hash,
                shop: request.shop,
                device: DeviceNo::FOUNDER,
            },
        ];
        self.change(request.shop, &changes).await?;
        Ok(ClaimAnswer {
            device: DeviceNo::FOUNDER,
            server_key,
            generation,
        })
    }

    /// The same phone asks again, since the answer was lost.
    async fn claimed_before(
        &self,
        request: &ClaimRequest,
        token_hash: Hash,
    ) -> Result<ClaimAnswer, Refusal> {
        let used = || Refusal::new(Code::UsedCode, "the code was used before");
        let is_its_token =
            self.store.device(token_hash).await? == Some((request.shop, DeviceNo::FOUNDER));
        let record = self.store.shop(request.shop).await?.ok_or_else(used)?;
        let founder = record.state.authority.device(DeviceNo::FOUNDER);
        if !is_its_token || founder.is_none_or(|founder| founder.first_key != request.key) {
            return Err(used());
        }
        Ok(ClaimAnswer {
            device: DeviceNo::FOUNDER,
            server_key: self.identity.public(),
            generation: record.state.log.generation(),
        })
    }

    pub(super) async fn offer(
        &self,
        shop: ShopId,
        offer: PairingOffer,
    ) -> Result<PairingRecord, Refusal> {
        let now = crate::now();
        let pairings = self.store.pairings(shop).await?;
        // Sent again, since the answer was lost.
        let known = pairings
            .iter()
            .find(|known| known.secret_hash == offer.secret_hash);
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let (over, open): (Vec<_>, Vec<_>) = pairings
            .into_iter()
            .partition(|pairing| is_over(pairing, now));
        if open.len() >= MAX_PAIRINGS {
            return Err(Refusal::new(
                Code::TooManyPairings,
                "too many pairings are under way",
            ));
        }
        for hash in [offer.secret_hash, offer.code_hash] {
            if self.store.pairing(hash).await?.is_some() {
                return Err(Refusal::new(
                    Code::PairingTaken,
                    "the secret or code is in use",
                ));
            }
        }
        let mut changes: Vec<Change> = over
            .iter()
            .map(|pairing| Change::PairingRemoved {
                secret_hash: pairing.secret_hash,
            })
            .collect();
        let offered = PairingRecord {
            secret_hash: offer.secret_hash,
            code_hash: offer.code_hash,
            shop,
            role: offer.role,
            expires: TimeMs(now.0 + PAIRING_LIFE_MS),
            joiner: None,
        };
        changes.push(Change::PairingOffered(offered.clone()));
        self.change(shop, &changes).await?;
        Ok(offered)
    }

    pub(super) async fn withdraw(&self, shop: ShopId, pairing: Hash) -> Result<(), Refusal> {
        match self.store.pairing(pairing).await? {
            Some(known) if known.shop == shop && known.secret_hash == pairing => {
                let removed = Change::PairingRemoved {
                    secret_hash: pairing,
                };
                self.change(shop, &[removed]).await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn join(&self, hash: Hash, request: JoinRequest) -> Result<(), Refusal> {
        check_key(&request.key)?;
        check_name(&request.name)?;
        let unknown = || Refusal::new(Code::UnknownPairing, "no such pairing, or it has lapsed");
        let now = crate::now();
        let pairing = self.store.pairing(hash).await?.ok_or_else(unknown)?;
        if is_over(&pairing, now) {
            return Err(unknown());
        }
        let token_hash = token_hash(&request.token);
        if let Some(joiner) = pairing.joiner {
            let is_same = joiner.key == request.key && joiner.token_hash == token_hash;
            return is_same.then_some(()).ok_or_else(|| {
                Refusal::new(Code::PairingTaken, "another phone uses this pairing")
            });
        }
        let committed = self.registry.get(pairing.shop).await?.ok_or_else(unknown)?;
        let mut record = ShopRecord::clone(&committed.borrow());
        if self.recoveries.restored(&record.state).is_some() && !is_after_a_loss(record.next_device)
        {
            record.next_device = number_after_a_loss();
        }
        let authority = &record.state.authority;
        let device = (record.next_device.0..)
            .map(DeviceNo)
            .find(|number| authority.device(*number).is_none())
            .ok_or_else(|| Refusal::new(Code::TooManyPairings, "all numbers are used up"))?;
        // A number is never given twice, whether its phone is confirmed or not.
        record.next_device = DeviceNo(device.0.saturating_add(1));
        let joiner = JoinerRecord {
            device,
            key: request.key,
            token_hash,
            name: request.name,
        };
        let changes = [
            Change::ShopSaved {
                expected_size: record.head.size,
                record,
            },
            Change::PairingJoined {
                secret_hash: pairing.secret_hash,
                joiner,
            },
        ];
        self.change(pairing.shop, &changes).await
    }

    /// Commits changes of one shop and tells those who watch it.
    pub(super) async fn change(&self, shop: ShopId, changes: &[Change]) -> Result<(), Refusal> {
        if let Err(error) = self.store.commit(changes).await {
            self.lost(&error, std::iter::once(shop));
            return Err(unknown());
        }
        if let Some(record) = self.store.shop(shop).await? {
            self.registry.publish(record.into());
        }
        Ok(())
    }
}

/// Nobody can use it any more.
pub fn is_over(pairing: &PairingRecord, now: TimeMs) -> bool {
    let life_ms = match pairing.joiner {
        None => 0,
        Some(_) => JOINER_LIFE_MS,
    };
    pairing.expires.0 + life_ms <= now.0
}

pub(super) fn check_key(key: &PublicKey) -> Result<(), Refusal> {
    /// SEC 1 §2.3.3: the first byte of an uncompressed point.
    const UNCOMPRESSED: u8 = 4;
    if key.alg == ECDSA_P256_SHA256 && key.point.0[0] == UNCOMPRESSED {
        Ok(())
    } else {
        Err(Refusal::new(
            Code::BadKey,
            "not a key that the server can check",
        ))
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.chars().count() <= MAX_NAME_CHARS && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Refusal::new(
            Code::Malformed,
            "the name is too long or has control characters",
        ))
    }
}

#[cfg(test)]
mod tests {
    use shared::event::Role;
    use shared::testing::device::{NOW, SHOP, key};

    use super::*;

    #[test]
    fn a_pairing_lapses_after_five_minutes_and_a_phone_that_asked_waits_a_day_longer() {
        let joiner = JoinerRecord {
            device: DeviceNo(2),
            key: key(2),
            token_hash: Hash::default(),
            name: "Ravi's phone".to_owned(),
        };
        let mut pairing = PairingRecord {
            secret_hash: Hash::default(),
            code_hash: Hash::default(),
            shop: SHOP,
            role: Role::Cashier,
            expires: NOW.plus_ms(PAIRING_LIFE_MS),
            joiner: None,
        };
        let five_minutes = NOW.plus_ms(5 * 60 * 1000);
        assert!(!is_over(&pairing, five_minutes.plus_ms(-1)));
        assert!(is_over(&pairing, five_minutes));
        pairing.joiner = Some(joiner);
        assert!(!is_over(&pairing, five_minutes));
        assert!(is_over(&pairing, five_minutes.plus_ms(24 * 60 * 60 * 1000)));
    }

    #[test]
    fn a_joining_phone_has_a_name_that_can_be_shown() {
        assert!(check_name("रवि का फ़ोन").is_ok());
        assert!(check_name(&"x".repeat(MAX_NAME_CHARS)).is_ok());
        for name in ["x".repeat(MAX_NAME_CHARS + 1), "two\nlines".to_owned()] {
            assert!(check_name(&name).is_err(), "{name}");
        }
    }
}
