//! `pakka-device load`: the bills of a real shop become its books.

use std::fs::File;
use std::path::PathBuf;

use device::load::Load;
use device::load::report::Report;
use device::{Device, NewShop, has_device};
use shared::event::Language;

use super::{Home, Outcome, bar, claim, say_how_to_join, send};

/// How many remarks are shown; the file has all.
const SHOWN_REMARKS: usize = 20;

/// The file with the bills and where they go.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: Home,
    /// The bills: semicolons, decimal commas, day/month/year
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Where the report goes, row by row [default: beside the device]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What the shop is called
    #[arg(long, default_value = "Online Retail")]
    name: String,
}

/// Loads, pushes and reports.
pub async fn run(args: &Args) -> Outcome {
    let file = File::open(&args.file)
        .map_err(|error| format!("{} cannot be opened: {error}", args.file.display()))?;
    let load = Load::read(file)?;
    let folder = &args.home.folder;
    let mut device = if has_device(folder) {
        Device::open(folder)?
    } else {
        let shop = NewShop {
            name: args.name.clone(),
            owner: "Owner".to_owned(),
            device: "Loader".to_owned(),
            language: Language::English,
            at: load.begins(),
        };
        Device::found(shop, Some(folder))?
    };
    // Before anything is written: a server of another shop refuses here.
    claim(&mut device, &args.home).await?;
    let bar = bar(load.bills() as u64, "Writing the bills");
    let report = load.write(&mut device, || bar.inc(1));
    bar.finish();
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            // What an earlier run wrote and could not send is sent now.
            send(&mut device).await?;
            return Err(error.into());
        }
    };
    send(&mut device).await?;
    say(args, &report)?;
    say_how_to_join(&args.home.server, folder);
    Ok(())
}

fn say(args: &Args, report: &Report) -> Outcome {
    println!("\n{report}");
    let path = match &args.report {
        Some(path) => path.clone(),
        None => args.home.folder.join("load-report.csv"),
    };
    report.write(&path)?;
    for reported in report.remarks.iter().take(SHOWN_REMARKS) {
        let place = match reported.invoice.as_str() {
            "" => format!("row {}", reported.line),
            invoice => format!("row {}, bill {invoice}", reported.line),
        };
        println!("  {place}: {}", reported.remark);
    }
    if let Some(more) = report.remarks.len().checked_sub(SHOWN_REMARKS)
        && more > 0
    {
        println!("  and {more} more");
    }
    println!("  All of it, row by row: {}", path.display());
    Ok(())
}
