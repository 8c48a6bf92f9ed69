//! Lines on which something else answers than the server: the sign-in page of a public network, a
//! proxy, or nothing to the end.

use std::time::Duration;

use device::http::{Address, CallError, Http, Reply};
use device::{DeviceError, today};
use reqwest::Method;
use shared::command::{AddCustomer, Details, GiveCredit};
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::sync::engine::{Failure, Problem, read_answer, read_segment};
use shared::sync::wire::SyncAnswer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{TestServer, found};

/// What public networks answer before a person has signed in.
const PORTALS: [&str; 9] = [
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<h1>Sign in</h1>",
    // It has no end, and neither has the next.
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<h1>Sign in</h1>",
    "HTTP/1.1 200 OK\r\n\r\n<h1>Sign in</h1>",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 302 Found\r\nlocation: http://login.example/?next=shop\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 307 Temporary Redirect\r\nlocation: /login\r\ncontent-type: text/html\r\n\r\n<h1>",
    "HTTP/1.1 401 Unauthorized\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<h1>",
    "HTTP/1.1 511 Network Authentication Required\r\ncontent-type: text/html\r\n\r\n<h1>Sign in",
    // A proxy that says what it was asked for.
    "HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\ncontent-length: 15\r\n\r\n<h1>Sign in</h1>",
];

/// The longest that anything of these may take; nobody waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Shorter than the wait that follows a few failures.
const IMPATIENT: Duration = Duration::from_secs(1);

/// A line to a server, on which something else answers as long as it is told to.
struct Line {
    url: String,
    portal: watch::Sender<Option<&'static str>>,
}

impl Line {
    async fn to(server: &str) -> Line {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (portal, told) = watch::channel(None);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut told = told.clone();
                let answers = *told.borrow_and_update();
                let server = server.clone();
                tokio::spawn(async move {
                    // What is under way ends when the one that answers changes.
                    tokio::select! {
                        () = pass(near, answers, &server) => {}
                        _ = told.changed() => {}
                    }
                });
            }
        });
        Line { url, portal }
    }

    fn answers(&self, with: Option<&'static str>) {
        self.portal.send_replace(with);
    }
}

async fn pass(mut near: TcpStream, answer: Option<&str>, server: &str) {
    let Some(answer) = answer else {
        let mut far = TcpStream::connect(server).await.expect("the server");
        let _ = copy_bidirectional(&mut near, &mut far).await;
        return;
    };
    let _ = near.read(&mut [0; 4096]).await;
    // For one request only, since this does not see where the next begins.
    let answer = answer.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let _ = near.write_all(answer.as_bytes()).await;
    // The line stays open.
    let _ = copy(&mut near, &mut sink()).await;
}

#[tokio::test]
async fn a_sign_in_page_is_no_answer_and_no_silence() {
    let line = Line::to("nowhere").await;
    let http = Http::new(Address::from(&line.url)).expect("an address");
    let http = http.with_patience(PATIENCE);
    let as_engine = |reply: &Reply| {
        read_answer::<SyncAnswer>(
            reply.status,
            reply.content_type.as_deref(),
            reply.retry_after.as_deref(),
            &reply.body,
        )
    };
    for portal in PORTALS {
        line.answers(Some(portal));
        let not_pakka = CallError::NotPakka(line.url.clone());
        let got = http.get::<u8>("pairings", None).await;
        assert_eq!(got, Err(not_pakka.clone()), "{portal}");
        let posted = http.post::<_, u8>("pairings", None, &1).await;
        assert_eq!(posted, Err(not_pakka), "{portal}");
        let sent = http.send(Method::POST, "sync", None, Some(vec![0])).await;
        let sent = as_engine(&sent.expect("it answers"));
        assert_eq!(sent, Err(Failure::NotOurServer), "{portal}");
        let fetched = http.fetch("segments/1-2", None).await.expect("it answers");
        let segment = read_segment(
            fetched.status,
            fetched.content_type.as_deref(),
            None,
            fetched.body,
        );
        assert_eq!(segment, Err(Failure::NotOurServer), "{portal}");
    }
}

#[tokio::test]
async fn a_device_behind_a_sign_in_page_keeps_everything_and_sends_it_afterwards() {
    let server = TestServer::start().await;
    let line = Line::to(&server.url).await;
    let mut owner = found();
    let claimed = owner.claim(&line.url, &server.claim_code).await;
    claimed.expect("claims");
    owner.sync_until_quiet().await.expect("syncs");
    let events = owner.execute(AddCustomer::named("Priya")).expect("adds");
    let priya = CustomerId(events[0].envelope.id);
    for (before, portal) in PORTALS.into_iter().enumerate() {
        line.answers(Some(portal));
        let credit = GiveCredit {
            details: Details::on(today()),
            customer: priya,
            amount: Paise(100),
            lines: Vec::new(),
            due: None,
        };
        owner.execute(credit).expect("gives");
        let stopped = owner.sync_watched(IMPATIENT, |_| {}).await;
        assert!(
            matches!(stopped, Err(DeviceError::SyncGaveUp(Problem::NotOurServer))),
            "{portal}: {stopped:?}"
        );
        assert_eq!(owner.waiting(), before as u32 + 2, "{portal}");
    }
    line.answers(None);
    owner.sync_until_quiet().await.expect("syncs");
    assert_eq!(owner.waiting(), 0);
    let helper = server.join(&mut owner, "Helper").await;
    let owed = helper.ledger().balance(priya).khata;
    assert_eq!(owed, Paise(100 * PORTALS.len() as i64));
}

#[tokio::test]
async fn a_line_that_stays_open_in_the_middle_of_an_answer_ends_the_call() {
    for half in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\ncontent-length: 100\r\n\r\nhalf",
    ] {
        let line = Line::to("nowhere").await;
        line.answers(Some(half));
        let http = Http::new(Address::from(&line.url)).expect("an address");
        let http = http.with_patience(Duration::from_millis(300));
        let unreachable = http.get::<u8>("pairings", None).await;
        assert_eq!(unreachable, Err(CallError::Unreachable(line.url)));
    }
}
