//! What holds in every shop, whatever happened there.

use std::collections::BTreeSet;

use proptest::prelude::*;
use shared::calendar::BusinessDay;
use shared::event::{Mode, Paid, ReasonCode, Refund, TenderBy};
use shared::ids::{CustomerId, EntryId};
use shared::ledger::{Balance, Ledger, Receipts};
use shared::money::Paise;
use shared::query::{
    Account, Books, CustomerFilter, CustomerSort, Directory, Known, balance_as_known,
    balance_as_of, balances_as_of, changes_since, cut, day_reports, entries, header, held,
    recorded, report, settle, statement, tasks, totals,
};
use shared::testing::build::{Shop, upi};
use shared::testing::logs;
use shared::testing::rng::Rng;
use shared::text::KeyRing;

const EVER: BusinessDay = BusinessDay(i32::MAX);
const NEVER: BusinessDay = BusinessDay(i32::MIN);

/// A shop in which anything happened that can: several phones, some apart, clocks that jump, pages
/// merged, entries taken back, the server now and then.
fn shop(seed: u64) -> Shop {
    let mut rng = Rng::new(seed);
    let mut shop = Shop::opened_on("01-06-2026");
    let mut customers = vec![shop.customer("Priya"), shop.customer("Amit")];
    let mut entries: Vec<EntryId> = Vec::new();
    for _ in 0..rng.below(120) {
        let customer = *rng.pick(&customers);
        let amount = 1 + rng.below(500) as i64;
        let paid = if rng.chance(50) {
            Paid::CASH
        } else {
            upi("77")
        };
        match rng.below(20) {
            0 => customers.push(shop.customer_with("Priya", Some("9820012345"), Some(300))),
            1 => {
                shop.merge(customer, *rng.pick(&customers));
            }
            2 => {
                shop.archive(customer);
            }
            3 => shop.sync(),
            4 => {
                shop.on_device(1 + rng.below(3) as u32);
            }
            5 => {
                shop.apart_on_device(1 + rng.below(3) as u32);
            }
            6 => shop.now = shop.now.plus_ms((rng.below(60) as i64 - 10) * 3_600_000),
            7 if !entries.is_empty() => {
                shop.reverse(*rng.pick(&entries), ReasonCode::WrongAmount);
            }
            8 if !entries.is_empty() => {
                let replacement = shop.credit(customer, amount);
                shop.correct(*rng.pick(&entries), replacement);
                entries.push(replacement);
            }
            9 => entries.push(shop.deposit(customer, amount)),
            10 => entries.push(shop.withdrawal(customer, amount)),
            11 => entries.push(shop.use_advance(customer, amount)),
            12 => entries.push(shop.transfer(customer, *rng.pick(&customers), amount)),
            13 => entries.push(shop.write_off(customer, amount)),
            14 => entries.push(shop.returned(customer, amount, Refund::Khata)),
            15 => entries.push(shop.returned(customer, amount, Refund::Money(paid))),
            16 => {
                let tenders = [
                    (amount, TenderBy::Khata),
                    (amount, TenderBy::Money(paid)),
                    (1, TenderBy::Advance),
                ];
                entries.push(shop.sale_by(Some(customer), &tenders));
            }
            17 | 18 => entries.push(shop.payment(customer, amount, paid)),
            _ => entries.push(shop.credit(customer, amount)),
        }
    }
    shop
}

/// A ledger of nonsense: entries before their customers, reversals before their targets.
fn nonsense(seed: u64) -> Ledger {
    let mut rng = Rng::new(seed);
    let chains = logs::chains(&mut rng, 3, 120);
    let mut ledger = Ledger::default();
    for logged in logs::shuffled(&mut rng, &chains) {
        let decoded = shared::event::decode(&logged.bytes, None);
        let _ = ledger.fold(logged.device, logged.seq, decoded, logged.standing);
    }
    ledger
}

fn canonical(ledger: &Ledger) -> BTreeSet<CustomerId> {
    let pages = ledger.customers.keys();
    pages.map(|page| ledger.canonical(*page)).collect()
}

fn sum(balances: impl Iterator<Item = Balance>) -> Balance {
    balances.fold(Balance::default(), |mut sum, balance| {
        sum += balance;
        sum
    })
}

/// One more thing that can happen on a page.
fn one_more(shop: &mut Shop, rng: &mut Rng) {
    let customers: Vec<CustomerId> = shop.ledger.customers.keys().copied().collect();
    let entries: Vec<EntryId> = shop.ledger.entries.keys().copied().collect();
    let customer = *rng.pick(&customers);
    match rng.below(8) {
        0 if !entries.is_empty() => {
            shop.reverse(*rng.pick(&entries), ReasonCode::WrongAmount);
        }
        1 => {
            shop.merge(customer, *rng.pick(&customers));
        }
        2 => {
            shop.archive(customer);
        }
        3 => {
            shop.customer("Rohit");
        }
        4 => {
            shop.erase(customer);
        }
        5 => {
            shop.rename(customer, "Somebody");
        }
        6 => {
            shop.payment(customer, 10, Paid::CASH);
        }
        _ => {
            shop.credit(customer, 10);
        }
    }
}

/// What holds in any books.
fn check(books: Books<'_>) {
    let ledger = books.ledger;
    let directory = Directory::new(books);
    let all = canonical(ledger);
    let people: BTreeSet<CustomerId> = directory.people().map(|person| person.id).collect();
    assert_eq!(all, people, "everyone once");

    for person in directory.people() {
        let balance = ledger.balance(person.id);
        let account = Account::of(ledger, person.id);
        assert_eq!(person.balance, balance);
        assert_eq!(
            account.closing(),
            balance,
            "the last running balance is the header's"
        );
        assert_eq!(balance_as_of(ledger, person.id, EVER), balance);
        assert_eq!(balance_as_of(ledger, person.id, NEVER), Balance::default());
        let page = entries(books, person.id, 0);
        assert_eq!(page.closing, balance);
        assert_eq!(
            page.rows
                .first()
                .and_then(|row| row.running)
                .unwrap_or_default(),
            balance
        );
        let settlement = settle(ledger, person.id);
        let mut khata: Paise = settlement.open.iter().map(|open| open.open).sum();
        khata -= settlement.surplus;
        assert_eq!(khata, balance.khata, "what is open less what is over");
        let head = header(books, person.id, shared::calendar::TimeMs(0)).expect("a head");
        assert_eq!(head.person, *person, "one customer read alone is the same");
        assert_eq!(head.entries + head.taken_back, page.total);
    }

    let totals = totals(ledger);
    let whole = sum(directory.people().map(|person| person.balance));
    let mut net = totals.will_get;
    net -= totals.will_give;
    let mut owed = whole.khata;
    owed -= whole.advance;
    assert_eq!(net, owed, "what the shop will get less what it will give");

    let list = |filter| {
        let sort = CustomerSort::LastActivity;
        let list = directory.list(filter, "", sort, EVER, 0);
        let ids: BTreeSet<CustomerId> = list.rows.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), list.total);
        ids
    };
    let (shown, archived) = (list(CustomerFilter::All), list(CustomerFilter::Archived));
    assert!(shown.is_disjoint(&archived));
    assert_eq!(shown.len() + archived.len(), all.len(), "shown or put away");
    let (due, overdue) = (list(CustomerFilter::Due), list(CustomerFilter::Overdue));
    assert!(overdue.is_subset(&due));
    for person in directory.people() {
        let settled = person.balance == Balance::default();
        let listed = due.contains(&person.id) || list(CustomerFilter::Advance).contains(&person.id);
        assert_eq!(settled, !listed, "no money is in neither list");
    }

    let ever = report(ledger, NEVER, EVER);
    assert_eq!(ever.opening, Balance::default());
    assert_eq!(ever.closing, whole);
    assert_eq!(ever.entries + ever.taken_back, ledger.entries.len());
    assert_eq!(sum(balances_as_of(ledger, EVER, None).into_values()), whole);
    for task in tasks(books, &directory) {
        assert!(!task.evidence.is_empty() || task.amount.is_some());
    }
    assert_eq!(held(books).len(), ledger.held.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_answer_agrees_with_every_other(seed: u64) {
        check(shop(seed).books());
    }

    #[test]
    fn a_list_that_is_kept_up_to_date_is_as_good_as_a_new_one(seed: u64, steps in 1..12) {
        let mut shop = shop(seed);
        let mut rng = Rng::new(seed);
        let mut kept = Directory::new(shop.books());
        for _ in 0..steps {
            one_more(&mut shop, &mut rng);
            kept.update(shop.books());
            prop_assert!(kept.people().eq(Directory::new(shop.books()).people()));
        }
    }

    #[test]
    fn even_nonsense_has_one_answer(seed: u64) {
        let ledger = nonsense(seed);
        let keys = KeyRing::new(shared::testing::samples::SHOP);
        check(Books {
            ledger: &ledger,
            keys: &keys,
            receipts: &Receipts::default(),
            reader: None,
        });
    }

    #[test]
    fn the_days_of_a_report_add_up(seed: u64, from in 0..40, days in 0..40) {
        let shop = shop(seed);
        let from = BusinessDay::parse("25-05-2026").expect("a date").plus_days(from);
        let to = from.plus_days(days);
        let whole = report(&shop.ledger, from, to);
        let days = day_reports(&shop.ledger, from, to);
        prop_assert_eq!(days.iter().map(|day| day.entries).sum::<usize>(), whole.entries);
        let cash = days.iter().map(|day| day.money(Mode::Cash)).sum::<Paise>();
        prop_assert_eq!(cash, whole.money(Mode::Cash));
        if let (Some(first), Some(last)) = (days.first(), days.last()) {
            prop_assert_eq!(first.opening, whole.opening);
            prop_assert_eq!(last.closing, whole.closing);
        }
        let mut khata = whole.credit_sales;
        for less in [
            whole.payments.total(),
            whole.khata_returns,
            whole.advances_used,
            whole.write_offs,
        ] {
            khata -= less;
        }
        prop_assert_eq!(whole.khata_change(), khata);
        let before = balances_as_of(&shop.ledger, from.plus_days(-1), None);
        prop_assert_eq!(whole.opening, sum(before.into_values()));
    }

    #[test]
    fn a_statement_is_a_window_on_the_account(seed: u64, from in 0..40, days in 0..40) {
        let shop = shop(seed);
        let from = BusinessDay::parse("25-05-2026").expect("a date").plus_days(from);
        let heads = Default::default();
        for customer in canonical(&shop.ledger) {
            let to = from.plus_days(days);
            let statement = statement(shop.books(), customer, from, to, &heads, 0);
            prop_assert_eq!(statement.opening, balance_as_of(&shop.ledger, customer, from.plus_days(-1)));
            prop_assert_eq!(statement.closing, balance_as_of(&shop.ledger, customer, to));
            let mut running = statement.opening;
            for row in &statement.rows {
                running += row.change;
                prop_assert_eq!(row.running, Some(running));
            }
            prop_assert_eq!(running, statement.closing);
            prop_assert!(changes_since(shop.books(), customer, &statement.cut).is_empty());
            prop_assert_eq!(&statement.cut, &cut(&shop.ledger, &heads));
        }
    }

    #[test]
    fn what_was_known_is_what_had_been_recorded(seed: u64, hours in -50i64..500) {
        let shop = shop(seed);
        let opened = BusinessDay::parse("01-06-2026").expect("a date").start();
        let time = opened.plus_ms(hours * 3_600_000);
        let known = Known::at(&shop.ledger, &shop.receipts, time);
        for id in shop.ledger.entries.keys() {
            let recorded = recorded(&shop.ledger, &shop.receipts, *id).expect("there");
            prop_assert_eq!(known.covers(id.0), recorded <= time, "{} {:?}", id, recorded);
        }
        let all = Known::at(&shop.ledger, &shop.receipts, shared::calendar::TimeMs(i64::MAX));
        for customer in canonical(&shop.ledger) {
            prop_assert_eq!(
                balance_as_known(&shop.ledger, customer, EVER, &all),
                shop.ledger.balance(customer)
            );
        }
    }

    #[test]
    fn what_changed_since_a_cut_leads_from_one_balance_to_the_other(seed: u64, more in 1u64..40) {
        let before = shop(seed);
        let cut = cut(&before.ledger, &Default::default());
        let mut after = before.clone();
        let customers: Vec<_> = canonical(&before.ledger).into_iter().collect();
        let mut rng = Rng::new(seed ^ more);
        let old: Vec<EntryId> = before.ledger.entries.keys().copied().collect();
        for _ in 0..more {
            if rng.chance(40) && !old.is_empty() {
                after.reverse(*rng.pick(&old), ReasonCode::WrongAmount);
            } else {
                after.credit(*rng.pick(&customers), 10);
            }
        }
        for customer in customers {
            let mut khata = before.ledger.balance(customer);
            for change in changes_since(after.books(), customer, &cut) {
                match change {
                    shared::query::Change::Added(row) => khata += row.change,
                    shared::query::Change::TakenBack(row) => {
                        let entry = &after.ledger.entries[&row.id];
                        for page in after.ledger.pages(customer) {
                            khata -= entry.what.change(page);
                        }
                    }
                }
            }
            prop_assert_eq!(khata, after.ledger.balance(customer));
        }
    }
}
