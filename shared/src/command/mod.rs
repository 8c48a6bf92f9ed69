//! What someone wants, and why it may be refused.
//!
//! [`decide`] looks at the [`Ledger`] and turns a [`Command`] into what will have happened, or says
//! why not. A refusal writes nothing. Either it is a [`Rejection`], which stands, or a [`Question`],
//! to which the person may say yes: the shell adds it to [`Context::confirmed`] and decides again.
//!
//! One file per topic; every command is a struct of plain facts, every topic has its own rejections.

mod advance;
mod bring;
mod context;
mod correction;
mod customer;
mod desk;
mod device;
mod fields;
mod goods;
mod khata;
mod lines;
mod message;
mod question;
mod rejection;
mod review;
mod sale;
mod shop;
mod staff;

pub use advance::*;
pub use bring::{Batch, Bringing, MAX_BATCH_STEPS, Missing, OldShop, Tally};
pub use context::{Context, Decision, Draft, Refusal, compose};
pub use correction::*;
pub use customer::*;
pub use device::*;
pub use fields::{
    MAX_ADDRESS_CHARS, MAX_APP_CHARS, MAX_CODE_CHARS, MAX_NAME_CHARS, MAX_NOTE_CHARS,
    MAX_REFERENCE_CHARS, MAX_UPI_CHARS, TextField, TextRejection, Why, gstin, is_forbidden, phone,
    state_code, upi,
};
pub use goods::*;
pub use khata::*;
pub use lines::{AmountRejection, MAX_LINES};
pub use message::*;
pub use question::{CLOCK_BACK_TOLERANCE_MS, Question, QuestionKind};
pub use rejection::{Fact, Rejection};
pub use review::*;
pub use sale::*;
pub use shop::*;
pub use staff::*;

use desk::Desk;
pub use desk::{AccessRejection, DateRejection};

use crate::event::Role;
use crate::ledger::Ledger;

/// What someone wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begin to keep books.
    OpenShop(OpenShop),
    /// Change facts about the shop.
    ChangeShop(ChangeShop),
    /// Let a device write.
    EnrolDevice(EnrolDevice),
    /// Call a device something else.
    NameDevice(NameDevice),
    /// Let a device write no more.
    RevokeDevice(RevokeDevice),
    /// Let a device sign with another key.
    ChangeKey(ChangeKey),
    /// The app was opened.
    StartSession(StartSession),
    /// Someone joins the staff.
    AddStaff(AddStaff),
    /// Change facts about a member of the staff.
    ChangeStaff(ChangeStaff),
    /// Someone leaves the staff.
    RemoveStaff(RemoveStaff),
    /// Open a page for a customer.
    AddCustomer(AddCustomer),
    /// Change facts about a customer.
    UpdateCustomer(UpdateCustomer),
    /// Put a page away, or take it out again.
    ArchiveCustomer(ArchiveCustomer),
    /// Say that two pages are one customer's.
    MergeCustomers(MergeCustomers),
    /// Make a customer's personal data unreadable for good.
    EraseCustomer(EraseCustomer),
    /// Write an entry into the khata.
    Record(NewEntry),
    /// Take an entry back.
    ReverseEntry(ReverseEntry),
    /// Take an entry back and put another in its place.
    CorrectEntry(CorrectEntry),
    /// Write down that a statement was given.
    SendStatement(SendStatement),
    /// Write down that a message was sent.
    SendMessage(SendMessage),
    /// Settle a review task.
    ResolveTask(ResolveTask),
    /// Let entries of a revoked phone into the books.
    ReleaseHeld(ReleaseHeld),
    /// Keep entries of a revoked phone out of the books.
    RefuseHeld(RefuseHeld),
}

/// An entry that someone wants to write: alone, or in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewEntry {
    /// Goods on credit.
    Credit(GiveCredit),
    /// A payment.
    Payment(ReceivePayment),
    /// Money left with the shop.
    Deposit(DepositAdvance),
    /// Money taken back out.
    Withdrawal(WithdrawAdvance),
    /// An advance that settles a debt.
    AdvanceUse(UseAdvance),
    /// A debt that moves to another customer.
    Transfer(TransferAmount),
    /// An amount that is given up.
    WriteOff(WriteOff),
    /// Goods that come back.
    Return(ReturnGoods),
    /// A completed sale.
    Sale(RecordSale),
}

/// Decides a command. Nothing is written by it: the shell appends what [`compose`] makes of the
/// decision, with the new keys, in one transaction.
pub fn decide(
    ledger: &Ledger,
    context: &Context<'_>,
    command: impl Into<Command>,
) -> Result<Decision, Refusal> {
    let command = command.into();
    let mut desk = Desk::new(ledger, context);
    match &command {
        Command::OpenShop(_) => {}
        // Every device says that it lives and may change its own key; the books are for who works.
        Command::StartSession(_) | Command::ChangeKey(_) => desk.admit()?,
        _ => {
            desk.admit()?;
            desk.require(Role::Cashier)?;
        }
    }
    if !ledger.is_whole() && command.looks_back() {
        return Err(AccessRejection::HistoryNotHere.into());
    }
    match command {
        Command::OpenShop(command) => command.decide(&mut desk)?,
        Command::ChangeShop(command) => command.decide(&mut desk)?,
        Command::EnrolDevice(command) => command.decide(&mut desk)?,
        Command::NameDevice(command) => command.decide(&mut desk)?,
        Command::RevokeDevice(command) => command.decide(&mut desk)?,
        Command::ChangeKey(command) => command.decide(&mut desk)?,
        Command::StartSession(command) => command.decide(&mut desk)?,
        Command::AddStaff(command) => command.decide(&mut desk)?,
        Command::ChangeStaff(command) => command.decide(&mut desk)?,
        Command::RemoveStaff(command) => command.decide(&mut desk)?,
        Command::AddCustomer(command) => command.decide(&mut desk)?,
        Command::UpdateCustomer(command) => command.decide(&mut desk)?,
        Command::ArchiveCustomer(command) => command.decide(&mut desk)?,
        Command::MergeCustomers(command) => command.decide(&mut desk)?,
        Command::EraseCustomer(command) => command.decide(&mut desk)?,
        Command::Record(entry) => entry.decide(&mut desk)?,
        Command::ReverseEntry(command) => command.decide(&mut desk)?,
        Command::CorrectEntry(command) => command.decide(&mut desk)?,
        Command::SendStatement(command) => command.decide(&mut desk)?,
        Command::SendMessage(command) => command.decide(&mut desk)?,
        Command::ResolveTask(command) => command.decide(&mut desk)?,
        Command::ReleaseHeld(command) => command.decide(&mut desk)?,
        Command::RefuseHeld(command) => command.decide(&mut desk)?,
    }
    desk.finish()
}

impl NewEntry {
    fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        desk.check_clock();
        let body = match self {
            NewEntry::Credit(entry) => entry.body(desk)?.into(),
            NewEntry::Payment(entry) => entry.body(desk)?.into(),
            NewEntry::Deposit(entry) => entry.body(desk)?.into(),
            NewEntry::Withdrawal(entry) => entry.body(desk)?.into(),
            NewEntry::AdvanceUse(entry) => entry.body(desk)?.into(),
            NewEntry::Transfer(entry) => entry.body(desk)?.into(),
            NewEntry::WriteOff(entry) => entry.body(desk)?.into(),
            NewEntry::Return(entry) => entry.body(desk)?.into(),
            NewEntry::Sale(entry) => entry.body(desk)?.into(),
        };
        desk.push_entry(body);
        Ok(())
    }
}

impl Command {
    /// Does it look at certain entries, which a ledger without history does not have?
    fn looks_back(&self) -> bool {
        match self {
            Command::EraseCustomer(_)
            | Command::ReverseEntry(_)
            | Command::CorrectEntry(_)
            | Command::ResolveTask(_) => true,
            Command::SendMessage(message) => message.entry.is_some(),
            Command::Record(NewEntry::Payment(entry)) => !entry.allocations.is_empty(),
            Command::Record(NewEntry::AdvanceUse(entry)) => entry.against.is_some(),
            Command::Record(NewEntry::Return(entry)) => entry.of.is_some(),
            Command::Record(_)
            | Command::OpenShop(_)
            | Command::ChangeShop(_)
            | Command::EnrolDevice(_)
            | Command::NameDevice(_)
            | Command::RevokeDevice(_)
            | Command::ChangeKey(_)
            | Command::StartSession(_)
            | Command::AddStaff(_)
            | Command::ChangeStaff(_)
            | Command::RemoveStaff(_)
            | Command::AddCustomer(_)
            | Command::UpdateCustomer(_)
            | Command::ArchiveCustomer(_)
            | Command::MergeCustomers(_)
            | Command::SendStatement(_)
            | Command::ReleaseHeld(_)
            | Command::RefuseHeld(_) => false,
        }
    }
}

macro_rules! into_command {
    ($($command:ident)*) => {$(
        impl From<$command> for Command {
            fn from(command: $command) -> Command {
                Command::$command(command)
            }
        }
    )*};
}

macro_rules! into_entry {
    ($($entry:ident as $variant:ident,)*) => {$(
        impl From<$entry> for NewEntry {
            fn from(entry: $entry) -> NewEntry {
                NewEntry::$variant(entry)
            }
        }

        impl From<$entry> for Command {
            fn from(entry: $entry) -> Command {
                Command::Record(entry.into())
            }
        }
    )*};
}

into_command! {
    OpenShop ChangeShop
    EnrolDevice NameDevice RevokeDevice ChangeKey StartSession
    AddStaff ChangeStaff RemoveStaff
    AddCustomer UpdateCustomer ArchiveCustomer MergeCustomers EraseCustomer
    ReverseEntry CorrectEntry
    SendStatement SendMessage
    ResolveTask ReleaseHeld RefuseHeld
}

into_entry! {
    GiveCredit as Credit,
    ReceivePayment as Payment,
    DepositAdvance as Deposit,
    WithdrawAdvance as Withdrawal,
    UseAdvance as AdvanceUse,
    TransferAmount as Transfer,
    WriteOff as WriteOff,
    ReturnGoods as Return,
    RecordSale as Sale,
}

impl From<NewEntry> for Command {
    fn from(entry: NewEntry) -> Command {
        Command::Record(entry)
    }
}
