//! A native device.
