//! How a ledger without history is written down and read again.
//!
//! Customers stand in columns, one for each field: what is alike lies side by side and nearly
//! disappears when it is compressed. Reading never stops (see [`crate::event::shape`]); whoever reads
//! writes it again and compares.

use std::collections::BTreeMap;

use minicbor::{Encode, Encoder, encode};

use super::customer::Added;
use super::progress::OpenGroup;
use super::register::Written;
use super::shop::Opened;
use super::{
    Balance, Customer, Device, Earlier, Entries, HeldGroup, Lane, Ledger, Member, Register,
    Reversal, Shop, Summary,
};
use crate::event::shape::{Reader, Shape, fields};
use crate::ids::{CustomerId, IdMap, Stamp};

/// The columns of customers, and how many there are with the column of their ids.
macro_rules! columns {
    ($count:literal: $($field:ident)*) => {
        fn write_customers<C: IdMap, W: encode::Write>(
            customers: &BTreeMap<CustomerId, Customer>,
            encoder: &mut Encoder<W>,
            ids: &mut C,
        ) -> Result<(), encode::Error<W::Error>> {
            encoder.array($count)?;
            column(customers.keys(), encoder, ids)?;
            $(column(customers.values().map(|customer| &customer.$field), encoder, ids)?;)*
            Ok(())
        }

        fn read_customers(reader: &mut Reader<'_, '_>) -> BTreeMap<CustomerId, Customer> {
            let mut fields = reader.fields();
            let ids: Vec<CustomerId> = reader.field(&mut fields);
            $(let mut $field = reader.field::<Vec<_>>(&mut fields).into_iter();)*
            reader.end(&fields);
            let customers = ids.into_iter().map_while(|id| {
                let customer = Customer {
                    entries: Entries::default(),
                    $($field: $field.next()?,)*
                };
                Some((id, customer))
            });
            customers.collect()
        }
    };
}

columns! {
    14: added name phone address note language limit messages archived erased balance taken_back
        last_written
}

fn column<'l, T: Encode<C> + 'l, C, W: encode::Write>(
    values: impl ExactSizeIterator<Item = &'l T>,
    encoder: &mut Encoder<W>,
    ids: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    encoder.array(values.len() as u64)?;
    for value in values {
        value.encode(encoder, ids)?;
    }
    Ok(())
}

/// Writes a ledger without its history: of a whole one, what it comes to.
pub(crate) fn write<C: IdMap, W: encode::Write>(
    ledger: &Ledger,
    encoder: &mut Encoder<W>,
    ids: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    encoder.array(13)?;
    ledger.shop.encode(encoder, ids)?;
    ledger.devices.encode(encoder, ids)?;
    ledger.staff.encode(encoder, ids)?;
    write_customers(&ledger.customers, encoder, ids)?;
    encoder.map(ledger.waiting_reversals().count() as u64)?;
    for (target, reversals) in ledger.waiting_reversals() {
        target.encode(encoder, ids)?;
        reversals.encode(encoder, ids)?;
    }
    ledger.merged.encode(encoder, ids)?;
    ledger.held.encode(encoder, ids)?;
    ledger.released.encode(encoder, ids)?;
    ledger.refused.encode(encoder, ids)?;
    ledger.erased_keys.encode(encoder, ids)?;
    ledger.lanes.encode(encoder, ids)?;
    ledger.clock.encode(encoder, ids)?;
    ledger.sum_up().encode(encoder, ids)
}

impl Shape for Ledger {
    /// What [`write()`] has written.
    fn read(reader: &mut Reader<'_, '_>) -> Ledger {
        let mut fields = reader.fields();
        let ledger = Ledger {
            shop: reader.field(&mut fields),
            devices: reader.field(&mut fields),
            staff: reader.field(&mut fields),
            customers: reader.field::<Columns>(&mut fields).0,
            reversals: reader.field(&mut fields),
            merged: reader.field(&mut fields),
            held: reader.field(&mut fields),
            released: reader.field(&mut fields),
            refused: reader.field(&mut fields),
            erased_keys: reader.field(&mut fields),
            lanes: reader.field(&mut fields),
            clock: reader.field(&mut fields),
            summary: reader.field(&mut fields),
            ..Ledger::default()
        };
        reader.end(&fields);
        ledger
    }
}

struct Columns(BTreeMap<CustomerId, Customer>);

impl Shape for Columns {
    fn read(reader: &mut Reader<'_, '_>) -> Columns {
        Columns(read_customers(reader))
    }
}

impl<T: Shape> Shape for Register<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Register<T> {
        let mut fields = reader.fields();
        let register = Register {
            latest: reader.field(&mut fields),
        };
        reader.end(&fields);
        register
    }
}

impl<T: Shape> Shape for Written<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Written<T> {
        let mut fields = reader.fields();
        let written = Written {
            stamp: reader.field(&mut fields),
            value: reader.field(&mut fields),
        };
        reader.end(&fields);
        written
    }
}

fields! {
    Stamp: clock id;
    Shop: opened name address phone upi gstin state language credit_limit overdue_days opened_on;
    Opened: shop currency key;
    Device: role key name staff revoked app branch_of;
    Member: name role language removed;
    Added: at key;
    Balance: khata advance;
    Reversal: clock at by reason replacement witness;
    HeldGroup: events;
    Lane: last_seq bills latest unknown put_aside held open;
    OpenGroup: group events unknown put_aside held;
    Summary: cut customers without_effect joined;
    Earlier: last_payment owed_since days;
}
