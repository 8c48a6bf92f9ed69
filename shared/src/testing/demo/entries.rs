//! What people want to have written.

use super::{Demo, Recent, days, names};
use crate::calendar::TimeMs;
use crate::command::{
    Command, CorrectEntry, DepositAdvance, Details, GiveCredit, NewEntry, ReceivePayment,
    RecordSale, ReturnGoods, ReverseEntry, SendMessage, TransferAmount, UseAdvance, Why,
    WithdrawAdvance, WriteOff,
};
use crate::event::{
    Body, Channel, Language, Line, Mode, Paid, ReasonCode, Refund, ReturnedLine, Tender, TenderBy,
    Topic,
};
use crate::ids::CustomerId;
use crate::ledger::Ledger;
use crate::money::Paise;
use crate::quantity::{Quantity, Unit};

/// Of a thousand entries. The rest is credit.
const SALES: u64 = 200;
const PAYMENTS: u64 = 130;
const SALARY_DAY_PAYMENTS: u64 = 330;
const RETURNS: u64 = 20;
const CORRECTIONS: u64 = 15;
const REVERSALS: u64 = 8;
const DEPOSITS: u64 = 12;
const ADVANCES_USED: u64 = 12;
const WITHDRAWALS: u64 = 3;
const TRANSFERS: u64 = 2;
const WRITE_OFFS: u64 = 1;
const REMINDERS: u64 = 6;

/// Below this nobody troubles to give up a debt formally.
const LARGEST_WRITE_OFF: Paise = Paise(500_00);

/// Picks one of several by weights out of a thousand.
struct Share(u64);

impl Share {
    fn is(&mut self, weight: u64) -> bool {
        let here = self.0 < weight;
        self.0 = self.0.saturating_sub(weight);
        if here {
            self.0 = u64::MAX;
        }
        here
    }
}

impl Demo {
    pub(super) fn entry(&mut self, device: usize, at: TimeMs, ledger: &Ledger) -> Command {
        let mut share = Share(self.rng.below(1000));
        let payments = match days::is_salary_day(at.day()) {
            true => SALARY_DAY_PAYMENTS,
            false => PAYMENTS,
        };
        let details = self.details(at);
        let customer = self.customer(device);
        let balance = ledger.balance(customer);
        if share.is(SALES) {
            return self.sale(details).into();
        }
        if share.is(payments) && balance.khata.is_positive() {
            return self.payment(details, customer, balance.khata).into();
        }
        if share.is(RETURNS)
            && let Some(goods) = self.goods_back(device, &details, ledger)
        {
            return goods.into();
        }
        if share.is(CORRECTIONS)
            && let Some(correction) = self.correction(device, ledger)
        {
            return correction.into();
        }
        if share.is(REVERSALS)
            && let Some(mistake) = self.mistake(device, ledger)
        {
            let why = Why::new(ReasonCode::WrittenTwice);
            return ReverseEntry {
                target: mistake.id,
                why,
                witness: None,
            }
            .into();
        }
        if share.is(DEPOSITS) {
            return self.deposit(details, customer).into();
        }
        if share.is(ADVANCES_USED) && balance.advance.is_positive() && balance.khata.is_positive() {
            return UseAdvance {
                details,
                customer,
                amount: balance.advance.min(balance.khata),
                against: None,
            }
            .into();
        }
        if share.is(WITHDRAWALS) && balance.advance.is_positive() {
            return self.withdrawal(details, customer, balance.advance).into();
        }
        if share.is(TRANSFERS)
            && balance.khata.is_positive()
            && let Some(to) = self.someone_else(device, customer, ledger)
        {
            return TransferAmount {
                details,
                from: customer,
                to,
                amount: balance.khata.min(Paise(200_00)),
            }
            .into();
        }
        // Only the owner, who uses the first device, gives up a debt.
        if share.is(WRITE_OFFS) && device == 0 && balance.khata.is_positive() {
            return WriteOff {
                details,
                customer,
                amount: balance.khata.min(LARGEST_WRITE_OFF),
                why: Why::new(ReasonCode::Agreed),
            }
            .into();
        }
        if share.is(REMINDERS) && balance.khata.is_positive() {
            return SendMessage {
                customer,
                channel: Channel::WhatsApp,
                language: Language::Hindi,
                topic: Topic::Reminder,
                entry: None,
            }
            .into();
        }
        let credit = self.credit(details, customer);
        let room = room(ledger, customer);
        match room.is_none_or(|room| credit.amount <= room) {
            true => credit.into(),
            // The limit is reached: the customer pays for what is taken.
            false => self.sale(credit.details).into(),
        }
    }

    /// Mostly of this day and with nothing more to say.
    fn details(&mut self, at: TimeMs) -> Details {
        let today = at.day();
        let late = self.rng.chance(2) && today > self.size.first_day();
        let on = if late { today.plus_days(-1) } else { today };
        let note = self.rng.chance(8).then(|| *self.rng.pick(&names::NOTES));
        Details {
            note: note.map(str::to_owned),
            ..Details::on(on)
        }
    }

    /// Small amounts are common, large ones rare.
    fn amount(&mut self) -> Paise {
        let rank = self.amounts.draw(&mut self.rng) as u64;
        let rupees = 15 * (rank + 1) + self.rng.below(15);
        let paise = if self.rng.chance(10) { 50 } else { 0 };
        Paise((rupees * 100 + paise) as i64)
    }

    /// What was taken, written down for a quarter of the entries.
    fn taken(&mut self) -> (Paise, Vec<Line>) {
        if !self.rng.chance(25) {
            return (self.amount(), Vec::new());
        }
        let lines: Vec<Line> = (0..1 + self.rng.below(4)).map(|_| self.line()).collect();
        (lines.iter().map(|line| line.amount).sum(), lines)
    }

    fn line(&mut self) -> Line {
        let good = self.rng.pick(&names::GOODS);
        let quantity = match good.unit {
            Unit::Kilogram | Unit::Litre => Quantity(250 * (1 + self.rng.below(12)) as i64),
            _ => Quantity::whole(1 + self.rng.below(3) as i64),
        };
        Line::plain(good.name, quantity, good.unit, good.price)
    }

    fn paid(&mut self) -> Paid {
        if self.rng.chance(45) {
            return Paid::CASH;
        }
        self.references += 1;
        Paid {
            mode: Mode::Upi,
            // Twelve digits, each once in a shop.
            reference: Some(format!("{:012}", 600_000_000_000 + self.references)),
            app: None,
        }
    }

    fn credit(&mut self, details: Details, customer: CustomerId) -> GiveCredit {
        let (amount, lines) = self.taken();
        GiveCredit {
            details,
            customer,
            amount,
            lines,
            due: None,
        }
    }

    fn sale(&mut self, details: Details) -> RecordSale {
        let (total, lines) = self.taken();
        let by = TenderBy::Money(self.paid());
        RecordSale {
            details: Details {
                note: None,
                ..details
            },
            tenders: vec![Tender { amount: total, by }],
            lines,
            ..RecordSale::quick(details.on, total, Paid::CASH)
        }
    }

    /// All of it, or a round part of it.
    fn payment(&mut self, details: Details, customer: CustomerId, owed: Paise) -> ReceivePayment {
        let part = match self.rng.below(3) {
            0 => owed.0,
            1 => owed.0 / 2 / 100_00 * 100_00,
            _ => owed.0 / 4 / 50_00 * 50_00,
        };
        ReceivePayment {
            details,
            customer,
            amount: if part > 0 { Paise(part) } else { owed },
            paid: self.paid(),
            allocations: Vec::new(),
        }
    }

    fn deposit(&mut self, details: Details, customer: CustomerId) -> DepositAdvance {
        DepositAdvance {
            details,
            customer,
            amount: Paise(500_00 * (1 + self.rng.below(6)) as i64),
            paid: self.paid(),
        }
    }

    fn withdrawal(
        &mut self,
        details: Details,
        customer: CustomerId,
        available: Paise,
    ) -> WithdrawAdvance {
        WithdrawAdvance {
            details,
            customer,
            amount: available.min(Paise(500_00)),
            paid: Paid::CASH,
        }
    }

    fn someone_else(
        &mut self,
        device: usize,
        than: CustomerId,
        ledger: &Ledger,
    ) -> Option<CustomerId> {
        let other = self.customer(device);
        let has_room = room(ledger, other).is_none_or(|room| room >= Paise(200_00));
        (other != than && has_room).then_some(other)
    }

    /// One of the device's last entries that still stands.
    fn mistake(&mut self, device: usize, ledger: &Ledger) -> Option<Recent> {
        let recent = &self.recent[device];
        if recent.is_empty() {
            return None;
        }
        let recent = &recent[self.rng.below(recent.len() as u64) as usize];
        let may_go = matches!(recent.body, Body::CreditGiven(_) | Body::SaleRecorded(_));
        (may_go && !ledger.is_reversed(recent.id)).then(|| recent.clone())
    }

    fn correction(&mut self, device: usize, ledger: &Ledger) -> Option<CorrectEntry> {
        let Recent { id, body } = self.mistake(device, ledger)?;
        let Body::CreditGiven(credit) = body else {
            return None;
        };
        let details = Details::on(credit.particulars.on);
        let mut replacement = self.credit(details, credit.customer);
        // No more than it was: so no limit is in the way.
        if replacement.amount >= credit.amount {
            replacement.amount = Paise((credit.amount.0 / 2).max(1));
            replacement.lines = Vec::new();
        }
        Some(CorrectEntry {
            target: id,
            replacement: NewEntry::Credit(replacement),
            why: Why::new(ReasonCode::WrongAmount),
            witness: None,
        })
    }

    /// The last line of a sale comes back, or something of which nobody has the bill.
    fn goods_back(
        &mut self,
        device: usize,
        details: &Details,
        ledger: &Ledger,
    ) -> Option<ReturnGoods> {
        let Recent { id, body } = self.mistake(device, ledger)?;
        let (customer, lines, refund) = match body {
            Body::CreditGiven(credit) => (Some(credit.customer), credit.lines, Refund::Khata),
            Body::SaleRecorded(sale) => (sale.customer, sale.lines, Refund::Money(Paid::CASH)),
            _ => return None,
        };
        let lines = lines.unwrap_or_default();
        let details = Details::on(details.on);
        let Some(last) = lines.len().checked_sub(1) else {
            return Some(ReturnGoods {
                details,
                customer,
                amount: Paise(20_00),
                refund,
                of: None,
                lines: Vec::new(),
            });
        };
        // A sale is returned once: what came back is forgotten as a mistake.
        self.recent[device].retain(|recent| recent.id != id);
        let line = lines[last].clone();
        Some(ReturnGoods {
            details,
            customer,
            amount: line.amount,
            refund,
            of: Some(id),
            lines: vec![ReturnedLine {
                line,
                of_line: Some(last as u16),
                scrapped: false,
            }],
        })
    }
}

/// How much more a customer may owe; `None` without a limit.
fn room(ledger: &Ledger, customer: CustomerId) -> Option<Paise> {
    let mut room = ledger.credit_limit(customer)?;
    room -= ledger.balance(customer).khata;
    Some(room)
}
