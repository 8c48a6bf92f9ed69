//! What browsers get: the app, its headers, and the description of the addresses.

mod jig;

use jig::Server;
use jig::phone::client;
use reqwest::Response;

async fn get(server: &Server, path: &str, accepts: &str) -> Response {
    let client = client();
    let request = client.get(format!("{}{path}", server.url()));
    request
        .header("accept-encoding", accepts)
        .send()
        .await
        .expect("answered")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test]
async fn every_file_has_its_type_and_says_how_long_it_lasts() {
    const FOR_EVER: &str = "public, max-age=31536000, immutable";
    let server = Server::new().await;
    for (path, media_type, cache) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/boot.js", "text/javascript; charset=utf-8", "no-cache"),
        (
            "/manifest.webmanifest",
            "application/manifest+json",
            "no-cache",
        ),
        ("/locales/hi.json", "application/json", "no-cache"),
        (
            "/pakka-0123456789abcdef.js",
            "text/javascript; charset=utf-8",
            FOR_EVER,
        ),
        (
            "/pakka-fedcba9876543210_bg.wasm",
            "application/wasm",
            FOR_EVER,
        ),
    ] {
        let answer = get(&server, path, "identity").await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(header(&answer, "content-type"), media_type, "{path}");
        assert_eq!(header(&answer, "cache-control"), cache, "{path}");
        assert_eq!(header(&answer, "vary"), "accept-encoding", "{path}");
    }
}

#[tokio::test]
async fn addresses_within_the_app_open_it_and_missing_files_are_missing() {
    let server = Server::new().await;
    for path in ["/khata", "/khata/3-1042", "/join", "/settings/devices"] {
        let answer = get(&server, path, "identity").await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer
                .text()
                .await
                .expect("text")
                .contains("<title>Pakka</title>")
        );
    }
    for path in [
        "/missing.wasm",
        "/locales/xx.json",
        "/../server.key",
        "/%2e%2e/server.key",
    ] {
        assert_eq!(get(&server, path, "identity").await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn what_was_compressed_by_the_build_is_sent_to_those_who_can_read_it() {
    let server = Server::new().await;
    let path = "/pakka-0123456789abcdef.js";
    let packed = get(&server, path, "gzip, br").await;
    assert_eq!(header(&packed, "content-encoding"), "br");
    assert_eq!(
        header(&packed, "content-type"),
        "text/javascript; charset=utf-8"
    );
    let tag = header(&packed, "etag").to_owned();
    assert_eq!(packed.bytes().await.expect("whole"), "as brotli");

    let plain = get(&server, path, "gzip").await;
    assert_eq!(header(&plain, "content-encoding"), "");
    assert_ne!(header(&plain, "etag"), tag, "other bytes, other tag");
    assert!(
        plain
            .text()
            .await
            .expect("text")
            .starts_with("a long script")
    );
    let not_packed = get(&server, "/boot.js", "br").await;
    assert_eq!(header(&not_packed, "content-encoding"), "");
    assert_eq!(
        get(&server, &format!("{path}.br"), "br").await.status(),
        404
    );
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let server = Server::new().await;
    let first = get(&server, "/", "identity").await;
    let tag = header(&first, "etag").to_owned();
    let client = client();
    for (sent, status) in [
        (tag.clone(), 304),
        (format!("\"x\", W/{tag}"), 304),
        ("\"x\"".into(), 200),
    ] {
        let request = client.get(server.url()).header("if-none-match", &sent);
        let answer = request.send().await.expect("answered");
        assert_eq!(answer.status(), status, "{sent}");
    }
}

#[tokio::test]
async fn every_answer_is_closed_to_other_sites() {
    let server = Server::new().await;
    for path in [
        "/",
        "/missing.js",
        "/api/v1/nothing",
        "/healthz",
        "/api/v1/openapi.json",
    ] {
        let answer = get(&server, path, "identity").await;
        let policy = header(&answer, "content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(
                policy.split("; ").any(|found| found == part),
                "{path}: {part}"
            );
        }
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
        assert!(header(&answer, "permissions-policy").contains("geolocation=()"));
    }
    let api = get(&server, "/api/v1/openapi.json", "identity").await;
    assert_eq!(header(&api, "cache-control"), "no-store");
}

#[tokio::test]
async fn the_server_says_that_it_is_well() {
    let server = Server::new().await;
    let answer = get(&server, "/healthz", "identity").await;
    let json: serde_json::Value =
        serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
    assert_eq!(json["status"], "ok");
}

#[tokio::test]
async fn the_description_of_the_addresses_is_what_was_agreed() {
    let server = Server::new().await;
    let answer = get(&server, "/api/v1/openapi.json", "identity").await;
    let mut json: serde_json::Value =
        serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
    json["info"]["version"] = "as in Cargo.toml".into();
    insta::assert_json_snapshot!("openapi", json);
}
