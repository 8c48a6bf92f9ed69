//! Random numbers and the phone's own key.
