//! The one task that changes anything. It takes what waits in its queue, decides, commits all of
//! it in one transaction (so that many requests share the cost of one flush to the disk), and only
//! then answers.

mod admit;
mod branch;
mod group;
mod queue;
mod restore;

pub use admit::{is_over, token_hash};
pub(crate) use group::encode_events;
pub(crate) use restore::number_after_a_loss;

use std::sync::Arc;

use shared::bytes::Hash;
use shared::event::GenerationOpened;
use shared::ids::{DeviceNo, ShopId};
use shared::sync::branch::Around;
use shared::sync::judge::Judgement;
use shared::sync::wire::{
    BranchRequest, ClaimAnswer, ClaimRequest, Generation, JoinRequest, PairingOffer, Part,
    SyncRequest, Token, TreeHead,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::restore::Returned;
use crate::http::error::{Code, Refusal};
use crate::identity::Identity;
use crate::recovery::Recoveries;
use crate::registry::Registry;
use crate::store::{Change, PairingRecord, ShopRecord, Store};
use queue::{Asker, Full, Queue};

/// The most requests that wait. More are told to come again.
const MAX_QUEUE: usize = 512;

/// The most requests that are committed together.
const MAX_GROUP: usize = 256;

/// When a commit whose result is unknown is worth another try.
const UNKNOWN_RETRY_MS: u32 = 1000;

type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// What the writer is asked to do.
enum Job {
    Sync(SyncJob, Reply<Taken>),
    Claim(ClaimRequest, Reply<ClaimAnswer>),
    Offer(ShopId, PairingOffer, Reply<PairingRecord>),
    Withdraw(ShopId, Hash, Reply<()>),
    Join(Hash, JoinRequest, Reply<()>),
    Archive(Change, Reply<()>),
    Restore(Returned, Reply<ShopRecord>),
    Readmit(ShopId, DeviceNo, Token, Reply<()>),
    Open(ShopId, GenerationOpened, Reply<ShopRecord>),
    Branch(BranchRequest, Around, Reply<()>),
}

impl Job {
    /// Whose line it waits in.
    fn asker(&self) -> Asker {
        let of = |shop| Asker {
            shop: Some(shop),
            device: None,
        };
        match self {
            Job::Sync(job, _) => Asker {
                device: Some(job.device),
                ..of(job.shop)
            },
            Job::Offer(shop, ..) | Job::Withdraw(shop, ..) | Job::Open(shop, ..) => of(*shop),
            Job::Restore(returned, _) => of(returned.shop),
            Job::Branch(request, ..) => of(request.shop),
            Job::Readmit(shop, device, ..) => Asker {
                device: Some(*device),
                ..of(*shop)
            },
            Job::Claim(..) | Job::Join(..) | Job::Archive(..) => Asker::default(),
        }
    }

    /// Nothing was done. Whoever asked may be gone by now.
    fn refuse(self, refusal: Refusal) {
        match self {
            Job::Sync(_, reply) => drop(reply.send(Err(refusal))),
            Job::Claim(_, reply) => drop(reply.send(Err(refusal))),
            Job::Offer(_, _, reply) => drop(reply.send(Err(refusal))),
            Job::Withdraw(_, _, reply) => drop(reply.send(Err(refusal))),
            Job::Join(_, _, reply) => drop(reply.send(Err(refusal))),
            Job::Archive(_, reply) => drop(reply.send(Err(refusal))),
            Job::Restore(_, reply) => drop(reply.send(Err(refusal))),
            Job::Readmit(_, _, _, reply) => drop(reply.send(Err(refusal))),
            Job::Open(_, _, reply) => drop(reply.send(Err(refusal))),
            Job::Branch(_, _, reply) => drop(reply.send(Err(refusal))),
        }
    }
}

/// Something that a device pushed.
struct SyncJob {
    shop: ShopId,
    device: DeviceNo,
    request: SyncRequest,
}

/// What became of a push, and the shop after it.
pub struct Taken {
    /// The decision.
    pub judgement: Judgement,
    /// The shop as it was committed.
    pub record: Arc<ShopRecord>,
}

/// Where handlers leave what is to be done.
#[derive(Clone)]
pub struct Writer {
    entrance: Arc<Entrance>,
    recoveries: Arc<Recoveries>,
}

/// Closes the queue when nobody can leave anything any more.
struct Entrance(Arc<Queue<Job>>);

impl Drop for Entrance {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// Starts the task. It ends when the last [`Writer`] is gone and the queue is done.
    pub fn start(
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
        identity: Arc<Identity>,
        recoveries: Arc<Recoveries>,
    ) -> (Writer, JoinHandle<()>) {
        let queue = Arc::new(Queue::new(MAX_QUEUE));
        let entrance = Arc::new(Entrance(Arc::clone(&queue)));
        let task = Arc::new(Task {
            store,
            registry,
            identity,
            recoveries: Arc::clone(&recoveries),
        });
        let writer = Writer {
            entrance,
            recoveries,
        };
        (writer, tokio::spawn(run(task, queue)))
    }

    /// What may be missing after an older copy was put back.
    pub fn recoveries(&self) -> &Recoveries {
        &self.recoveries
    }

    /// Takes what a device pushed.
    ///
    /// # Errors
    ///
    /// As the judge refuses, or the queue is full, or it is unknown what was committed.
    pub async fn sync(
        &self,
        shop: ShopId,
        device: DeviceNo,
        request: SyncRequest,
    ) -> Result<Taken, Refusal> {
        let job = SyncJob {
            shop,
            device,
            request,
        };
        self.ask(|reply| Job::Sync(job, reply)).await
    }

    /// Takes this server for a shop.
    ///
    /// # Errors
    ///
    /// The code or the shop is not free.
    pub async fn claim(&self, request: ClaimRequest) -> Result<ClaimAnswer, Refusal> {
        self.ask(|reply| Job::Claim(request, reply)).await
    }

    /// Lets one more phone join.
    ///
    /// # Errors
    ///
    /// There are too many pairings under way.
    pub async fn offer(&self, shop: ShopId, offer: PairingOffer) -> Result<PairingRecord, Refusal> {
        self.ask(|reply| Job::Offer(shop, offer, reply)).await
    }

    /// Ends a pairing.
    ///
    /// # Errors
    ///
    /// It is unknown whether it ended.
    pub async fn withdraw(&self, shop: ShopId, pairing: Hash) -> Result<(), Refusal> {
        self.ask(|reply| Job::Withdraw(shop, pairing, reply)).await
    }

    /// Notes that a phone wants to join by the pairing with this hash.
    ///
    /// # Errors
    ///
    /// The pairing is unknown, lapsed or another phone's.
    pub async fn join(&self, pairing: Hash, request: JoinRequest) -> Result<(), Refusal> {
        self.ask(|reply| Job::Join(pairing, request, reply)).await
    }

    /// Commits a step of the archive.
    ///
    /// # Errors
    ///
    /// It is unknown whether it was made; the next look at the store tells.
    pub async fn archive(&self, change: Change) -> Result<(), Refusal> {
        self.ask(|reply| Job::Archive(change, reply)).await
    }

    /// Takes back a part of a log that `head` proves, in that life of the log, and gives the shop
    /// with it.
    ///
    /// # Errors
    ///
    /// It is not as the head says.
    pub async fn restore(
        &self,
        shop: ShopId,
        generation: Generation,
        head: TreeHead,
        part: Part,
    ) -> Result<ShopRecord, Refusal> {
        let returned = Returned {
            shop,
            generation,
            head,
            part,
        };
        self.ask(|reply| Job::Restore(returned, reply)).await
    }

    /// Lets the log go on in another life, and gives the shop with it.
    ///
    /// # Errors
    ///
    /// It is not an owner's word, or for another log.
    pub async fn open(
        &self,
        shop: ShopId,
        opened: GenerationOpened,
    ) -> Result<ShopRecord, Refusal> {
        self.ask(|reply| Job::Open(shop, opened, reply)).await
    }

    /// Takes the token of a device that has proved to be the one.
    ///
    /// # Errors
    ///
    /// The token is another's.
    pub async fn readmit(
        &self,
        shop: ShopId,
        device: DeviceNo,
        token: Token,
    ) -> Result<(), Refusal> {
        self.ask(|reply| Job::Readmit(shop, device, token, reply))
            .await
    }

    /// Registers a copy as a device of its own. Whether it comes from the copied device was checked;
    /// `around` is what the log holds where it says that it left the chain.
    ///
    /// # Errors
    ///
    /// It is no fork, or may not be registered.
    pub async fn branch(&self, request: BranchRequest, around: Around) -> Result<(), Refusal> {
        self.ask(|reply| Job::Branch(request, around, reply)).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let job = job(reply);
        if let Err((surplus, full)) = self.entrance.0.push(job.asker(), job) {
            surplus.refuse(busy(full));
        }
        answer.await.unwrap_or_else(|_| Err(unknown()))
    }
}

/// There is no room: the place that there would have been, and when there should be room.
fn busy(full: Full) -> Refusal {
    Refusal {
        place: Some(full.place),
        ..Refusal::after(Code::Busy, "the queue is full", full.retry_after_ms)
    }
}

/// Nobody knows whether it was stored.
fn unknown() -> Refusal {
    Refusal::after(
        Code::Unknown,
        "it is unknown whether this was stored: send it again",
        UNKNOWN_RETRY_MS,
    )
}

struct Task {
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    identity: Arc<Identity>,
    recoveries: Arc<Recoveries>,
}

/// Takes what waits until nobody can leave anything any more.
async fn run(task: Arc<Task>, queue: Arc<Queue<Job>>) {
    loop {
        let group = queue.next(MAX_GROUP).await;
        if group.is_empty() {
            return;
        }
        let working = Arc::clone(&task);
        // A task of its own: if a fault ends it, those who wait are told that nobody knows, and
        // the others' requests go on.
        if tokio::spawn(async move { working.take_all(group).await })
            .await
            .is_err()
        {
            tracing::error!("a fault ended a group of requests");
            task.registry.forget_all();
        }
        queue.done();
    }
}

impl Task {
    async fn take_all(&self, jobs: Vec<Job>) {
        let mut pushes = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Sync(job, reply) => pushes.push((job, reply)),
                // Rare, and decided on what is committed: what came before goes first.
                other => {
                    self.take(std::mem::take(&mut pushes)).await;
                    self.administer(other).await;
                }
            }
        }
        self.take(pushes).await;
    }

    async fn administer(&self, job: Job) {
        // Whoever asked may be gone by now; what was done stays done.
        match job {
            Job::Claim(request, reply) => drop(reply.send(self.claim(request).await)),
            Job::Offer(shop, offer, reply) => drop(reply.send(self.offer(shop, offer).await)),
            Job::Withdraw(shop, pairing, reply) => {
                drop(reply.send(self.withdraw(shop, pairing).await));
            }
            Job::Join(pairing, request, reply) => {
                drop(reply.send(self.join(pairing, request).await));
            }
            Job::Archive(change, reply) => {
                let committed = self.store.commit(&[change]).await;
                drop(reply.send(committed.map_err(|error| {
                    tracing::error!(%error, "it is unknown whether a segment was committed");
                    unknown()
                })));
            }
            Job::Restore(returned, reply) => drop(reply.send(self.take_back(returned).await)),
            Job::Readmit(shop, device, token, reply) => {
                drop(reply.send(self.readmit(shop, device, &token).await));
            }
            Job::Open(shop, opened, reply) => drop(reply.send(self.open(shop, &opened).await)),
            Job::Branch(request, around, reply) => {
                drop(reply.send(self.branch(request, around).await));
            }
            Job::Sync(job, reply) => self.take(vec![(job, reply)]).await,
        }
    }
}
