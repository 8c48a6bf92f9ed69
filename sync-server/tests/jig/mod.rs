//! The real server on a free port with a real folder, and phones that speak to it.

#![allow(dead_code)] // Each test binary uses its own part.

pub mod child;
pub mod desk;
pub mod disk;
pub mod native;
pub mod phone;
pub mod pushers;

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use sync_server::code::Code;
use sync_server::config::Config;
use sync_server::server::{self, Running};
use tempfile::TempDir;

pub use phone::Phone;

/// Nobody waits for the rate limit, except where it is what is tested.
const FAST: NonZeroU32 = NonZeroU32::new(100_000).expect("not zero");

/// A server in this process.
pub struct Server {
    folder: TempDir,
    config: Config,
    running: Option<Running>,
}

impl Server {
    /// A new server without a shop.
    pub async fn new() -> Server {
        Server::with(|_| {}).await
    }

    /// A new server with other settings.
    pub async fn with(set: impl FnOnce(&mut Config)) -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().join("data"),
            listen: "127.0.0.1:0".parse().expect("an address"),
            public_url: None,
            lan: None,
            claim_code: None,
            rate: FAST,
            app: Some(app(&folder)),
        };
        set(&mut config);
        let mut server = Server {
            folder,
            config,
            running: None,
        };
        server.start().await;
        server
    }

    /// Starts it again on the same folder and the same port.
    pub async fn start(&mut self) {
        let running = server::start(&self.config)
            .await
            .expect("the server starts");
        self.config.listen = running.address;
        self.running = Some(running);
    }

    /// Stops it as an administrator does.
    pub async fn stop(&mut self) {
        self.running.take().expect("it runs").stop().await;
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.config.listen)
    }

    pub fn data(&self) -> PathBuf {
        self.config.data.clone()
    }

    /// A claim code for one more shop, as `pakka-server claim-code` issues it.
    pub async fn claim_code(&self) -> Code {
        let store = server::open_store(&self.config.data).await.expect("opens");
        let code = Code::random();
        server::issue_claim_code(&store, &code)
            .await
            .expect("issued");
        sync_server::store::Store::close(&store).await;
        code
    }

    /// The founding phone of a new shop, with the two events that every shop begins with sent.
    pub async fn shop(&self) -> Phone {
        let mut founder = Phone::new(&self.url());
        founder
            .claim(&self.claim_code().await.to_string())
            .await
            .expect("claimed");
        founder.open_shop();
        founder.sync().await;
        founder
    }
}

/// The files under a folder that hold these bytes.
pub fn files_with(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if std::fs::read(&path)
            .expect("readable")
            .windows(bytes.len())
            .any(|part| part == bytes)
        {
            found.push(path);
        }
    }
    found
}

/// The files of an app, as the build leaves them.
fn app(folder: &TempDir) -> PathBuf {
    let app = folder.path().join("dist");
    fs::create_dir_all(app.join("locales")).expect("a folder");
    for (name, bytes) in [
        ("index.html", "<!doctype html><title>Pakka</title>"),
        ("sw.js", "self.x = 1"),
        ("boot.js", "export {}"),
        ("manifest.webmanifest", "{}"),
        ("locales/hi.json", "{}"),
        (
            "pakka-0123456789abcdef.js",
            "a long script, a long script, a long script",
        ),
        ("pakka-0123456789abcdef.js.br", "as brotli"),
        ("pakka-fedcba9876543210_bg.wasm", "\0asm"),
    ] {
        fs::write(app.join(name), bytes).expect("written");
    }
    app
}
