//! The people who work in the shop.

use super::fields::required;
use super::rejection::rejections;
use super::{Desk, Rejection, ShopRejection, TextField};
use crate::event::{Language, Role, StaffAdded, StaffChanged, StaffRemoved};
use crate::ids::StaffId;
use crate::text::Field;

rejections! {
    /// What cannot be done with the staff.
    pub enum StaffRejection {
        /// The shop would have no owner left.
        #[error("this is the last owner")]
        "last_owner" LastOwner,
    }
}

/// Someone joins the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddStaff {
    /// The name.
    pub name: String,
    /// What this person may do: at most what the person who adds may.
    pub role: Role,
    /// The language of this person's screens.
    pub language: Option<Language>,
}

impl AddStaff {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        desk.require(self.role.max(Role::Manager))?;
        let name = required(&self.name, TextField::Name)?;
        let key = desk.shop_key()?;
        let name = desk.seal(&name, Field::Name, key)?;
        desk.push(StaffAdded {
            name,
            role: self.role,
            language: self.language,
        });
        Ok(())
    }
}

/// Change facts about a member of the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeStaff {
    /// Who.
    pub staff: StaffId,
    /// The name.
    pub name: Option<String>,
    /// What this person may do.
    pub role: Option<Role>,
    /// The language of this person's screens.
    pub language: Option<Language>,
}

impl ChangeStaff {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let role = role_of(desk, self.staff)?;
        if desk.context.by != Some(self.staff) || self.role.is_some() {
            let asked = self.role.unwrap_or(Role::Display);
            desk.require(role.max(asked).max(Role::Manager))?;
        }
        if self.role.is_some_and(|asked| asked < Role::Owner) {
            check_not_last_owner(desk, self.staff)?;
        }
        let name = match &self.name {
            Some(name) => {
                let key = desk.shop_key()?;
                Some(desk.seal(&required(name, TextField::Name)?, Field::Name, key)?)
            }
            None => None,
        };
        let changed = StaffChanged {
            staff: self.staff,
            name,
            role: self.role,
            language: self.language,
        };
        if (changed.name.is_none(), changed.role, changed.language) == (true, None, None) {
            return Err(ShopRejection::NothingChanges.into());
        }
        desk.push(changed);
        Ok(())
    }
}

/// Someone leaves the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveStaff {
    /// Who.
    pub staff: StaffId,
}

impl RemoveStaff {
    pub(super) fn decide(self, desk: &mut Desk<'_, '_>) -> Result<(), Rejection> {
        let role = role_of(desk, self.staff)?;
        desk.require(role.max(Role::Manager))?;
        check_not_last_owner(desk, self.staff)?;
        desk.push(StaffRemoved { staff: self.staff });
        Ok(())
    }
}

fn role_of(desk: &Desk<'_, '_>, staff: StaffId) -> Result<Role, Rejection> {
    let role = desk.member(staff)?.role.get();
    Ok(role.copied().unwrap_or(Role::Display))
}

fn check_not_last_owner(desk: &Desk<'_, '_>, staff: StaffId) -> Result<(), Rejection> {
    let owner = |id: &StaffId| role_of(desk, *id) == Ok(Role::Owner);
    let mut others = desk.ledger.staff.keys().filter(|&&id| id != staff);
    if owner(&staff) && !others.any(owner) {
        return Err(StaffRejection::LastOwner.into());
    }
    Ok(())
}
