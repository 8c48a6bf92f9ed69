//! The simulator finds bugs: each of the known ones, and soon.

use shared::testing::planted::Planted;
use shared::testing::sim;

/// Within so many seeds every bug must show; a run of the tests has as many in each.
const SEEDS: u64 = 2000;

#[test]
fn every_known_bug_shows_within_two_thousand_seeds() {
    // They are meant to fail: one line each will do.
    std::panic::set_hook(Box::new(|_| {}));
    let found = Planted::ALL.map(|planted| (planted, sim::find(planted, 1..1 + SEEDS)));
    // What fails from here on is a real failure again.
    drop(std::panic::take_hook());
    for (planted, finding) in &found {
        match finding {
            Some((seed, how)) => println!("{planted:?}: seed {seed}: {how}"),
            None => println!("{planted:?}: not found"),
        }
    }
    let missed: Vec<Planted> = found
        .iter()
        .filter(|(_, finding)| finding.is_none())
        .map(|(planted, _)| *planted)
        .collect();
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
