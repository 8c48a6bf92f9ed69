//! Sums of money: Indian grouping, paise smaller than rupees, never a bare
//! sign: the words beside an amount say which way it goes.

use leptos::prelude::*;
use shared::money::{Paise, group_digits};

use crate::i18n::{Msg, t};

/// Which way a balance goes, seen from the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The customer owes: the shop will get.
    Get,
    /// The shop owes: it will give.
    Give,
    /// Nothing is owed.
    Settled,
}

impl Side {
    /// The side of a balance; what a customer owes is positive.
    pub const fn of(balance: Paise) -> Self {
        match balance.0 {
            0 => Self::Settled,
            1.. => Self::Get,
            _ => Self::Give,
        }
    }

    /// The words above a balance.
    pub fn words(self) -> String {
        t(match self {
            Self::Get => Msg::AmountGet,
            Self::Give => Msg::AmountGive,
            Self::Settled => Msg::AmountSettled,
        })
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Get => "amount get",
            Self::Give => "amount give",
            Self::Settled => "amount",
        }
    }
}

/// An amount in ink.
pub fn amount(paise: Paise) -> AnyView {
    written(paise, "amount")
}

/// An amount in the colour of its side; the words stand elsewhere on the row.
pub fn amount_of_side(paise: Paise, side: Side) -> AnyView {
    written(paise, side.class())
}

fn written(paise: Paise, class: &'static str) -> AnyView {
    let paise = paise.0.unsigned_abs();
    let decimals = (!paise.is_multiple_of(100))
        .then(|| view! { <small>{format!(".{:02}", paise % 100)}</small> });
    view! {
        <span class=class>
            "₹" {group_digits(paise / 100)} {decimals}
        </span>
    }
    .into_any()
}

/// An amount within a sentence: `₹1,200` or `₹1,200.50`.
pub fn in_words(paise: Paise) -> String {
    let written = paise.magnitude().to_string();
    match written.strip_suffix(".00") {
        Some(whole) => whole.to_owned(),
        None => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_sentence_whole_rupees_have_no_paise_and_no_sign() {
        assert_eq!(in_words(Paise(12_34_567_00)), "₹12,34,567");
        assert_eq!(in_words(Paise(-5_40)), "₹5.40");
    }

    #[test]
    fn what_a_customer_owes_the_shop_will_get() {
        assert_eq!(Side::of(Paise(370_00)), Side::Get);
        assert_eq!(Side::of(Paise(-1)), Side::Give);
        assert_eq!(Side::of(Paise::ZERO), Side::Settled);
    }
}
