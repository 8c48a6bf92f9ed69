//! The writer over a real store, without HTTP between.

use std::path::Path;
use std::sync::Arc;

use shared::bytes::Bytes;
use shared::chain::digest;
use shared::event::Role;
use shared::ids::DeviceNo;
use shared::sync::log::{ChainHead, Log};
use shared::sync::wire::{ClaimRequest, JoinRequest, PairingOffer, SyncRequest};
use sync_server::code::Code;
use sync_server::http::error::Refusal;
use sync_server::identity::Identity;
use sync_server::recovery::Recoveries;
use sync_server::registry::Registry;
use sync_server::server::{issue_claim_code, open_store};
use sync_server::store::Store;
use sync_server::writer::{Taken, Writer};
use tokio::task::JoinHandle;

use super::Phone;

/// A writer, its store, and what it takes to speak to it.
pub struct Desk {
    pub store: Arc<dyn Store>,
    pub writer: Writer,
    identity: Arc<Identity>,
    task: JoinHandle<()>,
}

impl Desk {
    /// The desk over the server's own store in a folder.
    pub async fn open(folder: &Path) -> Desk {
        let store = Arc::new(open_store(folder).await.expect("opens"));
        Desk::over(store, folder)
    }

    /// The desk over any store.
    pub fn over(store: Arc<dyn Store>, folder: &Path) -> Desk {
        let identity = Identity::create(folder).expect("a key");
        let identity = Arc::new(identity);
        let registry = Arc::new(Registry::new(Arc::clone(&store)));
        let recoveries = Arc::new(Recoveries::new(false));
        let (writer, task) = Writer::start(
            Arc::clone(&store),
            registry,
            Arc::clone(&identity),
            recoveries,
        );
        Desk {
            store,
            writer,
            identity,
            task,
        }
    }

    /// The founding phone of a new shop, with the events that every shop begins with taken.
    pub async fn shop(&self) -> Phone {
        let code = Code::random();
        let issued = issue_claim_code(self.store.as_ref(), &code).await;
        issued.expect("issued");
        let mut founder = Phone::new("");
        let claim = ClaimRequest {
            code: code.to_string(),
            shop: founder.shop,
            key: founder.key.public(),
            token: founder.token,
        };
        let answer = self.writer.claim(claim).await.expect("claimed");
        let log = Log::new(founder.shop, answer.generation);
        self.begin(&mut founder, log);
        founder.open_shop();
        self.push(&mut founder).await.expect("taken");
        founder
    }

    fn begin(&self, phone: &mut Phone, log: Log) {
        let own = ChainHead::genesis(phone.shop, &phone.key.public());
        let server = ChainHead::genesis(phone.shop, &self.identity.public());
        phone.log = log;
        phone.log.begin(DeviceNo::SERVER, server);
        phone.log.begin(phone.number, own);
    }

    /// Another phone of the shop.
    pub async fn phone(&self, founder: &mut Phone, role: Role) -> Phone {
        let mut phone = Phone::new("");
        phone.of_shop(founder.shop);
        let secret = digest(&[&phone.token.0]);
        let offer = PairingOffer {
            secret_hash: secret,
            code_hash: digest(&[&secret.0]),
            role,
        };
        let offered = self.writer.offer(founder.shop, offer).await;
        offered.expect("offered");
        let join = JoinRequest {
            secret: Bytes(phone.token.0.to_vec()),
            wait_ms: 0,
            key: phone.key.public(),
            token: phone.token,
            name: "the phone on the counter".to_owned(),
        };
        self.writer.join(secret, join).await.expect("joined");
        let pairing = self.store.pairing(secret).await.expect("read");
        let joiner = pairing.and_then(|pairing| pairing.joiner).expect("joined");
        phone.number = joiner.device;
        founder.enrol(joiner.device, joiner.key, role);
        self.push(founder).await.expect("taken");
        self.begin(&mut phone, Log::new(founder.shop, founder.log.generation()));
        phone
    }

    /// A phone hands in all that it has.
    pub async fn push(&self, phone: &mut Phone) -> Result<Taken, Refusal> {
        let taken = self.ask(phone, phone.ask_all()).await?;
        for chunk in &taken.judgement.chunks {
            for seq in (chunk.first_seq..).take(chunk.count() as usize) {
                let head = phone.head_at(seq);
                let appended = phone
                    .log
                    .append(phone.number, head, chunk.received, chunk.verdict);
                appended.expect("its own next event");
            }
        }
        Ok(taken)
    }

    /// A phone asks for something.
    pub async fn ask(&self, phone: &Phone, request: SyncRequest) -> Result<Taken, Refusal> {
        // What the phone has read of the log is of no interest here.
        let request = SyncRequest {
            position: 0,
            root: digest(&[]),
            ..request
        };
        self.writer.sync(phone.shop, phone.number, request).await
    }

    /// The writer ends, with all that it was given done.
    pub async fn close(self) {
        drop(self.writer);
        self.task
            .await
            .expect("the writer ends when nobody is left");
        self.store.close().await;
    }
}
