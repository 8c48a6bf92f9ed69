//! What screens are made of; each thing once, with no rules of the shop in it.

pub mod ago;
pub mod amount;
pub mod bars;
pub mod choices;
pub mod date_field;
pub mod fields;
pub mod icon;
pub mod keypad;
pub mod qr;
pub mod rows;
pub mod sheet;
pub mod states;
pub mod sync_chip;
pub mod toast;
