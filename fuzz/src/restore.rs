//! What phones give back to a server that was set back: nothing gets in but the history that the
//! server itself once signed.

use std::sync::LazyLock;

use minicbor::Decode;
use shared::ids::DeviceNo;
use shared::sync::restore::parts;
use shared::sync::wire::{Chunk, Part, RestoreRequest};
use shared::testing::device::{NOW, SHOP, Writer, session};
use shared::testing::phone::GENERATION;
use shared::testing::server::Server;

use super::sync;

/// A server, and the older copy of it that was put back.
static LIVES: LazyLock<(Server, Server)> = LazyLock::new(|| {
    let (backup, mut founder) = sync::server();
    let mut server = backup.clone();
    for _ in 0..4 {
        founder.write(session());
        push_last(&mut server, &founder);
    }
    (server, backup)
});

fn push_last(server: &mut Server, founder: &Writer) {
    let seq = founder.head().seq;
    let taken = server.sync(DeviceNo(1), &founder.ask_with(seq, seq), NOW);
    taken.expect("a sound push");
}

/// What a phone that holds everything sends.
pub fn sound_requests() -> Vec<RestoreRequest> {
    let (server, backup) = &*LIVES;
    let head = server.head(NOW);
    let request = |head, part| RestoreRequest {
        shop: SHOP,
        generation: GENERATION,
        head,
        part,
        marks: None,
    };
    let given = parts(&backup.state.log, &head, server.chunks.clone()).expect("it holds all");
    let with_parts = given.into_iter().map(|part| {
        let part = minicbor::to_vec(&part).expect("in memory");
        request(Some(head), Some(shared::bytes::Bytes(part)))
    });
    [request(None, None), request(Some(head), None)]
        .into_iter()
        .chain(with_parts)
        .collect()
}

pub fn run(bytes: &[u8]) {
    let Some(request) = whole::<RestoreRequest>(bytes) else {
        return;
    };
    // The server reads the part by itself, and refuses what is none.
    if let Some(part) = &request.part
        && whole::<Part>(&part.0).is_none()
    {
        return;
    }
    let (server, backup) = &*LIVES;
    let mut restored = server.clone();
    restored.set_back(backup.clone());
    let _ = restored.restore(&request);
    let mut truth = events(&server.chunks);
    for event in events(&restored.chunks) {
        assert_eq!(Some(event), truth.next(), "nobody can invent history");
    }
}

type Logged<'c> = (DeviceNo, i64, u8, &'c [u8]);

fn events(chunks: &[Chunk]) -> impl Iterator<Item = Logged<'_>> {
    chunks.iter().flat_map(|chunk| {
        let events = chunk.events.iter().flatten();
        let (device, received, verdict) = (chunk.device, chunk.received.0, chunk.verdict.byte());
        events.map(move |event| (device, received, verdict, event.0.as_slice()))
    })
}

fn whole<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Option<T> {
    minicbor::decode(bytes).ok()
}
