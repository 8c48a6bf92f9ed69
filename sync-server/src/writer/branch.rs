//! Registers copies of devices as devices of their own.

use shared::chain::head_message;
use shared::ids::DeviceNo;
use shared::sync::branch::{Around, is_registered, number_of, register};
use shared::sync::wire::{BranchRequest, Verdict};

use super::admit::check_key;
use super::group::{Group, encode_events};
use super::{Task, token_hash, unknown};
use crate::http::error::{Code, Refusal};
use crate::store::{Change, ChunkRecord};

impl Task {
    /// Writes that a copy is a device, and lets it in.
    pub(super) async fn branch(
        &self,
        request: BranchRequest,
        around: Around,
    ) -> Result<(), Refusal> {
        let shop = request.shop;
        let device = number_of(&request.fork);
        check_key(&request.key)?;
        let mut group = Group::default();
        self.prepare(&mut group, shop).await?;
        let record = group.record(shop);
        if is_registered(&record.state, &request)? {
            // The answer was lost, or the server has lost what came after the registration.
            return self.readmit(shop, device, &request.token).await;
        }
        self.recoveries.check(&record.state)?;
        let received = crate::now().max(record.head.at);
        let registered = register(&record.state, &request, &around, received)?;
        let token_hash = token_hash(&request.token);
        if self.store.device(token_hash).await?.is_some() {
            return Err(Refusal::new(Code::UnknownToken, "another device's token"));
        }
        let (seq, hash) = (registered.head.seq, registered.head.hash);
        let message = head_message(shop, DeviceNo::SERVER, seq, &hash);
        let chunk = ChunkRecord {
            shop: record.number,
            position: registered.position,
            count: registered.events.len() as u32,
            device: DeviceNo::SERVER,
            first_seq: registered.first_seq,
            received,
            verdict: Verdict::Accepted,
            branch_of: None,
            end_hash: Some(hash),
            signature: Some(self.identity.sign(&message)),
            events: encode_events(&registered.events),
        };
        group.changes.push(Change::ChunkAppended(chunk));
        group.changes.push(Change::DeviceAdmitted {
            token_hash,
            shop,
            device,
        });
        group.change(shop, registered.after, received, Vec::new());
        self.commit(group).await.map(drop).ok_or_else(unknown)
    }
}
