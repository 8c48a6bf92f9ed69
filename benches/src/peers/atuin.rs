//! atuin-server, which keeps encrypted records of shells: pages of 1,000 over HTTP, in SQLite.
//!
//! What it does not do: check signatures, chains or anything inside a record, give positions over
//! several hosts, prove its log. Our client encodes the pages before the clock runs and decodes
//! what comes back without decrypting it, so the time of atuin's own client would be longer.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Cost;
use crate::Outcome;
use crate::process::Process;

/// What it is called in the table.
pub const NAME: &str = "atuin-server 18.24.4";

const PAGE: usize = 1000;
const START_TRIES: u32 = 500;
const START_WAIT: Duration = Duration::from_millis(20);

/// What encryption adds to a payload (PASETO v4.local: a nonce and a tag), in bytes.
const SEAL_BYTES: usize = 64;
/// A wrapped key (PASERK local-wrap.pie) and the name of the key that wraps it, in bytes.
const WRAPPED_KEY_BYTES: usize = 96;
const KEY_ID_BYTES: usize = 33;

#[derive(Serialize, Deserialize)]
struct Record {
    id: Uuid,
    idx: u64,
    host: Host,
    timestamp: u64,
    version: String,
    tag: String,
    data: Sealed,
}

#[derive(Serialize, Deserialize)]
struct Host {
    id: Uuid,
    name: String,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    data: String,
    content_encryption_key: String,
}

#[derive(Deserialize)]
struct Registered {
    session: String,
}

/// The records of one host.
pub struct Records {
    host: Uuid,
}

impl Records {
    /// A new host.
    pub fn new() -> Records {
        Records {
            host: Uuid::now_v7(),
        }
    }

    /// The body of a push: records with payloads as long as the events, sealed.
    pub fn page(&self, first: usize, events: &[Vec<u8>]) -> Vec<u8> {
        let records = events
            .iter()
            .zip(first as u64..)
            .map(|(event, idx)| Record {
                id: Uuid::now_v7(),
                idx,
                host: Host {
                    id: self.host,
                    name: String::new(),
                },
                timestamp: 1_790_000_000_000_000_000 + idx,
                version: "v0".to_owned(),
                tag: "history".to_owned(),
                data: Sealed {
                    data: format!("v4.local.{}", noise(event.len() + SEAL_BYTES)),
                    content_encryption_key: format!(
                        r#"{{"wpk":"k4.local-wrap.pie.{}","kid":"k4.lid.{}"}}"#,
                        noise(WRAPPED_KEY_BYTES),
                        noise(KEY_ID_BYTES)
                    ),
                },
            });
        let records: Vec<Record> = records.collect();
        serde_json::to_vec(&records).expect("writing to memory cannot fail")
    }
}

/// Sealed bytes look like noise.
fn noise(bytes: usize) -> String {
    let mut noise = vec![0; bytes];
    getrandom::fill(&mut noise).expect("the system gives random bytes");
    BASE64_URL_SAFE_NO_PAD.encode(noise)
}

/// Pushes these events, then pulls them.
pub async fn measure(program: &Path, events: &[Vec<u8>]) -> Outcome<(Cost, Cost)> {
    let server = Atuin::start(program).await?;
    let records = Records::new();
    let pages = events.chunks(PAGE).enumerate();
    let pages: Vec<Vec<u8>> = pages
        .map(|(index, page)| records.page(index * PAGE, page))
        .collect();
    let push = async {
        for page in pages {
            let request = server.client.post(server.address("api/v0/record"));
            let request = request.header(CONTENT_TYPE, "application/json").body(page);
            server.ask(request).await?;
        }
        Ok(())
    };
    let (push, ()) = server.process.timed(push).await?;
    let pull = async {
        let mut start = 0;
        loop {
            let path = format!(
                "api/v0/record/next?host={}&tag=history&start={start}&count={PAGE}",
                records.host
            );
            let page = server.ask(server.client.get(server.address(&path))).await?;
            let page: Vec<Record> = serde_json::from_slice(&page)?;
            for record in &page {
                let sealed = record.data.data.trim_start_matches("v4.local.");
                BASE64_URL_SAFE_NO_PAD.decode(sealed)?;
            }
            start += page.len();
            if page.len() < PAGE {
                return Ok(start);
            }
        }
    };
    let (pull, pulled) = server.process.timed(pull).await?;
    if pulled != events.len() {
        return Err(format!("{pulled} of {} records came back", events.len()).into());
    }
    let cost = |used| Cost {
        events: events.len() as f64,
        used,
    };
    Ok((cost(push), cost(pull)))
}

/// The server at work, with a user.
struct Atuin {
    process: Process,
    client: Client,
    url: String,
    token: String,
    _folder: tempfile::TempDir,
}

impl Atuin {
    async fn start(program: &Path) -> Outcome<Atuin> {
        let folder = tempfile::tempdir()?;
        // It cannot say which port it took: take one that is free, and let go of it.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let database = folder.path().join("atuin.db");
        let mut command = Command::new(program);
        command
            .args(["start", "--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .env("ATUIN_CONFIG_DIR", folder.path())
            .env("ATUIN_DB_URI", format!("sqlite://{}", database.display()))
            .env("ATUIN_OPEN_REGISTRATION", "true");
        let mut server = Atuin {
            process: Process::start_silent(&mut command)?,
            client: Client::new(),
            url: format!("http://127.0.0.1:{port}"),
            token: String::new(),
            _folder: folder,
        };
        server.wait().await?;
        let user = r#"{"username":"shop","email":"shop@example.com","password":"for this bench"}"#;
        let request = server.client.post(server.address("register"));
        let request = request.header(CONTENT_TYPE, "application/json").body(user);
        let registered: Registered = serde_json::from_slice(&server.ask(request).await?)?;
        server.token = registered.session;
        Ok(server)
    }

    async fn wait(&self) -> Outcome {
        for _ in 0..START_TRIES {
            if self
                .client
                .get(self.address("healthz"))
                .send()
                .await
                .is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(START_WAIT).await;
        }
        Err("atuin-server does not answer".into())
    }

    fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    async fn ask(&self, request: RequestBuilder) -> Outcome<Vec<u8>> {
        let token = format!("Token {}", self.token);
        let answer = request.header(AUTHORIZATION, token).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        match status.is_success() {
            true => Ok(body.to_vec()),
            false => Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into()),
        }
    }
}
