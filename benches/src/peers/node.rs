//! Peers that run on Node: see `benches/peers`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::Cost;
use crate::Outcome;
use crate::process::{Process, Used};

const BATCH: usize = 1000;

/// One of them.
#[derive(Clone, Copy)]
pub enum Peer {
    /// express-pouchdb with PouchDB on LevelDB. It does not flush to the disk, and checks and
    /// proves nothing; it keeps revisions, so that documents can be changed.
    Pouch,
    /// Actual's sync server on SQLite. It checks nothing but the token, and keeps a Merkle trie
    /// over times, by which clients find what they lack. An event is a message for each field.
    Actual,
}

impl Peer {
    pub const ALL: [Peer; 2] = [Peer::Pouch, Peer::Actual];

    /// What it is called in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Peer::Pouch => "express-pouchdb 4.2.0",
            Peer::Actual => "@actual-app/sync-server 25.6.0",
        }
    }

    /// What it is called in the names of figures and in `client.mjs`.
    pub const fn short(self) -> &'static str {
        match self {
            Peer::Pouch => "pouch",
            Peer::Actual => "actual",
        }
    }

    /// How many events it gets.
    pub const fn events(self) -> usize {
        match self {
            Peer::Pouch => 20_000,
            Peer::Actual => 10_000,
        }
    }

    /// How many times faster a push should be with us.
    pub const fn goal(self) -> f64 {
        match self {
            Peer::Pouch => 15.0,
            Peer::Actual => 40.0,
        }
    }

    /// Pushes these documents, then pulls them.
    pub async fn measure(self, folder: &Path, documents: &[Value]) -> Outcome<(Cost, Cost)> {
        let data = tempfile::tempdir()?;
        let events = data.path().join("events.jsonl");
        let mut file = BufWriter::new(File::create(&events)?);
        for document in documents {
            writeln!(file, "{document}")?;
        }
        file.into_inner()?;
        let stored = data.path().join("data");
        std::fs::create_dir(&stored)?;
        let mut server = Command::new("node");
        server
            .arg(folder.join(format!("{}_server.mjs", self.short())))
            .arg(&stored)
            .stderr(Stdio::null());
        let ready = |line: &str| line.strip_prefix("ready ").map(str::to_owned);
        let (process, url) = Process::start(&mut server, ready)?;
        let mut costs = Vec::new();
        for way in ["push", "pull"] {
            let mut client = tokio::process::Command::new("node");
            client
                .arg(folder.join("client.mjs"))
                .args([self.short(), way, &url])
                .arg(&events)
                .arg(BATCH.to_string());
            costs.push(run(&process, client).await?);
        }
        Ok((costs[0], costs[1]))
    }
}

/// Runs a client, which first gets ready, says so, works, and tells how long that took.
async fn run(server: &Process, mut client: tokio::process::Command) -> Outcome<Cost> {
    let mut child = client.stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    if lines.next_line().await?.as_deref() != Some("begin") {
        return Err("the client did not begin".into());
    }
    let work = async {
        lines
            .next_line()
            .await?
            .ok_or_else(|| "the client failed".into())
    };
    let (used, told) = server.timed(work).await?;
    child.wait().await?;
    let told: Value = serde_json::from_str(&told)?;
    let number = |key: &str| told[key].as_f64().ok_or("the client told no number");
    Ok(Cost {
        events: number("events")?,
        used: Used {
            wall_s: number("wall_s")?,
            ..used
        },
    })
}
