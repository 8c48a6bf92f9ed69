//! A fact that is replaced: the greatest stamp wins, whichever comes first.

use minicbor::{Decode, Encode};

use crate::ids::Stamp;

/// A value with the stamp of the event that set it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Register<T> {
    #[n(0)]
    pub(super) latest: Option<Written<T>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub(super) struct Written<T> {
    #[n(0)]
    pub stamp: Stamp,
    #[n(1)]
    pub value: T,
}

impl<T> Default for Register<T> {
    fn default() -> Register<T> {
        Register { latest: None }
    }
}

impl<T> Register<T> {
    /// Sets the value, unless a greater stamp has set it.
    pub fn set(&mut self, stamp: Stamp, value: T) {
        if self
            .latest
            .as_ref()
            .is_none_or(|latest| latest.stamp < stamp)
        {
            self.latest = Some(Written { stamp, value });
        }
    }

    /// The value, if any event has set one.
    pub fn get(&self) -> Option<&T> {
        self.latest.as_ref().map(|latest| &latest.value)
    }

    /// The stamp of the event that set the value.
    pub fn stamp(&self) -> Option<Stamp> {
        self.latest.as_ref().map(|latest| latest.stamp)
    }
}

impl<T> Register<Option<T>> {
    /// The value of a fact that may be taken away.
    pub fn value(&self) -> Option<&T> {
        self.get().and_then(Option::as_ref)
    }
}
