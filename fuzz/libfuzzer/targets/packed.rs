//! See `fuzz/src`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (pakka_fuzz::target("packed").expect("a target").run)(bytes);
});
