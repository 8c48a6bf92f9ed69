//! Days, months and financial years as an Indian shop counts them: IST, UTC+05:30, all year.

use core::fmt;

use chrono::{Datelike, NaiveDate};
use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01 00:00 UTC. A phone's moment is a claim, not a proof.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct TimeMs(pub i64);

const IST_OFFSET_MS: i64 = (5 * 60 + 30) * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// 1970-01-01 in chrono's count of days from the common era.
const EPOCH_DAYS: i32 = 719_163;

impl TimeMs {
    /// The day in India.
    pub const fn day(self) -> BusinessDay {
        BusinessDay(self.0.saturating_add(IST_OFFSET_MS).div_euclid(DAY_MS) as i32)
    }

    /// Hour (0–23) and minute (0–59) in India.
    pub const fn hour_minute(self) -> (u32, u32) {
        let minutes = self.0.saturating_add(IST_OFFSET_MS).rem_euclid(DAY_MS) / 60_000;
        ((minutes / 60) as u32, (minutes % 60) as u32)
    }

    /// Later by `ms` milliseconds, within the range of the type.
    pub const fn plus_ms(self, ms: i64) -> TimeMs {
        TimeMs(self.0.saturating_add(ms))
    }
}

/// A day on which business is done, in IST: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct BusinessDay(pub i32);

impl BusinessDay {
    /// The day of this date, or `None` where the calendar has none (31 June).
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<BusinessDay> {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        Some(BusinessDay(date.num_days_from_ce() - EPOCH_DAYS))
    }

    /// Year, month (1–12) and day (1–31). A day beyond the calendar gives the nearest that is in it.
    pub fn ymd(self) -> (i32, u32, u32) {
        let date = self
            .0
            .checked_add(EPOCH_DAYS)
            .and_then(NaiveDate::from_num_days_from_ce_opt);
        let date = date.unwrap_or(if self.0 < 0 {
            NaiveDate::MIN
        } else {
            NaiveDate::MAX
        });
        (date.year(), date.month(), date.day())
    }

    /// Reads `DD-MM-YYYY` (also `/` and `.`), or the machine form `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<BusinessDay> {
        let parts: Vec<&str> = text.trim().split(['-', '/', '.']).collect();
        let &[first, second, third] = parts.as_slice() else {
            return None;
        };
        let month = second.parse().ok()?;
        if first.len() == 4 {
            BusinessDay::from_ymd(first.parse().ok()?, month, third.parse().ok()?)
        } else if third.len() == 4 {
            BusinessDay::from_ymd(third.parse().ok()?, month, first.parse().ok()?)
        } else {
            None
        }
    }

    /// The month that this day is in.
    pub fn month(self) -> Month {
        let (year, month, _) = self.ymd();
        Month {
            year,
            month: month as u8,
        }
    }

    /// The financial year (1 April to 31 March) that this day is in.
    pub fn financial_year(self) -> FinancialYear {
        let (year, month, _) = self.ymd();
        FinancialYear(if month >= 4 { year } else { year - 1 })
    }

    /// Later by `days`, within the range of the type.
    pub const fn plus_days(self, days: i32) -> BusinessDay {
        BusinessDay(self.0.saturating_add(days))
    }

    /// The first moment of this day in India.
    pub const fn start(self) -> TimeMs {
        TimeMs(self.0 as i64 * DAY_MS - IST_OFFSET_MS)
    }

    /// The last millisecond of this day in India.
    pub const fn end(self) -> TimeMs {
        TimeMs((self.0 as i64 + 1) * DAY_MS - IST_OFFSET_MS - 1)
    }
}

impl fmt::Display for BusinessDay {
    /// `DD-MM-YYYY`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(formatter, "{day:02}-{month:02}-{year:04}")
    }
}

impl Serialize for BusinessDay {
    /// `YYYY-MM-DD`, for machines.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (year, month, day) = self.ymd();
        serializer.collect_str(&format_args!("{year:04}-{month:02}-{day:02}"))
    }
}

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// The year, as in 2026.
    pub year: i32,
    /// 1–12.
    pub month: u8,
}

impl Month {
    /// The first day.
    pub fn first_day(self) -> BusinessDay {
        BusinessDay::from_ymd(self.year, u32::from(self.month), 1).unwrap_or_default()
    }

    /// The last day, which belongs to the month.
    pub fn last_day(self) -> BusinessDay {
        self.next().first_day().plus_days(-1)
    }

    /// The month after.
    pub const fn next(self) -> Month {
        match self.month {
            12 => Month {
                year: self.year + 1,
                month: 1,
            },
            month => Month {
                year: self.year,
                month: month + 1,
            },
        }
    }

    /// The month before.
    pub const fn previous(self) -> Month {
        match self.month {
            1 => Month {
                year: self.year - 1,
                month: 12,
            },
            month => Month {
                year: self.year,
                month: month - 1,
            },
        }
    }
}

/// An Indian financial year, named by the calendar year in which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FinancialYear(pub i32);

impl FinancialYear {
    /// 1 April.
    pub fn first_day(self) -> BusinessDay {
        BusinessDay::from_ymd(self.0, 4, 1).unwrap_or_default()
    }

    /// 31 March, which belongs to the year.
    pub fn last_day(self) -> BusinessDay {
        BusinessDay::from_ymd(self.0 + 1, 3, 31).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> BusinessDay {
        BusinessDay::parse(text).expect("a date")
    }

    #[test]
    fn days_compare_as_days_and_not_as_text() {
        let limit = day("15-08-2024");
        for outside in ["05-09-2024", "16-08-2024", "01-12-2026"] {
            assert!(day(outside) > limit, "{outside}");
        }
        for inside in ["31-01-2024", "15-08-2024", "16-08-2023"] {
            assert!(day(inside) <= limit, "{inside}");
        }
    }

    #[test]
    fn late_evening_in_utc_is_the_next_day_in_india() {
        let evening = TimeMs(day("31-08-2024").0 as i64 * DAY_MS + (22 * 60 + 30) * 60_000);
        assert_eq!(evening.day(), day("01-09-2024"));
        assert_eq!(evening.hour_minute(), (4, 0));
    }

    #[test]
    fn the_last_evening_of_march_is_in_the_year_that_ends() {
        let evening = TimeMs(day("31-03-2026").start().0 + 18 * 60 * 60 * 1000);
        assert_eq!(evening.day().financial_year(), FinancialYear(2025));
        assert_eq!(evening.day().financial_year().last_day(), day("31-03-2026"));
        assert_eq!(day("01-04-2026").financial_year(), FinancialYear(2026));
    }

    #[test]
    fn the_last_day_of_a_month_is_in_the_month() {
        let month = day("29-02-2024").month();
        assert_eq!(month.last_day(), day("29-02-2024"));
        assert_eq!(
            day("31-12-2025").month().next(),
            Month {
                year: 2026,
                month: 1
            }
        );
    }

    #[test]
    fn a_day_begins_and_ends_in_india() {
        let today = day("20-11-2026");
        assert_eq!(today.start().day(), today);
        assert_eq!(today.end().day(), today);
        assert_eq!(today.end().plus_ms(1).day(), today.plus_days(1));
        assert_eq!(today.to_string(), "20-11-2026");
        assert_eq!(BusinessDay::parse("31-06-2024"), None);
        assert_eq!(BusinessDay(i32::MAX).ymd().0, NaiveDate::MAX.year());
    }
}
