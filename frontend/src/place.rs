//! The screens and their addresses, both ways. A link names a [`Place`], so one
//! that leads nowhere does not compile.

use std::fmt;

use shared::calendar::Month;
use shared::ids::{CustomerId, EntryId};

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The khata: totals and customers.
    Khata,
    /// One customer's khata.
    Customer(CustomerId),
    /// Writing an entry of a customer.
    Entry(CustomerId, EntryKind),
    /// Choosing whose khata a debt moves to.
    Move(CustomerId),
    /// Writing that a debt moves from the first customer to the second.
    Transfer(CustomerId, CustomerId),
    /// Choosing the other page of the same person.
    Same(CustomerId),
    /// A customer's statement, to be shown, sent or printed.
    Statement(CustomerId),
    /// Facts about a customer: name, phone, limit.
    Details(CustomerId),
    /// Writing an entry anew, in the place of one that was wrong.
    Correct(EntryId),
    /// Writing that goods of an entry come back.
    ReturnOf(EntryId),
    /// Adding a customer.
    NewCustomer,
    /// A quick cash sale.
    Sale,
    /// The choice of reports.
    Reports,
    /// The report of a month, as `2026-11`.
    Month(Month),
    /// Everything that was written for one day.
    Day,
    /// Balances on a past date.
    Past,
    /// Looking up what a customer disputes.
    Disputes,
    /// What a person has to look at.
    Tasks,
    /// Everything else: settings and the state of things.
    More,
    /// The shop's name and address.
    Shop,
    /// The phones of the shop.
    Devices,
    /// Pairing another phone.
    Pair,
    /// The people who work here.
    Staff,
    /// What is where: this phone, the server.
    Sync,
    /// Space on this phone, and the export.
    Storage,
    /// The server's log is not the one that this phone has read.
    Conflict,
    /// The khata that this phone had before it joined this shop.
    OldKhata,
    /// The first start.
    Start,
    /// Joining a shop with a code.
    Join,
}

impl Place {
    /// Does its screen look at entries of any age?
    pub const fn looks_back(&self) -> bool {
        matches!(
            self,
            Place::Statement(_)
                | Place::Correct(_)
                | Place::ReturnOf(_)
                | Place::Reports
                | Place::Month(_)
                | Place::Day
                | Place::Past
                | Place::Disputes
                | Place::Tasks
                | Place::Join
        )
    }
}

/// Which way something moves in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Goods on credit.
    Give,
    /// Money from the customer.
    Get,
    /// Goods that come back.
    Return,
    /// Money that the customer leaves with the shop.
    Deposit,
    /// Money given back out of the advance.
    Withdraw,
    /// The khata settled out of the advance.
    Settle,
    /// An amount that the shop gives up.
    WriteOff,
}

impl EntryKind {
    const ALL: [Self; 7] = [
        Self::Give,
        Self::Get,
        Self::Return,
        Self::Deposit,
        Self::Withdraw,
        Self::Settle,
        Self::WriteOff,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Get => "get",
            Self::Return => "return",
            Self::Deposit => "deposit",
            Self::Withdraw => "withdraw",
            Self::Settle => "settle",
            Self::WriteOff => "write-off",
        }
    }
}

impl Place {
    /// The screen at a path, if there is one.
    pub fn from_path(path: &str) -> Option<Self> {
        let mut parts = path.splitn(5, '/').filter(|part| !part.is_empty());
        let parts = [
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(), // with all that follows, which no screen has
        ];
        Some(match parts {
            [None, ..] => Self::Khata,
            [Some("customer"), Some("new"), None, _] => Self::NewCustomer,
            [Some("customer"), Some(id), None, _] => Self::Customer(id.parse().ok()?),
            [Some("customer"), Some(id), Some("statement"), None] => {
                Self::Statement(id.parse().ok()?)
            }
            [Some("customer"), Some(id), Some("details"), None] => Self::Details(id.parse().ok()?),
            [Some("entry"), Some(id), Some("correct"), None] => Self::Correct(id.parse().ok()?),
            [Some("customer"), Some(id), Some("move"), None] => Self::Move(id.parse().ok()?),
            [Some("customer"), Some(id), Some("move"), Some(to)] => {
                Self::Transfer(id.parse().ok()?, to.parse().ok()?)
            }
            [Some("customer"), Some(id), Some("same"), None] => Self::Same(id.parse().ok()?),
            [Some("entry"), Some(id), Some("return"), None] => Self::ReturnOf(id.parse().ok()?),
            [Some("customer"), Some(id), Some(word), None] => {
                let kind = EntryKind::ALL
                    .into_iter()
                    .find(|kind| kind.word() == word)?;
                Self::Entry(id.parse().ok()?, kind)
            }
            [Some("sale"), None, ..] => Self::Sale,
            [Some("reports"), None, ..] => Self::Reports,
            [Some("reports"), Some("month"), Some(month), None] => Self::Month(read_month(month)?),
            [Some("reports"), Some("day"), None, _] => Self::Day,
            [Some("reports"), Some("past"), None, _] => Self::Past,
            [Some("reports"), Some("disputes"), None, _] => Self::Disputes,
            [Some("tasks"), None, ..] => Self::Tasks,
            [Some("more"), None, ..] => Self::More,
            [Some("more"), Some("shop"), None, _] => Self::Shop,
            [Some("more"), Some("devices"), None, _] => Self::Devices,
            [Some("more"), Some("pair"), None, _] => Self::Pair,
            [Some("more"), Some("staff"), None, _] => Self::Staff,
            [Some("more"), Some("sync"), None, _] => Self::Sync,
            [Some("more"), Some("storage"), None, _] => Self::Storage,
            [Some("more"), Some("conflict"), None, _] => Self::Conflict,
            [Some("more"), Some("old"), None, _] => Self::OldKhata,
            [Some("start"), None, ..] => Self::Start,
            [Some("join"), None, ..] => Self::Join,
            _ => return None,
        })
    }

    /// Where back leads when the app was opened right here; `None` at the top.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::Khata | Self::Start => None,
            Self::Customer(_)
            | Self::Correct(_)
            | Self::ReturnOf(_)
            | Self::NewCustomer
            | Self::Sale
            | Self::Reports
            | Self::More => Some(Self::Khata),
            Self::Entry(id, _)
            | Self::Move(id)
            | Self::Transfer(id, _)
            | Self::Same(id)
            | Self::Statement(id)
            | Self::Details(id) => Some(Self::Customer(id)),
            Self::Month(_) | Self::Day | Self::Past | Self::Disputes => Some(Self::Reports),
            Self::Tasks
            | Self::Shop
            | Self::Devices
            | Self::Staff
            | Self::Sync
            | Self::Storage
            | Self::Conflict
            | Self::OldKhata => Some(Self::More),
            Self::Pair => Some(Self::Devices),
            Self::Join => Some(Self::Start),
        }
    }

    /// Whether the screen is one of those in the bottom bar.
    pub fn is_main(self) -> bool {
        matches!(self, Self::Khata | Self::Sale | Self::Reports | Self::More)
    }
}

impl fmt::Display for Place {
    /// The path of the screen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Khata => f.write_str("/"),
            Self::Customer(id) => write!(f, "/customer/{id}"),
            Self::Entry(id, kind) => write!(f, "/customer/{id}/{}", kind.word()),
            Self::Move(id) => write!(f, "/customer/{id}/move"),
            Self::Transfer(from, to) => write!(f, "/customer/{from}/move/{to}"),
            Self::Same(id) => write!(f, "/customer/{id}/same"),
            Self::Statement(id) => write!(f, "/customer/{id}/statement"),
            Self::Details(id) => write!(f, "/customer/{id}/details"),
            Self::Correct(id) => write!(f, "/entry/{id}/correct"),
            Self::ReturnOf(id) => write!(f, "/entry/{id}/return"),
            Self::NewCustomer => f.write_str("/customer/new"),
            Self::Sale => f.write_str("/sale"),
            Self::Reports => f.write_str("/reports"),
            Self::Month(month) => write!(f, "/reports/month/{:04}-{:02}", month.year, month.month),
            Self::Day => f.write_str("/reports/day"),
            Self::Past => f.write_str("/reports/past"),
            Self::Disputes => f.write_str("/reports/disputes"),
            Self::Tasks => f.write_str("/tasks"),
            Self::More => f.write_str("/more"),
            Self::Shop => f.write_str("/more/shop"),
            Self::Devices => f.write_str("/more/devices"),
            Self::Pair => f.write_str("/more/pair"),
            Self::Staff => f.write_str("/more/staff"),
            Self::Sync => f.write_str("/more/sync"),
            Self::Storage => f.write_str("/more/storage"),
            Self::Conflict => f.write_str("/more/conflict"),
            Self::OldKhata => f.write_str("/more/old"),
            Self::Start => f.write_str("/start"),
            Self::Join => f.write_str("/join"),
        }
    }
}

/// Reads `2026-11`.
fn read_month(text: &str) -> Option<Month> {
    let (year, month) = text.split_once('-')?;
    let (year, month) = (year.parse().ok()?, month.parse().ok()?);
    let is_month = (2000..=9999).contains(&year) && (1..=12).contains(&month);
    is_month.then_some(Month { year, month })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ids::EventId;

    #[test]
    fn every_screen_is_found_at_its_own_address() {
        let id = CustomerId(EventId::new(3, 1042));
        let screens = [
            Place::Khata,
            Place::Customer(id),
            Place::Entry(id, EntryKind::Give),
            Place::Entry(id, EntryKind::Get),
            Place::Entry(id, EntryKind::Return),
            Place::Entry(id, EntryKind::Deposit),
            Place::Entry(id, EntryKind::Withdraw),
            Place::Entry(id, EntryKind::Settle),
            Place::Entry(id, EntryKind::WriteOff),
            Place::Move(id),
            Place::Transfer(id, CustomerId(EventId::new(2, 7))),
            Place::Same(id),
            Place::Statement(id),
            Place::Details(id),
            Place::Correct(EntryId(id.0)),
            Place::ReturnOf(EntryId(id.0)),
            Place::NewCustomer,
            Place::Sale,
            Place::Reports,
            Place::Month(Month {
                year: 2026,
                month: 11,
            }),
            Place::Day,
            Place::Past,
            Place::Disputes,
            Place::Tasks,
            Place::More,
            Place::Shop,
            Place::Devices,
            Place::Pair,
            Place::Staff,
            Place::Sync,
            Place::Storage,
            Place::Conflict,
            Place::OldKhata,
            Place::Start,
            Place::Join,
        ];
        for screen in screens {
            assert_eq!(Place::from_path(&screen.to_string()), Some(screen));
        }
    }

    #[test]
    fn an_address_that_is_no_screen_is_none() {
        for path in [
            "/nowhere",
            "/customer/3-1/burn",
            "/customer/3-1/move/priya",
            "/customer/3-1/move/3-2/x",
            "/customer/3-1/give/3-2",
            "/sale/now",
            "/more/shop/x/y",
            "/customer/priya",
            "/reports/month/2026-13",
        ] {
            assert_eq!(Place::from_path(path), None, "{path}");
        }
    }

    #[test]
    fn going_back_from_anywhere_ends_at_a_top_screen() {
        let mut place = Place::Entry(CustomerId(EventId::new(1, 2)), EntryKind::Give);
        let mut steps = 0;
        while let Some(parent) = place.parent() {
            place = parent;
            steps += 1;
            assert!(steps < 5);
        }
        assert_eq!(place, Place::Khata);
    }
}
