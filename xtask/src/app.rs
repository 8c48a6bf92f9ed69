//! Building the app with Trunk, unless it is already built from these sources.

use crate::sh::{Result, command, fail, output, root, run, say, target_dir};
use crate::{fingerprint, small, tools};
use std::fs;
use std::path::PathBuf;

/// What the built app depends on.
const INPUTS: [&str; 13] = [
    "index.html",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "frontend",
    "shared/Cargo.toml",
    "shared/src",
    "xtask/src/fingerprint.rs",
    "xtask/src/parts.rs",
    "xtask/src/small.rs",
    "xtask/src/stage.rs",
    "xtask/src/tools.rs",
];

/// How the app and the server are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Small and fast: what people get.
    Release,
    /// Built in a second or two after a change.
    Dev,
}

/// The built app.
pub fn dist() -> PathBuf {
    root().join("dist")
}

fn built_from() -> PathBuf {
    target_dir().join("pakka-app.fingerprint")
}

/// Builds the app into `dist`.
pub fn build(profile: Profile) -> Result<()> {
    let rustc = output(command("rustc").arg("-vV")).unwrap_or_default();
    let profile_name = match profile {
        Profile::Release => "release",
        Profile::Dev => "dev",
    };
    let inputs = fingerprint::of(&INPUTS, &[&rustc, profile_name])?;
    let is_built = fs::read_to_string(built_from()).is_ok_and(|built| built == inputs);
    if is_built && dist().join("index.html").is_file() {
        say("the app is up to date");
        return Ok(());
    }

    tools::for_app()?;
    tools::tidy()?;
    say(format!("building the app ({profile_name})"));
    let mut trunk = command("trunk");
    trunk
        .args(["build", "--skip-version-check"])
        // Trunk wants true or false here and stops at the customary 1.
        .env_remove("NO_COLOR")
        // Its own stack says nothing about what does not compile.
        .env_remove("RUST_BACKTRACE");
    if profile == Profile::Release {
        trunk.arg("--release").envs(small::SETTINGS);
    }
    // After a failed build the old `dist` still lies there: it must not pass
    // for the new one. (A successful one forgets the fingerprint in its hook.)
    if let Err(failure) = run(&mut trunk) {
        return fail(format!("The app was not built: {failure}"));
    }
    fs::write(built_from(), inputs)?;
    Ok(())
}

/// Which build of the app lies in [`dist`], if it is one by [`build`].
pub fn built() -> Option<String> {
    fs::read_to_string(built_from()).ok()
}

/// Called when something else than [`build`] has written `dist`.
pub fn forget() -> Result<()> {
    match fs::remove_file(built_from()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
