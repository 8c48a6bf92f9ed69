//! Starts the app. Everything else is in the library, so that tests can use it too.

fn main() {
    frontend::start();
}
