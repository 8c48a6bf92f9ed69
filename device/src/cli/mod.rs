//! What can be asked of `pakka-device` on the command line.

pub mod demo;
pub mod load;
pub mod pair;

use std::path::PathBuf;

use device::http::{Address, CallError};
use device::{Device, DeviceError, PATIENCE};
use indicatif::{ProgressBar, ProgressStyle};
use shared::sync::engine::SyncStatus;

/// Anything that can go wrong, in words.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Which server, and where this device keeps what it must not forget.
#[derive(clap::Args)]
pub struct Home {
    /// The server, such as http://localhost:8787
    #[arg(long, value_name = "URL")]
    pub server: String,
    /// The authority of a server on the local network: lan-authority.crt in its data folder
    #[arg(long, value_name = "FILE")]
    pub authority: Option<PathBuf>,
    /// The owner's claim code that the server printed
    #[arg(long, value_name = "CODE")]
    pub claim: String,
    /// The folder of this device
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    pub folder: PathBuf,
}

impl Home {
    /// Where the server is, and whom to believe that it is the one.
    pub fn address(&self) -> Result<Address, Box<dyn std::error::Error>> {
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| format!("{} cannot be opened: {error}", path.display()))
        };
        Ok(Address {
            url: self.server.clone(),
            authority: self.authority.as_ref().map(read).transpose()?,
        })
    }
}

/// Beside the server's own data, which `cargo xtask run` keeps in `data`.
pub const DEFAULT_FOLDER: &str = "data/device";

/// Claims the server, unless this device has done it in an earlier run.
pub async fn claim(device: &mut Device, home: &Home) -> Outcome {
    if device.has_server() {
        return Ok(());
    }
    match device.claim(home.address()?, &home.claim).await {
        Ok(()) => Ok(()),
        Err(DeviceError::Call(error)) if is_claimed_before(&error) => Err(format!(
            "The server {} belongs to a shop already, and its data is as it was. To fill another \
             shop, take another server: a new data folder gives one.",
            home.server
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}

fn is_claimed_before(error: &CallError) -> bool {
    matches!(error.code(), Some("used_code" | "shop_taken"))
}

/// A bar that shows n of total and the time left.
pub fn bar(total: u64, what: &'static str) -> ProgressBar {
    let style = "{msg:<22} {bar:32} {human_pos}/{human_len}  {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is right");
    ProgressBar::new(total).with_style(style).with_message(what)
}

/// Sends what was written, and shows how far it is.
pub async fn send(device: &mut Device) -> Outcome {
    let total = device.waiting();
    let bar = bar(u64::from(total), "Sending to the server");
    let sent = |waiting: u32| u64::from(total.saturating_sub(waiting));
    let watch = |status: SyncStatus| bar.set_position(sent(status.waiting));
    device.sync_watched(PATIENCE, watch).await?;
    bar.finish();
    Ok(())
}

/// How a phone gets to see the shop.
pub fn say_how_to_join(server: &str, folder: &std::path::Path) {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("pakka-device"));
    println!(
        "\nTo see it on a phone or in a browser: open {server}, choose to join a shop, and run\n  \
         {} pair --folder {}",
        program.display(),
        folder.display()
    );
}
