//! Rows put together as bills.

use std::collections::BTreeMap;

use shared::calendar::TimeMs;
use shared::money::Paise;

use super::report::Remark;
use super::rows::Row;

/// One bill: what was sold on it, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The shop's number for it.
    pub invoice: String,
    /// The customer; without one it was paid in cash.
    pub customer: Option<String>,
    /// The country of the customer.
    pub country: String,
    /// When: the time of its first row.
    pub at: TimeMs,
    /// Rows with a quantity above nothing.
    pub sold: Vec<Row>,
    /// Rows with a quantity below nothing, whatever the number of the bill begins with.
    pub returned: Vec<Row>,
}

/// Puts the rows of each bill together, in the order of time. Rows that cannot stand on their bill
/// are left out, with the reason.
///
/// The sign of a quantity says whether goods went or came: on a bill whose number begins with C
/// all came back, and a single line below nothing on another bill is a return of its own. What
/// comes to nothing is no entry: nothing is owed.
pub fn group(rows: Vec<Row>, now: TimeMs, remarks: &mut Vec<(Row, Remark)>) -> Vec<Bill> {
    let mut bills: BTreeMap<String, Bill> = BTreeMap::new();
    for row in rows {
        if row.at > now {
            remarks.push((row, Remark::Future));
            continue;
        }
        let bill = bills.entry(row.invoice.clone()).or_insert_with(|| Bill {
            invoice: row.invoice.clone(),
            customer: row.customer.clone(),
            country: row.country.clone(),
            at: row.at,
            sold: Vec::new(),
            returned: Vec::new(),
        });
        if bill.customer != row.customer {
            remarks.push((row, Remark::OtherCustomer));
        } else if bill.at.day() != row.at.day() {
            remarks.push((row, Remark::OtherDay));
        } else if row.quantity.0 > 0 {
            bill.sold.push(row);
        } else if row.quantity.0 < 0 {
            bill.returned.push(row);
        } else {
            remarks.push((row, Remark::NoQuantity));
        }
    }
    let mut bills: Vec<Bill> = bills.into_values().collect();
    for bill in &mut bills {
        for rows in [&mut bill.sold, &mut bill.returned] {
            if rows.iter().all(|row| amount(row) == Paise::ZERO) {
                let nothing = rows.drain(..).map(|row| (row, Remark::NothingOwed));
                remarks.extend(nothing);
            }
        }
    }
    bills.retain(|bill| !bill.sold.is_empty() || !bill.returned.is_empty());
    bills.sort_by(|a, b| (a.at, &a.invoice).cmp(&(b.at, &b.invoice)));
    bills
}

/// What a row comes to, whichever way the goods went.
pub fn amount(row: &Row) -> Paise {
    row.quantity.cost(row.price).magnitude()
}

#[cfg(test)]
mod tests {
    use shared::quantity::Quantity;

    use super::*;

    fn row(line: u64, invoice: &str, quantity: i64, rupees: i64) -> Row {
        Row {
            line,
            invoice: invoice.into(),
            code: "A".into(),
            description: "Tin".into(),
            quantity: Quantity::whole(quantity),
            at: TimeMs(0),
            price: Paise(rupees * 100),
            customer: Some("17850".into()),
            country: "India".into(),
        }
    }

    fn grouped(rows: Vec<Row>) -> (Vec<Bill>, Vec<(u64, Remark)>) {
        let mut remarks = Vec::new();
        let bills = group(rows, TimeMs(i64::MAX), &mut remarks);
        let remarks = remarks.into_iter().map(|(row, why)| (row.line, why));
        (bills, remarks.collect())
    }

    #[test]
    fn what_came_back_on_a_bill_is_a_return_of_its_own() {
        let (bills, remarks) = grouped(vec![row(2, "1", 3, 10), row(3, "1", -1, 10)]);
        assert_eq!((bills[0].sold.len(), bills[0].returned.len()), (1, 1));
        assert_eq!(remarks, []);
    }

    #[test]
    fn a_free_line_stands_on_its_bill_and_a_free_bill_is_nothing_owed() {
        let (bills, remarks) = grouped(vec![
            row(2, "1", 3, 10),
            row(3, "1", 1, 0),
            row(4, "2", 1, 0),
            row(5, "2", -4, 0),
        ]);
        assert_eq!((bills.len(), bills[0].sold.len()), (1, 2));
        assert_eq!(
            remarks,
            [(4, Remark::NothingOwed), (5, Remark::NothingOwed)]
        );
    }

    #[test]
    fn a_row_of_another_customer_or_day_or_of_no_quantity_is_left_out() {
        let mut other = row(3, "1", 1, 10);
        other.customer = None;
        let mut later = row(4, "1", 1, 10);
        later.at = TimeMs(24 * 60 * 60 * 1000);
        let (bills, remarks) = grouped(vec![row(2, "1", 3, 10), other, later, row(5, "1", 0, 10)]);
        assert_eq!(bills[0].sold.len(), 1);
        assert_eq!(
            remarks,
            [
                (3, Remark::OtherCustomer),
                (4, Remark::OtherDay),
                (5, Remark::NoQuantity),
            ]
        );
    }

    #[test]
    fn a_bill_of_tomorrow_is_left_out() {
        let mut remarks = Vec::new();
        let bills = group(vec![row(2, "1", 1, 10)], TimeMs(-1), &mut remarks);
        assert_eq!(bills, []);
        assert_eq!(remarks[0].1, Remark::Future);
    }

    #[test]
    fn bills_come_in_the_order_of_time_however_the_file_was_sorted() {
        let mut late = row(2, "1", 1, 10);
        late.at = TimeMs(60_000);
        let (bills, _) = grouped(vec![late, row(3, "2", 1, 10)]);
        assert_eq!(bills[0].invoice, "2");
    }
}
