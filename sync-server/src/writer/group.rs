//! Pushes that are committed together.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use shared::bytes::{Bytes, KeyId};
use shared::calendar::TimeMs;
use shared::event::Role;
use shared::ids::{DeviceNo, EventId, ShopId};
use shared::sync::erasure::{erased_by_release, erased_keys, released};
use shared::sync::judge::{self, Judgement, LogState};
use shared::sync::wire::{Advice, MAX_ANSWER_BYTES, MAX_KEYS, SealingKey, SyncRequest, Verdict};

use super::{Reply, SyncJob, Taken, Task, unknown};
use crate::http::error::{Code, Refusal};
use crate::identity::is_signed_by;
use crate::store::{Change, ChunkRecord, ShopRecord, StoreError};

/// What will be different when the group is committed.
#[derive(Default)]
pub(super) struct Group {
    shops: HashMap<ShopId, Working>,
    pub changes: Vec<Change>,
}

/// A shop as it will be.
struct Working {
    record: ShopRecord,
    is_changed: bool,
}

impl Group {
    /// A shop that was prepared.
    pub fn record(&self, shop: ShopId) -> &ShopRecord {
        &self.shops[&shop].record
    }

    /// New phones get numbers from here on.
    pub fn number_from(&mut self, shop: ShopId, next_device: DeviceNo) {
        if let Some(working) = self.shops.get_mut(&shop) {
            working.record.next_device = next_device;
            working.is_changed = true;
        }
    }

    /// The shop is different from now on, and so are these keys.
    pub fn change(&mut self, shop: ShopId, after: LogState, at: TimeMs, keys: Vec<Change>) {
        if let Some(working) = self.shops.get_mut(&shop) {
            working.record.state = after;
            working.record.head.at = at;
            working.keep(&keys);
            working.is_changed = true;
        }
        self.changes.extend(keys);
    }
}

impl Working {
    fn keep(&mut self, keys: &[Change]) {
        if let Some(Change::KeySet { number, .. }) = keys.last() {
            self.record.last_key = *number;
        }
    }
}

impl Task {
    /// Takes pushes, all in one commit.
    pub(super) async fn take(&self, jobs: Vec<(SyncJob, Reply<Taken>)>) {
        if jobs.is_empty() {
            return;
        }
        let mut group = Group::default();
        let mut answers = Vec::with_capacity(jobs.len());
        for (job, reply) in jobs {
            let shop = job.shop;
            answers.push((shop, self.decide(&mut group, job).await, reply));
        }
        let committed = self.commit(group).await;
        for (shop, decided, reply) in answers {
            let answer = match (decided, &committed) {
                (_, None) => Err(unknown()),
                (Err(refusal), Some(_)) => Err(refusal),
                (Ok(judgement), Some(records)) => Ok(Taken {
                    judgement,
                    record: Arc::clone(&records[&shop]),
                }),
            };
            // Whoever asked may be gone by now; what was stored stays stored.
            drop(reply.send(answer));
        }
    }

    async fn decide(&self, group: &mut Group, job: SyncJob) -> Result<Judgement, Refusal> {
        let SyncJob {
            shop,
            device,
            request,
        } = job;
        self.prepare(group, shop).await?;
        let record = &group.shops[&shop].record;
        // Times in a log never go back, whatever the server's clock does.
        let received = crate::now().max(record.head.at);
        let judgement = judge::judge(&record.state, device, &request, received, is_signed_by)?;
        self.recoveries.hear(&record.state, device);
        if judgement.after.is_some() {
            self.recoveries.check(&record.state)?;
        }

        let mut keys = wanted_keys(record, device, &request, &judgement);
        if let Some(push) = &request.push {
            let branch = record.state.authority.branch(device);
            let chunks = judgement.chunks.iter();
            let released =
                chunks.flat_map(|chunk| released(chunk.verdict, chunk.events(push), branch));
            let released = released.collect();
            keys.extend(self.erased_by_release(record, &released).await?);
        }
        let keys = self.news_of_keys(group, shop, keys).await?;
        let admitted = match &judgement.after {
            Some(after) => self.admitted(group, shop, after).await?,
            None => Vec::new(),
        };

        let working = group.shops.get_mut(&shop).expect("prepared above");
        working.is_changed |= judgement.after.is_some() || !keys.is_empty();
        working.keep(&keys);
        let record = &mut working.record;
        if let Some(after) = &judgement.after {
            record.state = after.clone();
            record.head.at = received;
        }
        if let Some(push) = &request.push {
            let chunks = judgement.chunks.iter().map(|chunk| ChunkRecord {
                shop: record.number,
                position: chunk.position,
                count: chunk.count(),
                device,
                first_seq: chunk.first_seq,
                received,
                verdict: chunk.verdict,
                branch_of: record.branch_of(device),
                end_hash: Some(chunk.end_hash),
                signature: Some(push.signature),
                events: encode_events(chunk.events(push)),
            });
            group.changes.extend(chunks.map(Change::ChunkAppended));
        }
        group.changes.extend(keys);
        group.changes.extend(admitted);
        Ok(judgement)
    }

    /// Takes the shop as it was last committed into the group.
    pub(super) async fn prepare(&self, group: &mut Group, shop: ShopId) -> Result<(), Refusal> {
        let Entry::Vacant(place) = group.shops.entry(shop) else {
            return Ok(());
        };
        let gone = || Refusal::new(Code::UnknownToken, "the shop is not on this server");
        let committed = self.registry.get(shop).await?.ok_or_else(gone)?;
        let record = ShopRecord::clone(&committed.borrow());
        place.insert(Working {
            record,
            is_changed: false,
        });
        Ok(())
    }

    /// Those of the keys that are news, numbered.
    pub(super) async fn news_of_keys(
        &self,
        group: &Group,
        shop: ShopId,
        keys: Vec<SealingKey>,
    ) -> Result<Vec<Change>, Refusal> {
        let mut known: HashMap<KeyId, bool> = HashMap::new();
        let ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
        for ids in ids.chunks(MAX_KEYS) {
            for key in self.store.keys_named(shop, ids).await? {
                known.insert(key.id, key.key.is_some());
            }
        }
        for change in &group.changes {
            if let Change::KeySet {
                shop: of, id, key, ..
            } = change
                && *of == shop
            {
                known.insert(*id, key.is_some());
            }
        }
        let mut last = group.record(shop).last_key;
        let mut news = Vec::new();
        for SealingKey { id, key } in keys {
            // The first key of a name stands, and a destroyed one never comes back.
            let is_news = matches!((known.get(&id), key), (None, _) | (Some(true), None));
            if is_news {
                last += 1;
                known.insert(id, key.is_some());
                news.push(Change::KeySet {
                    shop,
                    number: last,
                    id,
                    key,
                });
            }
        }
        Ok(news)
    }

    /// The tombstones of the keys that held entries destroy now that the owner lets them in. The
    /// owner has read them, so they are in the store; this is rare, and looks through all of it.
    pub(super) async fn erased_by_release(
        &self,
        record: &ShopRecord,
        released: &BTreeSet<EventId>,
    ) -> Result<Vec<SealingKey>, Refusal> {
        let (mut keys, mut after) = (Vec::new(), 0);
        while !released.is_empty() {
            let chunks = self
                .store
                .chunks(record.number, after, MAX_ANSWER_BYTES)
                .await?;
            let Some(last) = chunks.last() else { break };
            after = last.position + u64::from(last.count) - 1;
            for chunk in chunks.iter().filter(|it| it.verdict == Verdict::Held) {
                let branch = record.state.authority.branch(chunk.device);
                let events = chunk.events()?;
                let erased = erased_by_release(chunk.verdict, &events, branch, released);
                keys.extend(erased.map(|id| SealingKey { id, key: None }));
            }
        }
        Ok(keys)
    }

    /// The phones that may speak for the shop from now on: the owner has just enrolled them.
    pub(super) async fn admitted(
        &self,
        group: &Group,
        shop: ShopId,
        after: &LogState,
    ) -> Result<Vec<Change>, Refusal> {
        let before = group.shops[&shop].record.state.authority.devices();
        let enrolled: HashSet<DeviceNo> = after
            .authority
            .devices()
            .keys()
            .filter(|number| !before.contains_key(number))
            .copied()
            .collect();
        if enrolled.is_empty() {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        for pairing in self.store.pairings(shop).await? {
            let Some(joiner) = pairing.joiner else {
                continue;
            };
            let device = after.authority.device(joiner.device);
            let is_the_one = device.is_some_and(|device| device.first_key == joiner.key);
            if enrolled.contains(&joiner.device) && is_the_one {
                changes.push(Change::DeviceAdmitted {
                    token_hash: joiner.token_hash,
                    shop,
                    device: joiner.device,
                });
                changes.push(Change::PairingRemoved {
                    secret_hash: pairing.secret_hash,
                });
            }
        }
        Ok(changes)
    }

    /// Makes the group durable and known. `None`: nobody knows whether it is.
    pub(super) async fn commit(&self, group: Group) -> Option<HashMap<ShopId, Arc<ShopRecord>>> {
        let Group { shops, mut changes } = group;
        let mut records = HashMap::with_capacity(shops.len());
        let mut changed = Vec::new();
        for (shop, working) in shops {
            let mut record = working.record;
            if working.is_changed {
                let expected_size = record.head.size;
                record.head = self.identity.sign_head(&record.state.log, record.head.at);
                changes.push(Change::ShopSaved {
                    record: record.clone(),
                    expected_size,
                });
                changed.push(shop);
            }
            records.insert(shop, Arc::new(record));
        }
        if changes.is_empty() {
            return Some(records);
        }
        if let Err(error) = self.store.commit(&changes).await {
            self.lost(&error, changed.into_iter());
            return None;
        }
        for shop in changed {
            self.registry.publish(Arc::clone(&records[&shop]));
        }
        Some(records)
    }

    /// A commit ended with an error: what is at hand may be wrong.
    pub(super) fn lost(&self, error: &StoreError, shops: impl Iterator<Item = ShopId>) {
        tracing::error!(%error, "it is unknown whether a commit was made");
        self.registry.forget(shops);
    }
}

/// The keys that a request sends, as far as its device may, and then the tombstones of those that
/// its accepted events destroy.
fn wanted_keys(
    shop: &ShopRecord,
    device: DeviceNo,
    request: &SyncRequest,
    judgement: &Judgement,
) -> Vec<SealingKey> {
    let Some(sender) = shop.state.authority.device(device) else {
        return Vec::new();
    };
    let advice = judgement.standing.advice;
    let is_doubtful = matches!(advice, Advice::Resign | Advice::Reenrol | Advice::Fork);
    let may_send = sender.role >= Role::Cashier && !is_doubtful;
    // The names of people are lost with their keys: a revoked phone may still bring keys, for the
    // entries that the owner may release, but destroys none.
    let may_destroy = sender.role >= Role::Manager && !sender.revoked;
    let sent = request.keys.iter().flatten();
    let sent = sent.filter(|key| may_send && (key.key.is_some() || may_destroy));
    let erased = request.push.iter().flat_map(|push| {
        let chunks = judgement.chunks.iter();
        chunks.flat_map(move |chunk| erased_keys(chunk.verdict, chunk.events(push)))
    });
    let tombstones = erased.map(|id| SealingKey { id, key: None });
    sent.cloned().chain(tombstones).collect()
}

pub(crate) fn encode_events(events: &[Bytes]) -> Vec<u8> {
    minicbor::to_vec(events).expect("a vector takes all that is written")
}
