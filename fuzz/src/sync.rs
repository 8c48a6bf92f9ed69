//! What phones and servers send each other: read, judged and answered without a panic, and what a
//! server takes is always a log.

use std::collections::VecDeque;
use std::sync::LazyLock;

use shared::event::Role;
use shared::ids::DeviceNo;
use shared::sync::engine::{Input, Output, read_reply};
use shared::sync::judge::judge;
use shared::sync::wire::{MEDIA_TYPE, SyncAnswer, SyncRequest};
use shared::testing::device::{NOW, SHOP, Writer, enrolled, key, session, sign, verify};
use shared::testing::phone::{Disk, GENERATION, Phone};
use shared::testing::server::Server;

/// A server with a shop of two phones, one of which has not handed in all.
static SERVER: LazyLock<(Server, Writer)> = LazyLock::new(|| {
    let mut founder = Writer::founder();
    founder.write(enrolled(2, Role::Cashier));
    let mut server = Server::claimed(SHOP, GENERATION, key(1), key(0));
    let taken = server.sync(DeviceNo(1), &founder.ask_with(1, 3), NOW);
    taken.expect("a sound push");
    (server, founder)
});

/// The founding phone of the seeds, with its last events still to be sent.
pub fn founder() -> Writer {
    let mut founder = SERVER.1.clone();
    founder.write(enrolled(3, Role::Viewer));
    founder.write(session());
    founder
}

/// The server of the seeds, and its founding phone.
pub fn server() -> (Server, Writer) {
    SERVER.clone()
}

/// What the server of the seeds answers.
pub fn sound_answer(request: &SyncRequest) -> Option<SyncAnswer> {
    let mut server = SERVER.0.clone();
    server.sync(DeviceNo(1), request, NOW).ok()
}

pub fn request(bytes: &[u8]) {
    let Ok(request) = minicbor::decode::<SyncRequest>(bytes) else {
        return;
    };
    let before = &SERVER.0;
    for device in [0, 1, 2, 9].map(DeviceNo) {
        // Once with real signatures, once as if each were good: the judge is behind them.
        let mut server = before.clone();
        let _ = server.sync(device, &request, NOW);
        is_a_log(&server);
        let any = |_: &_, _: &[u8], _: &_| true;
        let state = &before.state;
        if let Ok(judged) = judge(state, device, &request, NOW, any) {
            let mut server = before.clone();
            server.commit(&request, &judged);
            let _ = server.answer(&request, &judged, NOW);
            is_a_log(&server);
        }
    }
}

/// Positions are dense, and the state has all of them.
fn is_a_log(server: &Server) {
    let mut next = 1;
    for chunk in &server.chunks {
        assert_eq!(chunk.position, next);
        let events = chunk.events.as_ref().map_or(0, Vec::len);
        assert_eq!(events, chunk.count as usize);
        assert!(chunk.count > 0);
        next += u64::from(chunk.count);
    }
    assert_eq!(server.state.log.size() + 1, next);
}

pub fn answer(bytes: &[u8]) {
    for status in [200, 401, 409, 422, 429, 500, 503] {
        let _ = read_reply(status, Some(MEDIA_TYPE), Some("5"), bytes);
        let _ = read_reply(status, Some("text/html"), None, bytes);
    }
    let Ok(answer) = read_reply(200, Some(MEDIA_TYPE), None, bytes) else {
        return;
    };
    let mut phone = Phone::new(Disk::new(founder()));
    let mut asked = false;
    let mut waiting = VecDeque::from(phone.start(true, 7));
    while let Some(output) = waiting.pop_front() {
        let outputs = match output {
            Output::Sign(ticket, message) => {
                let signature = Some(sign(&key(1), &message));
                phone.handle(Input::Signed(ticket, signature))
            }
            // The phone gets this answer, and none to what it asks after that.
            Output::Send(ticket, _) if !asked => {
                asked = true;
                phone.handle(Input::Answered(ticket, NOW, Box::new(answer.clone())))
            }
            Output::Verify(ticket, check) => {
                let sound = verify(&check.key, &check.message, &check.signature);
                phone.handle(Input::Verified(ticket, sound))
            }
            // What is stored goes on where the log ended, and can be folded.
            Output::Persist(ticket, batch) => match phone.persist(&batch) {
                true => phone.handle(Input::Persisted(ticket)),
                false => phone.handle(Input::PersistFailed(ticket)),
            },
            _ => Vec::new(),
        };
        waiting.extend(outputs);
    }
}
