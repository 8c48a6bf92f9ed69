//! Old parts of the log are sealed, and nobody sees a difference but in the bytes.

mod jig;

use std::io::Read;

use jig::phone::Refused;
use jig::{Phone, Server};
use reqwest::{Method, Response, StatusCode};
use shared::chain::digest;
use shared::event::Role;
use shared::sync::segment;
use shared::sync::wire::{Chunk, Sealed, SegmentName, SyncRequest};
use shared::verify::Depth;
use sqlx::{Connection, Row, SqliteConnection};
use sync_server::archive::{SEGMENT_EVENTS, UNSEALED_EVENTS};
use sync_server::audit::{Report, verify_folder};

/// A shop with two phones, in whose log are pushes of all lengths and an entry that was put aside:
/// long enough for two segments.
async fn grown(server: &Server) -> (Phone, Phone) {
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    for (round, entries) in [
        1, 700, 3, 1_000, 1_000, 1_000, 10, 600, 1_000, 1_000, 1_000, 900, 40, 2_000,
    ]
    .into_iter()
    .enumerate()
    {
        for _ in 0..entries {
            owner.credit();
            if owner.head().seq.is_multiple_of(1_000) {
                owner.sync().await;
            }
        }
        owner.sync().await;
        match round {
            // A person of the staff with a faulty app, and one who oversteps.
            2 => helper.write_bytes(vec![0x80]),
            3 => helper.revoke(owner.number),
            _ => drop(helper.credit()),
        }
        helper.sync().await;
    }
    owner.sync().await;
    (owner, helper)
}

/// The log as a phone of any age reads it that holds nothing yet.
async fn whole_log(phone: &Phone, want_bytes: u32) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    loop {
        let position = chunks
            .last()
            .map_or(0, |last| last.position + u64::from(last.count) - 1);
        let answer = phone
            .send(&SyncRequest {
                position,
                root: digest(&[]),
                last_seq: 0,
                last_hash: phone.head_at(0).hash,
                want_bytes,
                ..phone.ask()
            })
            .await
            .expect("answered");
        assert_eq!(answer.sealed, None, "it did not say that it reads segments");
        chunks.extend(answer.chunks);
        if !answer.more {
            return chunks;
        }
    }
}

async fn json_log(phone: &Phone, after: u64) -> String {
    let request = phone.request(Method::GET, &format!("/api/v1/log?after={after}"));
    let answer = request.send().await.expect("answered");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.expect("whole")
}

async fn get(phone: &Phone, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = phone.request(Method::GET, &format!("/api/v1/segments{path}"));
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.expect("answered")
}

async fn refused(phone: &Phone, path: &str, headers: &[(&str, &str)]) -> Refused {
    let answer = get(phone, path, headers).await;
    jig::phone::read::<u8>(answer).await.expect_err("refused")
}

/// First and last position of the segments, as the list has them.
async fn listed(phone: &Phone) -> Vec<SegmentName> {
    let bytes = get(phone, "", &[]).await.bytes().await.expect("whole");
    let list: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let list = list.as_array().expect("a list");
    let number = |value: &serde_json::Value| value.as_u64().expect("a position");
    let names = list.iter().map(|listed| SegmentName {
        first: number(&listed["first"]),
        last: number(&listed["last"]),
    });
    names.collect()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().expect("text"))
}

async fn database(server: &Server) -> SqliteConnection {
    let file = server.data().join("log.db");
    SqliteConnection::connect(&format!("sqlite:{}", file.display()))
        .await
        .expect("opened")
}

/// How many chunks and segments the database holds.
async fn rows(server: &Server) -> (i64, i64) {
    let query = "SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM segments)";
    let row = sqlx::query(query)
        .fetch_one(&mut database(server).await)
        .await
        .expect("read");
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_log_reads_the_same_before_and_after_it_is_sealed() {
    let mut server = Server::new().await;
    let (owner, mut helper) = grown(&server).await;
    let before = whole_log(&helper, 256 * 1024).await;
    let pages = [json_log(&owner, 0).await, json_log(&owner, 4_500).await];
    let size = owner.log.size();

    // Two steps for each segment: it is stored, and after it was read back its chunks go.
    let archive = server.running().archive().clone();
    assert_eq!(archive.seal_all().await.expect("sealed"), 4);
    assert_eq!(archive.seal_all().await.expect("nothing is left to do"), 0);
    drop(archive);
    let names = listed(&owner).await;
    assert_eq!(names.len(), 2);
    assert_eq!(names[0].first, 1);
    assert_eq!(names[1].first, names[0].last + 1);
    assert!(
        names
            .iter()
            .all(|name| name.last + 1 - name.first >= SEGMENT_EVENTS)
    );
    assert!(
        names[1].last + UNSEALED_EVENTS <= size,
        "the youngest stay as they are"
    );

    for want_bytes in [0, 10_000, u32::MAX] {
        assert_eq!(whole_log(&helper, want_bytes).await, before);
    }
    assert_eq!(json_log(&owner, 0).await, pages[0]);
    assert_eq!(json_log(&owner, 4_500).await, pages[1]);

    // And after a start, and with more in it.
    server.stop().await;
    server.start().await;
    helper.credit();
    helper.sync().await;
    let after = whole_log(&helper, 100_000).await;
    assert_eq!(after[..before.len()], before);
}

#[tokio::test]
async fn sealed_history_takes_a_quarter_of_the_room_and_stands_in_one_place() {
    let server = Server::new().await;
    let (owner, _) = grown(&server).await;
    let (chunks, _) = rows(&server).await;
    server.running().archive().seal_all().await.expect("sealed");
    let (left, segments) = rows(&server).await;
    assert!(left < chunks / 2, "{left} of {chunks} are left");
    assert_eq!(segments, 2);
    let names = listed(&owner).await;
    let sealed: i64 = sqlx::query_scalar("SELECT sum(length(bytes)) FROM segments")
        .fetch_one(&mut database(&server).await)
        .await
        .expect("read");
    let events = names.last().expect("some").last as i64;
    assert!(sealed < events * 15, "{sealed} bytes for {events} events");
}

/// What `pakka-server verify` finds of the one shop.
async fn verified(server: &Server) -> Report {
    let reports = verify_folder(&server.data(), None, Depth::EverySignature, |_, _| {}).await;
    reports.expect("opened").pop().expect("a shop")
}

#[tokio::test]
async fn a_sealed_log_is_verified_like_any_other() {
    let server = Server::new().await;
    let (owner, _) = grown(&server).await;
    let before = verified(&server).await;
    assert!(before.is_good(), "{before}");
    server.running().archive().seal_all().await.expect("sealed");
    let after = verified(&server).await;
    assert!(after.is_good(), "{after}");

    let name = listed(&owner).await[1];
    let damage = "UPDATE segments SET bytes = CAST(substr(bytes, 1, 100) AS BLOB) WHERE last = ?";
    sqlx::query(damage)
        .bind(name.last as i64)
        .execute(&mut database(&server).await)
        .await
        .expect("damaged");
    let damaged = verified(&server).await;
    assert!(!damaged.is_good());
    assert!(
        damaged.to_string().contains(&format!("segment {name}")),
        "{damaged}"
    );
}

#[tokio::test]
async fn a_backup_from_before_there_were_segments_is_verified() {
    let mut server = Server::new().await;
    server.shop().await;
    server.stop().await;
    sqlx::query("DROP TABLE segments")
        .execute(&mut database(&server).await)
        .await
        .expect("dropped");
    let report = verified(&server).await;
    assert!(report.is_good(), "{report}");
}

#[tokio::test]
async fn a_server_that_dies_between_two_steps_goes_on_with_the_next() {
    let mut server = Server::new().await;
    let (_, helper) = grown(&server).await;
    let before = whole_log(&helper, 256 * 1024).await;
    for step in 1..=4 {
        assert!(
            server
                .running()
                .archive()
                .seal_next()
                .await
                .expect("a step")
        );
        server.stop().await;
        server.start().await;
        assert_eq!(
            whole_log(&helper, 300_000).await,
            before,
            "after step {step}"
        );
    }
    assert_eq!(rows(&server).await.1, 2);
    assert!(!server.running().archive().seal_next().await.expect("done"));
}

#[tokio::test]
async fn a_segment_that_comes_back_otherwise_is_thrown_away_and_the_chunks_stay() {
    let server = Server::new().await;
    let (owner, helper) = grown(&server).await;
    let before = whole_log(&helper, 256 * 1024).await;
    let archive = server.running().archive();
    assert!(archive.seal_next().await.expect("stored"));
    let damage = "UPDATE segments SET \
        bytes = CAST(substr(bytes, 1, 900) || x'55' || substr(bytes, 902) AS BLOB)";
    sqlx::query(damage)
        .execute(&mut database(&server).await)
        .await
        .expect("damaged");
    let error = archive.seal_next().await.expect_err("it is noticed");
    assert!(error.to_string().contains("segment 1-"), "{error}");
    assert_eq!(rows(&server).await.1, 0);
    assert_eq!(whole_log(&helper, 256 * 1024).await, before);
    // The next try does it.
    assert_eq!(archive.seal_all().await.expect("sealed"), 4);
    assert_eq!(listed(&owner).await.len(), 2);
    assert_eq!(whole_log(&helper, 256 * 1024).await, before);
}

#[tokio::test]
async fn a_damaged_segment_is_an_error_and_never_a_gap() {
    let server = Server::new().await;
    let (owner, helper) = grown(&server).await;
    server.running().archive().seal_all().await.expect("sealed");
    let names = listed(&owner).await;
    sqlx::query("UPDATE segments SET bytes = CAST(substr(bytes, 1, length(bytes) - 10) AS BLOB) WHERE last = ?")
        .bind(names[1].last as i64)
        .execute(&mut database(&server).await)
        .await
        .expect("damaged");
    let from = |position| SyncRequest {
        position,
        root: digest(&[]),
        last_seq: 0,
        last_hash: helper.head_at(0).hash,
        ..helper.ask()
    };
    assert!(
        helper.send(&from(0)).await.is_ok(),
        "the other is as good as it was"
    );
    assert!(helper.send(&from(names[1].last)).await.is_ok());
    let refusal = helper
        .send(&from(names[0].last))
        .await
        .map(|answer| answer.head)
        .expect_err("named");
    assert_eq!(refusal.code(), "store_unavailable");
}

#[tokio::test]
async fn a_phone_that_reads_segments_is_told_of_them_when_it_is_far_behind() {
    let server = Server::new().await;
    let (owner, helper) = grown(&server).await;
    server.running().archive().seal_all().await.expect("sealed");
    let names = listed(&owner).await;
    let from = |position, segments| SyncRequest {
        position,
        root: digest(&[]),
        last_seq: 0,
        last_hash: helper.head_at(0).hash,
        segments,
        ..helper.ask()
    };
    let answer = helper.send(&from(0, Some(1))).await.expect("answered");
    let ends: Vec<u64> = names.iter().map(|name| name.last).collect();
    assert_eq!(
        answer.sealed,
        Some(Sealed {
            after: 0,
            ends: ends.clone()
        })
    );
    assert!(answer.chunks.is_empty() && answer.more);
    let answer = helper
        .send(&from(ends[0] + 5, Some(1)))
        .await
        .expect("answered");
    let rest = Sealed {
        after: ends[0],
        ends: vec![ends[1]],
    };
    assert_eq!(answer.sealed, Some(rest));
    for request in [from(ends[1], Some(1)), from(0, None), from(0, Some(0))] {
        let answer = helper.send(&request).await.expect("answered");
        assert_eq!(answer.sealed, None);
        assert!(!answer.chunks.is_empty());
    }
}

#[tokio::test]
async fn a_segment_is_served_for_ever_whole_and_in_parts() {
    let server = Server::new().await;
    let (owner, helper) = grown(&server).await;
    server.running().archive().seal_all().await.expect("sealed");
    let name = listed(&owner).await[0];
    let path = format!("/{name}");

    let whole = get(&helper, &path, &[("accept-encoding", "br")]).await;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(header(&whole, "content-type"), segment::MEDIA_TYPE);
    assert_eq!(header(&whole, "content-encoding"), "br");
    assert_eq!(
        header(&whole, "cache-control"),
        "private, max-age=31536000, immutable"
    );
    assert_eq!(header(&whole, "accept-ranges"), "bytes");
    assert_eq!(header(&whole, "vary"), "accept-encoding, authorization");
    let tag = header(&whole, "etag").to_owned();
    let bytes = whole.bytes().await.expect("whole");
    assert_eq!(tag, format!("\"{}\"", digest(&[&bytes])));

    // The segment is the log, with the signature of each phone at its end.
    let mut plain = Vec::new();
    brotli::Decompressor::new(&bytes[..], 4096)
        .read_to_end(&mut plain)
        .expect("brotli");
    let sealed = segment::read(&plain).expect("a segment");
    assert_eq!((sealed.first(), sealed.last()), (name.first, name.last));
    let log = whole_log(&helper, u32::MAX).await;
    assert_eq!(log[..sealed.chunks.len()], sealed.chunks);
    for end in &sealed.ends {
        let phone = if end.device == owner.number {
            &owner
        } else {
            &helper
        };
        assert_eq!(end.hash, phone.head_at(end.seq).hash);
        let head = shared::chain::head_message(owner.shop, end.device, end.seq, &end.hash);
        let signature = end.signature.expect("signed");
        assert!(device::keys::verify(&phone.key.public(), &head, &signature));
    }
    assert_eq!(sealed.ends.len(), 2);

    // Who does not read brotli gets it plain, under a tag of its own.
    let answer = get(&helper, &path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&answer, "content-encoding"), "");
    assert_ne!(header(&answer, "etag"), tag);
    assert_eq!(answer.bytes().await.expect("whole"), plain);

    // Whoever has it is told so.
    let have = [("accept-encoding", "br"), ("if-none-match", tag.as_str())];
    let answer = get(&helper, &path, &have).await;
    assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header(&answer, "etag"), tag);

    // Half now, half later.
    let half = bytes.len() / 2;
    let (first, second) = (format!("bytes=0-{}", half - 1), format!("bytes={half}-"));
    let mut parts = Vec::new();
    for (range, from) in [(&first, 0), (&second, half)] {
        let asked = [
            ("accept-encoding", "br"),
            ("range", range),
            ("if-range", &tag),
        ];
        let answer = get(&helper, &path, &asked).await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        let place = header(&answer, "content-range");
        assert!(place.starts_with(&format!("bytes {from}-")), "{place}");
        assert!(place.ends_with(&format!("/{}", bytes.len())), "{place}");
        parts.extend(answer.bytes().await.expect("whole"));
    }
    assert_eq!(parts, bytes);
    // A part of something else is not asked for.
    let other = [
        ("accept-encoding", "br"),
        ("range", &second),
        ("if-range", "\"other\""),
    ];
    let answer = get(&helper, &path, &other).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let beyond = format!("bytes={}-", bytes.len());
    let refusal = refused(
        &helper,
        &path,
        &[("accept-encoding", "br"), ("range", &beyond)],
    )
    .await;
    assert_eq!((refusal.status, refusal.code()), (416, "bad_range"));
}

#[tokio::test]
async fn segments_are_for_the_phones_of_the_shop() {
    let server = Server::new().await;
    let (mut owner, helper) = grown(&server).await;
    let other = server.shop().await;
    server.running().archive().seal_all().await.expect("sealed");
    let path = format!("/{}", listed(&owner).await[0]);
    assert!(listed(&other).await.is_empty());
    assert_eq!(refused(&other, &path, &[]).await.code(), "not_found");
    for wrong in ["/1-2", "/nonsense", "/0-18446744073709551615", "/2-1"] {
        assert_eq!(
            refused(&owner, wrong, &[]).await.code(),
            "not_found",
            "{wrong}"
        );
    }
    let nobody = jig::phone::client().get(format!("{}/api/v1/segments{path}", server.url()));
    let answer = nobody.send().await.expect("answered");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);

    owner.revoke(helper.number);
    owner.sync().await;
    assert_eq!(refused(&helper, &path, &[]).await.code(), "revoked");
    assert_eq!(refused(&helper, "", &[]).await.code(), "revoked");
}
