//! Takes back what the server lost and phones hold, and lets in again whom it has forgotten.

use std::collections::BTreeSet;

use shared::calendar::TimeMs;
use shared::chain::head_message;
use shared::event::GenerationOpened;
use shared::ids::{DeviceNo, EventId, ShopId};
use shared::sync::erasure::{erased_by_release, erased_keys, released};
use shared::sync::generation::{NotOpened, open, take_over};
use shared::sync::restore::{NotTaken, TakenBack, take_back};
use shared::sync::wire::{Generation, Part, SealingKey, Token, TreeHead};

use super::group::{Group, encode_events};
use super::{Task, token_hash, unknown};
use crate::http::error::{Code, Refusal};
use crate::identity::is_signed_by;
use crate::store::{Change, ChunkRecord, ShopRecord};

/// Phones that join after a loss get numbers from behind this one: what was lost may have given the
/// next ones to others.
const LAST_NUMBER_IN_ORDER: u32 = 65_536;

/// A part of a log with the head that proves it.
pub(super) struct Returned {
    pub shop: ShopId,
    pub generation: Generation,
    pub head: TreeHead,
    pub part: Part,
}

impl Task {
    /// Takes back a part of the log, and gives the shop with it.
    pub(super) async fn take_back(&self, returned: Returned) -> Result<ShopRecord, Refusal> {
        let Returned {
            shop,
            generation,
            head,
            part,
        } = returned;
        let mut group = Group::default();
        self.prepare(&mut group, shop).await?;
        let record = group.record(shop);
        let received = crate::now().max(record.head.at);
        let life = self.recoveries.life();
        let taken = if generation == record.state.log.generation() {
            take_back(&record.state, &head, part, life)?
        } else {
            let at = received.max(head.at);
            take_over(&record.state, &head, part, life, at)?
        };
        match taken {
            Some(taken) => self.keep(group, shop, taken, received.max(head.at)).await,
            None => Ok(record.clone()),
        }
    }

    /// Lets the log go on in another life, and gives the shop with it.
    pub(super) async fn open(
        &self,
        shop: ShopId,
        opened: &GenerationOpened,
    ) -> Result<ShopRecord, Refusal> {
        let mut group = Group::default();
        self.prepare(&mut group, shop).await?;
        let record = group.record(shop);
        let at = crate::now().max(record.head.at);
        let server = self.identity.public();
        let Some(taken) = open(&record.state, opened, &server, at, is_signed_by)? else {
            return Ok(record.clone());
        };
        group.number_from(shop, number_after_a_loss());
        self.keep(group, shop, taken, at).await
    }

    async fn keep(
        &self,
        mut group: Group,
        shop: ShopId,
        taken: TakenBack,
        at: TimeMs,
    ) -> Result<ShopRecord, Refusal> {
        let TakenBack { chunks, after } = taken;
        let record = group.record(shop);
        let erased = chunks.iter().flat_map(|(chunk, _)| {
            erased_keys(chunk.verdict, chunk.events.as_deref().unwrap_or_default())
        });
        let mut erased: Vec<SealingKey> = erased.map(|id| SealingKey { id, key: None }).collect();
        // What the owner let in may have come back just now, or have been here all the time.
        let authority = &after.authority;
        let let_in: BTreeSet<EventId> = chunks
            .iter()
            .flat_map(|(chunk, _)| {
                let events = chunk.events.as_deref().unwrap_or_default();
                released(chunk.verdict, events, authority.branch(chunk.device))
            })
            .collect();
        for (chunk, _) in &chunks {
            let events = chunk.events.as_deref().unwrap_or_default();
            let branch = authority.branch(chunk.device);
            let keys = erased_by_release(chunk.verdict, events, branch, &let_in);
            erased.extend(keys.map(|id| SealingKey { id, key: None }));
        }
        erased.extend(self.erased_by_release(record, &let_in).await?);
        let keys = self.news_of_keys(&group, shop, erased).await?;
        let admitted = self.admitted(&group, shop, &after).await?;
        self.recoveries
            .learn(shop, &group.record(shop).state.authority, &after.authority);

        let number = group.record(shop).number;
        let chunks = chunks.into_iter().map(|(chunk, end_hash)| {
            // Phones do not keep each other's signatures: the signed head stands for them.
            let is_own = chunk.device == DeviceNo::SERVER && chunk.received == at;
            let signature = is_own.then(|| {
                let last_seq = chunk.first_seq + chunk.count - 1;
                let message = head_message(shop, DeviceNo::SERVER, last_seq, &end_hash);
                self.identity.sign(&message)
            });
            Change::ChunkAppended(ChunkRecord {
                shop: number,
                position: chunk.position,
                count: chunk.count,
                device: chunk.device,
                first_seq: chunk.first_seq,
                received: chunk.received,
                verdict: chunk.verdict,
                branch_of: chunk.branch_of,
                end_hash: Some(end_hash),
                signature,
                events: encode_events(chunk.events.as_deref().unwrap_or_default()),
            })
        });
        group.changes.extend(chunks);
        group.changes.extend(admitted);
        group.change(shop, after, at, keys);
        let committed = self.commit(group).await.ok_or_else(unknown)?;
        Ok(ShopRecord::clone(&committed[&shop]))
    }

    /// Takes the token of a device that has proved to be the one.
    pub(super) async fn readmit(
        &self,
        shop: ShopId,
        device: DeviceNo,
        token: &Token,
    ) -> Result<(), Refusal> {
        let token_hash = token_hash(token);
        match self.store.device(token_hash).await? {
            Some(known) if known == (shop, device) => return Ok(()),
            Some(_) => return Err(Refusal::new(Code::UnknownToken, "another device's token")),
            None => {}
        }
        let admitted = Change::DeviceAdmitted {
            token_hash,
            shop,
            device,
        };
        self.change(shop, &[admitted]).await
    }
}

impl From<NotTaken> for Refusal {
    fn from(reason: NotTaken) -> Refusal {
        let code = match reason {
            NotTaken::NotSigned => Code::BadSignature,
            NotTaken::OtherLog => Code::OtherLog,
            NotTaken::TooLarge => Code::Malformed,
        };
        Refusal::new(code, reason.to_string())
    }
}

impl From<NotOpened> for Refusal {
    fn from(reason: NotOpened) -> Refusal {
        let code = match reason {
            NotOpened::OtherGeneration => Code::OtherGeneration,
            NotOpened::OtherLog => Code::OtherLog,
            NotOpened::NotOwner => Code::Forbidden,
        };
        Refusal::new(code, reason.to_string())
    }
}

/// The number of the next phone: from a random place on, so that one of which nobody remembers is
/// never given again.
pub(crate) fn number_after_a_loss() -> DeviceNo {
    let random = u32::from_le_bytes(crate::random());
    DeviceNo(LAST_NUMBER_IN_ORDER + 1 + random / 2)
}

/// Was this number given out after a loss?
pub(super) const fn is_after_a_loss(number: DeviceNo) -> bool {
    number.0 > LAST_NUMBER_IN_ORDER
}
