//! The built app becomes a part of the server: build again when it changes, and build without it
//! where it was not built.

fn main() {
    println!("cargo::rerun-if-changed=../dist");
    println!("cargo::rerun-if-changed=migrations");
}
