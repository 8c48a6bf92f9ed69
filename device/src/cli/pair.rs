//! `pakka-device pair`: the owner lets a phone join, from the command line.

use core::time::Duration;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use device::{Device, Offer};
use fast_qr::QRBuilder;
use shared::event::Role;
use shared::sync::wire::{Joiner, match_digits};

use super::{DEFAULT_FOLDER, Outcome};

/// How often it is looked whether a phone has asked.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Whom to let in.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of this device
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    folder: PathBuf,
    /// The address under which phones reach the server, if it is another one than here
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// The most that the phone may do
    #[arg(long, value_enum, default_value_t = MayDo::Cashier)]
    role: MayDo,
    /// Let the first phone in that asks, without typing its four digits
    #[arg(long)]
    confirm: bool,
}

/// The rights that can be given to a phone.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum MayDo {
    Viewer,
    Cashier,
    Manager,
    Owner,
}

impl From<MayDo> for Role {
    fn from(may_do: MayDo) -> Role {
        match may_do {
            MayDo::Viewer => Role::Viewer,
            MayDo::Cashier => Role::Cashier,
            MayDo::Manager => Role::Manager,
            MayDo::Owner => Role::Owner,
        }
    }
}

/// Offers a pairing, waits for a phone, and lets it in.
pub async fn run(args: &Args) -> Outcome {
    let mut device = Device::open(&args.folder)?;
    device.sync_until_quiet().await?;
    let role = Role::from(args.role);
    let offer = device.offer_pairing(role).await?;
    let server = args.address.as_deref().or(device.server_url());
    say(server.unwrap_or_default(), &offer)?;
    let joiner = wait(&device, &offer).await?;
    let digits = match_digits(&joiner.key);
    if args.confirm {
        println!("“{}” asks to join. It shows {digits}.", joiner.name);
    } else {
        print!(
            "“{}” asks to join. Type the four digits that it shows: ",
            joiner.name
        );
        std::io::stdout().flush()?;
        let mut typed = String::new();
        std::io::stdin().lock().read_line(&mut typed)?;
        if typed.trim() != digits {
            return Err("These are not its digits. Nobody was let in; offer a new pairing.".into());
        }
    }
    device.confirm(&joiner, role).await?;
    println!("It belongs to the shop now.");
    Ok(())
}

fn say(server: &str, offer: &Offer) -> Outcome {
    let link = offer.link(server);
    let qr = QRBuilder::new(link.as_str()).build();
    let qr = qr.map_err(|_| "The QR could not be drawn.")?;
    println!("{}", qr.to_str());
    println!("Scan it with the phone, or open {link}");
    let (first, second) = offer.code.split_at(offer.code.len() / 2);
    println!("or type {first} {second} there. It works once, for five minutes.");
    Ok(())
}

async fn wait(device: &Device, offer: &Offer) -> Result<Joiner, Box<dyn std::error::Error>> {
    loop {
        if let Some(joiner) = device.joiner(offer).await? {
            return Ok(joiner);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
