//! Pakka's server under its real settings.

use std::process::{Command, Stdio};

use device::{Device, Joining};
use shared::event::Role;
use sync_server::code::Code;
use sync_server::config::{Config, Flags};
use sync_server::server::{self, issue_claim_code, open_store};
use sync_server::store::Store;
use tempfile::TempDir;

use crate::process::{Process, Used, fsync_ms, stored_bytes, timed_here};
use crate::{Outcome, Settings};

/// A device may send five requests in a second. Where one device does the work of many, that limit
/// is raised; nothing else is changed.
const RAISED_RATE: &str = "1000000";

/// Where the server keeps everything, in a folder of the bench.
pub const DATA: &str = "data";

/// How often devices may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// As every server has it.
    Usual,
    /// One device stands for many.
    Raised,
}

/// The server at work.
pub struct Ours {
    pub url: String,
    /// A code for each shop that may come.
    pub claim_codes: Vec<String>,
    pub process: Process,
    folder: TempDir,
}

impl Ours {
    /// Starts a new one that this many shops can claim.
    pub async fn start(settings: &Settings, shops: usize, rate: Rate) -> Outcome<Ours> {
        let folder = tempfile::tempdir()?;
        let store = open_store(&folder.path().join(DATA)).await?;
        let mut claim_codes = Vec::with_capacity(shops);
        for _ in 0..shops {
            let code = Code::random();
            issue_claim_code(&store, &code).await?;
            claim_codes.push(code.to_string());
        }
        store.close().await;
        drop(store);
        let mut server = Ours::launch(settings, folder, "0", rate)?;
        server.claim_codes = claim_codes;
        Ok(server)
    }

    fn launch(settings: &Settings, folder: TempDir, port: &str, rate: Rate) -> Outcome<Ours> {
        let mut command = Command::new(&settings.server);
        command
            .args(["serve", "--port", port, "--data"])
            .arg(folder.path().join(DATA))
            .stdin(Stdio::null());
        if rate == Rate::Raised {
            command.args(["--rate", RAISED_RATE]);
        }
        let (process, url) = Process::start(&mut command, |line| {
            line.strip_prefix("Pakka is at ").map(str::to_owned)
        })?;
        Ok(Ours {
            url,
            claim_codes: Vec::new(),
            process,
            folder,
        })
    }

    /// The same server an hour later, when all that is old enough has become segments, and what
    /// that cost. They are made here at once: a server at work takes its time for it.
    pub async fn sealed(self, settings: &Settings, rate: Rate) -> Outcome<(Ours, Used)> {
        let port = self.url.rsplit(':').next().unwrap_or_default().to_owned();
        let folder = self.stop_and_keep()?;
        let flags = Flags {
            data: Some(folder.path().join(DATA).display().to_string()),
            port: Some("0".to_owned()),
            ..Flags::default()
        };
        let running = server::start(&Config::read(flags, |_| None)?).await?;
        let sealing = async { Ok(running.archive().seal_all().await?) };
        let (used, _) = timed_here(sealing).await?;
        running.stop().await;
        Ok((Ours::launch(settings, folder, &port, rate)?, used))
    }

    /// The shop of this device belongs to the server from now on.
    pub async fn claim(&mut self, device: &mut Device) -> Outcome {
        let code = self.claim_codes.pop().ok_or("no code is left")?;
        device.claim(&self.url, &code).await?;
        Ok(())
    }

    /// What an fsync costs where the server's files are.
    pub fn fsync_ms(&self) -> Outcome<f64> {
        fsync_ms(self.folder.path())
    }

    /// Stops it and leaves its files.
    pub fn stop_and_keep(self) -> Outcome<TempDir> {
        self.process.stop()?;
        Ok(self.folder)
    }

    /// Stops it, so that all is written where it stays, and gives the bytes of all its files.
    pub fn stop(self) -> Outcome<u64> {
        self.process.stop()?;
        stored_bytes(&self.folder.path().join(DATA))
    }
}

/// A second device, which has read nothing yet.
pub async fn join(owner: &mut Device, server: &Ours) -> Outcome<Device> {
    let offer = owner.offer_pairing(Role::Manager).await?;
    let joining = Joining::new(&server.url, &offer.secret, "Second")?;
    joining.ask(0).await?;
    let joiner = owner.joiner(&offer).await?.ok_or("nobody asked to join")?;
    owner.confirm(&joiner, Role::Manager).await?;
    Ok(joining.join(None).await?)
}
