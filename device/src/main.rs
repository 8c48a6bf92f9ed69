//! `pakka-device`: a device without a screen, that fills a shop and lets phones join it.

mod cli;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A device of a shop, without a screen.
#[derive(Parser)]
#[command(name = "pakka-device", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Open a shop with the bills in a file
    Load(cli::load::Args),
    /// Open a shop with made-up entries
    Demo(cli::demo::Args),
    /// Let a phone join the shop of this device
    Pair(cli::pair::Args),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Load(args) => cli::load::run(&args).await,
        Command::Demo(args) => cli::demo::run(&args).await,
        Command::Pair(args) => cli::pair::run(&args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
