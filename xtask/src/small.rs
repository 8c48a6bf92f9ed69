//! The app's standard library, built from its source for size.
//!
//! The library that comes with the compiler is built for speed and carries the words of every panic.
//! Built anew, and without the texts of `{:?}`, which nobody sees, it takes a tenth off what a phone
//! downloads. Cargo can do that by its unstable `build-std` only, which `RUSTC_BOOTSTRAP` opens on a
//! stable compiler; nothing but the released app is built so. A panic then ends the app without
//! words of its own: `boot.js` finds them.

/// The variable of the compiler's flags.
pub const FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// What cargo is told besides, as environment variables. The flags join those of
/// `.cargo/config.toml`; the last two are for the cut into [`crate::parts`].
pub const SETTINGS: [(&str, &str); 4] = [
    ("RUSTC_BOOTSTRAP", "1"),
    ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort"),
    ("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size"),
    (
        FLAGS,
        "-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none \
         -Clink-args=--emit-relocs --cfg=split",
    ),
];
