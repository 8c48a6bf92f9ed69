//! Ledgers built by hand: events written straight into the books of a shop, as if the commands had
//! let them through.

use std::collections::BTreeMap;

use super::samples::SHOP;
use crate::bytes::Fixed;
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::*;
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId};
use crate::ledger::{Ledger, Receipts, Standing, Step};
use crate::money::Paise;
use crate::query::Books;
use crate::text::{Entropy, Field, Key, KeyRing, Text};

/// A shop whose books are written event by event. Amounts are in whole rupees unless they are
/// [`Paise`].
#[derive(Debug, Clone)]
pub struct Shop {
    /// The folded state.
    pub ledger: Ledger,
    /// Every key.
    pub keys: KeyRing,
    /// What the server took; nothing until [`Shop::sync`].
    pub receipts: Receipts,
    /// All events in the order of writing.
    pub events: Vec<Event>,
    /// The device that writes.
    pub device: DeviceNo,
    /// Who writes.
    pub by: Option<StaffId>,
    /// What the clock of the device says.
    pub now: TimeMs,
    clocks: BTreeMap<DeviceNo, u64>,
    sent: BTreeMap<DeviceNo, u32>,
    entropy: Entropy,
    people: u8,
}

impl Shop {
    /// A shop that was opened at ten in the morning of a day (`DD-MM-YYYY`).
    pub fn opened_on(day: &str) -> Shop {
        let mut shop = Shop {
            ledger: Ledger::default(),
            keys: KeyRing::new(SHOP),
            receipts: Receipts::default(),
            events: Vec::new(),
            device: DeviceNo::FOUNDER,
            by: None,
            now: TimeMs(0),
            clocks: BTreeMap::new(),
            sent: BTreeMap::new(),
            entropy: Entropy::new([7; 32]),
            people: 0,
        };
        shop.day(day);
        let key = Fixed([0xfe; 16]);
        shop.keys.add(key, Key([0xfe; 32]));
        let on = shop.now.day();
        shop.write(ShopOpened {
            shop: SHOP,
            name: "Sharma General Store".into(),
            currency: "INR".to_owned(),
            language: Language::English,
            on,
            key,
        });
        shop
    }

    /// Ten in the morning of a day (`DD-MM-YYYY`).
    pub fn day(&mut self, day: &str) -> &mut Shop {
        let day = BusinessDay::parse(day).expect("a date");
        self.now = day.start().plus_ms(10 * 60 * 60 * 1000);
        self
    }

    /// What follows is written on this device, which knows everything that was written before.
    pub fn on_device(&mut self, device: u32) -> &mut Shop {
        self.device = DeviceNo(device);
        let seen = self.clocks.values().copied().max().unwrap_or(0);
        self.clocks.insert(self.device, seen);
        self
    }

    /// What follows is written on this device, which knows nothing of what others wrote since it
    /// was used last.
    pub fn apart_on_device(&mut self, device: u32) -> &mut Shop {
        self.device = DeviceNo(device);
        self
    }

    /// The reader's view of these books.
    pub fn books(&self) -> Books<'_> {
        Books {
            ledger: &self.ledger,
            keys: &self.keys,
            receipts: &self.receipts,
            reader: None,
        }
    }

    /// The server takes everything that it does not have, now.
    pub fn sync(&mut self) {
        for (&device, lane) in &self.ledger.lanes {
            let sent = self.sent.insert(device, lane.last_seq).unwrap_or(0);
            self.receipts
                .add(device, sent + 1, lane.last_seq - sent, self.now);
        }
    }

    /// Writes an event; a minute passes.
    pub fn write(&mut self, body: impl Into<Body>) -> EventId {
        self.write_as(body, Standing::Counted)
    }

    /// Writes an event of which the server says this; a minute passes.
    pub fn write_as(&mut self, body: impl Into<Body>, standing: Standing) -> EventId {
        let lane = self.ledger.lanes.get(&self.device);
        let seq = lane.map_or(0, |lane| lane.last_seq) + 1;
        let clock = self.clocks.entry(self.device).or_default();
        *clock += 1;
        let event = Event {
            envelope: Envelope {
                id: EventId {
                    device: self.device,
                    seq,
                },
                clock: *clock,
                at: self.now,
                by: self.by,
                group: None,
                cause: None,
                correlation: None,
                expect: None,
            },
            body: body.into(),
        };
        self.now = self.now.plus_ms(60_000);
        let decoded = decode(&encode(&event), None);
        let step = self.ledger.fold(self.device, seq, decoded, standing);
        assert_eq!(step, Step::Read);
        let id = event.envelope.id;
        self.events.push(event);
        id
    }

    /// A sealed text of a customer.
    pub fn seal(&mut self, person: u8, words: &str, field: Field) -> Text {
        let (id, key) = (Fixed([person; 16]), Key([person; 32]));
        self.keys.add(id, key.clone());
        Text::seal(words, (&id, &key), SHOP, field, &mut self.entropy)
    }

    /// A customer with a sealed name.
    pub fn customer(&mut self, name: &str) -> CustomerId {
        self.customer_with(name, None, None)
    }

    /// A customer with a sealed name, and perhaps a telephone number and a limit in rupees.
    pub fn customer_with(
        &mut self,
        name: &str,
        phone: Option<&str>,
        limit: Option<i64>,
    ) -> CustomerId {
        self.people += 1;
        let person = self.people;
        let name = self.seal(person, name, Field::Name);
        let phone = phone.map(|phone| self.seal(person, phone, Field::Phone));
        CustomerId(self.write(CustomerAdded {
            name,
            key: Fixed([person; 16]),
            phone,
            address: None,
            note: None,
            language: None,
            limit: limit.map(rupees),
            messages: None,
            origin: None,
        }))
    }

    /// Date, note, witness of an entry made now.
    pub fn today(&self) -> Particulars {
        Particulars::on(self.now.day())
    }

    /// Writes an entry.
    pub fn entry(&mut self, body: impl Into<Body>) -> EntryId {
        EntryId(self.write(body))
    }

    /// Goods on credit.
    pub fn credit(&mut self, customer: CustomerId, amount: i64) -> EntryId {
        let particulars = self.today();
        self.entry(CreditGiven {
            particulars,
            customer,
            amount: rupees(amount),
            lines: None,
            due: None,
        })
    }

    /// A payment.
    pub fn payment(&mut self, customer: CustomerId, amount: i64, paid: Paid) -> EntryId {
        let particulars = self.today();
        self.entry(PaymentReceived {
            particulars,
            customer,
            amount: rupees(amount),
            paid,
            allocations: None,
        })
    }

    /// Goods that came back.
    pub fn returned(&mut self, customer: CustomerId, amount: i64, refund: Refund) -> EntryId {
        let particulars = self.today();
        self.entry(GoodsReturned {
            particulars,
            customer: Some(customer),
            amount: rupees(amount),
            refund,
            of: None,
            lines: None,
        })
    }

    /// A sale for money, with a bill of its own.
    pub fn sale(&mut self, customer: Option<CustomerId>, amount: i64, paid: Paid) -> EntryId {
        self.sale_by(customer, &[(amount, TenderBy::Money(paid))])
    }

    /// A sale that was paid in several ways.
    pub fn sale_by(
        &mut self,
        customer: Option<CustomerId>,
        tenders: &[(i64, TenderBy)],
    ) -> EntryId {
        let lane = self.ledger.lanes.get(&self.device);
        let bill = lane.map_or(0, |lane| lane.bills) + 1;
        let particulars = self.today();
        let tenders: Vec<Tender> = tenders
            .iter()
            .map(|(amount, by)| Tender {
                amount: rupees(*amount),
                by: by.clone(),
            })
            .collect();
        self.entry(SaleRecorded {
            particulars,
            bill: format!("{}-{bill:06}", self.device.0),
            total: tenders.iter().map(|tender| tender.amount).sum(),
            tenders,
            customer,
            lines: None,
            discount: None,
            round_off: None,
            charges: None,
            place_of_supply: None,
            buyer_gstin: None,
            document: None,
            handed_over: None,
            order: None,
        })
    }

    /// Money left with the shop.
    pub fn deposit(&mut self, customer: CustomerId, amount: i64) -> EntryId {
        let particulars = self.today();
        self.entry(AdvanceDeposited {
            particulars,
            customer,
            amount: rupees(amount),
            paid: Paid::CASH,
        })
    }

    /// Money taken back out of the advance.
    pub fn withdrawal(&mut self, customer: CustomerId, amount: i64) -> EntryId {
        let particulars = self.today();
        self.entry(AdvanceWithdrawn {
            particulars,
            customer,
            amount: rupees(amount),
            paid: Paid::CASH,
        })
    }

    /// An advance that settles the khata.
    pub fn use_advance(&mut self, customer: CustomerId, amount: i64) -> EntryId {
        let particulars = self.today();
        self.entry(AdvanceUsed {
            particulars,
            customer,
            amount: rupees(amount),
            against: None,
        })
    }

    /// A debt that moves to another customer.
    pub fn transfer(&mut self, from: CustomerId, to: CustomerId, amount: i64) -> EntryId {
        let particulars = self.today();
        self.entry(AmountTransferred {
            particulars,
            from,
            to,
            amount: rupees(amount),
        })
    }

    /// An amount that is given up.
    pub fn write_off(&mut self, customer: CustomerId, amount: i64) -> EntryId {
        let particulars = self.today();
        self.entry(WrittenOff {
            particulars,
            customer,
            amount: rupees(amount),
            reason: because(ReasonCode::Agreed),
        })
    }

    /// Takes an entry back.
    pub fn reverse(&mut self, target: EntryId, reason: ReasonCode) -> EventId {
        self.write(EntryReversed {
            target,
            reason: because(reason),
            witness: None,
        })
    }

    /// Takes an entry back; `replacement` was or will be written.
    pub fn correct(&mut self, target: EntryId, replacement: EntryId) -> EventId {
        self.write(EntryCorrected {
            target,
            replacement,
            reason: because(ReasonCode::WrongAmount),
            witness: None,
        })
    }

    /// Two pages are one customer's.
    pub fn merge(&mut self, customer: CustomerId, with: CustomerId) -> EventId {
        self.write(CustomersMerged { customer, with })
    }

    /// Destroys what can be read of a customer.
    pub fn erase(&mut self, customer: CustomerId) -> EventId {
        self.write(CustomerErased {
            customer,
            keys: Vec::new(),
        })
    }

    /// Gives a page another name, which is not sealed.
    pub fn rename(&mut self, customer: CustomerId, name: &str) -> EventId {
        self.write(CustomerUpdated {
            customer,
            name: Some(name.into()),
            phone: Patch::Keep,
            address: Patch::Keep,
            note: Patch::Keep,
            language: Patch::Keep,
            limit: Patch::Keep,
            messages: None,
        })
    }

    /// Puts a customer away.
    pub fn archive(&mut self, customer: CustomerId) -> EventId {
        self.write(CustomerArchived {
            customer,
            archived: true,
        })
    }
}

/// Whole rupees.
pub const fn rupees(amount: i64) -> Paise {
    Paise(amount * 100)
}

/// A reason without words of its own.
pub const fn because(code: ReasonCode) -> Reason {
    Reason { code, note: None }
}

/// A UPI payment with its reference.
pub fn upi(reference: &str) -> Paid {
    Paid {
        mode: Mode::Upi,
        reference: Some(reference.to_owned()),
        app: None,
    }
}
