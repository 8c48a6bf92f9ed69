//! Native devices with the phones' own engine go through a server that is killed again and again, and
//! come to the same books.

mod jig;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use device::{Device, Joining, NewShop, now, today};
use jig::child::Process;
use jig::pushers::rounds;
use shared::command::{AddCustomer, Details, GiveCredit};
use shared::event::{Language, Role};
use shared::ids::{CustomerId, EntryId};
use shared::money::Paise;
use shared::testing::rng::Rng;
use tokio::sync::mpsc;

const DEVICES: usize = 3;

/// Longer than a server is ever gone here, with the longest wait between two tries.
const PATIENCE: Duration = Duration::from_secs(300);

/// The most times in a round that a device has come to rest before the server is killed.
const MAX_SYNCS: u64 = 12;

/// A device of a shop, and what somebody saw the tick for on it.
struct Counter {
    device: Device,
    entries: Vec<(EntryId, Paise)>,
}

impl Counter {
    /// Makes entries and sends them until it is told to stop; tells of each time that all was sent.
    async fn work(
        mut self,
        customer: CustomerId,
        mut rng: Rng,
        stop: Arc<AtomicBool>,
        told: mpsc::UnboundedSender<()>,
    ) -> Counter {
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..=rng.below(3) {
                let amount = Paise(1_00 + rng.below(500_00) as i64);
                let events = self.device.execute(GiveCredit {
                    details: Details::on(today()),
                    customer,
                    amount,
                    lines: Vec::new(),
                    due: None,
                });
                let id = EntryId(events.expect("given")[0].envelope.id);
                self.entries.push((id, amount));
            }
            let synced = self.device.sync_watched(PATIENCE, |_| {}).await;
            synced.expect("it goes on when the server is back");
            // Nobody listens any more at the end.
            let _ = told.send(());
        }
        self
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_come_to_the_same_books_though_the_server_is_killed_under_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Process::start(folder.path());
    let url = server.url.clone();
    let mut owner = found();
    let code = server.claim_code();
    owner.claim(&url, &code).await.expect("claimed");
    let added = owner.execute(AddCustomer::named("Priya")).expect("added");
    let customer = CustomerId(added[0].envelope.id);
    owner.sync_until_quiet().await.expect("synced");
    let mut devices = Vec::new();
    for _ in 1..DEVICES {
        devices.push(join(&mut owner, &url).await);
    }
    devices.push(owner);

    let stop = Arc::new(AtomicBool::new(false));
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut working = Vec::new();
    for (device, seed) in devices.into_iter().zip(0..) {
        let counter = Counter {
            device,
            entries: Vec::new(),
        };
        let stop = Arc::clone(&stop);
        working.push(tokio::spawn(counter.work(
            customer,
            Rng::new(seed),
            stop,
            told.clone(),
        )));
    }
    drop(told);
    let kills = rounds(5);
    let mut rng = Rng::new(0);
    for _ in 0..kills {
        for _ in 0..=rng.below(MAX_SYNCS) {
            heard.recv().await.expect("they work");
        }
        server.kill();
        server = Process::start_again(folder.path(), &url);
    }
    stop.store(true, Ordering::Relaxed);
    let mut counters = Vec::new();
    for counter in working {
        counters.push(counter.await.expect("no device fails"));
    }

    // What the others wrote last, each reads now.
    for counter in &mut counters {
        let synced = counter.device.sync_until_quiet().await;
        synced.expect("synced");
        assert_eq!(counter.device.waiting(), 0);
    }
    let entries: Vec<_> = counters.iter().flat_map(|it| &it.entries).collect();
    let owed: Paise = entries.iter().map(|(_, amount)| *amount).sum();
    for counter in &counters {
        let ledger = counter.device.ledger();
        assert_eq!(ledger.checksum(), counters[0].device.ledger().checksum());
        assert_eq!(ledger.balance(customer).khata, owed);
        assert_eq!(ledger.entries.len(), entries.len(), "each once");
        let there = |it: &&(EntryId, Paise)| ledger.entries.contains_key(&it.0);
        assert_eq!(entries.iter().copied().filter(there).count(), entries.len());
    }
    println!(
        "{kills} kills, {} entries: 0 lost, 0 doubled",
        entries.len()
    );
    server.kill();
}

fn found() -> Device {
    let shop = NewShop {
        name: "Lakshmi Kirana".to_owned(),
        owner: "Lakshmi".to_owned(),
        device: "Counter".to_owned(),
        language: Language::Hindi,
        at: now(),
    };
    Device::found(shop, None).expect("a shop")
}

async fn join(owner: &mut Device, url: &str) -> Device {
    let offer = owner.offer_pairing(Role::Manager).await.expect("offered");
    let joining = Joining::new(url, &offer.secret, "Helper").expect("a joiner");
    joining.ask(0).await.expect("asked");
    let joiner = owner.joiner(&offer).await.expect("looked");
    let joiner = joiner.expect("the device has asked");
    let confirmed = owner.confirm(&joiner, Role::Manager).await;
    confirmed.expect("confirmed");
    let mut joined = joining.join(None).await.expect("joined");
    joined.sync_until_quiet().await.expect("synced");
    joined
}
