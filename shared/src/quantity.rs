//! Quantities in thousandths of a unit (1 kg = 1000, 1 piece = 1000).

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::money::{Paise, div_round};

/// A quantity in milli-units.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Quantity(pub i64);

/// The largest quantity of one line: a million units.
pub const MAX_LINE_QUANTITY: Quantity = Quantity(1_000_000 * Quantity::ONE.0);

impl Quantity {
    /// One whole unit.
    pub const ONE: Quantity = Quantity(1000);

    /// `count` whole units; saturates at the range of the type.
    pub const fn whole(count: i64) -> Quantity {
        Quantity(count.saturating_mul(Quantity::ONE.0))
    }

    /// What this quantity costs at `price` per unit, rounded half away from zero to a paisa.
    pub fn cost(self, price: Paise) -> Paise {
        Paise(div_round(
            i128::from(self.0) * i128::from(price.0),
            i128::from(Quantity::ONE.0),
        ))
    }
}

/// How a good is counted or weighed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(index_only)]
pub enum Unit {
    /// Single pieces.
    #[default]
    #[n(1)]
    Piece,
    /// Kilograms.
    #[n(2)]
    Kilogram,
    /// Grams.
    #[n(3)]
    Gram,
    /// Litres.
    #[n(4)]
    Litre,
    /// Millilitres.
    #[n(5)]
    Millilitre,
    /// Dozens.
    #[n(6)]
    Dozen,
    /// Packets.
    #[n(7)]
    Packet,
    /// Metres.
    #[n(8)]
    Metre,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_unit_costs_its_part_of_the_price() {
        assert_eq!(Quantity(350).cost(Paise(44_00)), Paise(15_40));
        assert_eq!(Quantity::whole(2).cost(Paise(120_00)), Paise(240_00));
        assert_eq!(
            Quantity(1).cost(Paise(5_00)),
            Paise(1),
            "half a paisa rounds away from zero"
        );
        assert_eq!(Quantity(-1).cost(Paise(5_00)), Paise(-1));
    }
}
