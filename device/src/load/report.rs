//! What became of the rows: for the screen, and row by row for a spreadsheet.

use core::fmt;
use std::io::Write;
use std::path::Path;

use shared::money::Paise;

use super::rows::BadRow;

/// What there is to say about a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    /// It could not be read.
    #[error("the row {0}")]
    Unreadable(BadRow),
    /// The bill belongs to another customer.
    #[error("the bill began with another customer")]
    OtherCustomer,
    /// The bill belongs to another day.
    #[error("the bill began on another day")]
    OtherDay,
    /// Not yet.
    #[error("the date has not come yet")]
    Future,
    /// Neither sold nor returned.
    #[error("the quantity is 0")]
    NoQuantity,
    /// No amount, so no entry.
    #[error("comes to ₹0.00: nothing owed, so there is no entry")]
    NothingOwed,
    /// The books refused the bill.
    #[error("the bill was refused: {0}")]
    Refused(String),
    /// The books have the bill from an earlier run.
    #[error("the bill is in the books already")]
    InTheBooks,
    /// Taken in under the code of the item.
    #[error("has no description: the line is called by the code of the item")]
    CalledByCode,
    /// Taken in with other letters.
    #[error("the description had letters that cannot be seen or was too long: they were taken out")]
    Cleaned,
}

impl Remark {
    /// Whether the row is in the books all the same.
    pub const fn is_taken_in(&self) -> bool {
        matches!(
            self,
            Remark::CalledByCode | Remark::Cleaned | Remark::InTheBooks
        )
    }
}

/// One row of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The line of the file, the heading being line 1.
    pub line: u64,
    /// The number of the bill, where it could be read.
    pub invoice: String,
    /// What there is to say.
    pub remark: Remark,
}

/// What became of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that are in the books.
    pub taken_in: u64,
    /// Customers who got a page.
    pub customers: u64,
    /// Sales to the khata.
    pub credit_sales: Tally,
    /// Sales for cash.
    pub cash_sales: Tally,
    /// Returns that lowered a khata.
    pub khata_returns: Tally,
    /// Returns for cash.
    pub cash_returns: Tally,
    /// All that there is to say, in the order of the file.
    pub remarks: Vec<Reported>,
}

/// How many, and how much together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Entries.
    pub count: u64,
    /// Their sum.
    pub sum: Paise,
}

impl Tally {
    /// One more.
    pub fn add(&mut self, amount: Paise) {
        self.count += 1;
        self.sum += amount;
    }
}

impl Report {
    /// Rows that are not in the books.
    pub fn left_out(&self) -> impl Iterator<Item = &Reported> {
        self.remarks
            .iter()
            .filter(|reported| !reported.remark.is_taken_in())
    }

    /// Writes one line for every remark: a file that every spreadsheet opens.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut csv = csv::Writer::from_path(path)?;
        csv.write_record(["Row", "Bill", "In the books", "Why"])?;
        for reported in &self.remarks {
            let in_the_books = match reported.remark.is_taken_in() {
                true => "yes",
                false => "no",
            };
            csv.write_record([
                &reported.line.to_string(),
                &reported.invoice,
                in_the_books,
                &reported.remark.to_string(),
            ])?;
        }
        csv.into_inner()
            .map_err(|error| error.into_error())?
            .flush()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |what: &str, tally: Tally| {
            let sum = tally.sum.to_string();
            writeln!(formatter, "  {what:<22}{:>7}  {sum:>18}", tally.count)
        };
        line("Sales on credit", self.credit_sales)?;
        line("Sales for cash", self.cash_sales)?;
        line("Returns to the khata", self.khata_returns)?;
        line("Returns for cash", self.cash_returns)?;
        let left_out = self.left_out().count();
        writeln!(
            formatter,
            "  {} customers; {} of {} rows taken in, {left_out} left out",
            self.customers, self.taken_in, self.rows
        )
    }
}
