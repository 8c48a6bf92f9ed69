//! A made-up shop of any size, through the real commands: many customers, a year, festivals,
//! salary days, several devices, mistakes and their corrections. The same seed gives the same shop.
//!
//! [`Demo`] says turn by turn what someone wants; whoever drives it decides and keeps the events.
//! [`Books`] is the simplest driver: all devices on one ledger, events made one command at a time,
//! so that a hundred thousand of them need no more memory than the ledger.

mod books;
mod days;
mod entries;
mod names;
mod zipf;

pub use books::{Books, Written};

use std::collections::VecDeque;

use super::rng::Rng;
use crate::calendar::{BusinessDay, TimeMs};
use crate::command::{AddCustomer, Command};
use crate::event::{Body, Event, Language, Messages};
use crate::ids::{CustomerId, EntryId};
use crate::ledger::Ledger;
use crate::money::Paise;
use zipf::Zipf;

/// How large a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// About how many events; never fewer than one for every customer and day.
    pub events: u32,
    /// How many customers get a page.
    pub customers: u32,
    /// Over how many days.
    pub days: u32,
    /// On how many devices.
    pub devices: u32,
    /// Decides everything else.
    pub seed: u64,
    /// The last of the days.
    pub until: BusinessDay,
}

impl Size {
    /// The shop of `cargo xtask run --demo`: 300 customers, a year, three devices.
    pub const fn year(events: u32, seed: u64, until: BusinessDay) -> Size {
        Size {
            events,
            customers: 300,
            days: 365,
            devices: 3,
            seed,
            until,
        }
    }

    /// The first day of the books.
    pub fn first_day(&self) -> BusinessDay {
        self.until.plus_days(1 - self.days.max(1) as i32)
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Someone wants something: ask [`Demo::command`] what.
    Act {
        /// The device, counted from 0.
        device: usize,
        /// When.
        at: TimeMs,
    },
    /// The shop closes: a time for the devices to come together, see [`Demo::met`].
    DayEnds(BusinessDay),
}

/// A customer's page and who knows of it.
#[derive(Debug, Clone, Copy)]
struct Page {
    id: CustomerId,
    device: usize,
    /// All devices know it.
    shared: bool,
}

/// An entry that was just made, and may have been a mistake.
#[derive(Debug, Clone)]
struct Recent {
    id: EntryId,
    body: Body,
}

/// How many of its last entries a device remembers.
const RECENT: usize = 16;

/// Says turn by turn what the people of a shop want.
#[derive(Debug, Clone)]
pub struct Demo {
    size: Size,
    rng: Rng,
    day: BusinessDay,
    /// The moments of the day that are still to come, the next one last.
    moments: Vec<TimeMs>,
    events_left: u32,
    weight_left: u64,
    pages: Vec<Page>,
    /// Pages asked for, some of which may not have been opened yet.
    named: usize,
    visits: Zipf,
    amounts: Zipf,
    recent: Vec<VecDeque<Recent>>,
    references: u64,
}

impl Demo {
    /// A shop of this size, whose first day has not begun. The first device has opened it.
    pub fn new(size: Size) -> Demo {
        let days = (0..size.days.max(1) as i32).map(|ahead| size.first_day().plus_days(ahead));
        let mut demo = Demo {
            size,
            rng: Rng::new(size.seed),
            day: size.first_day(),
            moments: Vec::new(),
            events_left: size.events,
            weight_left: days.map(days::weight).sum(),
            pages: Vec::new(),
            named: 0,
            visits: Zipf::default(),
            amounts: Zipf::new(200),
            recent: vec![VecDeque::new(); size.devices.max(1) as usize],
            references: 0,
        };
        demo.open_day();
        demo
    }

    /// What comes next; `None` after the last day.
    pub fn turn(&mut self) -> Option<Turn> {
        if self.day > self.size.until {
            return None;
        }
        let Some(at) = self.moments.pop() else {
            let ended = self.day;
            self.day = ended.plus_days(1);
            self.open_day();
            return Some(Turn::DayEnds(ended));
        };
        // The first device stands at the counter and does the most.
        let devices = self.recent.len() as u64;
        let device = match self.rng.chance(50) {
            true => 0,
            false => self.rng.below(devices) as usize,
        };
        Some(Turn::Act { device, at })
    }

    fn open_day(&mut self) {
        if self.day > self.size.until {
            return;
        }
        let weight = days::weight(self.day);
        let share = u64::from(self.events_left) * weight / self.weight_left.max(1);
        self.weight_left = self.weight_left.saturating_sub(weight);
        let new_pages = self.pages_due().saturating_sub(self.named) as u64;
        let count = share.max(new_pages).max(1) as usize;
        self.moments = days::moments(self.day, count, &mut self.rng);
        self.moments.reverse();
    }

    /// How many pages there should be by now: half of them from the old notebook in the first
    /// week, the others over the year.
    fn pages_due(&self) -> usize {
        let customers = u64::from(self.size.customers.max(1));
        let days = u64::from(self.size.days.max(1));
        let gone = (self.day.0 - self.size.first_day().0) as u64 + 1;
        let first_week = customers.div_ceil(2) * gone.min(7) / 7;
        let later = customers / 2 * gone / days;
        let due = if gone >= days {
            customers
        } else {
            (first_week + later).max(1)
        };
        due as usize
    }

    /// What someone wants at this turn, on a device whose books are `ledger`.
    pub fn command(&mut self, device: usize, at: TimeMs, ledger: &Ledger) -> Command {
        let known = self.pages.iter().any(|page| Demo::knows(device, page));
        if self.named < self.pages_due() || !known {
            return self.add_customer().into();
        }
        self.entry(device, at, ledger)
    }

    /// What came of it: the events that the command yielded on this device.
    pub fn done(&mut self, device: usize, events: &[Event]) {
        self.events_left = self.events_left.saturating_sub(events.len() as u32);
        for event in events {
            let id = event.envelope.id;
            match &event.body {
                Body::CustomerAdded(_) => {
                    self.pages.push(Page {
                        id: CustomerId(id),
                        device,
                        shared: false,
                    });
                    self.visits.grow();
                }
                Body::EntryReversed(_) | Body::EntryCorrected(_) => {}
                body => {
                    let recent = &mut self.recent[device];
                    recent.push_back(Recent {
                        id: EntryId(id),
                        body: body.clone(),
                    });
                    if recent.len() > RECENT {
                        recent.pop_front();
                    }
                }
            }
        }
    }

    /// The devices came together: each knows from now on what the others wrote.
    pub fn met(&mut self) {
        // Those behind the last shared page are new.
        let new = self.pages.iter_mut().rev();
        new.take_while(|page| !page.shared)
            .for_each(|page| page.shared = true);
    }

    /// A device knows the pages that it opened, and those of others once they have met.
    fn knows(device: usize, page: &Page) -> bool {
        page.device == device || page.shared
    }

    /// A customer whom the device knows: some come much more often than others.
    fn customer(&mut self, device: usize) -> CustomerId {
        let drawn = self.visits.draw(&mut self.rng);
        let known = |page: &&Page| Demo::knows(device, page);
        let page = self.pages.get(drawn).filter(known);
        let page = page.or_else(|| self.pages.iter().find(known));
        page.expect("a device without customers adds one first").id
    }

    fn add_customer(&mut self) -> AddCustomer {
        let index = self.named;
        self.named += 1;
        let rng = &mut self.rng;
        AddCustomer {
            name: names::customer(index, rng),
            phone: rng.chance(70).then(|| names::phone(index)),
            address: None,
            note: None,
            language: rng.chance(50).then_some(Language::Hindi),
            limit: rng
                .chance(10)
                .then(|| Paise(*rng.pick(&[5_000_00, 10_000_00, 20_000_00]))),
            messages: rng.chance(10).then_some(Messages::Never),
        }
    }
}
