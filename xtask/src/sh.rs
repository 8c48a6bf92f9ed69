//! Running other programs, with the pinned tools in front of PATH.

use crate::tools;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// What went wrong and what to do, for the person at the terminal.
#[derive(Debug)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure(error.to_string())
    }
}

/// The outcome of a task.
pub type Result<T> = std::result::Result<T, Failure>;

/// A failure with this message.
pub fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(Failure(message.into()))
}

/// Reads a file; a failure names it.
pub fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|error| Failure(format!("{}: {error}", file.display())))
}

/// The workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies inside the workspace")
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Says what is being done now. Progress goes to stderr: stdout is for results.
pub fn say(message: impl fmt::Display) {
    if io::stderr().is_terminal() {
        eprintln!("\x1b[1m> {message}\x1b[0m");
    } else {
        eprintln!("> {message}");
    }
}

/// A command that runs in the workspace and finds the pinned tools first.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).env("PATH", path_with_tools());
    // What `cargo run` tells this program about itself would make inner cargo
    // calls rebuild every crate whose build script looks at these.
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn path_with_tools() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let all = tools::bin_dirs()
        .into_iter()
        .chain(std::env::split_paths(&inherited));
    std::env::join_paths(all).unwrap_or(inherited)
}

/// Whether a program of this name can be started.
pub fn finds(program: &str) -> bool {
    std::env::split_paths(&path_with_tools()).any(|dir| dir.join(program).is_file())
}

/// Runs to the end; an exit code other than 0 is a failure.
pub fn run(command: &mut Command) -> Result<()> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => fail(format!("`{}` ended with {status}", shown(command))),
        Err(error) => fail(format!("`{}` did not start: {error}", shown(command))),
    }
}

/// What the command prints, if it can be run and succeeds.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs to the end while showing everything it prints, and returns whether it
/// succeeded together with what it printed.
pub fn tee(command: &mut Command) -> (bool, String) {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            let message = format!("`{}` did not start: {error}\n", shown(command));
            eprint!("{message}");
            return (false, message);
        }
    };
    let stderr = child.stderr.take().expect("was piped");
    let errors = thread::spawn(move || copy_lines(stderr, io::stderr()));
    let stdout = child.stdout.take().expect("was piped");
    let mut printed = copy_lines(stdout, io::stdout());
    printed.push_str(&errors.join().unwrap_or_default());
    let succeeded = child.wait().is_ok_and(|status| status.success());
    (succeeded, printed)
}

fn copy_lines(from: impl Read, mut to: impl Write) -> String {
    let mut all = String::new();
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        // A closed terminal must not stop the work.
        let _ = to.write_all(&line);
        all.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    all
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut text = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
