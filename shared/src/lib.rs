//! The pure core of Pakka.
