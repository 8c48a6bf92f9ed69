//! The program itself: its settings, its words, HTTPS for the local network.

mod jig;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use jig::child::{Process, run};
use jig::phone::client;
use jig::{Phone, Server};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sync_server::config::Lan;
use tokio::task::spawn_blocking;

#[test]
fn a_wrong_setting_is_named_with_what_would_be_right() {
    for (arguments, environment, parts) in [
        (vec!["--port", "eighty"], vec![], ["--port", "0 to 65535"]),
        (
            vec![],
            vec![("PAKKA_LISTEN", "here")],
            ["PAKKA_LISTEN", "127.0.0.1"],
        ),
        (
            vec!["--claim-code", "abc"],
            vec![],
            ["--claim-code", "at least 8"],
        ),
        (
            vec!["--data", "/proc/nowhere"],
            vec![],
            ["--data", "/proc/nowhere"],
        ),
        (
            vec!["--config", "/nowhere.toml"],
            vec![],
            ["/nowhere.toml", "No such file"],
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().display().to_string();
        let mut all = vec!["serve"];
        all.extend(&arguments);
        if !arguments.contains(&"--data") {
            all.extend(["--data", &data]);
        }
        let (succeeded, _, words) = run(&all, &environment);
        assert!(!succeeded);
        for part in parts {
            assert!(words.contains(part), "{words}");
        }
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().display().to_string();
    let (succeeded, _, words) = run(&["serve", "--listen", &address, "--data", &data], &[]);
    assert!(!succeeded);
    assert!(
        words.contains("--listen") && words.contains(&address),
        "{words}"
    );
}

#[tokio::test]
async fn two_servers_never_work_on_one_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Process::start(folder.path());
    let data = folder.path().display().to_string();
    let (succeeded, _, words) = run(&["serve", "--port", "0", "--data", &data], &[]);
    assert!(!succeeded);
    assert!(words.contains("another server"), "{words}");
    server.kill();
}

#[tokio::test]
async fn a_claim_code_can_be_issued_while_the_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Process::start(folder.path());
    let data = folder.path().display().to_string();
    let (succeeded, words, _) = run(&["claim-code", "--data", &data], &[]);
    assert!(succeeded);
    let code = words
        .trim()
        .strip_prefix("The owner's claim code: ")
        .expect("a code");
    Phone::new(&server.url).claim(code).await.expect("claimed");
    server.kill();
}

#[tokio::test]
async fn a_server_that_lost_its_key_does_not_start_with_another() {
    let mut server = Server::new().await;
    server.shop().await;
    server.stop().await;
    std::fs::remove_file(server.data().join("server.key")).expect("removed");
    let data = server.data().display().to_string();
    let (succeeded, _, words) = run(&["serve", "--port", "0", "--data", &data], &[]);
    assert!(!succeeded);
    assert!(words.contains("server.key"), "{words}");
}

#[tokio::test]
async fn phones_in_the_same_network_trust_the_server_after_they_took_its_certificate() {
    let mut server = Server::with(|config| {
        config.lan = Some(Lan {
            names: Vec::new(),
            trust_port: 0,
        });
    })
    .await;
    let port = server.running().address.port();
    let trust_url = server.running().trust_url.clone().expect("a page");
    let plain = client();
    let trust_port = trust_url.rsplit(':').next().expect("a port");
    let page = async |path: &str| {
        let answer = plain
            .get(format!("http://127.0.0.1:{trust_port}{path}"))
            .send()
            .await;
        let answer = answer
            .expect("the page is there")
            .error_for_status()
            .expect("found");
        assert!(answer.headers().contains_key("content-security-policy"));
        answer.bytes().await.expect("whole")
    };
    let words = String::from_utf8(page("/").await.into()).expect("text");
    assert!(words.contains(&server.running().url), "it leads to the app");
    assert!(String::from_utf8_lossy(&page("/qr.svg").await).starts_with("<svg"));
    let certificate = page("/pakka.crt").await;

    let asked = spawn_blocking(move || well_over_tls(port, RootCertStore::empty())).await;
    let stranger = asked.expect("asked");
    assert!(
        stranger.is_err(),
        "nobody trusts it without the certificate"
    );
    let mut trusting = RootCertStore::empty();
    trusting
        .add(certificate.to_vec().into())
        .expect("a certificate");
    let (first, store) = (trusting.clone(), trusting);
    let answer = spawn_blocking(move || well_over_tls(port, first))
        .await
        .expect("asked");
    assert!(answer.expect("trusted").contains("\"status\":\"ok\""));

    server.stop().await;
    server.start().await;
    let port = server.running().address.port();
    let answer = spawn_blocking(move || well_over_tls(port, store))
        .await
        .expect("asked");
    assert!(
        answer
            .expect("trusted after a restart, too")
            .contains("\"status\":\"ok\"")
    );
}

/// Asks over TLS whether the server is well, trusting these authorities only.
fn well_over_tls(port: u16, roots: RootCertStore) -> std::io::Result<String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("settings that fit");
    let socket = TcpStream::connect(("127.0.0.1", port))?;
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
