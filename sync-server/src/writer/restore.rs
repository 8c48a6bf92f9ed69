//! Takes back what the server lost and phones hold, and lets in again whom it has forgotten.

use std::collections::BTreeSet;

use shared::ids::{DeviceNo, EventId, ShopId};
use shared::sync::erasure::{erased_by_release, erased_keys, released};
use shared::sync::restore::{NotTaken, TakenBack, take_back};
use shared::sync::wire::{Part, SealingKey, Token, TreeHead};

use super::group::{Group, encode_events};
use super::{Task, token_hash, unknown};
use crate::http::error::{Code, Refusal};
use crate::store::{Change, ChunkRecord, ShopRecord};

/// A part of a log with the head that proves it.
pub(super) struct Returned {
    pub shop: ShopId,
    pub head: TreeHead,
    pub part: Part,
}

impl Task {
    /// Takes back a part of the log, and gives the shop with it.
    pub(super) async fn take_back(&self, returned: Returned) -> Result<ShopRecord, Refusal> {
        let Returned { shop, head, part } = returned;
        let mut group = Group::default();
        self.prepare(&mut group, shop).await?;
        let record = group.record(shop);
        let received = crate::now().max(record.head.at);
        let Some(taken) = take_back(&record.state, &head, part, self.recoveries.life())? else {
            return Ok(record.clone());
        };
        let TakenBack { chunks, after } = taken;
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
                // Phones do not keep each other's signatures: the signed head stands for them.
                signature: None,
                events: encode_events(chunk.events.as_deref().unwrap_or_default()),
            })
        });
        group.changes.extend(chunks);
        group.changes.extend(admitted);
        group.change(shop, after, received.max(head.at), keys);
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
            NotTaken::OtherGeneration => Code::OtherGeneration,
            NotTaken::OtherLog => Code::OtherLog,
            NotTaken::TooLarge => Code::Malformed,
        };
        Refusal::new(code, reason.to_string())
    }
}
