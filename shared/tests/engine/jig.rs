//! A phone and a server on one bench, and hands to move messages between them.

use std::collections::VecDeque;

use shared::event::{Body, CreditGiven, Particulars, Role};
use shared::ids::{CustomerId, EventId};
use shared::money::Paise;
use shared::sync::engine::{Activity, Batch, Failure, Input, Output, Problem, Ticket, read_reply};
use shared::sync::wire::{MEDIA_TYPE, SyncAnswer, SyncRequest};
use shared::testing::device::{NOW, SHOP, Writer, enrolled, key, sign, verify};
use shared::testing::phone::{Disk, GENERATION, Phone};
use shared::testing::server::Server;

/// The server of a shop whose founding phone has claimed it.
pub fn server() -> Server {
    Server::claimed(SHOP, GENERATION, key(1), key(0))
}

/// The founding phone, which wrote two events before there was a server.
pub fn founder() -> Phone {
    Phone::new(Disk::new(Writer::founder()))
}

pub fn phone(number: u32) -> Phone {
    Phone::new(Disk::new(Writer::new(number)))
}

/// A shop with two phones that are in step with the server.
pub fn two_phones() -> (Server, Phone, Phone) {
    let (mut server, mut one, mut two) = (server(), founder(), phone(2));
    start(&mut one, &mut server);
    write(&mut one, &mut server, enrolled(2, Role::Cashier));
    start(&mut two, &mut server);
    (server, one, two)
}

pub fn credit(rupees: i64) -> Body {
    Body::from(CreditGiven {
        particulars: Particulars::on(NOW.day()),
        customer: CustomerId(EventId::new(1, 3)),
        amount: Paise::from_rupees(rupees).expect("small"),
        lines: None,
        due: None,
    })
}

pub fn start(phone: &mut Phone, server: &mut Server) -> Vec<Output> {
    let outputs = phone.start(true, 7);
    settle(phone, server, outputs)
}

pub fn write(phone: &mut Phone, server: &mut Server, body: impl Into<Body>) -> Vec<Output> {
    let outputs = phone.append(vec![body.into()], Vec::new());
    settle(phone, server, outputs)
}

/// Tells the phone, and lets everything that follows go well.
pub fn tell(phone: &mut Phone, server: &mut Server, input: Input) -> Vec<Output> {
    let outputs = phone.handle(input);
    settle(phone, server, outputs)
}

/// Does what the outputs say, and what follows from it, until the phone rests. Gives all outputs.
pub fn settle(phone: &mut Phone, server: &mut Server, outputs: Vec<Output>) -> Vec<Output> {
    let (mut queue, mut done) = (VecDeque::from(outputs), Vec::new());
    while let Some(output) = queue.pop_front() {
        let next = match &output {
            Output::Send(ticket, request) => match server.sync(phone.number(), request, NOW) {
                Ok(answer) => answered(phone, *ticket, answer),
                Err(reason) => phone.handle(Input::Failed(*ticket, reason.into())),
            },
            Output::Restore(ticket, request) => match server.restore(request) {
                Ok(answer) => phone.handle(Input::Restored(*ticket, Box::new(answer))),
                Err(reason) => phone.handle(Input::Failed(*ticket, reason.into())),
            },
            Output::Readmit(ticket, challenge) => {
                let done = match phone.claim_again() {
                    Some(claim) => server.branch(&claim, NOW, 0),
                    None => server.readmit(&phone.readmit(challenge), 0),
                };
                match done {
                    Ok(()) => phone.handle(Input::Readmitted(*ticket)),
                    Err(reason) => phone.handle(Input::Failed(*ticket, reason.into())),
                }
            }
            Output::Branch(ticket, fork) => {
                let secret = 100 + server.state.log.size() as u32;
                let claim = phone.claim(*fork, secret);
                match server.branch(&claim, NOW, 0) {
                    Ok(()) => phone.handle(Input::Branched(*ticket)),
                    Err(reason) => phone.handle(Input::Failed(*ticket, reason.into())),
                }
            }
            Output::Persist(_, batch) if batch.branch.is_some() && phone.persist(batch) => {
                phone.crash();
                phone.start(true, 7)
            }
            Output::Fetch(ticket, name) => match server.segment(*name) {
                Some(bytes) => phone.handle(Input::Fetched(*ticket, bytes)),
                None => {
                    let code = "not_found".to_owned();
                    phone.handle(Input::Failed(*ticket, Failure::Refused(code)))
                }
            },
            other => local(phone, other),
        };
        queue.extend(next);
        done.push(output);
        assert!(done.len() < 10_000, "it never rests");
    }
    done
}

/// Does what needs no network.
pub fn local(phone: &mut Phone, output: &Output) -> Vec<Output> {
    match output {
        Output::Sign(ticket, message) => {
            let signature = sign(&phone.disk.writer.key, message);
            phone.handle(Input::Signed(*ticket, Some(signature)))
        }
        Output::Verify(ticket, check) => {
            let sound = verify(&check.key, &check.message, &check.signature);
            phone.handle(Input::Verified(*ticket, sound))
        }
        Output::Persist(ticket, batch) => {
            let input = match phone.persist(batch) {
                true => Input::Persisted(*ticket),
                false => Input::PersistFailed(*ticket),
            };
            phone.handle(input)
        }
        Output::Reload(first_seq) => {
            let events = phone.own_from(*first_seq);
            phone.handle(Input::Appended {
                first_seq: *first_seq,
                events,
                keys: Vec::new(),
            })
        }
        Output::Recall(ticket, after) => {
            let chunks = phone.recall(*after);
            phone.handle(Input::Recalled(*ticket, chunks))
        }
        Output::RecallKeys => {
            let keys = phone.keys_held();
            phone.handle(Input::KeysHeld(keys))
        }
        Output::Send(..)
        | Output::Fetch(..)
        | Output::Restore(..)
        | Output::Readmit(..)
        | Output::Branch(..)
        | Output::SetTimer(..)
        | Output::Status(_) => Vec::new(),
    }
}

/// Lets everything go well until the phone asks for something: gives that, undone.
pub fn until<T>(
    phone: &mut Phone,
    server: &mut Server,
    outputs: Vec<Output>,
    found: impl Fn(&Output) -> Option<T>,
) -> T {
    let mut queue = VecDeque::from(outputs);
    while let Some(output) = queue.pop_front() {
        if let Some(found) = found(&output) {
            return found;
        }
        let next = match &output {
            Output::Send(ticket, request) => {
                let answer = server.sync(phone.number(), request, NOW);
                answered(phone, *ticket, answer.expect("an answer"))
            }
            other => local(phone, other),
        };
        queue.extend(next);
    }
    panic!("it did not ask");
}

/// Lets everything local happen until the phone sends a request.
pub fn until_sent(phone: &mut Phone, outputs: Vec<Output>) -> (Ticket, SyncRequest) {
    let mut queue = VecDeque::from(outputs);
    while let Some(output) = queue.pop_front() {
        if let Output::Send(ticket, request) = output {
            return (ticket, *request);
        }
        let next = local(phone, &output);
        queue.extend(next);
    }
    panic!("nothing was sent");
}

/// The answer goes through bytes, as it does on a line.
pub fn answered(phone: &mut Phone, ticket: Ticket, answer: SyncAnswer) -> Vec<Output> {
    let bytes = minicbor::to_vec(&answer).expect("in memory");
    let answer = read_reply(200, Some(MEDIA_TYPE), None, &bytes).expect("an answer");
    phone.handle(Input::Answered(ticket, NOW, Box::new(answer)))
}

pub fn requests(outputs: &[Output]) -> Vec<&SyncRequest> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send(_, request) => Some(&**request),
        _ => None,
    });
    sent.collect()
}

pub fn batches(outputs: &[Output]) -> Vec<&Batch> {
    let stored = outputs.iter().filter_map(|output| match output {
        Output::Persist(_, batch) => Some(&**batch),
        _ => None,
    });
    stored.collect()
}

/// The timer that runs last, which is the one that counts.
pub fn timer(outputs: &[Output]) -> (Ticket, u32) {
    let timers = outputs.iter().rev().find_map(|output| match output {
        Output::SetTimer(ticket, wait_ms) => Some((*ticket, *wait_ms)),
        _ => None,
    });
    timers.expect("every wait has a timer")
}

pub fn activity(phone: &Phone) -> Activity {
    phone.engine().status().activity
}

pub fn problem(phone: &Phone) -> Option<Problem> {
    phone.engine().status().problem
}
