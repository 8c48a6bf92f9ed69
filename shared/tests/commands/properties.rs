//! Whatever people tap: the books keep to what was decided, and a notebook kept beside them agrees.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::command::{Command, Details, QuestionKind, TransferAmount, UseAdvance};
use shared::event::{Body, Kind, Paid, Refund};
use shared::ids::{CustomerId, EntryId};
use shared::money::{MAX_ENTRY_PAISE, Paise};
use shared::testing::given::*;

/// Something that a person may tap.
#[derive(Debug, Clone)]
pub enum Tap {
    Credit(CustomerId, i64),
    Payment(CustomerId, i64),
    Deposit(CustomerId, i64),
    Withdrawal(CustomerId, i64),
    AdvanceUse(CustomerId, i64),
    Transfer(CustomerId, CustomerId, i64),
    Return(CustomerId, i64, bool),
    /// Take back the entry of this place, counted from the first.
    Reverse(usize),
    /// Replace it by credit of so much.
    Correct(usize, CustomerId, i64),
}

pub fn taps() -> impl Strategy<Value = Vec<Tap>> {
    let customer = || prop_oneof![Just(PRIYA), Just(AMIT)];
    let paise = || {
        prop_oneof![
            8 => 1..1_000_00i64,
            1 => -5..=0i64,
            1 => MAX_ENTRY_PAISE.0 - 1..=MAX_ENTRY_PAISE.0 + 1,
        ]
    };
    let tap = prop_oneof![
        (customer(), paise()).prop_map(|(who, paise)| Tap::Credit(who, paise)),
        (customer(), paise()).prop_map(|(who, paise)| Tap::Payment(who, paise)),
        (customer(), paise()).prop_map(|(who, paise)| Tap::Deposit(who, paise)),
        (customer(), paise()).prop_map(|(who, paise)| Tap::Withdrawal(who, paise)),
        (customer(), paise()).prop_map(|(who, paise)| Tap::AdvanceUse(who, paise)),
        (customer(), customer(), paise())
            .prop_map(|(from, to, paise)| { Tap::Transfer(from, to, paise) }),
        (customer(), paise(), any::<bool>())
            .prop_map(|(who, paise, khata)| { Tap::Return(who, paise, khata) }),
        (0..30usize).prop_map(Tap::Reverse),
        (0..30usize, customer(), paise())
            .prop_map(|(nth, who, paise)| { Tap::Correct(nth, who, paise) }),
    ];
    prop::collection::vec(tap, 1..40)
}

/// A line of the notebook: whose page, what it adds to the khata and to the advance.
type Line = Vec<(CustomerId, i64, i64)>;

/// The command of a tap, and what a careful person would write into a notebook.
fn read(tap: &Tap, entries: &[EntryId]) -> Option<(Command, Line, Option<EntryId>)> {
    let refund = |khata| {
        if khata {
            Refund::Khata
        } else {
            Refund::Money(Paid::CASH)
        }
    };
    let nth = |nth: usize| entries.get(nth % entries.len().max(1)).copied();
    Some(match *tap {
        Tap::Credit(who, paise) => (credit(who, paise).into(), vec![(who, paise, 0)], None),
        Tap::Payment(who, paise) => (payment(who, paise).into(), vec![(who, -paise, 0)], None),
        Tap::Deposit(who, paise) => (deposit(who, paise).into(), vec![(who, 0, paise)], None),
        Tap::Withdrawal(who, paise) => {
            (withdrawal(who, paise).into(), vec![(who, 0, -paise)], None)
        }
        Tap::AdvanceUse(customer, paise) => {
            let command = UseAdvance {
                details: Details::on(monday()),
                customer,
                amount: Paise(paise),
                against: None,
            };
            (command.into(), vec![(customer, -paise, -paise)], None)
        }
        Tap::Transfer(from, to, paise) => {
            let command = TransferAmount {
                details: Details::on(monday()),
                from,
                to,
                amount: Paise(paise),
            };
            (
                command.into(),
                vec![(from, -paise, 0), (to, paise, 0)],
                None,
            )
        }
        Tap::Return(who, paise, khata) => {
            let command = goods_back(Some(who), paise, refund(khata));
            (
                command.into(),
                vec![(who, if khata { -paise } else { 0 }, 0)],
                None,
            )
        }
        Tap::Reverse(place) => {
            let target = nth(place)?;
            (reversal(target).into(), Vec::new(), Some(target))
        }
        Tap::Correct(place, who, paise) => {
            let target = nth(place)?;
            let command = correction(target, credit(who, paise));
            (command.into(), vec![(who, paise, 0)], Some(target))
        }
    })
}

/// What the notebook comes to: khata and advance of each customer.
fn sums(notebook: &BTreeMap<EntryId, Line>) -> BTreeMap<CustomerId, (i64, i64)> {
    let mut sums = BTreeMap::new();
    for &(customer, khata, advance) in notebook.values().flatten() {
        let sum: &mut (i64, i64) = sums.entry(customer).or_default();
        sum.0 += khata;
        sum.1 += advance;
    }
    sums
}

/// The shop after all taps; what is refused was not done.
pub fn tapped(given: Given, taps: &[Tap]) -> Given {
    taps.iter().fold(given, |given, tap| {
        let entries: Vec<EntryId> = given.ledger.entries.keys().copied().collect();
        let Some((command, ..)) = read(tap, &entries) else {
            return given;
        };
        let outcome = given.clone().when(command);
        match outcome.result() {
            Ok(_) => outcome.happened(),
            Err(_) => given,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_notebook_kept_beside_the_books_agrees(taps in taps()) {
        let mut given = shop().confirming(QuestionKind::MoreThanOwed);
        let mut notebook: BTreeMap<EntryId, Line> = BTreeMap::new();
        for tap in &taps {
            let entries: Vec<EntryId> = given.ledger.entries.keys().copied().collect();
            let Some((command, line, takes_back)) = read(tap, &entries) else {
                continue;
            };
            let before = given.ledger.checksum();
            let outcome = given.clone().when(command);
            let Ok(decision) = outcome.result() else {
                prop_assert_eq!(given.ledger.checksum(), before, "a refusal changes nothing");
                continue;
            };
            let kinds: Vec<Kind> = decision.bodies().map(Body::kind).collect();
            prop_assert!(!kinds.is_empty());
            given = outcome.happened();
            if let Some(target) = takes_back {
                prop_assert!(notebook.remove(&target).is_some(), "an entry is taken back once");
            }
            if !line.is_empty() {
                notebook.insert(given.last_entry(), line);
            }
            prop_assert_eq!(given.ledger.uncounted(), 0, "groups are whole");
            for (customer, (khata, advance)) in sums(&notebook) {
                let balance = given.ledger.balance(customer);
                prop_assert_eq!((balance.khata.0, balance.advance.0), (khata, advance));
            }
        }
    }

    #[test]
    fn without_reversals_no_advance_goes_below_nothing(taps in taps()) {
        let mut given = shop().confirming(QuestionKind::MoreThanOwed);
        for tap in taps.iter().filter(|tap| !matches!(tap, Tap::Reverse(_) | Tap::Correct(..))) {
            if let Some((command, ..)) = read(tap, &[]) {
                let outcome = given.clone().when(command);
                if outcome.result().is_ok() {
                    given = outcome.happened();
                }
            }
            for customer in [PRIYA, AMIT] {
                prop_assert!(given.ledger.balance(customer).advance >= Paise::ZERO);
            }
        }
    }
}
