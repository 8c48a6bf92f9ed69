//! `pakka-server`: the server of one or many shops.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use fast_qr::QRBuilder;
use rust_embed::RustEmbed;
use shared::ids::ShopId;
use shared::verify::Depth;
use sync_server::assets::Assets;
use sync_server::audit::{self, Report};
use sync_server::bring_back::{BroughtBack, bring_back};
use sync_server::code::Code;
use sync_server::config::{Config, Flags};
use sync_server::server::{self, Running};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// The app as it was when this program was built; empty where it was not built. It lies in the
/// program and not in the library, so that a change of the app builds only the program again.
#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct BuiltApp;

/// Which build of the app lies in here. Naming it makes cargo build again where a first build or
/// another one took its place; what else changes in its files, cargo sees by itself.
const BUILT_APP: Option<&str> = option_env!("PAKKA_BUILT_APP");

/// Brings the phones of a shop together.
#[derive(Parser)]
#[command(name = "pakka-server", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves shops until it is told to stop
    Serve(Box<Flags>),
    /// Issues one more claim code, for one more shop
    ClaimCode(Box<Flags>),
    /// Checks every entry, signature and hash of a database or of an exported file
    Verify(Verify),
    /// Writes all that is kept of a shop into one file
    Export(Export),
    /// Brings back an exported file, or a copy of log.db, into an empty folder
    Restore(Restore),
}

#[derive(Args)]
struct Restore {
    /// The exported file, of a server or of a phone, or a copy of log.db
    file: PathBuf,
    /// The folder for the server: empty, but for the server.key of before if there is one
    /// [default: ./data]
    #[arg(long, value_name = "DIR", env = "PAKKA_DATA")]
    data: Option<PathBuf>,
}

#[derive(Args)]
struct Verify {
    /// An exported file, instead of the folder of a server
    #[arg(conflicts_with_all = ["data", "shop"])]
    file: Option<PathBuf>,
    /// The folder of a server, at rest or at work, or a copy of it [default: ./data]
    #[arg(long, value_name = "DIR", env = "PAKKA_DATA")]
    data: Option<PathBuf>,
    /// Only this shop
    #[arg(long, value_name = "ID")]
    shop: Option<Uuid>,
    /// Check the last signature of each device only: it covers all that the device wrote
    #[arg(long)]
    quick: bool,
}

#[derive(Args)]
struct Export {
    /// The file to write
    file: PathBuf,
    /// The folder of the server, at rest or at work [default: ./data]
    #[arg(long, value_name = "DIR", env = "PAKKA_DATA")]
    data: Option<PathBuf>,
    /// The shop; not needed where there is one only
    #[arg(long, value_name = "ID")]
    shop: Option<Uuid>,
    /// With the keys of names, telephone numbers and notes: keep such a file as safe as the khata
    #[arg(long)]
    keys: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("PAKKA_LOG").unwrap_or_else(|_| EnvFilter::new("warn")),
        )
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let done = match cli.command {
        Command::Serve(flags) => serve(*flags).await,
        Command::ClaimCode(flags) => claim_code(*flags).await,
        Command::Verify(asked) => return verify(asked).await,
        Command::Export(asked) => export(asked).await,
        Command::Restore(asked) => restore(asked).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pakka-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends with failure where anything is bad, or nothing could be checked.
async fn verify(asked: Verify) -> ExitCode {
    let depth = match asked.quick {
        true => Depth::LastSignatures,
        false => Depth::EverySignature,
    };
    let reports = match &asked.file {
        Some(file) => audit::verify_file(file, depth, tell_progress).map(|report| vec![report]),
        None => {
            let folder = asked.data.unwrap_or_else(|| PathBuf::from("data"));
            let shop = asked.shop.map(ShopId);
            audit::verify_folder(&folder, shop, depth, tell_progress).await
        }
    };
    let reports = match reports {
        Ok(reports) => reports,
        Err(error) => {
            eprintln!("pakka-server: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut words = String::new();
    for report in &reports {
        words += &format!("{report}\n");
    }
    print!("{words}");
    match reports.iter().all(Report::is_good) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

async fn export(asked: Export) -> Outcome {
    let folder = asked.data.unwrap_or_else(|| PathBuf::from("data"));
    let shop = asked.shop.map(ShopId);
    let entries = audit::export(&folder, shop, asked.keys, &asked.file, tell_progress).await?;
    println!("{entries} entries are in {}", asked.file.display());
    Ok(())
}

async fn restore(asked: Restore) -> Outcome {
    let folder = asked.data.unwrap_or_else(|| PathBuf::from("data"));
    for brought in bring_back(&asked.file, &folder, tell_progress).await? {
        let BroughtBack {
            shop,
            events,
            keys,
            same_key,
        } = brought;
        println!(
            "shop {shop}: {events} entries and {keys} keys of names are in {}",
            folder.display()
        );
        match same_key {
            true => {
                println!("Phones go on by themselves, and bring what they hold and the file lacks.")
            }
            false => println!(
                "The server has a new key: on the owner's phone, open “Another khata” and let it go on."
            ),
        }
    }
    Ok(())
}

/// Tells a person who waits how far it is.
fn tell_progress(done: u64, total: u64) {
    let mut err = io::stderr();
    if err.is_terminal() && total > 0 {
        let end = if done >= total { '\n' } else { '\r' };
        // Nobody has to see it.
        let _ = write!(err, "{} %{end}", done * 100 / total);
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn config(flags: Flags) -> Result<Config, sync_server::config::WrongSetting> {
    Config::read(flags, |name| std::env::var(name).ok())
}

async fn serve(flags: Flags) -> Outcome {
    let config = config(flags)?;
    // Heard from now on: a signal that comes early must not end the process half-way.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = server::start_with(&config, built_app()).await?;
    print(&running)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(())
}

fn built_app() -> Assets {
    tracing::info!(build = BUILT_APP, "the app inside");
    Assets::from_files(BuiltApp::iter().filter_map(|path| {
        let file = BuiltApp::get(&path)?;
        Some((path.into_owned(), file.data))
    }))
}

/// One write, so that a program that reads along gets all of it.
fn print(running: &Running) -> io::Result<()> {
    let mut words = format!("Pakka is at {}\n", running.url);
    if let Some(trust) = &running.trust_url {
        words += &format!("Phones open {trust} first, once\n");
        if io::stdout().is_terminal()
            && let Ok(code) = QRBuilder::new(trust.as_str()).build()
        {
            words += &format!("{}\n", code.to_str());
        }
    }
    if let Some(code) = &running.claim_code {
        words += &format!("The owner's claim code: {code}\n");
    }
    let mut out = io::stdout().lock();
    out.write_all(words.as_bytes())?;
    out.flush()
}

async fn claim_code(flags: Flags) -> Outcome {
    let config = config(flags)?;
    let store = server::open_store(&config.data).await?;
    let code = config.claim_code.unwrap_or_else(Code::random);
    server::issue_claim_code(&store, &code).await?;
    sync_server::store::Store::close(&store).await;
    println!("The owner's claim code: {code}");
    Ok(())
}
