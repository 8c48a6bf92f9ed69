//! A whole log read back from the server's files and verified: every chain, every signature, the
//! tree and the signed head.

use std::path::Path;

use shared::event::PublicKey;
use shared::ids::{DeviceNo, ShopId};
use shared::sync::wire::MAX_ANSWER_BYTES;
use shared::verify::{Depth, KnownDevice, Origin, Run, Signer, Verifier};
use sync_server::server::open_store;
use sync_server::store::{ChunkRecord, ShopRecord, Store};

use crate::ours::{Ours, Rate};
use crate::process::timed_here;
use crate::row::{Goal, Row};
use crate::shop::Year;
use crate::{Outcome, Settings};

const EVENTS: u32 = 200_000;
const QUICK: u32 = 4_000;
/// The goal is for so many.
const MILLION: f64 = 1_000_000.0;

pub async fn run(settings: &Settings) -> Outcome {
    let year = Year::write(settings.size(EVENTS, QUICK))?;
    let mut server = Ours::start(settings, 1, Rate::Raised).await?;
    let (mut owner, _folder) = year.device()?;
    server.claim(&mut owner).await?;
    owner.sync_until_quiet().await?;
    let (key, shop) = (owner.public_key(), owner.shop());
    let folder = server.stop_and_keep()?;
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..settings.runs() {
        let (used, events) = timed_here(verify(&folder.path().join("data"), shop, key)).await?;
        if events < year.events.len() as u64 {
            return Err("Not everything was verified.".into());
        }
        wall.push(used.wall_s / events as f64 * MILLION);
        cpu.push(used.cpu_s / events as f64 * MILLION);
    }
    let goal = Goal::AtMost(2.0);
    let what = "A log read from the server's files and verified, for 1,000,000 events";
    Row::new("verify", what, "s", &wall).goal(goal);
    Row::new("verify_cpu", &format!("{what}, processor"), "CPU-s", &cpu).goal(goal);
    Ok(())
}

/// Gives the number of events that were found good.
async fn verify(data: &Path, shop: ShopId, founder: PublicKey) -> Outcome<u64> {
    let store = open_store(data).await?;
    let record = store.shop(shop).await?.ok_or("the shop is gone")?;
    let origin = origin(&record, founder)?;
    let mut verifier = Verifier::new(&origin, Depth::EverySignature, device::keys::verify);
    verifier.expect(record.head)?;
    let mut after = 0;
    while after < record.head.size {
        for chunk in store.chunks(record.number, after, MAX_ANSWER_BYTES).await? {
            let events = chunk.events()?;
            let bytes: Vec<&[u8]> = events.iter().map(|event| event.0.as_slice()).collect();
            verifier.run(&as_run(&chunk), &bytes)?;
            after = chunk.position + u64::from(chunk.count) - 1;
        }
    }
    let summary = verifier.finish()?;
    store.close().await;
    Ok(summary.proven)
}

fn origin(record: &ShopRecord, founder: PublicKey) -> Outcome<Origin> {
    let server = record.state.authority.device(DeviceNo::SERVER);
    Ok(Origin {
        shop: record.shop(),
        server: Some(Signer {
            generation: record.state.log.generation(),
            key: server.ok_or("the server has no key")?.first_key,
        }),
        devices: vec![KnownDevice {
            device: DeviceNo::FOUNDER,
            key: founder,
        }],
    })
}

fn as_run(chunk: &ChunkRecord) -> Run {
    Run {
        position: chunk.position,
        device: chunk.device,
        first_seq: chunk.first_seq,
        received: chunk.received,
        verdict: chunk.verdict,
        branch_of: chunk.branch_of,
        end_hash: Some(chunk.end_hash),
        signature: Some(chunk.signature),
    }
}
