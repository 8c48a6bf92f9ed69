//! The server as a process of its own, and what the system says of it.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sync_server::code::Code;
use sync_server::config::{Config, Flags};
use tempfile::TempDir;

/// The argument that makes this program the server.
pub const SERVE: &str = "--serve";

/// Linux counts processor time in hundredths of a second (`USER_HZ`).
pub const TICK_S: f64 = 0.01;

/// So many requests that no limit is in the way of a bench.
const RATE: &str = "1000000";

/// What something cost.
pub struct Used {
    /// Time on the wall.
    pub wall_s: f64,
    /// Processor time of the server.
    pub cpu_s: f64,
}

/// A server process, ended when this is dropped.
pub struct Server {
    pub url: String,
    pub claim_code: String,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts this program again as the server and waits until it listens.
    pub fn start() -> Result<Server, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let mut line = || lines.next().ok_or("the server did not start");
        let (url, claim_code) = (line()??, line()??);
        Ok(Server {
            url,
            claim_code,
            child,
            folder,
        })
    }

    /// Processor time so far, of all its threads.
    pub fn cpu_s(&self) -> Result<f64, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name in brackets, utime and stime are the 12th and 13th field (proc(5)).
        let (_, fields) = stat.rsplit_once(')').ok_or("/proc has changed")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks * TICK_S)
    }

    /// Memory in use now.
    pub fn memory_bytes(&self) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .ok_or("/proc has changed")?
            .trim_end_matches("kB")
            .trim();
        Ok(kib.parse::<f64>()? * 1024.0)
    }

    /// Stops the server, so that all is written where it stays, and gives the size of the log.
    pub fn stop(mut self) -> Result<f64, Box<dyn Error>> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        let mut bytes = 0;
        for entry in fs::read_dir(self.folder.path())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("log.db") {
                bytes += entry.metadata()?.len();
            }
        }
        Ok(bytes as f64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It stops when its input ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Is the server until the input ends.
pub fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let flags = Flags {
            data: Some(folder.display().to_string()),
            port: Some("0".to_owned()),
            claim_code: Some(Code::random().to_string()),
            rate: Some(RATE.to_owned()),
            ..Flags::default()
        };
        let config = Config::read(flags, |_| None)?;
        let running = sync_server::server::start(&config).await?;
        let code = running
            .claim_code
            .as_ref()
            .ok_or("a new server has a code")?;
        println!("http://{}\n{code}", running.address);
        let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        input.await??;
        running.stop().await;
        Ok(())
    })
}
