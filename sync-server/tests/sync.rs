//! What phones send each other through the server.

mod jig;

use jig::{Phone, Server};
use reqwest::Method;
use shared::bytes::Fixed;
use shared::chain::digest;
use shared::event::Role;
use shared::ids::{DeviceNo, EventId};
use shared::sync::segment::packed;
use shared::sync::wire::{Advice, PushResult, ResultRun, SealingKey, SyncRequest, Verdict};

fn key(number: u8) -> SealingKey {
    SealingKey {
        id: Fixed([number; 16]),
        key: Some(Fixed([number; 32])),
    }
}

#[tokio::test]
async fn what_two_phones_write_stands_in_one_order_on_both() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    for _ in 0..3 {
        owner.credit();
        owner.credit();
        helper.credit();
        owner.sync().await;
        helper.sync().await;
    }
    owner.sync().await;
    assert_eq!(owner.log, helper.log, "the same root over the same events");
    assert_eq!(owner.entries(), helper.entries());
    assert_eq!(owner.entries().len(), 2 + 1 + 9);
    assert!(
        owner
            .entries()
            .iter()
            .all(|(_, verdict)| *verdict == Verdict::Accepted)
    );
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_a_duplicate_the_second_time() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    owner.credit();
    let request = owner.ask_all();
    let first = owner.send(&request).await.expect("taken");
    let lost = owner.send(&request).await.expect("taken before");
    assert_eq!(
        results(&first.results),
        [(3, 1, PushResult::Stored(Verdict::Accepted))]
    );
    assert_eq!(results(&lost.results), [(3, 1, PushResult::Duplicate)]);
    assert_eq!(lost.head, first.head, "nothing was added");

    owner.credit();
    let both = SyncRequest {
        push: Some(owner.push(3, 4)),
        ..owner.ask()
    };
    let answer = owner.send(&both).await.expect("taken");
    let expected = [
        (3, 1, PushResult::Duplicate),
        (4, 1, PushResult::Stored(Verdict::Accepted)),
    ];
    assert_eq!(results(&answer.results), expected);
    owner.read(&answer);
    assert_eq!(owner.entries().len(), 4);
}

#[tokio::test]
async fn one_bad_event_blocks_no_other() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    helper.credit();
    helper.write_bytes(vec![0xff, 0, 1]);
    helper.revoke(DeviceNo::FOUNDER);
    helper.credit();
    let answer = helper.sync().await;
    let expected = [
        (1, 1, PushResult::Stored(Verdict::Accepted)),
        (2, 1, PushResult::Stored(Verdict::QuarantinedMalformed)),
        (3, 1, PushResult::Stored(Verdict::QuarantinedForbidden)),
        (4, 1, PushResult::Stored(Verdict::Accepted)),
    ];
    assert_eq!(results(&answer.results), expected);
    assert_eq!(answer.standing.advice, Advice::None);
    owner.sync().await;
    assert_eq!(owner.log, helper.log, "every phone keeps them all");
}

#[tokio::test]
async fn a_thousand_events_at_once_are_read_in_pieces() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    for _ in 0..20 {
        for _ in 0..50 {
            owner.credit();
        }
        owner.sync().await;
    }
    let mut reader = owner.bring_in(Role::Viewer).await;
    let mut rounds = 0;
    loop {
        let request = SyncRequest {
            want_bytes: 5_000,
            ..reader.ask()
        };
        let answer = reader.send(&request).await.expect("answered");
        let events = answer
            .chunks
            .iter()
            .filter_map(|chunk| chunk.events.as_ref());
        let bytes: usize = events.flatten().map(|event| event.0.len()).sum();
        assert!(bytes <= 5_000, "no more than was asked for");
        reader.read(&answer);
        rounds += 1;
        if !answer.more {
            break;
        }
    }
    assert!(rounds > 5);
    assert_eq!(reader.log, owner.log);
}

#[tokio::test]
async fn a_copy_of_a_phone_is_seen_before_it_writes_over_anything() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut copy = Phone::new(&server.url());
    copy.token = owner.token;
    copy.shop = owner.shop;
    copy.key = device::keys::KeyPair::from_pkcs8(owner.key.pkcs8()).expect("the same key");
    for bytes in owner.events.clone() {
        copy.write_bytes(bytes.0);
    }
    owner.credit();
    owner.sync().await;
    copy.write(shared::testing::device::session());
    let request = SyncRequest {
        generation: None,
        push: Some(copy.push(3, 3)),
        ..copy.ask()
    };
    let answer = copy.send(&request).await.expect("answered");
    assert_eq!(answer.standing.advice, Advice::Fork);
    assert_eq!(results(&answer.results), [(3, 1, PushResult::NotStored)]);
    let size = answer.head.size;
    assert_eq!(owner.log.size(), size);
}

#[tokio::test]
async fn an_idle_sync_is_short_both_ways() {
    let server = Server::new().await;
    let owner = server.shop().await;
    let body = minicbor::to_vec(owner.ask()).expect("encodes");
    assert!(body.len() <= 300, "{} bytes sent", body.len());
    let request = owner
        .request(Method::POST, "/api/v1/sync")
        .header("content-type", "application/cbor");
    let answer = request.body(body).send().await.expect("answered");
    let body = answer.bytes().await.expect("whole");
    assert!(body.len() <= 300, "{} bytes answered", body.len());
}

#[tokio::test]
async fn shops_on_one_server_are_strictly_apart() {
    let server = Server::new().await;
    let mut first = server.shop().await;
    let mut second = server.shop().await;
    first.credit();
    first.new_keys = vec![key(1)];
    first.sync().await;
    second.sync().await;
    assert_eq!(second.log.size(), 2, "nothing of the other shop");
    assert_eq!(second.keys, []);

    // The same key name in another shop is another key.
    let other = SealingKey {
        key: Some(Fixed([9; 32])),
        ..key(1)
    };
    second.new_keys = vec![other.clone()];
    second.sync().await;
    first.sync().await;
    assert_eq!((&first.keys, &second.keys), (&vec![key(1)], &vec![other]));

    // Events of one shop sent with the token of another.
    let foreign = SyncRequest {
        generation: None,
        position: 0,
        root: digest(&[]),
        ..first.ask_all()
    };
    let pushed = SyncRequest {
        push: Some(first.push(1, 3)),
        ..foreign
    };
    let answer = second.send(&pushed).await;
    let advice = answer.as_ref().map(|answer| answer.standing.advice);
    assert_eq!(advice, Ok(Advice::Fork), "another chain than this shop's");
    second.sync().await;
    assert_eq!(second.log.size(), 2, "and nothing of it was stored");

    // A pairing of one shop cannot be ended or seen by the other.
    let secret = [5; 16];
    first
        .offer(&secret, "7K3M90QX", Role::Cashier)
        .await
        .expect("offered");
    second
        .withdraw(digest(&[&secret]))
        .await
        .expect("nothing to end");
    assert_eq!(second.pairings().await.expect("its own").len(), 0);
    assert_eq!(first.pairings().await.expect("its own").len(), 1);
}

#[tokio::test]
async fn a_server_that_was_stopped_knows_everything_when_it_starts_again() {
    let mut server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    owner.credit();
    owner.new_keys = vec![key(1)];
    owner.sync().await;
    server.stop().await;
    server.start().await;
    helper.credit();
    helper.sync().await;
    owner.sync().await;
    assert_eq!(owner.log, helper.log);
    assert_eq!(helper.keys, [key(1)]);
}

#[tokio::test]
async fn many_phones_push_at_once_and_every_position_is_given_once() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut phones = Vec::new();
    for _ in 0..6 {
        phones.push(owner.bring_in(Role::Cashier).await);
    }
    let mut tasks = Vec::new();
    for mut phone in phones {
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                phone.credit();
                phone.sync().await;
            }
            phone
        }));
    }
    for task in tasks {
        task.await.expect("every phone is done");
    }
    owner.sync().await;
    let mut ids: Vec<EventId> = owner.entries().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 2 + 6 + 6 * 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2 + 6 + 6 * 20, "no event twice");
}

#[tokio::test]
async fn the_log_can_be_read_as_json_with_sealed_texts_still_sealed() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    owner.write(shared::testing::samples::event(shared::event::Kind::CustomerAdded, true).body);
    owner.write_bytes(vec![0xff]);
    owner.sync().await;
    let read = async |query: &str| -> serde_json::Value {
        let path = format!("/api/v1/log?{query}");
        let answer = owner
            .request(Method::GET, &path)
            .send()
            .await
            .expect("answered");
        assert_eq!(answer.headers()["content-type"], "application/json");
        let text = answer.text().await.expect("whole");
        serde_json::from_str(&text).expect("JSON")
    };
    let all = read("after=0").await;
    assert_eq!(all["events"].as_array().map(Vec::len), Some(4));
    assert_eq!(all["events"][0]["event"]["kind"], "shop_opened");
    assert_eq!(all["events"][2]["event"]["kind"], "customer_added");
    assert!(
        all["events"][2]["event"]["body"]["name"]["bytes"].is_string(),
        "sealed"
    );
    assert_eq!(all["events"][3]["verdict"], "quarantined_malformed");
    assert_eq!(all["events"][3]["unread"], "ff");
    assert_eq!((&all["last"], &all["head"]["size"]), (&4.into(), &4.into()));

    let page = read("after=1&limit=2").await;
    assert_eq!(page["events"][0]["id"], "1-2");
    assert_eq!(page["events"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["last"], 3);
    assert_eq!(read("after=4").await["events"], serde_json::json!([]));

    let bad = owner
        .request(Method::GET, "/api/v1/log?after=x")
        .send()
        .await
        .expect("answered");
    let refused = jig::phone::read::<()>(bad).await.expect_err("not a number");
    assert_eq!((refused.status, refused.code()), (400, "bad_parameter"));
}

#[tokio::test]
async fn hints_say_how_far_the_log_reaches_and_end_with_the_phone_or_the_server() {
    let mut server = Server::new().await;
    let mut owner = server.shop().await;
    let helper = owner.bring_in(Role::Cashier).await;
    let mut own = Hints::open(&owner).await;
    let mut others = Hints::open(&helper).await;
    assert_eq!((own.next().await, others.next().await), (Some(3), Some(3)));
    owner.credit();
    owner.sync().await;
    assert_eq!((own.next().await, others.next().await), (Some(4), Some(4)));
    owner.revoke(helper.number);
    owner.sync().await;
    assert_eq!(own.next().await, Some(5));
    assert_eq!(others.next().await, None, "no longer for a removed phone");
    server.stop().await;
    assert_eq!(own.next().await, None, "the server stops");
}

/// A live stream of hints.
struct Hints {
    answer: reqwest::Response,
    rest: String,
}

impl Hints {
    async fn open(phone: &Phone) -> Hints {
        let answer = phone
            .request(Method::GET, "/api/v1/hints")
            .send()
            .await
            .expect("answered");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Hints {
            answer,
            rest: String::new(),
        }
    }

    async fn next(&mut self) -> Option<u64> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let event = event.to_owned();
                self.rest = rest.to_owned();
                if let Some(data) = event.strip_prefix("data: ") {
                    let hint: serde_json::Value = serde_json::from_str(data).expect("JSON");
                    return hint["head"].as_u64();
                }
            } else {
                let bytes = self.answer.chunk().await.ok()??;
                self.rest += std::str::from_utf8(&bytes).expect("text");
            }
        }
    }
}

fn results(runs: &[ResultRun]) -> Vec<(u32, u32, PushResult)> {
    runs.iter()
        .map(|run| (run.first_seq, run.count, run.result))
        .collect()
}

#[tokio::test]
async fn answers_short_and_long_are_compressed_for_those_who_can_read_that() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    for events in [50, 900, 900] {
        for _ in 0..events {
            owner.credit();
        }
        owner.sync().await;
        let mut lengths = Vec::new();
        for accepts in ["identity", "gzip", "br"] {
            lengths.push(whole_log(&owner, accepts).await);
        }
        assert!(
            lengths[1] < lengths[0] / 2 && lengths[2] < lengths[0] / 2,
            "{lengths:?}"
        );
    }
}

/// Reads the log from its beginning: how many bytes were sent.
async fn whole_log(phone: &Phone, accepts: &str) -> usize {
    let request = SyncRequest {
        position: 0,
        root: digest(&[]),
        // As a phone that holds none of its own events.
        last_seq: 0,
        last_hash: phone.head_at(0).hash,
        ..phone.ask()
    };
    let body = minicbor::to_vec(request).expect("encodes");
    let request = phone
        .request(Method::POST, "/api/v1/sync")
        .header("content-type", "application/cbor")
        .header("accept-encoding", accepts);
    let answer = request.body(body).send().await.expect("answered");
    let encoding = answer.headers().get("content-encoding");
    let encoding = encoding.map_or("identity", |value| value.to_str().expect("text"));
    assert_eq!(encoding, accepts);
    let bytes = answer.bytes().await.expect("whole");
    let plain = match accepts {
        "gzip" => read_all(flate2::read::GzDecoder::new(&bytes[..])),
        "br" => read_all(brotli::Decompressor::new(&bytes[..], 4096)),
        _ => bytes.to_vec(),
    };
    let answer: shared::sync::wire::SyncAnswer = minicbor::decode(&plain).expect("an answer");
    let sent: u32 = answer.chunks.iter().map(|chunk| chunk.count).sum();
    assert_eq!(u64::from(sent), answer.head.size);
    bytes.len()
}

fn read_all(mut reader: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("decodes");
    bytes
}

#[tokio::test]
async fn a_packed_push_is_taken_like_any_other() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    for _ in 0..10 {
        owner.credit();
    }
    let request = owner.ask_all();
    let plain = minicbor::to_vec(&request).expect("encodes");
    let packed = packed::pack(owner.number, &request).expect("packed");
    assert!(packed.len() * 3 < plain.len() * 2);
    let send = |body: Vec<u8>| {
        let request = owner
            .request(Method::POST, "/api/v1/sync")
            .header("content-type", packed::MEDIA_TYPE)
            .header("accept", "application/cbor");
        request.body(body).send()
    };
    let answer = send(packed.clone()).await.expect("answered");
    let answer: shared::sync::wire::SyncAnswer = jig::phone::read(answer).await.expect("taken");
    assert_eq!(answer.standing.known_seq, 12);
    assert_eq!(answer.packed, Some(packed::VERSION));

    // Whatever is wrong with one is a refusal.
    for at in (0..packed.len()).step_by(7) {
        let mut damaged = packed.clone();
        damaged[at] ^= 0x15;
        let answer = send(damaged).await.expect("answered");
        assert!(!answer.status().is_server_error(), "byte {at}");
    }
    let cut = send(packed[..packed.len() - 3].to_vec()).await;
    let refusal = jig::phone::read::<u8>(cut.expect("answered")).await;
    assert_eq!(refusal.expect_err("refused").code(), "malformed");
    owner.read(&answer);
    assert_eq!(owner.sync().await.standing.known_seq, 12);
}

#[tokio::test]
async fn a_compressed_push_is_taken_as_it_is() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    for (encoding, seq) in [("gzip", 3), ("br", 4)] {
        owner.credit();
        let body = minicbor::to_vec(owner.ask_all()).expect("encodes");
        let packed = match encoding {
            "gzip" => read_all(flate2::read::GzEncoder::new(
                &body[..],
                flate2::Compression::best(),
            )),
            _ => read_all(brotli::CompressorReader::new(&body[..], 4096, 5, 20)),
        };
        let request = owner
            .request(Method::POST, "/api/v1/sync")
            .header("content-type", "application/cbor")
            .header("content-encoding", encoding);
        let answer = request.body(packed).send().await.expect("answered");
        let answer: shared::sync::wire::SyncAnswer = jig::phone::read(answer).await.expect("taken");
        assert_eq!(answer.standing.known_seq, seq);
        owner.read(&answer);
    }
}
