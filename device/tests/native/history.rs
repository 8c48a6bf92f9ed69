//! Catching up with a long log, over lines that break.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use device::http::{Address, Http};
use device::today;
use shared::command::{AddCustomer, Details, GiveCredit};
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::sync::segment;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::TestServer;

/// A line to a server whose first connections break after so many bytes each. Gives its address,
/// and how many bytes came through in all.
async fn weak_line(server: &str, breaks_after: Vec<usize>) -> (String, Arc<AtomicUsize>) {
    let server = server.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let through = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&through);
    tokio::spawn(async move {
        let mut breaks_after = breaks_after.into_iter();
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(&server).await.expect("the server");
            let room = breaks_after.next().unwrap_or(usize::MAX);
            tokio::spawn(pass_on(near, far, room, Arc::clone(&counted)));
        }
    });
    (format!("http://{address}"), through)
}

async fn pass_on(near: TcpStream, far: TcpStream, mut room: usize, through: Arc<AtomicUsize>) {
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut near_in, &mut far_out).await;
    });
    let mut buffer = [0; 1024];
    while room > 0 {
        let most = room.min(buffer.len());
        match far_in.read(&mut buffer[..most]).await {
            Ok(count) if count > 0 && near_out.write_all(&buffer[..count]).await.is_ok() => {
                through.fetch_add(count, Ordering::Relaxed);
                room -= count;
            }
            _ => break,
        }
    }
}

/// A shop with 7,000 entries, the oldest of them sealed.
async fn long_log(server: &TestServer) -> device::Device {
    let mut owner = server.founder().await;
    let events = owner.execute(AddCustomer::named("Priya")).expect("adds");
    let customer = CustomerId(events[0].envelope.id);
    for number in 1..=7_000_u32 {
        // Amounts in which nobody finds an order.
        let hash = shared::chain::digest(&[&number.to_be_bytes()]);
        let amount = u16::from_be_bytes([hash.0[0], hash.0[1]]);
        let credit = GiveCredit {
            details: Details::on(today()),
            customer,
            amount: Paise(1 + i64::from(amount)),
            lines: Vec::new(),
            due: None,
        };
        owner.execute(credit).expect("gives");
    }
    owner.sync_until_quiet().await.expect("syncs");
    let steps = server.running.archive().seal_all().await;
    assert_eq!(steps.expect("sealed"), 2, "one segment");
    owner
}

#[tokio::test]
async fn a_new_device_reads_sealed_history_and_has_the_same_books() {
    let server = TestServer::start().await;
    let mut owner = long_log(&server).await;
    let helper = server.join(&mut owner, "Helper").await;
    assert_eq!(helper.ledger().checksum(), owner.ledger().checksum());
    let traffic = helper.traffic();
    // The segment, and an answer before and after it.
    assert!(traffic.requests <= 5, "{traffic:?}");
    assert!(traffic.received_bytes < 100_000, "{traffic:?}");
}

#[tokio::test]
async fn a_line_that_breaks_in_the_middle_of_a_segment_brings_only_the_rest_again() {
    let server = TestServer::start().await;
    let owner = long_log(&server).await;
    let token = owner.token();
    let straight = Http::new(Address::from(&server.url)).expect("an address");
    let names = straight
        .send(reqwest::Method::GET, "segments", Some(token), None)
        .await;
    let names: serde_json::Value =
        serde_json::from_slice(&names.expect("listed").body).expect("JSON");
    let path = format!("segments/{}-{}", names[0]["first"], names[0]["last"]);
    let whole = straight.fetch(&path, Some(token)).await.expect("fetched");
    assert!(segment::read(&whole.body).is_ok());

    let length = whole.received_bytes;
    assert!(length > 6_000, "longer than the heads of answers: {length}");
    let (url, through) = weak_line(&server.url, vec![length / 2, 1_500 + length / 3]).await;
    let weak = Http::new(Address::from(&url)).expect("an address");
    let fetched = weak.fetch(&path, Some(token)).await.expect("fetched");
    assert_eq!(fetched.body, whole.body);
    assert_eq!(fetched.received_bytes, length);
    let through = through.load(Ordering::Relaxed);
    // Three answers' heads beside the segment once.
    assert!(through < length + 3 * 1_500, "{through} bytes for {length}");
}
