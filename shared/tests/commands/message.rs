//! What reached a customer.

use shared::bytes::Fixed;
use shared::command::{
    CustomerRejection, EraseCustomer, KhataRejection, MessageRejection, SendMessage, SendStatement,
};
use shared::event::{Body, Channel, CutPoint, Kind, Language, StatementSent, Topic};
use shared::ids::{CustomerId, EntryId, EventId};
use shared::testing::given::*;

use crate::{Accepted, Refused, accepted, refused};

fn message(topic: Topic, entry: Option<EntryId>) -> SendMessage {
    SendMessage {
        customer: PRIYA,
        channel: Channel::WhatsApp,
        language: Language::Hindi,
        topic,
        entry,
    }
}

fn cut() -> Vec<CutPoint> {
    vec![CutPoint {
        device: 1,
        seq: 6,
        hash: Fixed([6; 32]),
    }]
}

fn statement(customer: CustomerId) -> SendStatement {
    SendStatement {
        customer,
        channel: Channel::Share,
        language: Language::Hindi,
        from: monday(),
        to: tuesday(),
        balance: rupees(670),
        cut: cut(),
    }
}

pub fn all_accepted() -> Vec<Accepted> {
    let owes = shop().given(credit(PRIYA, 670_00));
    let entry = owes.last_entry();
    vec![
        accepted(
            "A customer is told of an entry",
            owes.clone().when(message(Topic::Entry, Some(entry))),
            [Kind::MessageSent],
        ),
        accepted(
            "A customer is reminded of what is owed",
            owes.clone().when(message(Topic::Reminder, None)),
            [Kind::MessageSent],
        ),
        accepted(
            "A customer is told that an entry was taken back",
            owes.clone()
                .given(reversal(entry))
                .when(message(Topic::Entry, Some(entry))),
            [Kind::MessageSent],
        ),
        accepted(
            "A statement is given with what it was made from",
            owes.when(statement(PRIYA)),
            [Kind::StatementSent],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let owes = shop().given(credit(AMIT, 670_00));
    let amits = owes.last_entry();
    let unknown = EntryId(EventId::new(1, 99));
    vec![
        refused(
            "A statement begins before it ends",
            shop().when(SendStatement {
                from: tuesday(),
                to: monday(),
                ..statement(PRIYA)
            }),
            MessageRejection::PeriodBackwards {
                from: tuesday(),
                to: monday(),
            },
        ),
        refused(
            "A message about a bill says which",
            shop().when(message(Topic::Bill, None)),
            MessageRejection::WithoutEntry,
        ),
        refused(
            "A message about an entry says which",
            shop().when(message(Topic::Entry, None)),
            MessageRejection::WithoutEntry,
        ),
        refused(
            "A customer is not told of another's entry",
            owes.when(message(Topic::Entry, Some(amits))),
            KhataRejection::NotThisCustomers { entry: amits },
        ),
        refused(
            "Nobody is told of an entry that is not there",
            shop().when(message(Topic::Entry, Some(unknown))),
            KhataRejection::UnknownEntry { entry: unknown },
        ),
        refused(
            "A customer who was erased gets no statement",
            shop()
                .given(EraseCustomer { customer: PRIYA })
                .when(statement(PRIYA)),
            CustomerRejection::Erased { customer: PRIYA },
        ),
    ]
}

#[test]
fn a_statement_says_exactly_what_the_customer_was_told() {
    let given = shop()
        .given(credit(PRIYA, 670_00))
        .when(statement(PRIYA))
        .then([Body::from(StatementSent {
            customer: PRIYA,
            channel: Channel::Share,
            language: Language::Hindi,
            from: monday(),
            to: tuesday(),
            balance: rupees(670),
            cut: cut(),
        })]);
    assert_eq!(given.ledger.statements.len(), 1);
}
