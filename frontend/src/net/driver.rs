//! Does what the sync engine says, in the one tab that syncs.
//!
//! Everything that may take time runs beside the screen; the engine ignores what comes too late.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_net::http::Method;
use minicbor::Decode;
use shared::calendar::TimeMs;
use shared::ids::DeviceNo;
use shared::sync::engine::{
    Engine, Failure, Input, Output, Stored, Ticket, read_answer, read_segment,
};
use shared::sync::segment::packed;
use shared::sync::wire::{
    BranchAnswer, MEDIA_TYPE, RestoreAnswer, SegmentName, SyncAnswer, SyncRequest,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

use super::hints::Hints;
use super::http::{Address, Reply};
use super::returning;
use crate::crypto;
use crate::store::StoreError;
use crate::store::fold::made_keys;
use crate::store::live::Live;
use crate::store::records::encode;
use crate::store::shop::now;
use crate::store::status::Contact;

const SYNC: &str = "/api/v1/sync";
const SEGMENTS: &str = "/api/v1/segments";
const RESTORE: &str = "/api/v1/restore";
const READMIT: &str = "/api/v1/readmit";
const BRANCH: &str = "/api/v1/branch";

/// The most bytes of events that one answer may bring: the engine checks an answer in one go, and a
/// cheap phone shall do that between two frames that a person sees.
const WANT_BYTES: u32 = 256 * 1024;

/// The engine and what it has under way.
pub(crate) struct Driver {
    device: DeviceNo,
    live: Weak<Live>,
    engine: RefCell<Engine>,
    server: Address,
    timer: RefCell<Option<Timer>>,
    request: RefCell<Option<AbortController>>,
    last_answer: Cell<Option<TimeMs>>,
    /// The server said that it reads packed requests.
    reads_packed: Cell<bool>,
    events: RefCell<Vec<WindowListener>>,
    hints: RefCell<Option<Hints>>,
}

impl Driver {
    /// Starts the engine with what storage holds.
    pub(crate) async fn start(live: &Rc<Live>) -> Result<Rc<Driver>, StoreError> {
        let _turn = live.turns().take().await;
        live.read_news(true).await?;
        let loaded = live.db.load_after(u64::MAX, 0).await?;
        let loaded = loaded.ok_or(StoreError::Gone)?;
        let identity = loaded.identity;
        let (Some(server), Some(cursor)) = (identity.server, loaded.cursor) else {
            return Err(StoreError::Damaged("server"));
        };
        let keys = loaded.tail.iter().flat_map(|run| {
            let keys = made_keys(run, &loaded.keys).into_iter();
            run.keys.iter().map(|made| made.seq).zip(keys)
        });
        let stored = Stored {
            key: identity.key,
            cursor,
            keys: keys.collect(),
            outbox: loaded
                .tail
                .iter()
                .flat_map(|run| run.events.clone())
                .collect(),
        };
        let seed = u64::from_le_bytes(crypto::random());
        let address = Address {
            url: server.url,
            token: Some(server.token),
        };
        let driver = Rc::new(Driver {
            device: identity.device,
            live: Rc::downgrade(live),
            engine: RefCell::new(Engine::new(identity.device, stored, seed)),
            server: address,
            timer: RefCell::new(None),
            request: RefCell::new(None),
            last_answer: Cell::new(live.contact().last_answer),
            reads_packed: Cell::new(false),
            events: RefCell::new(Vec::new()),
            hints: RefCell::new(None),
        });
        driver.listen();
        driver.input(Input::Started { online: online() });
        *driver.hints.borrow_mut() = Some(Hints::follow(&driver));
        Ok(driver)
    }

    /// The server.
    pub(super) const fn server(&self) -> &Address {
        &self.server
    }

    /// Tells the engine what happened, and does what it says.
    pub(crate) fn input(self: &Rc<Driver>, input: Input) {
        let outputs = self.engine.borrow_mut().handle(input);
        for output in outputs {
            self.perform(output);
        }
    }

    fn perform(self: &Rc<Driver>, output: Output) {
        let Some(live) = self.live.upgrade() else {
            return;
        };
        let driver = self.clone();
        match output {
            Output::Sign(ticket, message) => spawn_local(async move {
                let signature = live.key.sign(&message).await.ok();
                driver.input(Input::Signed(ticket, signature));
            }),
            Output::Verify(ticket, check) => spawn_local(async move {
                let sound = crypto::verify(&check.key, &check.message, &check.signature).await;
                driver.input(Input::Verified(ticket, sound == Ok(true)));
            }),
            Output::Fetch(ticket, name) => self.fetch(ticket, name),
            Output::Send(ticket, mut request) => {
                request.want_bytes = request.want_bytes.min(WANT_BYTES);
                let body = self.packed(&request);
                self.ask(SYNC, body, ticket, move |driver, answer: SyncAnswer| {
                    driver.last_answer.set(Some(now()));
                    driver.reads_packed.set(answer.packed.is_some());
                    Input::Answered(ticket, now(), Box::new(answer))
                });
            }
            Output::Restore(ticket, request) => {
                let body = (MEDIA_TYPE, encode(&request));
                self.ask(RESTORE, body, ticket, move |_, answer| {
                    Input::Restored(ticket, Box::new(answer))
                });
            }
            Output::Readmit(ticket, challenge) => spawn_local(async move {
                if let Some(claim) = returning::claim_again(&live).await {
                    return driver.ask_branch(claim, ticket, Input::Readmitted);
                }
                match returning::readmission(&live, &challenge).await {
                    Some(request) => {
                        driver.ask(
                            READMIT,
                            (MEDIA_TYPE, request),
                            ticket,
                            move |_, _: RestoreAnswer| Input::Readmitted(ticket),
                        );
                    }
                    None => driver.input(Input::Failed(ticket, Failure::NotKnown)),
                }
            }),
            Output::Recall(ticket, after) => spawn_local(async move {
                let chunks = returning::recall(&live, after).await;
                driver.input(Input::Recalled(ticket, chunks));
            }),
            Output::Branch(ticket, fork) => spawn_local(async move {
                match returning::claim(&live, fork).await {
                    Some(claim) => driver.ask_branch(claim, ticket, Input::Branched),
                    None => driver.input(Input::Failed(ticket, Failure::Unreachable)),
                }
            }),
            Output::RecallKeys => spawn_local(async move {
                let keys = returning::keys(&live).await;
                driver.input(Input::KeysHeld(keys));
            }),
            Output::Persist(ticket, batch) => spawn_local(async move {
                let kept = live.take(&batch).await;
                driver.input(match kept {
                    Ok(()) => Input::Persisted(ticket),
                    Err(_) => Input::PersistFailed(ticket),
                });
            }),
            Output::SetTimer(ticket, wait_ms) => {
                // Weak: a timer must not keep alive what keeps the timer.
                let driver = Rc::downgrade(self);
                let ring = move || {
                    if let Some(driver) = driver.upgrade() {
                        driver.input(Input::TimerFired(ticket));
                    }
                };
                *self.timer.borrow_mut() = Timer::after(wait_ms, ring);
            }
            Output::Reload(first_seq) => spawn_local(async move {
                if let Ok(news) = live.db.news(first_seq, u64::MAX, true).await {
                    for run in news.tail {
                        driver.input(Input::Appended {
                            first_seq: run.first_seq,
                            keys: made_keys(&run, &news.keys),
                            events: run.events,
                        });
                    }
                }
            }),
            Output::Status(status) => live.set_contact(Contact {
                status,
                last_answer: self.last_answer.get(),
            }),
        }
    }

    /// A request as it is sent: in few bytes, if the server reads that.
    fn packed(&self, request: &SyncRequest) -> (&'static str, Vec<u8>) {
        let packed = match self.reads_packed.get() {
            true => packed::pack(self.device, request),
            false => None,
        };
        match packed {
            Some(bytes) => (packed::MEDIA_TYPE, bytes),
            None => (MEDIA_TYPE, encode(request)),
        }
    }

    /// Sends what the engine asks, in the place of what is under way, and tells it what came.
    fn ask<A: for<'b> Decode<'b, ()>>(
        self: &Rc<Driver>,
        path: &'static str,
        body: (&'static str, Vec<u8>),
        ticket: Ticket,
        answered: impl FnOnce(&Driver, A) -> Input + 'static,
    ) {
        let Some(signal) = self.only_request() else {
            return self.input(Input::Failed(ticket, Failure::Unreachable));
        };
        let driver = self.clone();
        spawn_local(async move {
            let (media_type, bytes) = &body;
            let body = Some((*media_type, bytes.as_slice()));
            let reply = driver.server.send_as(Method::POST, path, body, &signal);
            let answer = match reply.await {
                Some(reply) => read(&reply),
                None => Err(Failure::Unreachable),
            };
            if answer.is_err() && *media_type == packed::MEDIA_TYPE {
                // Should that be the reason: the next try is a plain one.
                driver.reads_packed.set(false);
            }
            driver.input(match answer {
                Ok(answer) => answered(&driver, answer),
                Err(failure) => Input::Failed(ticket, failure),
            });
        });
    }

    /// A copy asks to be a device of its own.
    fn ask_branch(self: &Rc<Driver>, claim: Vec<u8>, ticket: Ticket, done: fn(Ticket) -> Input) {
        let body = (MEDIA_TYPE, claim);
        self.ask(BRANCH, body, ticket, move |_, _: BranchAnswer| done(ticket));
    }

    /// Fetches a segment; the browser makes it long again.
    fn fetch(self: &Rc<Driver>, ticket: Ticket, name: SegmentName) {
        let Some(signal) = self.only_request() else {
            return self.input(Input::Failed(ticket, Failure::Unreachable));
        };
        let driver = self.clone();
        spawn_local(async move {
            let path = format!("{SEGMENTS}/{name}");
            let fetched = match driver.server.send(Method::GET, &path, None, &signal).await {
                Some(reply) => read_segment(
                    reply.status,
                    reply.content_type.as_deref(),
                    reply.retry_after.as_deref(),
                    reply.body,
                ),
                None => Err(Failure::Unreachable),
            };
            driver.input(match fetched {
                Ok(bytes) => Input::Fetched(ticket, bytes),
                Err(failure) => Input::Failed(ticket, failure),
            });
        });
    }

    /// The signal that ends the next request; the one before it is given up.
    fn only_request(&self) -> Option<AbortSignal> {
        let controller = AbortController::new().ok()?;
        let signal = controller.signal();
        if let Some(earlier) = self.request.replace(Some(controller)) {
            earlier.abort();
        }
        Some(signal)
    }

    /// Hears of the network and of a screen that is looked at again.
    fn listen(self: &Rc<Driver>) {
        let tell = |input: fn() -> Option<Input>| {
            let driver = Rc::downgrade(self);
            move || {
                if let (Some(driver), Some(input)) = (driver.upgrade(), input()) {
                    driver.input(input);
                }
            }
        };
        let events = [
            WindowListener::on("online", tell(|| Some(Input::Online))),
            WindowListener::on("offline", tell(|| Some(Input::Offline))),
            // Timers hardly run in a hidden tab.
            WindowListener::on(
                "visibilitychange",
                tell(|| visible().then_some(Input::Online)),
            ),
        ];
        *self.events.borrow_mut() = events.into_iter().flatten().collect();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            request.abort();
        }
    }
}

fn read<A: for<'b> Decode<'b, ()>>(reply: &Reply) -> Result<A, Failure> {
    read_answer(
        reply.status,
        reply.content_type.as_deref(),
        reply.retry_after.as_deref(),
        &reply.body,
    )
}

fn online() -> bool {
    web_sys::window().is_some_and(|window| window.navigator().on_line())
}

pub(crate) fn visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| !document.hidden())
}

/// A timer; void when dropped.
pub(super) struct Timer {
    id: i32,
    _ring: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `ring` once after so many milliseconds.
    pub(super) fn after(wait_ms: u32, ring: impl FnOnce() + 'static) -> Option<Timer> {
        let ring = Closure::once(ring);
        let wait_ms = i32::try_from(wait_ms).unwrap_or(i32::MAX);
        let id = web_sys::window()?
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                ring.as_ref().unchecked_ref(),
                wait_ms,
            )
            .ok()?;
        Some(Timer { id, _ring: ring })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.clear_timeout_with_handle(self.id);
        }
    }
}

/// Something that the window tells; no more when dropped.
pub(crate) struct WindowListener {
    event: &'static str,
    told: Closure<dyn FnMut()>,
}

impl WindowListener {
    /// Calls `told` whenever it happens.
    pub(crate) fn on(event: &'static str, told: impl FnMut() + 'static) -> Option<WindowListener> {
        let told = Closure::<dyn FnMut()>::new(told);
        web_sys::window()?
            .add_event_listener_with_callback(event, told.as_ref().unchecked_ref())
            .ok()?;
        Some(WindowListener { event, told })
    }
}

impl Drop for WindowListener {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            let told = self.told.as_ref().unchecked_ref();
            let _ = window.remove_event_listener_with_callback(self.event, told);
        }
    }
}
