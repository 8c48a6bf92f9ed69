//! One event of every kind with everything in it, and one with as little as there can be: what the
//! golden files freeze.

use uuid::Uuid;

use crate::bytes::{Bytes, Fixed};
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::*;
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, ItemId, OrderId, ShopId, StaffId};
use crate::money::{Paise, RateBp};
use crate::quantity::{Quantity, Unit};
use crate::text::{Sealed, Text, XCHACHA20_POLY1305};

/// The shop of the samples.
pub const SHOP: ShopId = ShopId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));

const CUSTOMER: CustomerId = CustomerId(EventId::new(1, 5));
const OTHER: CustomerId = CustomerId(EventId::new(2, 9));
const STAFF: StaffId = StaffId(EventId::new(1, 3));
const ENTRY: EntryId = EntryId(EventId::new(3, 1042));
const DAY: BusinessDay = BusinessDay(20_777);

/// The kinds of the day on which segments and packed pushes were frozen: their golden bytes hold one
/// event of each. A kind that comes later gets golden bytes of its own.
pub fn kinds_frozen_first() -> Vec<Kind> {
    let kinds = Kind::ALL.iter().copied();
    kinds
        .filter(|kind| *kind != Kind::GenerationOpened)
        .collect()
}

/// A sample event of each kind: `full` with every optional part, else with none.
pub fn event(kind: Kind, full: bool) -> Event {
    let seq = kind as u32;
    let envelope = Envelope {
        id: EventId::new(3, seq),
        clock: 70_000 + u64::from(seq),
        at: TimeMs(1_795_161_600_000),
        by: full.then_some(STAFF),
        group: full.then_some(Group {
            first: seq,
            count: 2,
        }),
        cause: full.then_some(EventId::new(2, 17)),
        correlation: full.then_some(EventId::new(2, 16)),
        expect: full.then_some(512),
    };
    Event {
        envelope,
        body: body(kind, full),
    }
}

fn sealed() -> Text {
    Text::Sealed(Sealed {
        alg: XCHACHA20_POLY1305,
        key: Fixed([7; 16]),
        nonce: Fixed([8; 24]),
        bytes: Bytes(vec![9; 32]),
    })
}

fn key(software: bool) -> PublicKey {
    PublicKey {
        alg: ECDSA_P256_SHA256,
        point: Fixed([4; 65]),
        software,
    }
}

fn particulars(full: bool) -> Particulars {
    let mut particulars = Particulars::on(DAY);
    if full {
        particulars.note = Some(Box::new(sealed()));
        particulars.witness = Some(Box::new("Ramesh".into()));
        particulars.replaces = Some(ENTRY);
        particulars.origin = Some(Box::new(origin()));
        particulars.attachments = Some(vec![Attachment {
            hash: Fixed([5; 32]),
            length_bytes: 48_000,
            media_type: "image/webp".into(),
        }]);
    }
    particulars
}

const fn origin() -> Origin {
    Origin {
        shop: SHOP,
        device: 1,
        seq: 77,
    }
}

fn line(full: bool) -> Line {
    Line {
        name: "आटा 1 kg".into(),
        quantity: Quantity::whole(2),
        unit: Unit::Packet,
        price: Paise(45_00),
        amount: Paise(88_00),
        item: full.then_some(ItemId(EventId::new(1, 44))),
        batch: full.then(|| "B-17".into()),
        mrp: full.then_some(Paise(48_00)),
        discount: full.then_some(Paise(2_00)),
        hsn: full.then(|| "1101".into()),
        rate: full.then_some(RateBp::percent(5)),
        tax: full.then_some(Tax {
            cgst: Paise(2_10),
            sgst: Paise(2_09),
            igst: Paise::ZERO,
            cess: Paise::ZERO,
        }),
        cost: full.then_some(Paise(40_00)),
    }
}

fn paid(full: bool) -> Paid {
    if full {
        let (reference, app) = (Some("412345678901".into()), Some("BHIM".into()));
        Paid {
            mode: Mode::Upi,
            reference,
            app,
        }
    } else {
        Paid::CASH
    }
}

fn reason(full: bool) -> Reason {
    Reason {
        code: ReasonCode::WrongAmount,
        note: full.then(|| Box::new(sealed())),
    }
}

fn set<T>(full: bool, value: T) -> Patch<T> {
    if full { Patch::Set(value) } else { Patch::Keep }
}

fn body(kind: Kind, full: bool) -> Body {
    let amount = Paise(670_00);
    match kind {
        Kind::ShopOpened => ShopOpened {
            shop: SHOP,
            name: if full {
                "Sharma General Store".into()
            } else {
                "S".into()
            },
            currency: "INR".into(),
            language: if full {
                Language::Hindi
            } else {
                Language::English
            },
            on: DAY,
            key: Fixed([7; 16]),
        }
        .into(),
        Kind::ShopChanged if full => ShopChanged {
            name: Some("Sharma & Sons".into()),
            address: Patch::Set("12 Bazaar Road, Matunga".into()),
            phone: Patch::Clear,
            upi: Patch::Set("sharma@upi".into()),
            gstin: Patch::Set("27AAPFU0939F1ZV".into()),
            state: Patch::Set(27),
            language: Some(Language::Marathi),
            credit_limit: Patch::Set(Paise(2_000_00)),
            overdue_days: Some(45),
            opened_on: Some(DAY),
        }
        .into(),
        Kind::ShopChanged => ShopChanged::default().into(),
        Kind::DeviceEnrolled => DeviceEnrolled {
            device: DeviceNo(3),
            key: key(full),
            role: Role::Cashier,
            name: if full { sealed() } else { "Counter".into() },
            staff: full.then_some(STAFF),
        }
        .into(),
        Kind::DeviceNamed => DeviceNamed {
            device: DeviceNo(3),
            name: sealed(),
        }
        .into(),
        Kind::DeviceRevoked => DeviceRevoked {
            device: DeviceNo(3),
        }
        .into(),
        Kind::DeviceKeyChanged => DeviceKeyChanged {
            device: DeviceNo(3),
            key: key(full),
        }
        .into(),
        Kind::SessionStarted => SessionStarted {
            app: "0.1.0".into(),
            fold_version: 1,
        }
        .into(),
        Kind::BranchRegistered => BranchRegistered {
            device: DeviceNo(9),
            of: DeviceNo(3),
            from_seq: 40,
            previous: Fixed([6; 32]),
        }
        .into(),
        Kind::GenerationOpened => GenerationOpened {
            generation: Fixed([7; 16]),
            of: Fixed([8; 16]),
            size: 512,
            root: Fixed([9; 32]),
            server: key(full),
            device: DeviceNo(1),
            signature: Fixed([10; 64]),
        }
        .into(),
        Kind::StaffAdded => StaffAdded {
            name: sealed(),
            role: Role::Owner,
            language: full.then_some(Language::Tamil),
        }
        .into(),
        Kind::StaffChanged => StaffChanged {
            staff: STAFF,
            name: full.then(sealed),
            role: full.then_some(Role::Manager),
            language: full.then_some(Language::Bengali),
        }
        .into(),
        Kind::StaffRemoved => StaffRemoved { staff: STAFF }.into(),
        Kind::CustomerAdded => CustomerAdded {
            name: sealed(),
            key: Fixed([7; 16]),
            phone: full.then(sealed),
            address: full.then(sealed),
            note: full.then(sealed),
            language: full.then_some(Language::Gujarati),
            limit: full.then_some(Paise(5_000_00)),
            messages: full.then_some(Messages::Always),
            origin: full.then(origin),
        }
        .into(),
        Kind::CustomerUpdated => CustomerUpdated {
            customer: CUSTOMER,
            name: full.then(sealed),
            phone: set(full, sealed()),
            address: if full { Patch::Clear } else { Patch::Keep },
            note: set(full, sealed()),
            language: set(full, Language::Odia),
            limit: if full { Patch::Clear } else { Patch::Keep },
            messages: full.then_some(Messages::Never),
        }
        .into(),
        Kind::CustomerArchived => CustomerArchived {
            customer: CUSTOMER,
            archived: full,
        }
        .into(),
        Kind::CustomersMerged => CustomersMerged {
            customer: CUSTOMER,
            with: OTHER,
        }
        .into(),
        Kind::CustomerErased => {
            let keys = if full {
                vec![Fixed([7; 16]), Fixed([8; 16])]
            } else {
                Vec::new()
            };
            CustomerErased {
                customer: CUSTOMER,
                keys,
            }
            .into()
        }
        Kind::CreditGiven => CreditGiven {
            particulars: particulars(full),
            customer: CUSTOMER,
            amount,
            lines: full.then(|| vec![line(true), line(false)]),
            due: full.then_some(DAY.plus_days(15)),
        }
        .into(),
        Kind::PaymentReceived => PaymentReceived {
            particulars: particulars(full),
            customer: CUSTOMER,
            amount,
            paid: paid(full),
            allocations: full.then(|| {
                vec![Allocation {
                    entry: ENTRY,
                    amount,
                }]
            }),
        }
        .into(),
        Kind::GoodsReturned => GoodsReturned {
            particulars: particulars(full),
            customer: full.then_some(CUSTOMER),
            amount,
            refund: if full {
                Refund::Khata
            } else {
                Refund::Money(Paid::CASH)
            },
            of: full.then_some(ENTRY),
            lines: full.then(|| {
                vec![
                    ReturnedLine {
                        line: line(true),
                        of_line: Some(1),
                        scrapped: false,
                    },
                    ReturnedLine {
                        line: line(false),
                        of_line: None,
                        scrapped: true,
                    },
                ]
            }),
        }
        .into(),
        Kind::AdvanceDeposited => AdvanceDeposited {
            particulars: particulars(full),
            customer: CUSTOMER,
            amount,
            paid: paid(full),
        }
        .into(),
        Kind::AdvanceWithdrawn => AdvanceWithdrawn {
            particulars: particulars(full),
            customer: CUSTOMER,
            amount,
            paid: paid(full),
        }
        .into(),
        Kind::AdvanceUsed => AdvanceUsed {
            particulars: particulars(full),
            customer: CUSTOMER,
            amount,
            against: full.then_some(ENTRY),
        }
        .into(),
        Kind::AmountTransferred => AmountTransferred {
            particulars: particulars(full),
            from: CUSTOMER,
            to: OTHER,
            amount,
        }
        .into(),
        Kind::WrittenOff => WrittenOff {
            particulars: particulars(full),
            customer: CUSTOMER,
            amount,
            reason: reason(full),
        }
        .into(),
        Kind::SaleRecorded if full => SaleRecorded {
            particulars: particulars(true),
            bill: "3-000124".into(),
            total: Paise(181_00),
            tenders: vec![
                Tender {
                    amount: Paise(100_00),
                    by: TenderBy::Money(paid(true)),
                },
                Tender {
                    amount: Paise(50_00),
                    by: TenderBy::Khata,
                },
                Tender {
                    amount: Paise(31_00),
                    by: TenderBy::Advance,
                },
            ],
            customer: Some(CUSTOMER),
            lines: Some(vec![line(true), line(false)]),
            discount: Some(Paise(5_00)),
            round_off: Some(Paise(-40)),
            charges: Some(Paise(10_40)),
            place_of_supply: Some(27),
            buyer_gstin: Some("27AAPFU0939F1ZV".into()),
            document: Some(Document::InvoiceCumBill),
            handed_over: Some(Paise(200_00)),
            order: Some(OrderId(EventId::new(2, 30))),
        }
        .into(),
        Kind::SaleRecorded => SaleRecorded {
            particulars: particulars(false),
            bill: "3-000125".into(),
            total: Paise(230_00),
            tenders: vec![Tender {
                amount: Paise(230_00),
                by: TenderBy::Money(Paid::CASH),
            }],
            customer: None,
            lines: None,
            discount: None,
            round_off: None,
            charges: None,
            place_of_supply: None,
            buyer_gstin: None,
            document: None,
            handed_over: None,
            order: None,
        }
        .into(),
        Kind::EntryReversed => EntryReversed {
            target: ENTRY,
            reason: reason(full),
            witness: full.then(|| Box::new(sealed())),
        }
        .into(),
        Kind::EntryCorrected => EntryCorrected {
            target: ENTRY,
            replacement: EntryId(EventId::new(3, Kind::EntryCorrected as u32 + 1)),
            reason: reason(full),
            witness: full.then(|| Box::new(sealed())),
        }
        .into(),
        Kind::StatementSent => StatementSent {
            customer: CUSTOMER,
            channel: Channel::WhatsApp,
            language: Language::Telugu,
            from: DAY.plus_days(-30),
            to: DAY,
            balance: Paise(-12_50),
            cut: if full {
                vec![CutPoint {
                    device: 3,
                    seq: 69,
                    hash: Fixed([6; 32]),
                }]
            } else {
                Vec::new()
            },
        }
        .into(),
        Kind::MessageSent => MessageSent {
            customer: CUSTOMER,
            channel: Channel::Sms,
            language: Language::Kannada,
            topic: Topic::Reminder,
            entry: full.then_some(ENTRY),
        }
        .into(),
        Kind::TaskResolved => TaskResolved {
            task: TaskKind::SameReference,
            subject: if full {
                Subject::Reference("412345678901".into())
            } else {
                Subject::Customer(CUSTOMER)
            },
            resolution: Resolution::Fine,
            evidence: if full {
                vec![ENTRY.0, EventId::new(2, 40)]
            } else {
                Vec::new()
            },
            covers: full.then_some(amount),
            reason: full.then(|| reason(true)),
        }
        .into(),
        Kind::HeldReleased => HeldReleased {
            events: vec![EventId::new(4, 12)],
        }
        .into(),
        Kind::HeldRefused => HeldRefused {
            events: vec![EventId::new(4, 12)],
            reason: full.then(|| reason(false)),
        }
        .into(),
    }
}
