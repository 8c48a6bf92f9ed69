//! A real server on a free port, and devices that belong to it.

use std::path::Path;

use device::{Device, Joining, NewShop, now};
use shared::event::{Language, Role};
use shared::sync::wire::JoinAnswer;
use sync_server::code::Code;
use sync_server::config::{Config, Flags};
use sync_server::server::{Running, start};
use tempfile::TempDir;

/// A server that stops when it is dropped.
pub struct TestServer {
    pub url: String,
    pub claim_code: String,
    pub running: Running,
    folder: TempDir,
}

impl TestServer {
    /// A new server without a shop.
    pub async fn start() -> TestServer {
        TestServer::start_with(Flags::default()).await
    }

    /// A new server with HTTPS under an authority of its own, and the authority's certificate.
    pub async fn start_lan() -> (TestServer, Vec<u8>) {
        let server = TestServer::start_with(Flags {
            lan: Some("true".to_owned()),
            listen: Some("127.0.0.1".to_owned()),
            trust_port: Some("0".to_owned()),
            ..Flags::default()
        })
        .await;
        let authority = server.folder.path().join("lan-authority.crt");
        let authority = std::fs::read(authority).expect("an authority");
        let url = server.url.replace("http://127.0.0.1", "https://localhost");
        (TestServer { url, ..server }, authority)
    }

    /// A new server with these settings.
    pub async fn start_with(flags: Flags) -> TestServer {
        let folder = tempfile::tempdir().expect("a folder");
        let flags = Flags {
            data: Some(folder.path().display().to_string()),
            port: Some("0".to_owned()),
            claim_code: Some(Code::random().to_string()),
            ..flags
        };
        let config = Config::read(flags, |_| None).expect("settings");
        let running = start(&config).await.expect("the server starts");
        TestServer {
            url: format!("http://{}", running.address),
            claim_code: running.claim_code.as_ref().expect("a code").to_string(),
            running,
            folder,
        }
    }

    /// A shop whose founding device has claimed this server.
    pub async fn founder(&self) -> Device {
        self.claimed(found()).await
    }

    /// The same with a folder.
    pub async fn founder_in(&self, folder: &Path) -> Device {
        self.claimed(found_in(Some(folder))).await
    }

    async fn claimed(&self, mut founder: Device) -> Device {
        founder
            .claim(&self.url, &self.claim_code)
            .await
            .expect("claims");
        founder.sync_until_quiet().await.expect("syncs");
        founder
    }

    /// One more device of the shop.
    pub async fn join(&self, owner: &mut Device, name: &str) -> Device {
        self.join_in(owner, name, None).await
    }

    /// The same with a folder.
    pub async fn join_in(&self, owner: &mut Device, name: &str, folder: Option<&Path>) -> Device {
        let offer = owner.offer_pairing(Role::Manager).await.expect("offers");
        let joining = Joining::new(&self.url, &offer.secret, name).expect("a joiner");
        let first = joining.ask(0).await.expect("asks");
        assert_eq!(first, JoinAnswer::Waiting);
        let joiner = owner.joiner(&offer).await.expect("looks");
        let joiner = joiner.expect("the phone has asked");
        assert_eq!(
            shared::sync::wire::match_digits(&joiner.key),
            joining.match_digits()
        );
        owner
            .confirm(&joiner, Role::Manager)
            .await
            .expect("confirms");
        let mut joined = joining.join(folder).await.expect("joins");
        joined.sync_until_quiet().await.expect("syncs");
        joined
    }
}

/// A shop that has no server yet.
pub fn found() -> Device {
    found_in(None)
}

fn found_in(folder: Option<&Path>) -> Device {
    let shop = NewShop {
        name: "Lakshmi Kirana".to_owned(),
        owner: "Lakshmi".to_owned(),
        device: "Counter".to_owned(),
        language: Language::Hindi,
        at: now(),
    };
    Device::found(shop, folder).expect("a shop")
}
