//! Measures the server beside other systems that keep what phones write: `cargo xtask bench`
//! builds everything, starts this and makes a table of what it prints.
//!
//! Every server runs as a process of its own under the settings that its users have, with full
//! durability; its processor time is what the system says of that process. Prints one JSON object
//! per figure, see [`row::Row`].

mod ours;
mod peers;
mod process;
mod row;
mod server;
mod shop;
mod wire;

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Measures the server beside other systems.
#[derive(Parser)]
struct Settings {
    /// What to measure
    bench: Bench,
    /// The server's program
    #[arg(long)]
    server: PathBuf,
    /// The program atuin-server
    #[arg(long)]
    atuin: Option<PathBuf>,
    /// The folder with the peers for Node, installed
    #[arg(long)]
    node_peers: Option<PathBuf>,
    /// Small sizes, to see that everything runs; the figures are worth nothing
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// Pushes, many shops at once, raw SQLite, idle phones, memory
    Server,
    /// Bytes: on the wire and on the server's disk
    Wire,
    /// Pushes and pulls beside other servers
    Peers,
}

impl Settings {
    /// How often everything is measured.
    fn runs(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// A size, or a small one instead.
    fn size(&self, full: u32, quick: u32) -> u32 {
        if self.quick { quick } else { full }
    }
}

fn main() -> Outcome {
    let settings = Settings::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let work = async {
        match settings.bench {
            Bench::Server => server::run(&settings).await,
            Bench::Wire => wire::run(&settings).await,
            Bench::Peers => peers::run(&settings).await,
        }
    };
    tokio::task::LocalSet::new().block_on(&runtime, work)
}
