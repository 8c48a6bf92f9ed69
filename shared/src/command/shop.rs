//! Opening a shop, and what is known of it.

use super::fields::{checked_gstin, checked_phone, checked_state, required, upi};
use super::lines::amount;
use super::rejection::rejections;
use super::{Desk, Rejection, TextField, TextRejection};
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::{
    DeviceEnrolled, Language, Patch, PublicKey, Role, ShopChanged, ShopOpened, StaffAdded,
};
use crate::ids::{DeviceNo, ShopId, StaffId};
use crate::money::Paise;
use crate::text::{Entropy, Field, Text};

/// The currency of every shop: the Indian rupee (ISO 4217).
pub const CURRENCY: &str = "INR";

/// The longest time without payment that a shop may allow before a khata is overdue: ten years.
pub const MAX_OVERDUE_DAYS: u16 = 3650;

rejections! {
    /// What cannot be done with a shop.
    pub enum ShopRejection {
        /// The books were opened before.
        #[error("the shop is open already")]
        "shop_already_open" AlreadyOpen,
        /// The books must be opened first.
        #[error("the shop has not been opened")]
        "shop_not_opened" NotOpened,
        /// Only the founding phone opens a shop, with its first event.
        #[error("a shop is opened by the first event of device 1")]
        "not_the_founder" NotTheFounder,
        /// A number of days that no shop means.
        #[error("{days} days are not between 1 and {limit}")]
        "overdue_days_out_of_range" OverdueDays {
            /// What was asked for.
            days: u32,
            /// The most days.
            limit: u32,
        },
        /// Everything is as it was, of the shop, a person or a customer.
        #[error("nothing would change")]
        "nothing_changes" NothingChanges,
    }
}

/// The id of a new shop: a UUIDv7 of this moment.
pub fn new_shop_id(now: TimeMs, entropy: &mut Entropy) -> ShopId {
    let at_ms = u64::try_from(now.0).unwrap_or_default();
    let random = entropy.draw::<10>();
    ShopId(uuid::Builder::from_unix_timestamp_millis(at_ms, &random).into_uuid())
}

/// Begin to keep books: the shop with the id of the key ring, its first device and its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenShop {
    /// Its name, as over the door. Public, like all facts of a shop: it stands on every bill.
    pub name: String,
    /// The language of the shop.
    pub language: Language,
    /// The first day of the books.
    pub on: BusinessDay,
    /// The name of the owner.
    pub owner: String,
    /// What people call the phone.
    pub device: String,
    /// The key that the phone signs with.
    pub key: PublicKey,
}

impl OpenShop {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        if desk.ledger.shop.opened.get().is_some() {
            return Err(ShopRejection::AlreadyOpen.into());
        }
        if desk.context.device != DeviceNo::FOUNDER || desk.context.next_seq != 1 {
            return Err(ShopRejection::NotTheFounder.into());
        }
        super::device::check_key(&self.key)?;
        let name = required(&self.name, TextField::Name)?;
        let owner = required(&self.owner, TextField::Name)?;
        let device = required(&self.device, TextField::Name)?;
        let on = desk.past_day(self.on)?;
        let key = desk.new_key();
        desk.push(ShopOpened {
            shop: desk.context.keys.shop(),
            name: Text::Plain(name),
            currency: CURRENCY.to_owned(),
            language: self.language,
            on,
            key,
        });
        // The owner is the event behind the enrolment.
        let mut staff = desk.next_id();
        staff.seq += 1;
        let enrolled = DeviceEnrolled {
            device: DeviceNo::FOUNDER,
            key: self.key,
            role: Role::Owner,
            name: desk.seal(&device, Field::Device, key)?,
            staff: Some(StaffId(staff)),
        };
        desk.push(enrolled);
        let added = StaffAdded {
            name: desk.seal(&owner, Field::Name, key)?,
            role: Role::Owner,
            language: Some(self.language),
        };
        desk.push(added);
        Ok(())
    }
}

/// Change facts about the shop. What is kept stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeShop {
    /// The name.
    pub name: Option<String>,
    /// The address, as on bills.
    pub address: Patch<String>,
    /// The telephone number.
    pub phone: Patch<String>,
    /// The UPI address that payments go to.
    pub upi: Patch<String>,
    /// The GSTIN.
    pub gstin: Patch<String>,
    /// The GST state code.
    pub state: Patch<u8>,
    /// The language of the shop.
    pub language: Option<Language>,
    /// The limit of customers who have none of their own.
    pub credit_limit: Patch<Paise>,
    /// After this many days without payment a khata is overdue.
    pub overdue_days: Option<u16>,
    /// The first day of the books.
    pub opened_on: Option<BusinessDay>,
}

impl ChangeShop {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        desk.require(Role::Manager)?;
        if self == ChangeShop::default() {
            return Err(ShopRejection::NothingChanges.into());
        }
        if let Some(days) = self.overdue_days
            && !(1..=MAX_OVERDUE_DAYS).contains(&days)
        {
            let (days, limit) = (u32::from(days), u32::from(MAX_OVERDUE_DAYS));
            return Err(ShopRejection::OverdueDays { days, limit }.into());
        }
        let plain = |words: String| Text::Plain(words);
        let opened_on = match self.opened_on {
            Some(on) => Some(desk.past_day(on)?),
            None => None,
        };
        let changed = ShopChanged {
            name: match self.name {
                Some(name) => Some(plain(required(&name, TextField::Name)?)),
                None => None,
            },
            address: set(self.address, |text| {
                required(&text, TextField::Address).map(plain)
            })?,
            phone: set(self.phone, |text| checked_phone(&text).map(plain))?,
            upi: set(self.upi, |text| {
                upi(&text).ok_or(TextRejection::NotAUpiAddress)
            })?,
            gstin: set(self.gstin, |text| checked_gstin(&text))?,
            state: set(self.state, checked_state)?,
            language: self.language,
            credit_limit: set(self.credit_limit, |limit| match limit {
                Paise::ZERO => Ok(limit),
                limit => amount(limit),
            })?,
            overdue_days: self.overdue_days,
            opened_on,
        };
        desk.push(changed);
        Ok(())
    }
}

/// A patch with its value checked.
pub(super) fn set<T, U, E>(
    patch: Patch<T>,
    check: impl FnOnce(T) -> Result<U, E>,
) -> Result<Patch<U>, E> {
    Ok(match patch {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(value) => Patch::Set(check(value)?),
    })
}
