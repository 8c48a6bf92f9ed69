//! Whatever the order in which a shop's events reach a phone, its books are the same.

use proptest::prelude::*;
use shared::event::decode;
use shared::ledger::{Ledger, Standing, Step};
use shared::testing::logs::{Logged, chains, shuffled};
use shared::testing::rng::Rng;

fn folded(log: &[Logged]) -> Ledger {
    let mut ledger = Ledger::default();
    for logged in log {
        let event = decode(&logged.bytes, None);
        let step = ledger.fold(logged.device, logged.seq, event, logged.standing);
        assert!(!matches!(step, Step::Gap { .. }));
    }
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_books_are_byte_equal_in_any_order_with_any_duplicates(
        seed: u64, devices in 1u32..5, length in 1u32..60, orders: [u64; 3],
    ) {
        let chains = chains(&mut Rng::new(seed), devices, length);
        let in_turn: Vec<Logged> = chains.iter().flatten().cloned().collect();
        let books = folded(&in_turn);
        for order in orders {
            let other = folded(&shuffled(&mut Rng::new(order), &chains));
            prop_assert_eq!(&books, &other);
            prop_assert_eq!(books.to_bytes(), other.to_bytes());
        }
    }

    #[test]
    fn the_balance_of_every_customer_is_the_sum_of_what_counts(
        seed: u64, devices in 1u32..5, length in 1u32..80,
    ) {
        let chains = chains(&mut Rng::new(seed), devices, length);
        let books = folded(&chains.iter().flatten().cloned().collect::<Vec<_>>());
        // The naive model: every entry that nobody took back, one by one.
        for (&id, customer) in &books.customers {
            let mut khata = 0;
            let mut advance = 0;
            for (&entry_id, entry) in &books.entries {
                for effect in entry.what.effects().into_iter().flatten() {
                    if effect.customer == id && !books.reversals.contains_key(&entry_id) {
                        khata += effect.change.khata.0;
                        advance += effect.change.advance.0;
                    }
                }
            }
            prop_assert_eq!((khata, advance), (customer.balance.khata.0, customer.balance.advance.0));
        }
    }

    #[test]
    fn every_event_is_counted_once_or_listed_as_not_counted(
        seed: u64, devices in 1u32..4, length in 1u32..60,
    ) {
        let chains = chains(&mut Rng::new(seed), devices, length);
        let books = folded(&chains.iter().flatten().cloned().collect::<Vec<_>>());
        for (lane, chain) in books.lanes.values().zip(&chains) {
            prop_assert_eq!(lane.last_seq as usize, chain.len());
            prop_assert!(lane.uncounted() <= chain.len() as u64);
        }
        let quarantined = chains.iter().flatten()
            .filter(|logged| logged.standing == Standing::Quarantined).count() as u64;
        prop_assert!(books.uncounted() >= quarantined);
    }

    #[test]
    fn books_written_down_and_read_again_are_the_same(seed: u64, length in 1u32..60) {
        let chains = chains(&mut Rng::new(seed), 3, length);
        let books = folded(&chains.iter().flatten().cloned().collect::<Vec<_>>());
        let read: Ledger = minicbor::decode(&books.to_bytes()).expect("a snapshot is readable");
        prop_assert_eq!(read, books);
    }
}

#[test]
fn a_missing_event_is_noticed_and_nothing_is_folded() {
    let chain = &chains(&mut Rng::new(1), 1, 5)[0];
    let mut books = folded(&chain[..2]);
    let before = books.clone();
    let step = books.fold(
        chain[3].device,
        4,
        decode(&chain[3].bytes, None),
        chain[3].standing,
    );
    assert_eq!(step, Step::Gap { expected: 3 });
    assert_eq!(books, before);
}
