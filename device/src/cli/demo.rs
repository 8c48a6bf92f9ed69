//! `pakka-device demo`: a made-up shop, so that there is something to look at.

use device::http::Address;
use device::{Device, Joining, NewShop, has_device, today};
use shared::event::{Language, Role};
use shared::testing::demo::{Demo, Size, Turn};

use super::{Home, Outcome, bar, claim, say_how_to_join};

/// How large a shop.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: Home,
    /// About how many events
    #[arg(long, default_value_t = 30_000)]
    events: u32,
    /// How many customers
    #[arg(long, default_value_t = 300)]
    customers: u32,
    /// Over how many days, the last one yesterday
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// On how many devices
    #[arg(long, default_value_t = 3)]
    devices: u32,
    /// The same number gives the same shop
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The hour of the first day at which the shop is opened, before its first customers.
const OPENED_MS: i64 = 6 * 60 * 60 * 1000;

/// After so many days the devices come together. They work apart in between, as phones without a
/// network do, and the server is asked no more often than it likes.
const DAYS_PER_SYNC: i32 = 14;

/// Fills a shop.
pub async fn run(args: &Args) -> Outcome {
    let folder = &args.home.folder;
    if has_device(folder) {
        return Err(format!(
            "There is a device in {} already, so nothing was made up. Take another folder with \
             --folder.",
            folder.display()
        )
        .into());
    }
    let size = Size {
        events: args.events,
        customers: args.customers,
        days: args.days,
        devices: args.devices,
        seed: args.seed,
        until: today().plus_days(-1),
    };
    let shop = NewShop {
        name: "Lakshmi Kirana".to_owned(),
        owner: "Lakshmi".to_owned(),
        device: "Counter".to_owned(),
        language: Language::English,
        at: size.first_day().start().plus_ms(OPENED_MS),
    };
    let mut owner = Device::found(shop, Some(folder))?;
    claim(&mut owner, &args.home).await?;
    owner.sync_until_quiet().await?;
    let mut devices = vec![owner];
    for number in 2..=args.devices {
        let name = format!("Phone {number}");
        let helper = join(&mut devices[0], args.home.address()?, &name).await?;
        devices.push(helper);
    }
    fill(&mut devices, size).await?;
    say_how_to_join(&args.home.server, folder);
    Ok(())
}

/// One more device, through the real pairing. It is forgotten when this program ends.
async fn join(
    owner: &mut Device,
    server: Address,
    name: &str,
) -> Result<Device, Box<dyn std::error::Error>> {
    let offer = owner.offer_pairing(Role::Manager).await?;
    let joining = Joining::new(server, &offer.secret, name)?;
    joining.ask(0).await?;
    let joiner = owner.joiner(&offer).await?;
    let joiner = joiner.ok_or("The pairing was not seen by the server.")?;
    owner.confirm(&joiner, Role::Manager).await?;
    let mut helper = joining.join(None).await?;
    helper.sync_until_quiet().await?;
    Ok(helper)
}

async fn fill(devices: &mut [Device], size: Size) -> Outcome {
    let mut demo = Demo::new(size);
    let bar = bar(u64::from(size.events), "Making up the shop");
    while let Some(turn) = demo.turn() {
        match turn {
            Turn::Act { device, at } => {
                let command = demo.command(device, at, devices[device].ledger());
                let events = devices[device].execute_at(at, command)?;
                demo.done(device, &events);
                bar.inc(events.len() as u64);
            }
            Turn::DayEnds(day) => {
                let is_last = day == size.until;
                if is_last || (day.0 - size.first_day().0) % DAYS_PER_SYNC == DAYS_PER_SYNC - 1 {
                    together(devices).await?;
                    demo.met();
                }
            }
        }
    }
    bar.finish();
    Ok(())
}

/// All devices send what they have, then read what the others had.
async fn together(devices: &mut [Device]) -> Outcome {
    for device in devices.iter_mut() {
        device.sync_until_quiet().await?;
    }
    let last = devices.len() - 1;
    for device in &mut devices[..last] {
        device.sync_until_quiet().await?;
    }
    Ok(())
}
