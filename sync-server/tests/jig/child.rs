//! The real program, as a process that can be killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

pub const BINARY: &str = env!("CARGO_BIN_EXE_pakka-server");

/// Any that is free.
const ANY_PORT: &str = "0";

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

    /// Starts it again where it was: at the port of this address.
    pub fn start_again(data: &Path, url: &str) -> Process {
        let (_, port) = url.rsplit_once(':').expect("a port");
        let again = Process::try_spawn(&mut Command::new(BINARY), data, port);
        again.expect("it says where it is")
    }

    /// Starts it where no file can grow beyond so many KiB, as on a disk that is full.
    pub fn start_on_small_disk(data: &Path, file_kib: u64) -> Process {
        let limited = format!(
            "trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"",
            2 * file_kib
        );
        Process::spawn(Command::new("sh").args(["-c", &limited, BINARY]), data)
    }

    /// Starts it with other variables in its environment.
    pub fn start_with(data: &Path, environment: &[(&str, &OsStr)]) -> Process {
        let mut command = Command::new(BINARY);
        Process::spawn(command.envs(environment.iter().copied()), data)
    }

    /// Starts it where some of its system calls fail, as `strace -e inject=` says, and lists them in
    /// a file. `None` when it fails so early that it does not even start.
    pub fn start_with_failing(data: &Path, inject: &str, list: &Path) -> Option<Process> {
        let calls = inject.split(':').next().expect("the calls come first");
        let mut command = Command::new("strace");
        // With -D the server is the child, and strace ends with it.
        command
            .args(["-D", "-f", "-qq", "--seccomp-bpf", "-o"])
            .arg(list);
        command.args([
            "-e",
            &format!("trace={calls}"),
            "-e",
            &format!("inject={inject}"),
        ]);
        command.arg(BINARY);
        Process::try_spawn(&mut command, data, ANY_PORT)
    }

    fn spawn(command: &mut Command, data: &Path) -> Process {
        Process::try_spawn(command, data, ANY_PORT).expect("it says where it is")
    }

    fn try_spawn(command: &mut Command, data: &Path, port: &str) -> Option<Process> {
        let mut child = command
            .args(["serve", "--port", port, "--rate", "100000", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        match lines.next() {
            Some(line) => {
                let url = after("Pakka is at ", Some(line));
                Some(Process { child, lines, url })
            }
            None => {
                child.wait().expect("gone");
                None
            }
        }
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
