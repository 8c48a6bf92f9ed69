//! The real program, as a process that can be killed.

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

pub const BINARY: &str = env!("CARGO_BIN_EXE_pakka-server");

/// A server in a process of its own.
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub url: String,
}

impl Process {
    /// Starts it and waits until it says where it is.
    pub fn start(data: &Path) -> Process {
        Process::spawn(&mut Command::new(BINARY), data)
    }

    /// Starts it where no file can grow beyond so many KiB, as on a disk that is full.
    pub fn start_on_small_disk(data: &Path, file_kib: u64) -> Process {
        let limited = format!(
            "trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"",
            2 * file_kib
        );
        Process::spawn(Command::new("sh").args(["-c", &limited, BINARY]), data)
    }

    fn spawn(command: &mut Command, data: &Path) -> Process {
        let mut child = command
            .args(["serve", "--port", "0", "--rate", "100000", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let url = after("Pakka is at ", lines.next());
        Process { child, lines, url }
    }

    /// The claim code that a server without a shop prints.
    pub fn claim_code(&mut self) -> String {
        after("The owner's claim code: ", self.lines.next())
    }

    /// There is room on the disk again.
    pub fn empty_disk(&self) {
        let process = format!("--pid={}", self.child.id());
        let lifted = Command::new("prlimit")
            .args([&process, "--fsize=unlimited"])
            .status();
        assert!(lifted.expect("prlimit is there").success());
    }

    /// With no chance to finish anything.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// As an administrator does it.
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("sent");
        assert!(sent.success());
        self.child.wait().expect("gone")
    }
}

fn after(words: &str, line: Option<std::io::Result<String>>) -> String {
    let line = line.expect("a line").expect("text");
    line.strip_prefix(words).expect("the words").to_owned()
}

impl Drop for Process {
    /// Nothing stays behind a test that failed.
    fn drop(&mut self) {
        // Mostly it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program to its end: whether it succeeded, and what it wrote.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String, String) {
    let mut child = Command::new(BINARY)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let (mut out, mut err) = (String::new(), String::new());
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut out)
        .expect("text");
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut err)
        .expect("text");
    (child.wait().expect("ends").success(), out, err)
}
