//! The people who work in the shop.

use shared::command::{
    AccessRejection, AddStaff, ChangeStaff, RemoveStaff, ShopRejection, StaffRejection,
};
use shared::event::{Kind, Language, Role, StaffRemoved};
use shared::ids::StaffId;
use shared::testing::given::*;

use crate::{Accepted, Refused, accepted, refused};

fn change(staff: StaffId) -> ChangeStaff {
    ChangeStaff {
        staff,
        name: None,
        role: None,
        language: None,
    }
}

fn hindi(staff: StaffId) -> ChangeStaff {
    ChangeStaff {
        language: Some(Language::Hindi),
        ..change(staff)
    }
}

fn as_cashier(staff: StaffId) -> ChangeStaff {
    ChangeStaff {
        role: Some(Role::Cashier),
        ..change(staff)
    }
}

pub fn all_accepted() -> Vec<Accepted> {
    vec![
        accepted(
            "A manager takes somebody on",
            staffed_shop().by(MANAGER).when(AddStaff {
                name: "Helper".into(),
                role: Role::Cashier,
                language: Some(Language::Hindi),
            }),
            [Kind::StaffAdded],
        ),
        accepted(
            "Everybody who works here chooses their own language",
            staffed_shop().by(CASHIER).when(hindi(CASHIER)),
            [Kind::StaffChanged],
        ),
        accepted(
            "The owner makes the cashier a manager",
            staffed_shop().when(ChangeStaff {
                role: Some(Role::Manager),
                ..change(CASHIER)
            }),
            [Kind::StaffChanged],
        ),
        accepted(
            "Somebody leaves",
            staffed_shop().when(RemoveStaff { staff: CASHIER }),
            [Kind::StaffRemoved],
        ),
    ]
}

pub fn all_refused() -> Vec<Refused> {
    let not_allowed = |needed, role| AccessRejection::NotAllowed { needed, role };
    vec![
        refused(
            "The last owner stays",
            staffed_shop().when(RemoveStaff { staff: OWNER }),
            StaffRejection::LastOwner,
        ),
        refused(
            "The last owner stays an owner",
            staffed_shop().when(as_cashier(OWNER)),
            StaffRejection::LastOwner,
        ),
        refused(
            "A change changes something",
            staffed_shop().when(change(CASHIER)),
            ShopRejection::NothingChanges,
        ),
        refused(
            "Who has left is not changed",
            staffed_shop()
                .given(RemoveStaff { staff: CASHIER })
                .when(hindi(CASHIER)),
            AccessRejection::NotOnStaff { staff: CASHIER },
        ),
        refused(
            "Who has left writes nothing",
            staffed_shop()
                .given(RemoveStaff { staff: CASHIER })
                .by(CASHIER)
                .when(credit(PRIYA, 1_00)),
            AccessRejection::NotOnStaff { staff: CASHIER },
        ),
        refused(
            "A cashier does not change somebody else",
            staffed_shop().by(CASHIER).when(hindi(MANAGER)),
            not_allowed(Role::Manager, Role::Cashier),
        ),
        refused(
            "Nobody raises their own role",
            staffed_shop().by(CASHIER).when(ChangeStaff {
                role: Some(Role::Owner),
                ..change(CASHIER)
            }),
            not_allowed(Role::Owner, Role::Cashier),
        ),
        refused(
            "A manager does not lower an owner",
            staffed_shop().by(MANAGER).when(as_cashier(OWNER)),
            not_allowed(Role::Owner, Role::Manager),
        ),
    ]
}

#[test]
fn an_owner_may_leave_when_another_stays() {
    let partner = AddStaff {
        name: "Partner".into(),
        role: Role::Owner,
        language: None,
    };
    shop()
        .given(partner)
        .when(RemoveStaff { staff: OWNER })
        .then([StaffRemoved { staff: OWNER }.into()]);
}
