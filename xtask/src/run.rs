//! `cargo xtask run`: from a clone to a shop on the screen.

use crate::app::{self, Profile};
use crate::sh::{Result, cargo, command, fail, root, run as run_to_end, say, target_dir};
use clap::Args;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const DEFAULT_PORT: u16 = 8787;
const DEFAULT_DEMO_EVENTS: u64 = 30_000;
const SERVER_START_TIMEOUT: Duration = Duration::from_secs(60);
const SERVER_LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How to run.
#[derive(Args)]
pub struct RunArgs {
    /// The port of the server
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Where the server keeps its data, instead of `data` in this clone
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Serve HTTPS to the phones of this network, with a page that sets them up
    #[arg(long)]
    lan: bool,
    /// Fill a new shop with this many made-up entries
    #[arg(long, value_name = "ENTRIES", num_args = 0..=1, default_missing_value = "30000")]
    demo: Option<u64>,
    /// Fill a new shop with the bills in this file
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    load: Option<PathBuf>,
    /// Build without optimisation, for work on the code
    #[arg(long)]
    dev: bool,
}

/// What to fill a shop with, once the server answers.
#[derive(Args)]
pub struct FillArgs {
    #[arg(long)]
    port: u16,
    #[arg(long)]
    lan: bool,
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    claim: String,
    #[arg(long)]
    events: Option<u64>,
    #[arg(long)]
    file: Option<PathBuf>,
    #[arg(long)]
    dev: bool,
}

/// Builds everything and becomes the server.
pub fn run(args: &RunArgs) -> Result<()> {
    let fills = args.demo.is_some() || args.load.is_some();
    if let Some(file) = &args.load
        && !file.is_file()
    {
        return fail(format!("There is no file {}.", file.display()));
    }
    let profile = if args.dev {
        Profile::Dev
    } else {
        Profile::Release
    };
    build_all(profile)?;
    if fills {
        build("device", "pakka-device", profile)?;
    }

    let mut server = Command::new(binary("pakka-server", profile));
    server.args(["serve", "--port", &args.port.to_string(), "--data"]);
    match &args.data {
        Some(dir) => server.arg(dir),
        None => server.arg("data").current_dir(root()),
    };
    if args.lan {
        server.arg("--lan");
    }
    if fills {
        let claim = claim_code()?;
        server.args(["--claim-code", &claim]);
        fill_in_background(args, &claim)?;
    }
    say("starting the server (stop it with Ctrl-C)");
    // The server takes this process's place, so that signals reach it directly.
    fail(format!("The server did not start: {}", server.exec()))
}

/// Builds the app, and the server with the app inside it.
pub fn build_all(profile: Profile) -> Result<()> {
    app::build(profile)?;
    build("sync-server", "pakka-server", profile)
}

/// Builds a program of the workspace.
pub fn build(package: &str, binary: &str, profile: Profile) -> Result<()> {
    say(format!("building {binary}"));
    let mut command = cargo();
    command.args(["build", "--package", package, "--bin", binary]);
    // The server carries the app: it is built again when another one lies there.
    if let Some(built) = app::built() {
        command.env("PAKKA_BUILT_APP", built);
    }
    if profile == Profile::Release {
        command.arg("--release");
    }
    run_to_end(&mut command)
}

/// Where cargo puts a program of the workspace.
pub fn binary(name: &str, profile: Profile) -> PathBuf {
    let dir = match profile {
        Profile::Release => "release",
        Profile::Dev => "debug",
    };
    target_dir().join(dir).join(name)
}

/// Digits that only this run knows.
fn claim_code() -> Result<String> {
    let mut bytes = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn fill_in_background(args: &RunArgs, claim: &str) -> Result<()> {
    let mut command = command(std::env::current_exe()?);
    command
        .args(["fill", "--claim", claim])
        .args(["--port", &args.port.to_string()])
        .arg("--data")
        .arg(args.data.clone().unwrap_or_else(|| root().join("data")))
        .current_dir(std::env::current_dir()?);
    if args.lan {
        command.arg("--lan");
    }
    if args.dev {
        command.arg("--dev");
    }
    if let Some(events) = args.demo {
        command.args(["--events", &events.to_string()]);
    }
    if let Some(file) = &args.load {
        command.arg("--file").arg(file);
    }
    command.spawn()?;
    Ok(())
}

/// Waits until the server answers, then becomes the device that fills a shop.
pub fn fill(args: &FillArgs) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        if started.elapsed() > SERVER_START_TIMEOUT {
            return fail("The server did not start, so nothing was filled in.");
        }
        // Another process's port gives no signal when it opens.
        #[expect(clippy::disallowed_methods)]
        thread::sleep(SERVER_LOOK_INTERVAL);
    }
    let profile = if args.dev {
        Profile::Dev
    } else {
        Profile::Release
    };
    let scheme = if args.lan { "https" } else { "http" };
    let mut device = Command::new(binary("pakka-device", profile));
    device.arg(if args.file.is_some() { "load" } else { "demo" });
    device
        .args(["--server", &format!("{scheme}://localhost:{}", args.port)])
        .args(["--claim", &args.claim])
        .arg("--folder")
        .arg(args.data.join("device"));
    if args.lan {
        let authority = args.data.join("lan-authority.crt");
        device.arg("--authority").arg(authority);
    }
    match &args.file {
        Some(file) => device.arg("--file").arg(file),
        None => device.args([
            "--events",
            &args.events.unwrap_or(DEFAULT_DEMO_EVENTS).to_string(),
        ]),
    };
    fail(format!("The shop was not filled: {}", device.exec()))
}
