//! How busy a shop is: by day of the year and by hour.

use super::super::rng::Rng;
use crate::calendar::{BusinessDay, TimeMs};

/// A month and a day in it.
type Date = (u32, u32);

/// A season in which people buy more: from and to, and how much they buy in per cent.
///
/// Moonlit festivals move from year to year; a demonstration needs their weeks, not their days.
const SEASONS: [(Date, Date, u64); 6] = [
    ((1, 10), (1, 15), 140),   // Sankranti, Pongal, Lohri
    ((3, 3), (3, 15), 150),    // Holi
    ((8, 8), (8, 22), 130),    // Raksha Bandhan, Janmashtami
    ((9, 5), (9, 20), 140),    // Ganesh Chaturthi, Onam
    ((10, 10), (11, 12), 220), // Navaratri to Diwali
    ((12, 20), (12, 31), 125), // Christmas and the year's end
];

/// How busy a day is; 100 is an ordinary one.
pub fn weight(day: BusinessDay) -> u64 {
    let (_, month, date) = day.ymd();
    let season = SEASONS
        .iter()
        .find(|(from, to, _)| (*from..=*to).contains(&(month, date)))
        .map_or(100, |&(_, _, percent)| percent);
    let weekday = match day.0.rem_euclid(7) {
        3 => 130, // Sunday: day 0 was a Thursday
        2 => 115,
        _ => 100,
    };
    let salary = if is_salary_day(day) { 125 } else { 100 };
    season * weekday * salary / 10_000
}

/// Wages come in the first days of a month, and debts are paid then.
pub fn is_salary_day(day: BusinessDay) -> bool {
    let (_, _, date) = day.ymd();
    (1..=10).contains(&date)
}

/// How many of a hundred entries fall into each hour from 7 in the morning.
const HOURS: [u64; 15] = [6, 9, 9, 7, 6, 5, 4, 3, 4, 6, 9, 11, 10, 7, 4];
const FIRST_HOUR: i64 = 7;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// `count` moments of a day, in order.
pub fn moments(day: BusinessDay, count: usize, rng: &mut Rng) -> Vec<TimeMs> {
    let moment = |rng: &mut Rng| {
        let mut share = rng.below(HOURS.iter().sum());
        let hour = HOURS.iter().position(|&weight| {
            let here = share < weight;
            share = share.saturating_sub(weight);
            here
        });
        let within_ms = rng.below(HOUR_MS as u64) as i64;
        let hours = FIRST_HOUR + hour.unwrap_or_default() as i64;
        day.start().plus_ms(hours * HOUR_MS + within_ms)
    };
    let mut moments: Vec<TimeMs> = (0..count).map(|_| moment(rng)).collect();
    moments.sort_unstable();
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, date: u32) -> BusinessDay {
        BusinessDay::from_ymd(year, month, date).expect("a day")
    }

    #[test]
    fn diwali_weeks_sundays_and_salary_days_are_busier() {
        let ordinary = weight(day(2025, 6, 18));
        assert_eq!(ordinary, 100);
        assert_eq!(weight(day(2025, 6, 22)), 130, "a Sunday");
        assert_eq!(weight(day(2025, 6, 4)), 125, "a salary day");
        assert!(weight(day(2025, 10, 20)) > 2 * ordinary);
    }

    #[test]
    fn every_moment_lies_in_the_shops_hours() {
        let at = moments(day(2025, 6, 18), 500, &mut Rng::new(1));
        assert!(at.is_sorted());
        assert!(at.iter().all(|at| (7..22).contains(&at.hour_minute().0)));
        assert!(at.iter().all(|at| at.day() == day(2025, 6, 18)));
    }
}
