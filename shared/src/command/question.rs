//! What is asked before it is written: unusual, but a person may know better.

use super::rejection::rejections;
use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::CustomerId;
use crate::money::Paise;

/// A clock that goes back by less than this is an ordinary adjustment: five minutes.
pub const CLOCK_BACK_TOLERANCE_MS: i64 = 5 * 60 * 1000;

rejections! {
    /// Something that needs a yes.
    pub enum Question {
        /// The date lies before the shop opened its books.
        #[error("{on} is before the books were opened on {opened_on}")]
        "before_opening" BeforeOpening {
            /// The date of the entry.
            on: BusinessDay,
            /// The first day of the books.
            opened_on: BusinessDay,
        },
        /// The clock stands before the last entry of this device.
        #[error("the clock went back")]
        "clock_went_back" ClockWentBack {
            /// What the clock says.
            now: TimeMs,
            /// When the last entry was made.
            latest: TimeMs,
        },
        /// The customer would owe more than the limit. Answered with a reason.
        #[error("{owed} are owed and {asked} more would pass the limit of {limit}")]
        "over_limit" OverLimit {
            /// What is owed now.
            owed: Paise,
            /// What would come on top.
            asked: Paise,
            /// The limit.
            limit: Paise,
        },
        /// Another customer has this telephone number.
        #[error("customer {customer} has this telephone number")]
        "same_phone" SamePhone {
            /// The other customer.
            customer: CustomerId,
        },
        /// More would be paid or moved than is owed: the shop would owe the rest.
        #[error("{asked} is more than the {owed} that are owed")]
        "more_than_owed" MoreThanOwed {
            /// What is owed.
            owed: Paise,
            /// What would be paid or moved.
            asked: Paise,
        },
    }
}

/// The kinds of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuestionKind {
    /// [`Question::BeforeOpening`].
    BeforeOpening,
    /// [`Question::ClockWentBack`]. A yes may be kept until the clock is right again.
    ClockWentBack,
    /// [`Question::OverLimit`].
    OverLimit,
    /// [`Question::SamePhone`].
    SamePhone,
    /// [`Question::MoreThanOwed`].
    MoreThanOwed,
}

impl Question {
    /// The kind.
    pub const fn kind(&self) -> QuestionKind {
        match self {
            Question::BeforeOpening { .. } => QuestionKind::BeforeOpening,
            Question::ClockWentBack { .. } => QuestionKind::ClockWentBack,
            Question::OverLimit { .. } => QuestionKind::OverLimit,
            Question::SamePhone { .. } => QuestionKind::SamePhone,
            Question::MoreThanOwed { .. } => QuestionKind::MoreThanOwed,
        }
    }

    /// A yes is not enough: [`super::Context::reason`] must say why.
    pub const fn needs_reason(&self) -> bool {
        matches!(self, Question::OverLimit { .. })
    }
}
