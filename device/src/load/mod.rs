//! The bills of a real shop, from a file, into the books: through the commands that the screen
//! uses, so that nothing can be loaded that a shopkeeper could not have written.
//!
//! - A bill with a customer is a **sale on the khata**, one without is a sale for cash. It is a
//!   sale and not a credit entry, because a bill has a number of its own, lines and a total: all
//!   bills of the shop then stand in one series, and only the tender says how each was paid.
//! - What came back is a **return** that names no sale, since such files do not say which: to the
//!   khata with a customer, in cash without.
//! - The number of the bill in the file stands in the note of the entry. By it a bill is found
//!   again, so that no bill is ever loaded twice.

pub mod bills;
pub mod report;
pub mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use shared::calendar::TimeMs;
use shared::command::{AddCustomer, Details, MAX_NAME_CHARS, NewEntry, RecordSale, ReturnGoods};
use shared::event::{Line, Paid, Refund, ReturnedLine, Tender, TenderBy};
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::quantity::{Quantity, Unit};
use shared::text::Field;

use crate::device::{Device, now};
use crate::error::DeviceError;
use bills::{Bill, amount, group};
use report::{Remark, Report, Reported};
use rows::{BadFile, Row};

/// Bills that are written before they are made durable together.
const BILLS_PER_SAVE: usize = 100;

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file.
    #[error("{0}")]
    File(#[from] BadFile),
    /// Nothing in it can be an entry.
    #[error("The file has no bill that can be taken in.")]
    NoBills,
    /// All of it is there.
    #[error(
        "All {0} bills of this file are in the books already. Nothing was written a second time."
    )]
    AlreadyLoaded(usize),
    /// The device.
    #[error("{0}")]
    Device(#[from] DeviceError),
}

/// A file that was read and sorted into bills, of which nothing is in the books yet.
pub struct Load {
    bills: Vec<Bill>,
    report: Report,
}

impl Load {
    /// Reads a file.
    pub fn read(file: impl Read) -> Result<Load, LoadError> {
        let rows = rows::read(file)?;
        let mut report = Report {
            rows: (rows.good.len() + rows.bad.len()) as u64,
            ..Report::default()
        };
        for (line, why) in rows.bad {
            report.remarks.push(Reported {
                line,
                invoice: String::new(),
                remark: Remark::Unreadable(why),
            });
        }
        let mut remarks = Vec::new();
        let bills = group(rows.good, now(), &mut remarks);
        for (row, remark) in remarks {
            report.say(&row, remark);
        }
        if bills.is_empty() {
            return Err(LoadError::NoBills);
        }
        Ok(Load { bills, report })
    }

    /// When the first bill was written.
    pub fn begins(&self) -> TimeMs {
        self.bills.first().map_or(TimeMs(0), |bill| bill.at)
    }

    /// How many bills there are.
    pub fn bills(&self) -> usize {
        self.bills.len()
    }

    /// Writes the bills into the books of a device, durably. `done` is told after each bill.
    ///
    /// What an earlier run wrote before it was interrupted is not written again.
    pub fn write(self, device: &mut Device, mut done: impl FnMut()) -> Result<Report, LoadError> {
        let Load { bills, mut report } = self;
        let known = Known::of(device);
        if bills.iter().all(|bill| known.bills.contains(&note(bill))) {
            return Err(LoadError::AlreadyLoaded(bills.len()));
        }
        let mut writer = Writer {
            device,
            customers: known.customers,
            report: &mut report,
        };
        for bills in bills.chunks(BILLS_PER_SAVE) {
            for bill in bills {
                if known.bills.contains(&note(bill)) {
                    writer.say_of_all(bill, &Remark::InTheBooks);
                } else {
                    writer.write(bill)?;
                }
                done();
            }
            writer.device.save()?;
        }
        report.remarks.sort_by_key(|reported| reported.line);
        Ok(report)
    }
}

/// What stands in the note of an entry that came from a bill.
fn note(bill: &Bill) -> String {
    format!("Bill {}", bill.invoice)
}

/// What a customer of whom only the number is known is called.
fn customer_name(number: &str) -> String {
    format!("Customer {number}")
}

/// What an earlier run has written.
struct Known {
    /// The notes of all entries.
    bills: BTreeSet<String>,
    /// The customers by their names.
    customers: BTreeMap<String, CustomerId>,
}

impl Known {
    fn of(device: &Device) -> Known {
        let (ledger, keys) = (device.ledger(), device.keys());
        let notes = ledger.entries.values().filter_map(|entry| {
            let note = entry.what.particulars().note.as_deref()?;
            keys.words(note, Field::Note)
        });
        let customers = ledger.customers.iter().filter_map(|(&id, customer)| {
            Some((keys.words(customer.name.get()?, Field::Name)?, id))
        });
        Known {
            bills: notes.collect(),
            customers: customers.collect(),
        }
    }
}

struct Writer<'d> {
    device: &'d mut Device,
    customers: BTreeMap<String, CustomerId>,
    report: &'d mut Report,
}

impl Writer<'_> {
    fn write(&mut self, bill: &Bill) -> Result<(), DeviceError> {
        let customer = match &bill.customer {
            Some(number) => Some(self.customer(number, bill)?),
            None => None,
        };
        let details = || Details {
            note: Some(note(bill)),
            ..Details::on(bill.at.day())
        };
        if !bill.sold.is_empty() {
            let lines = self.lines(&bill.sold);
            let total = total(&bill.sold);
            let by = match customer {
                Some(_) => TenderBy::Khata,
                None => TenderBy::Money(Paid::CASH),
            };
            let sale = RecordSale {
                details: details(),
                customer,
                tenders: vec![Tender { amount: total, by }],
                lines,
                ..RecordSale::quick(bill.at.day(), total, Paid::CASH)
            };
            if self.record(bill.at, sale.into(), &bill.sold)? {
                match customer {
                    Some(_) => self.report.credit_sales.add(total),
                    None => self.report.cash_sales.add(total),
                }
            }
        }
        if !bill.returned.is_empty() {
            let lines = self.lines(&bill.returned).into_iter();
            let amount = total(&bill.returned);
            let goods = ReturnGoods {
                details: details(),
                customer,
                amount,
                refund: match customer {
                    Some(_) => Refund::Khata,
                    None => Refund::Money(Paid::CASH),
                },
                of: None,
                lines: lines
                    .map(|line| ReturnedLine {
                        line,
                        of_line: None,
                        scrapped: false,
                    })
                    .collect(),
            };
            if self.record(bill.at, goods.into(), &bill.returned)? {
                match customer {
                    Some(_) => self.report.khata_returns.add(amount),
                    None => self.report.cash_returns.add(amount),
                }
            }
        }
        Ok(())
    }

    /// Writes an entry. What the books refuse is reported and stops nothing.
    fn record(&mut self, at: TimeMs, entry: NewEntry, rows: &[Row]) -> Result<bool, DeviceError> {
        match self.device.execute_at(at, entry) {
            Ok(_) => {
                self.report.taken_in += rows.len() as u64;
                Ok(true)
            }
            Err(refused @ (DeviceError::Rejected(_) | DeviceError::Asked(_))) => {
                for row in rows {
                    self.report.say(row, Remark::Refused(refused.to_string()));
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The page of a customer, opened with the first bill.
    fn customer(&mut self, number: &str, bill: &Bill) -> Result<CustomerId, DeviceError> {
        let name = customer_name(number);
        if let Some(&known) = self.customers.get(&name) {
            return Ok(known);
        }
        let added = AddCustomer {
            address: Some(bill.country.clone()),
            ..AddCustomer::named(&name)
        };
        let events = self.device.execute_at(bill.at, added)?;
        let id = CustomerId(events[0].envelope.id);
        self.customers.insert(name, id);
        self.report.customers += 1;
        Ok(id)
    }

    fn lines(&mut self, rows: &[Row]) -> Vec<Line> {
        rows.iter().map(|row| self.line(row)).collect()
    }

    fn line(&mut self, row: &Row) -> Line {
        let name = match row.description.as_str() {
            "" => {
                self.report.say(row, Remark::CalledByCode);
                row.code.clone()
            }
            description => description.to_owned(),
        };
        let cleaned = clean(&name);
        if cleaned != name {
            self.report.say(row, Remark::Cleaned);
        }
        let quantity = Quantity(row.quantity.0.abs());
        Line::plain(&cleaned, quantity, Unit::Piece, row.price)
    }

    fn say_of_all(&mut self, bill: &Bill, remark: &Remark) {
        for row in bill.sold.iter().chain(&bill.returned) {
            self.report.say(row, remark.clone());
            self.report.taken_in += 1;
        }
    }
}

impl Report {
    fn say(&mut self, row: &Row, remark: Remark) {
        self.remarks.push(Reported {
            line: row.line,
            invoice: row.invoice.clone(),
            remark,
        });
    }
}

fn total(rows: &[Row]) -> Paise {
    rows.iter().map(amount).sum()
}

/// What can be printed of a name, as long as a name may be.
fn clean(name: &str) -> String {
    let visible = name
        .chars()
        .filter(|&letter| !shared::command::is_forbidden(letter));
    let short: String = visible.take(MAX_NAME_CHARS).collect();
    match short.trim() {
        "" => "?".to_owned(),
        words => words.to_owned(),
    }
}
