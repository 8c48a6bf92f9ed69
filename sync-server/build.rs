//! The migrations become a part of the server: build again when they change.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
