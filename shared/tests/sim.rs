//! A first run of the simulator; `cargo xtask sim` has as many seeds as one likes.

use shared::testing::sim;

const SEEDS: u64 = 500;

/// Seeds that run side by side.
const THREADS: u64 = 2;

#[test]
fn whatever_goes_wrong_all_phones_end_with_the_same_books_and_every_entry_once() {
    let threads = (0..THREADS).map(|thread| {
        std::thread::spawn(move || {
            sim::run_all((1..=SEEDS).filter(|seed| seed % THREADS == thread))
        })
    });
    let threads: Vec<_> = threads.collect();
    let mut all = sim::Summary::default();
    for thread in threads {
        all += thread.join().expect("every seed is sound");
    }
    println!("{all:?}");
    // The storm was one.
    assert!(all.phones >= 2 * SEEDS);
    assert!(all.events > 30 * SEEDS);
    assert!(all.crashes > 3 * SEEDS);
    assert!(all.lost_or_doubled > 5 * SEEDS);
    assert!(all.revoked > SEEDS / 10);
    assert!(all.restored > SEEDS / 10);
    assert!(all.set_back > SEEDS / 50);
    assert!(all.forked > 0);
    assert!(all.not_accepted > SEEDS);
    assert!(all.partitions > SEEDS);
    assert!(all.clock_jumps > SEEDS);
    assert!(all.full_disks > SEEDS);
    assert!(all.unsynced_lost > SEEDS / 10);
    assert!(all.torn > SEEDS / 20);
    assert!(all.updated > 0 && all.old > 0);
}
