//! The rows of a file of bills: one line of one bill each.

use std::collections::BTreeMap;
use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use shared::calendar::{BusinessDay, TimeMs};
use shared::money::Paise;
use shared::quantity::{MAX_LINE_QUANTITY, Quantity};

/// The most rows that one file may have.
pub const MAX_ROWS: usize = 1_000_000;

/// The longest bill number, item code or customer number.
pub const MAX_CODE_CHARS: usize = 40;

/// One line of one bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file, the heading being line 1.
    pub line: u64,
    /// The number of the bill.
    pub invoice: String,
    /// The shop's code for the item.
    pub code: String,
    /// What the item is called; may be empty.
    pub description: String,
    /// How much; negative where it came back.
    pub quantity: Quantity,
    /// When.
    pub at: TimeMs,
    /// The price of one.
    pub price: Paise,
    /// The number of the customer, where one is known.
    pub customer: Option<String>,
    /// The country of the customer.
    pub country: String,
}

/// Why a row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// Not eight columns.
    #[error("has {0} columns instead of those of the heading")]
    Columns(usize),
    /// Not text.
    #[error("has letters that cannot be read (the file must be UTF-8)")]
    NotText,
    /// Nothing where something must stand.
    #[error("has no {0}")]
    Missing(&'static str),
    /// Longer than it may be.
    #[error("has a {0} that is too long")]
    TooLong(&'static str),
    /// Not a number.
    #[error("has the quantity “{0}”, which is not a number")]
    Quantity(String),
    /// Out of limits.
    #[error("has the quantity {0}, which is more than one line may have")]
    TooMuch(String),
    /// Not an amount.
    #[error("has the price “{0}”: {1}")]
    Price(String, shared::money::AmountError),
    /// Less than nothing.
    #[error("has the price “{0}”, which is less than nothing")]
    NegativePrice(String),
    /// Not a date and time.
    #[error("has the date “{0}”; day/month/year hour:minute was expected")]
    Date(String),
}

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// A column is not in the heading.
    #[error(
        "The heading has no column “{0}”. A semicolon file with the columns InvoiceNo, StockCode, \
         Description, Quantity, InvoiceDate, UnitPrice, CustomerID and Country was expected."
    )]
    NoColumn(&'static str),
    /// Too many rows.
    #[error("The file has more than {MAX_ROWS} rows. Divide it into smaller files.")]
    TooManyRows,
    /// The disk, or the form of the file.
    #[error("The file cannot be read: {0}")]
    Unreadable(#[from] csv::Error),
}

/// The rows that could be read, and those that could not with their lines.
#[derive(Debug, Default)]
pub struct Rows {
    /// In the order of the file.
    pub good: Vec<Row>,
    /// In the order of the file.
    pub bad: Vec<(u64, BadRow)>,
}

/// Reads a file with semicolons, decimal commas and day/month/year, with or without a byte-order
/// mark. A row that cannot be read never stops the others.
pub fn read(file: impl Read) -> Result<Rows, BadFile> {
    let mut reader = ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .from_reader(file);
    let columns = Columns::find(reader.byte_headers()?)?;
    let mut rows = Rows::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        if rows.good.len() + rows.bad.len() >= MAX_ROWS {
            return Err(BadFile::TooManyRows);
        }
        let line = record.position().map_or(0, csv::Position::line);
        match columns.row(line, &record) {
            Ok(row) => rows.good.push(row),
            Err(why) => rows.bad.push((line, why)),
        }
    }
    Ok(rows)
}

/// Where each column stands.
struct Columns {
    count: usize,
    places: BTreeMap<&'static str, usize>,
}

const INVOICE: &str = "InvoiceNo";
const CODE: &str = "StockCode";
const DESCRIPTION: &str = "Description";
const QUANTITY: &str = "Quantity";
const DATE: &str = "InvoiceDate";
const PRICE: &str = "UnitPrice";
const CUSTOMER: &str = "CustomerID";
const COUNTRY: &str = "Country";

impl Columns {
    fn find(heading: &ByteRecord) -> Result<Columns, BadFile> {
        const NAMES: [&str; 8] = [
            INVOICE,
            CODE,
            DESCRIPTION,
            QUANTITY,
            DATE,
            PRICE,
            CUSTOMER,
            COUNTRY,
        ];
        let mut places = BTreeMap::new();
        for name in NAMES {
            // The csv crate has already taken the byte-order mark away.
            let place = heading
                .iter()
                .position(|title| title.trim_ascii() == name.as_bytes())
                .ok_or(BadFile::NoColumn(name))?;
            places.insert(name, place);
        }
        Ok(Columns {
            count: heading.len(),
            places,
        })
    }

    fn row(&self, line: u64, record: &ByteRecord) -> Result<Row, BadRow> {
        if record.len() != self.count {
            return Err(BadRow::Columns(record.len()));
        }
        let field = |name: &str| {
            let bytes = &record[self.places[name]];
            core::str::from_utf8(bytes)
                .map(str::trim)
                .map_err(|_| BadRow::NotText)
        };
        let code = |name: &str, called: &'static str| {
            let text = field(name)?;
            if text.chars().count() > MAX_CODE_CHARS {
                return Err(BadRow::TooLong(called));
            }
            Ok(text.to_owned())
        };
        let invoice = code(INVOICE, "bill number")?;
        if invoice.is_empty() {
            return Err(BadRow::Missing("bill number"));
        }
        let customer = code(CUSTOMER, "customer number")?;
        Ok(Row {
            line,
            invoice,
            code: code(CODE, "item code")?,
            description: field(DESCRIPTION)?.to_owned(),
            quantity: quantity(field(QUANTITY)?)?,
            at: moment(field(DATE)?)?,
            price: price(field(PRICE)?)?,
            customer: (!customer.is_empty()).then_some(customer),
            country: code(COUNTRY, "country")?,
        })
    }
}

/// A whole number, or one with at most three decimals behind a comma.
fn quantity(text: &str) -> Result<Quantity, BadRow> {
    let not_a_number = || BadRow::Quantity(text.to_owned());
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, part) = digits.split_once(',').unwrap_or((digits, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 3 {
        return Err(not_a_number());
    }
    let too_much = || BadRow::TooMuch(text.to_owned());
    let milli: i64 = format!("{whole}{part:0<3}")
        .parse()
        .map_err(|_| too_much())?;
    if milli > MAX_LINE_QUANTITY.0 {
        return Err(too_much());
    }
    Ok(Quantity(if negative { -milli } else { milli }))
}

/// An amount with a decimal comma: `2,55`.
fn price(text: &str) -> Result<Paise, BadRow> {
    // A point in such a file groups thousands, and none of Pakka's amounts has a meaning for it.
    let amount = match text.contains('.') {
        true => Err(shared::money::AmountError::NotAnAmount),
        false => Paise::parse(&text.replacen(',', ".", 1)),
    };
    let price = amount.map_err(|why| BadRow::Price(text.to_owned(), why))?;
    if price < Paise::ZERO {
        return Err(BadRow::NegativePrice(text.to_owned()));
    }
    Ok(price)
}

/// `1/12/2010 08:26`, in India.
fn moment(text: &str) -> Result<TimeMs, BadRow> {
    let read = || {
        let (date, time) = text.split_once(' ')?;
        let (hour, minute) = time.trim().split_once(':')?;
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        let minutes = (hour < 24 && minute < 60).then_some(hour * 60 + minute)?;
        let day = BusinessDay::parse(date)?;
        Some(day.start().plus_ms(i64::from(minutes) * 60_000))
    };
    read().ok_or_else(|| BadRow::Date(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str = "\u{feff}InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n";

    fn read_rows(rows: &str) -> Rows {
        read(format!("{HEADING}{rows}").as_bytes()).expect("a readable file")
    }

    fn why(row: &str) -> String {
        let rows = read_rows(row);
        assert!(rows.good.is_empty(), "{row} was taken in");
        rows.bad[0].1.to_string()
    }

    #[test]
    fn a_row_is_read_as_the_shop_wrote_it() {
        let rows = read_rows("536367;22745;POPPY'S BEDROOM ;6;1/12/2010 08:34;2,1;13047;EIRE\n");
        assert_eq!(
            rows.good,
            [Row {
                line: 2,
                invoice: "536367".into(),
                code: "22745".into(),
                description: "POPPY'S BEDROOM".into(),
                quantity: Quantity::whole(6),
                at: TimeMs(1_291_172_640_000),
                price: Paise(2_10),
                customer: Some("13047".into()),
                country: "EIRE".into(),
            }]
        );
        assert_eq!(rows.good[0].at.hour_minute(), (8, 34));
        assert_eq!(rows.good[0].at.day().to_string(), "01-12-2010");
    }

    #[test]
    fn half_a_unit_and_an_unknown_customer_are_read_too() {
        let rows = read_rows("C1;D;Discount;-0,5;31/12/2010 23:59;27;;France\n");
        assert_eq!(rows.good[0].quantity, Quantity(-500));
        assert_eq!(rows.good[0].price, Paise(27_00));
        assert_eq!(rows.good[0].customer, None);
    }

    #[test]
    fn a_row_that_cannot_be_read_says_why_and_stops_nothing() {
        assert!(why("1;A;Tin;x;1/12/2010 08:34;2;;UK").contains("quantity “x”"));
        assert!(why("1;A;Tin;1,2345;1/12/2010 08:34;2;;UK").contains("not a number"));
        assert!(why("1;A;Tin;99999999999999999999;1/12/2010 08:34;2;;UK").contains("more than"));
        assert!(why("1;A;Tin;1;31/02/2010 08:34;2;;UK").contains("date"));
        assert!(why("1;A;Tin;1;1/12/2010 24:00;2;;UK").contains("date"));
        assert!(why("1;A;Tin;1;1/12/2010 08:34;2,555;;UK").contains("two digits"));
        assert!(why("1;A;Tin;1;1/12/2010 08:34;1.000,00;;UK").contains("not an amount"));
        assert!(why("1;A;Tin;1;1/12/2010 08:34;-2;;UK").contains("less than nothing"));
        assert!(why(";A;Tin;1;1/12/2010 08:34;2;;UK").contains("no bill number"));
        assert!(why("1;A;Tin").contains("3 columns"));
        let two = read_rows("1;A;Tin\n2;A;Tin;1;1/12/2010 08:34;2;;UK\n");
        assert_eq!((two.good.len(), two.bad[0].0), (1, 2));
    }

    #[test]
    fn a_file_of_another_kind_is_refused_as_a_whole() {
        let refused = read("InvoiceNo,StockCode\n1,2\n".as_bytes()).expect_err("no semicolons");
        assert!(refused.to_string().contains("no column “InvoiceNo”"));
    }
}
