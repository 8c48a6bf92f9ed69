//! Requests that are wrong in some way: each is refused with a reason for machines, and changes
//! nothing.

mod jig;

use std::io::Read;

use jig::phone::read;
use jig::{Phone, Server};
use reqwest::Method;
use shared::bytes::{Bytes, Fixed};
use shared::sync::wire::{
    MAX_ENCODED_REQUEST_BYTES, MAX_REQUEST_BYTES, PROTOCOL, Protocols, Push, SealingKey,
    SyncRequest,
};

/// The state of a shop that no refused request may change.
async fn state(phone: &Phone) -> (u64, Fixed<32>, u32) {
    let answer = phone
        .send(&phone.ask())
        .await
        .expect("a good request is answered");
    (
        answer.head.size,
        answer.head.root,
        answer.standing.known_seq,
    )
}

/// Sends a body that must be refused, and sees that nothing has changed.
async fn refuses(phone: &Phone, encoding: Option<&str>, body: Vec<u8>) -> (u16, String) {
    let before = state(phone).await;
    let mut request = phone
        .request(Method::POST, "/api/v1/sync")
        .header("content-type", "application/cbor");
    if let Some(encoding) = encoding {
        request = request.header("content-encoding", encoding);
    }
    let answer = request.body(body).send().await.expect("the server answers");
    let refused = read::<()>(answer).await.expect_err("refused");
    assert_eq!(state(phone).await, before, "{refused:?}");
    (refused.status, refused.code().to_owned())
}

fn encoded(request: &SyncRequest) -> Vec<u8> {
    minicbor::to_vec(request).expect("encodes")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::best())
        .read_to_end(&mut packed)
        .expect("packs");
    packed
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::CompressorReader::new(bytes, 4096, 9, 22)
        .read_to_end(&mut packed)
        .expect("packs");
    packed
}

#[tokio::test]
async fn what_is_not_a_request_is_malformed() {
    let server = Server::new().await;
    let mut phone = server.shop().await;
    phone.credit();
    let good = encoded(&phone.ask_all());
    let mut behind = good.clone();
    behind.push(0);
    let bodies = [
        Vec::new(),
        vec![0xff; 100],
        b"{\"protocol\":1}".to_vec(),
        good[..good.len() / 2].to_vec(),
        good[..good.len() - 1].to_vec(),
        behind,
        // An array that says it has 2^64 - 1 elements.
        vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for body in bodies {
        assert_eq!(
            refuses(&phone, None, body).await,
            (400, "malformed".to_owned())
        );
    }
    // Cut anywhere, it is never taken for less than it was.
    for end in (0..good.len()).step_by(7) {
        let (status, code) = refuses(&phone, None, good[..end].to_vec()).await;
        assert_eq!((status, code.as_str()), (400, "malformed"), "cut at {end}");
    }
}

#[tokio::test]
async fn compressed_bodies_that_cannot_be_read_are_malformed() {
    let server = Server::new().await;
    let mut phone = server.shop().await;
    phone.credit();
    let good = encoded(&phone.ask_all());
    let (zipped, packed) = (gzip(&good), brotli(&good));
    for (encoding, body) in [
        ("gzip", good.clone()),
        ("gzip", zipped[..zipped.len() - 9].to_vec()),
        ("br", packed[..packed.len() / 2].to_vec()),
        ("br", zipped.clone()),
    ] {
        let refused = refuses(&phone, Some(encoding), body).await;
        assert_eq!(refused, (400, "malformed".to_owned()), "{encoding}");
    }
    let refused = refuses(&phone, Some("deflate"), zipped).await;
    assert_eq!(refused, (415, "unsupported_encoding".to_owned()));
}

#[tokio::test]
async fn bodies_that_are_too_long_are_refused_as_sent_and_decoded() {
    let server = Server::new().await;
    let phone = server.shop().await;
    let too_large = (413, "too_large".to_owned());
    let long = vec![0; MAX_ENCODED_REQUEST_BYTES + 1];
    assert_eq!(refuses(&phone, None, long.clone()).await, too_large);

    // Without a length announced, it is given up where it passes the bound.
    let parts = long
        .chunks(64 * 1024)
        .map(|part| Ok::<_, std::io::Error>(part.to_vec()));
    let body = reqwest::Body::wrap_stream(tokio_stream::iter(parts.collect::<Vec<_>>()));
    let request = phone
        .request(Method::POST, "/api/v1/sync")
        .header("content-type", "application/cbor");
    let answer = request.body(body).send().await.expect("answered");
    assert_eq!(
        read::<()>(answer).await.expect_err("refused").code(),
        "too_large"
    );

    // Strangers may send far less.
    let stranger = Phone::new(&server.url());
    for path in ["/api/v1/claim", "/api/v1/pairings/join"] {
        let refused = stranger.post_bytes::<()>(path, vec![0; 20_000]).await;
        assert_eq!(refused.expect_err("refused").code(), "too_large");
    }

    // Bombs: a few kilobytes that would become sixteen times what is allowed.
    let zeroes = vec![0; 16 * MAX_REQUEST_BYTES];
    for (encoding, bomb) in [("gzip", gzip(&zeroes)), ("br", brotli(&zeroes))] {
        assert!(
            bomb.len() <= MAX_ENCODED_REQUEST_BYTES,
            "{encoding}: {}",
            bomb.len()
        );
        assert_eq!(
            refuses(&phone, Some(encoding), bomb).await,
            too_large,
            "{encoding}"
        );
    }
}

#[tokio::test]
async fn more_events_or_keys_than_allowed_are_refused_before_memory_is_taken() {
    let server = Server::new().await;
    let phone = server.shop().await;
    let push = |count: usize| Push {
        first_seq: 3,
        previous: phone.head().hash,
        events: vec![Bytes(Vec::new()); count],
        signature: Fixed([0; 64]),
    };
    let key = SealingKey {
        id: Fixed([1; 16]),
        key: None,
    };
    let requests = [
        SyncRequest {
            last_seq: 2000,
            push: Some(push(1001)),
            ..phone.ask()
        },
        SyncRequest {
            push: Some(push(0)),
            ..phone.ask()
        },
        SyncRequest {
            last_seq: u32::MAX,
            push: Some(push(900_000)),
            ..phone.ask()
        },
        SyncRequest {
            keys: Some(vec![key; 1001]),
            ..phone.ask()
        },
        SyncRequest {
            push: Some(Push {
                first_seq: 0,
                ..push(1)
            }),
            ..phone.ask()
        },
        SyncRequest {
            push: Some(Push {
                first_seq: u32::MAX,
                ..push(2)
            }),
            ..phone.ask()
        },
    ];
    for request in requests {
        let refused = refuses(&phone, None, encoded(&request)).await;
        assert_eq!(refused, (400, "malformed".to_owned()));
    }
}

#[tokio::test]
async fn a_push_that_is_not_signed_by_the_phones_own_key_is_refused() {
    let server = Server::new().await;
    let mut phone = server.shop().await;
    phone.credit();
    phone.new_keys = vec![SealingKey {
        id: Fixed([1; 16]),
        key: Some(Fixed([1; 32])),
    }];
    let good = phone.ask_all();
    let stranger = Phone::new(&server.url());
    let head = phone.head();
    let message = shared::chain::head_message(phone.shop, phone.number, head.seq, &head.hash);
    let signatures = [
        Fixed([0; 64]),
        stranger.key.sign(&message),
        // By the right key, but over an older head.
        phone.sign(2),
    ];
    for signature in signatures {
        let push = good.push.clone().map(|push| Push { signature, ..push });
        let request = SyncRequest {
            push,
            ..good.clone()
        };
        let refused = refuses(&phone, None, encoded(&request)).await;
        assert_eq!(refused, (422, "bad_signature".to_owned()));
    }
    // A byte of an event that changed on the way is no longer what was signed.
    let mut changed = good.clone();
    if let Some(push) = &mut changed.push {
        push.events[0].0[20] ^= 1;
    }
    let refused = refuses(&phone, None, encoded(&changed)).await;
    assert_eq!(refused, (422, "bad_signature".to_owned()));

    let answer = phone.sync().await;
    assert_eq!(answer.standing.known_seq, 3, "the right one is still taken");
    assert_eq!(phone.keys.len(), 1, "and its key came now, not before");
}

#[tokio::test]
async fn a_request_for_another_shop_or_another_life_of_it_is_refused() {
    let server = Server::new().await;
    let phone = server.shop().await;
    let mut other = server.shop().await;
    other.credit();
    let foreign = other.ask_all();
    let refused = refuses(&phone, None, encoded(&foreign)).await;
    assert_eq!(refused, (409, "other_generation".to_owned()));

    let ahead = SyncRequest {
        position: 1000,
        ..phone.ask()
    };
    assert_eq!(
        refuses(&phone, None, encoded(&ahead)).await,
        (409, "log_shorter".to_owned())
    );
    let differs = SyncRequest {
        root: Fixed([7; 32]),
        ..phone.ask()
    };
    assert_eq!(
        refuses(&phone, None, encoded(&differs)).await,
        (409, "other_log".to_owned())
    );
    let newer = SyncRequest {
        protocol: PROTOCOL + 1,
        ..phone.ask()
    };
    assert_eq!(
        refuses(&phone, None, encoded(&newer)).await,
        (426, "protocol".to_owned())
    );
    let refused = phone.send(&newer).await.expect_err("too new");
    assert_eq!(
        refused.body.protocols,
        Some(Protocols::SPOKEN),
        "the phone learns what it may speak"
    );
}

#[tokio::test]
async fn nobody_speaks_for_a_shop_without_its_token() {
    let server = Server::new().await;
    let phone = server.shop().await;
    let tokens = [
        (None, "no_token"),
        (Some("Basic abc".to_owned()), "no_token"),
        (Some("Bearer".to_owned()), "no_token"),
        (Some("Bearer abc".to_owned()), "unknown_token"),
        (Some(format!("Bearer {}", "A".repeat(43))), "unknown_token"),
        (Some(format!("{}A", phone.bearer())), "unknown_token"),
    ];
    for (method, path) in [
        (Method::POST, "/api/v1/sync"),
        (Method::GET, "/api/v1/hints"),
        (Method::GET, "/api/v1/log"),
        (Method::POST, "/api/v1/pairings"),
        (Method::GET, "/api/v1/pairings"),
        (Method::DELETE, "/api/v1/pairings/00"),
    ] {
        for (token, code) in &tokens {
            let mut request = phone
                .http
                .request(method.clone(), format!("{}{path}", server.url()));
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = request.send().await.expect("answered");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            let refused = read::<()>(answer).await.expect_err("refused");
            assert_eq!(
                (refused.status, refused.code()),
                (401, *code),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn addresses_and_types_that_do_not_exist_are_refused_in_the_same_shape() {
    let server = Server::new().await;
    let phone = server.shop().await;
    for (method, path, status, code) in [
        (Method::GET, "/api/v1/nothing", 404, "not_found"),
        (Method::GET, "/api/", 404, "not_found"),
        (Method::GET, "/api/v1/sync", 405, "method_not_allowed"),
        (Method::PUT, "/api/v1/claim", 405, "method_not_allowed"),
        (Method::POST, "/api/v1/sync", 415, "unsupported_media_type"),
        (Method::DELETE, "/api/v1/pairings/zz", 400, "bad_parameter"),
    ] {
        let answer = phone
            .request(method, path)
            .body("x")
            .send()
            .await
            .expect("answered");
        let refused = read::<()>(answer).await.expect_err("refused");
        assert_eq!((refused.status, refused.code()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn a_refusal_comes_in_the_language_of_the_request() {
    let server = Server::new().await;
    let phone = Phone::new(&server.url());
    for (accept, media_type) in [
        ("application/cbor", "application/cbor"),
        ("*/*", "application/json"),
    ] {
        let request = phone
            .request(Method::GET, "/api/v1/log")
            .header("accept", accept);
        let answer = request.send().await.expect("answered");
        assert_eq!(answer.headers()["content-type"], media_type);
        assert_eq!(answer.headers()["x-pakka-error"], "unknown_token");
    }
}
