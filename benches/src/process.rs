//! A server as a process of its own, and what the system says of it.

use std::fs::{self, File};
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::Outcome;
use crate::row::median;

/// Linux counts processor time in hundredths of a second (`USER_HZ`).
const TICK_S: f64 = 0.01;

/// Blocks that are written to find out what an fsync costs.
const FSYNCS: usize = 40;
const BLOCK_BYTES: usize = 4096;

/// What some work cost.
#[derive(Clone, Copy)]
pub struct Used {
    /// Time on the wall.
    pub wall_s: f64,
    /// Processor time of the server, at least one tick: what is not measured is not infinitely
    /// fast.
    pub cpu_s: f64,
}

/// A process, killed when this is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program and reads its output until `ready` finds what it waits for in a line.
    pub fn start<T>(
        command: &mut Command,
        mut ready: impl FnMut(&str) -> Option<T>,
    ) -> Outcome<(Process, T)> {
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("{command:?}: {error}"))?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let process = Process { child };
        let found = loop {
            let line = lines.next().ok_or_else(|| format!("{command:?} ended"))??;
            if let Some(found) = ready(&line) {
                break found;
            }
        };
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok((process, found))
    }

    /// A process that says nothing when it is ready.
    pub fn start_silent(command: &mut Command) -> Outcome<Process> {
        let child = command.stdout(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("{command:?}: {error}"))?;
        Ok(Process { child })
    }

    /// Processor time so far, of all its threads and of the children that it waited for.
    pub fn cpu_s(&self) -> Outcome<f64> {
        cpu_s(&self.child.id().to_string())
    }

    /// Memory: `VmRSS` for now, `VmHWM` for the most so far.
    pub fn memory_mib(&self, which: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix(which)?.strip_prefix(':'));
        let kib = line
            .ok_or("/proc has changed")?
            .trim_end_matches("kB")
            .trim();
        Ok(kib.parse::<f64>()? / 1024.0)
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> Outcome {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        self.child.wait()?;
        Ok(())
    }

    /// Does some work with the server and tells what it cost.
    pub async fn timed<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<(Used, T)> {
        let (cpu_s, started) = (self.cpu_s()?, Instant::now());
        let done = work.await?;
        let used = Used {
            wall_s: started.elapsed().as_secs_f64(),
            cpu_s: (self.cpu_s()? - cpu_s).max(TICK_S),
        };
        Ok((used, done))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does some work in this process and tells what it cost.
pub async fn timed_here<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<(Used, T)> {
    let (before, started) = (cpu_s("self")?, Instant::now());
    let done = work.await?;
    let used = Used {
        wall_s: started.elapsed().as_secs_f64(),
        cpu_s: (cpu_s("self")? - before).max(TICK_S),
    };
    Ok((used, done))
}

/// Processor time of the programs that this one has started and waited for.
pub fn waited_for_cpu_s() -> Outcome<f64> {
    let [_, _, user, system] = ticks("self")?;
    Ok((user + system) * TICK_S)
}

fn cpu_s(process: &str) -> Outcome<f64> {
    Ok(ticks(process)?.iter().sum::<f64>() * TICK_S)
}

/// utime, stime, cutime and cstime.
fn ticks(process: &str) -> Outcome<[f64; 4]> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name in brackets they are the 12th to 15th field (proc(5)).
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc has changed")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let four = fields.get(11..15).ok_or("/proc has changed")?;
    let mut ticks = [0.0; 4];
    for (ticks, field) in ticks.iter_mut().zip(four) {
        *ticks = field.parse()?;
    }
    Ok(ticks)
}

/// What an fsync of one block costs in this folder now, in ms: the median of some.
pub fn fsync_ms(folder: &Path) -> Outcome<f64> {
    let path = folder.join("fsync");
    let mut file = File::create(&path)?;
    let mut times_ms = Vec::with_capacity(FSYNCS);
    for _ in 0..FSYNCS {
        file.write_all(&[0xa5; BLOCK_BYTES])?;
        let started = Instant::now();
        file.sync_data()?;
        times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    drop(file);
    fs::remove_file(path)?;
    Ok(median(&times_ms))
}

/// The length of all files in a folder and below.
pub fn stored_bytes(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        bytes += match path.is_dir() {
            true => stored_bytes(&path)?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
