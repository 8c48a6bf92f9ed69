//! Many phones write at once through the real writer, and somebody reads along.

use shared::event::Role;
use tokio::task::JoinSet;

use crate::Backend;
use crate::jig::desk::Desk;

/// Phones that write at once.
const WRITERS: usize = 64;

/// Pushes of each.
const PUSHES: u64 = 8;

/// Whoever follows the log never sees a position before the one in front of it.
pub async fn write_at_once(backend: &impl Backend) {
    let desk = Desk::over(backend.open().await, backend.folder());
    let mut owner = desk.shop().await;
    let shop = owner.shop;
    let mut phones = Vec::new();
    for _ in 0..WRITERS {
        phones.push(desk.phone(&mut owner, Role::Cashier).await);
    }
    let record = desk.store.shop(shop).await.expect("read").expect("kept");
    let begun = record.head.size;
    // A push of one, two or three entries.
    let entries = |push: u64| 1 + push % 3;
    let total = begun + WRITERS as u64 * (0..PUSHES).map(entries).sum::<u64>();

    let store = std::sync::Arc::clone(&desk.store);
    let reader = tokio::spawn(async move {
        let (mut position, mut reads) = (0, 0u64);
        while position < total {
            let chunks = store.chunks(record.number, position, 10_000).await;
            for chunk in chunks.expect("read") {
                assert_eq!(chunk.position, position + 1, "no position is skipped");
                position += u64::from(chunk.count);
            }
            reads += 1;
            tokio::task::yield_now().await;
        }
        assert_eq!(position, total);
        reads
    });
    let desk = std::sync::Arc::new(desk);
    let mut writing = JoinSet::new();
    for mut phone in phones {
        let desk = std::sync::Arc::clone(&desk);
        writing.spawn(async move {
            for push in 0..PUSHES {
                for _ in 0..entries(push) {
                    phone.credit();
                }
                desk.push(&mut phone).await.expect("taken");
            }
            phone.head()
        });
    }
    let mut heads = Vec::new();
    while let Some(head) = writing.join_next().await {
        heads.push(head.expect("no phone fails"));
    }
    let reads = reader.await.expect("the reader misses nothing");
    assert!(reads > 1, "it read along");
    let record = desk.store.shop(shop).await.expect("read").expect("kept");
    assert_eq!(record.head.size, total);
    for head in heads {
        let known = record.state.log.chains().values();
        assert!(
            known.clone().any(|known| *known == head),
            "all of each chain"
        );
    }
    let desk = std::sync::Arc::into_inner(desk).expect("nobody writes any more");
    desk.close().await;
}
