//! What waits for the writer: bounded, and fair. Shops take turns, and within a shop its devices do,
//! so that nobody waits for the backlog of another. When there is no room, whoever has the longest
//! backlog is told to come again, and not whoever happens to come last.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared::ids::{DeviceNo, ShopId};
use tokio::sync::Notify;

/// The shortest time after which another try is worth it, in milliseconds.
const MIN_RETRY_MS: u128 = 200;

/// The longest that anyone is told to wait, in milliseconds.
const MAX_RETRY_MS: u128 = 60_000;

/// How long a request is thought to take before any was measured.
const FIRST_GUESS: Duration = Duration::from_millis(1);

/// Who wants something. Those who belong to no shop yet share one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Asker {
    pub shop: Option<ShopId>,
    pub device: Option<DeviceNo>,
}

/// There is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    /// The place in the queue that there would have been, from 1.
    pub place: u32,
    /// When there should be room, in milliseconds.
    pub retry_after_ms: u32,
}

/// The queue of one writer.
pub(super) struct Queue<T> {
    lines: Mutex<Lines<T>>,
    came: Notify,
    is_closed: AtomicBool,
}

impl<T> Queue<T> {
    /// A queue for at most so many.
    pub fn new(most: usize) -> Queue<T> {
        Queue {
            lines: Mutex::new(Lines::new(most)),
            came: Notify::new(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Puts something into its line. What there is no room for comes back: this, or the last of the
    /// longest backlog.
    pub fn push(&self, asker: Asker, item: T) -> Result<(), (T, Full)> {
        let mut lines = self.lock();
        let surplus = lines.push(asker, item);
        let full = lines.full();
        drop(lines);
        self.came.notify_one();
        match surplus {
            None => Ok(()),
            Some(surplus) => Err((surplus, full)),
        }
    }

    /// Waits until something waits, and gives up to `most` of it in turn; nothing once the queue is
    /// closed and empty.
    pub async fn next(&self, most: usize) -> Vec<T> {
        loop {
            let is_closed = self.is_closed.load(Ordering::Acquire);
            let group = self.lock().take(most);
            if is_closed || !group.is_empty() {
                return group;
            }
            self.came.notified().await;
        }
    }

    /// The group that was given last is done.
    pub fn done(&self) {
        self.lock().pace.done();
    }

    /// Nothing more will come.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.came.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Lines<T>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of all shops, in turn.
struct Lines<T> {
    shops: HashMap<Option<ShopId>, Shop<T>>,
    turn: VecDeque<Option<ShopId>>,
    count: usize,
    most: usize,
    pace: Pace,
}

/// The lines of a shop's devices, in turn. Never empty.
struct Shop<T> {
    devices: HashMap<Option<DeviceNo>, VecDeque<T>>,
    turn: VecDeque<Option<DeviceNo>>,
    count: usize,
}

impl<T> Lines<T> {
    fn new(most: usize) -> Lines<T> {
        Lines {
            shops: HashMap::new(),
            turn: VecDeque::new(),
            count: 0,
            most,
            pace: Pace::default(),
        }
    }

    /// Gives what there is no room for.
    fn push(&mut self, asker: Asker, item: T) -> Option<T> {
        let mut surplus = None;
        if self.count >= self.most {
            surplus = self.displace(asker);
            if surplus.is_none() {
                return Some(item);
            }
        }
        self.count += 1;
        let shop = self.shops.entry(asker.shop).or_insert_with(|| {
            self.turn.push_back(asker.shop);
            Shop {
                devices: HashMap::new(),
                turn: VecDeque::new(),
                count: 0,
            }
        });
        shop.count += 1;
        let line = shop.devices.entry(asker.device).or_insert_with(|| {
            shop.turn.push_back(asker.device);
            VecDeque::new()
        });
        line.push_back(item);
        surplus
    }

    /// Makes room for someone whose backlog would still not be the longest.
    fn displace(&mut self, newcomer: Asker) -> Option<T> {
        let own = self.shops.get(&newcomer.shop).map_or(0, |shop| shop.count);
        let (&longest, shop) = self.shops.iter().max_by_key(|(_, shop)| shop.count)?;
        let (&device, line) = shop.devices.iter().max_by_key(|(_, line)| line.len())?;
        let fits = match longest == newcomer.shop {
            false => own + 1 < shop.count,
            true => {
                let own = shop.devices.get(&newcomer.device).map_or(0, VecDeque::len);
                own + 1 < line.len()
            }
        };
        // It has more than one, so that its turn stays.
        let shop = self.shops.get_mut(&longest).filter(|_| fits)?;
        let line = shop.devices.get_mut(&device)?;
        let item = line.pop_back();
        if line.is_empty() {
            shop.devices.remove(&device);
            shop.turn.retain(|turn| *turn != device);
        }
        shop.count -= 1;
        self.count -= 1;
        item
    }

    fn take(&mut self, most: usize) -> Vec<T> {
        let mut group = Vec::with_capacity(most.min(self.count));
        while group.len() < most {
            let Some(item) = self.take_one() else {
                break;
            };
            group.push(item);
        }
        self.count -= group.len();
        self.pace.begin(group.len());
        group
    }

    fn take_one(&mut self) -> Option<T> {
        let turn = self.turn.pop_front()?;
        let shop = self.shops.get_mut(&turn)?;
        let device = shop.turn.pop_front()?;
        let line = shop.devices.get_mut(&device)?;
        let item = line.pop_front();
        if line.is_empty() {
            shop.devices.remove(&device);
        } else {
            shop.turn.push_back(device);
        }
        shop.count -= 1;
        if shop.devices.is_empty() {
            self.shops.remove(&turn);
        } else {
            self.turn.push_back(turn);
        }
        item
    }

    fn full(&self) -> Full {
        let place = self.count + 1;
        let wait_ms = self.pace.wait(place).as_millis();
        Full {
            place: u32::try_from(place).unwrap_or(u32::MAX),
            retry_after_ms: wait_ms.clamp(MIN_RETRY_MS, MAX_RETRY_MS) as u32,
        }
    }
}

/// How long a request takes, as measured.
struct Pace {
    each: Duration,
    /// Since when a group is under way, and of how many.
    group: Option<(Instant, u32)>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            each: FIRST_GUESS,
            group: None,
        }
    }
}

impl Pace {
    fn begin(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.group = (count > 0).then(|| (Instant::now(), count));
    }

    /// An average in which each group weighs a quarter.
    fn done(&mut self) {
        if let Some((began, count)) = self.group.take() {
            self.each = (self.each * 3 + began.elapsed() / count) / 4;
        }
    }

    /// How long until `count` requests are done. A group that takes longer than usual says more than
    /// those before it.
    fn wait(&self, count: usize) -> Duration {
        let now = self.group.map(|(began, count)| began.elapsed() / count);
        let each = now.map_or(self.each, |now| now.max(self.each));
        each * u32::try_from(count).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(shop: u128, device: u32) -> Asker {
        Asker {
            shop: Some(ShopId(uuid::Uuid::from_u128(shop))),
            device: Some(DeviceNo(device)),
        }
    }

    #[test]
    fn a_shop_with_one_entry_does_not_wait_for_a_shop_with_a_hundred() {
        let mut lines = Lines::new(1000);
        for entry in 0..100 {
            lines.push(asker(1, 1), (1, 1, entry));
        }
        lines.push(asker(1, 2), (1, 2, 0));
        lines.push(asker(2, 1), (2, 1, 0));
        lines.push(asker(2, 1), (2, 1, 1));
        let first = lines.take(5);
        assert_eq!(
            first,
            [(1, 1, 0), (2, 1, 0), (1, 2, 0), (2, 1, 1), (1, 1, 1)],
            "shops in turn, and the phones of a shop in turn"
        );
        let rest = lines.take(1000);
        assert!(rest.iter().map(|it| it.2).eq(2..100), "each in its order");
        assert_eq!(lines.count, 0);
        assert!(lines.shops.is_empty() && lines.turn.is_empty());
    }

    #[test]
    fn who_has_the_longest_backlog_makes_room() {
        let mut lines = Lines::new(4);
        for entry in 0..4 {
            assert_eq!(lines.push(asker(1, 1), (1, entry)), None);
        }
        assert_eq!(lines.push(asker(1, 1), (1, 4)), Some((1, 4)), "its own");
        assert_eq!(lines.push(asker(2, 1), (2, 0)), Some((1, 3)));
        assert_eq!(lines.push(asker(1, 2), (12, 0)), Some((1, 2)));
        assert_eq!(lines.push(asker(3, 1), (3, 0)), Some((1, 1)));
        let moved = lines.push(asker(4, 1), (4, 0)).expect("shop 1 has two");
        assert!([(1, 0), (12, 0)].contains(&moved));
        assert_eq!(lines.push(asker(5, 1), (5, 0)), Some((5, 0)), "all alike");
        let rest = lines.take(10);
        assert_eq!(rest.len(), 4);
        assert!([(2, 0), (3, 0), (4, 0)].iter().all(|it| rest.contains(it)));
        assert!(lines.shops.is_empty() && lines.turn.is_empty());
    }

    #[test]
    fn who_has_to_come_again_is_told_when() {
        let mut lines: Lines<u32> = Lines::new(2);
        lines.pace.each = Duration::from_millis(500);
        lines.push(asker(1, 1), 0);
        lines.push(asker(1, 1), 1);
        let Full {
            place,
            retry_after_ms,
        } = lines.full();
        assert_eq!((place, retry_after_ms), (3, 1500));
        lines.pace.each = Duration::from_secs(3600);
        assert_eq!(lines.full().retry_after_ms, 60_000, "never for ever");
    }
}
