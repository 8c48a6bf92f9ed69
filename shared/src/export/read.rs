//! Reading a file, and verifying it.

use minicbor::{Decode, Decoder};

use super::{
    Bad, Check, FRAME_HEAD_BYTES, Flaw, Header, Kind, MAGIC, Mark, check_of, first_check, mark_of,
};
use crate::calendar::TimeMs;
use crate::event::PublicKey;
use crate::ids::{DeviceNo, EventId};
use crate::sync::wire::{SealingKey, Signature, TreeHead};
use crate::verify::{Depth, Fault, Run, Summary, Verifier, Wrong};

/// A part of a file. Events are the file's own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'b> {
    /// What the file is of: always the first.
    Header(Header),
    /// A signed head of the log.
    Head(TreeHead),
    /// The next run of the log.
    Run(Run, Vec<&'b [u8]>),
    /// What was not sent yet.
    Unsent(Unsent<'b>),
    /// Keys that seal names and notes.
    Keys(Vec<SealingKey>),
}

/// Entries of a phone that stand in no server's log yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent<'b> {
    /// The phone.
    pub device: DeviceNo,
    /// The number of the first of them.
    pub first_seq: u32,
    /// The phone's signature of its chain at the last of them.
    pub signature: Signature,
    /// The entries, each in its stored bytes.
    pub events: Vec<&'b [u8]>,
}

/// Reads a file part by part. It finds out what was damaged, but not what was forged: see
/// [`verify`].
#[derive(Debug, Clone)]
pub struct Reader<'b> {
    file: &'b [u8],
    at: usize,
    check: Check,
    began: bool,
    ended: bool,
}

impl<'b> Reader<'b> {
    /// Begins at the first byte.
    pub fn new(file: &'b [u8]) -> Result<Reader<'b>, Flaw> {
        let magic = file.iter().zip(MAGIC).take_while(|(is, due)| is == due);
        match magic.count() {
            same if same == MAGIC.len() => Ok(Reader {
                file,
                at: MAGIC.len(),
                check: first_check(),
                began: false,
                ended: false,
            }),
            byte => Err(Flaw::Structure { byte }),
        }
    }

    /// How many bytes were read.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// The same place in another copy of the file, which is the same up to here.
    #[cfg(feature = "testing")]
    pub fn in_copy<'c>(&self, file: &'c [u8]) -> Reader<'c> {
        Reader { file, ..*self }
    }

    fn frame(&mut self) -> Result<Option<Part<'b>>, Flaw> {
        let start = self.at;
        let damaged = |byte| Flaw::Structure { byte };
        let rest = &self.file[start..];
        let (head, rest) = rest
            .split_first_chunk::<FRAME_HEAD_BYTES>()
            .ok_or(damaged(self.file.len()))?;
        let [kind, length @ ..] = *head;
        let length = u32::from_be_bytes(length) as usize;
        let (body, rest) = rest.split_at_checked(length).ok_or(damaged(start))?;
        let check = rest.first_chunk::<8>().ok_or(damaged(start))?;
        let body_at = start + FRAME_HEAD_BYTES;
        let parsed = parse(kind, body).map_err(|at| damaged(body_at + at));
        self.check = check_of(&self.check, head, body);
        if self.check != *check {
            // The marks tell whether it was one of the events, and which.
            let event = parsed.ok().and_then(|parsed| parsed.damaged_event());
            return Err(event.map_or(damaged(start), Flaw::Log));
        }
        self.at = body_at + length + check.len();
        let Parsed { part, .. } = parsed?;
        let is_header = matches!(part, Some(Part::Header(_)));
        if is_header == self.began {
            return Err(damaged(start));
        }
        self.began = true;
        self.ended = kind == Kind::End as u8;
        Ok(part)
    }
}

impl<'b> Iterator for Reader<'b> {
    type Item = Result<Part<'b>, Flaw>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Result<Part<'b>, Flaw>> {
        loop {
            if self.ended {
                let behind = self.at < self.file.len();
                let byte = self.at;
                self.at = self.file.len();
                return behind.then_some(Err(Flaw::Structure { byte }));
            }
            match self.frame() {
                Ok(Some(part)) => return Some(Ok(part)),
                // The end, or something of a newer version.
                Ok(None) => {}
                Err(flaw) => {
                    (self.ended, self.at) = (true, self.file.len());
                    return Some(Err(flaw));
                }
            }
        }
    }
}

/// A frame's body as it stands there.
struct Parsed<'b> {
    part: Option<Part<'b>>,
    marks: &'b [u8],
}

impl Parsed<'_> {
    fn damaged_event(&self) -> Option<Fault> {
        let (position, device, first_seq, events) = match self.part.as_ref()? {
            Part::Run(run, events) => (Some(run.position), run.device, run.first_seq, events),
            Part::Unsent(it) => (None, it.device, it.first_seq, &it.events),
            _ => return None,
        };
        let marks = self.marks.as_chunks::<{ size_of::<Mark>() }>().0;
        let mut pairs = events.iter().zip(marks);
        let index = pairs.position(|(event, mark)| mark_of(event) != *mark)? as u32;
        Some(Fault {
            position: position.map(|first| first.saturating_add(index.into())),
            event: Some(EventId {
                device,
                seq: first_seq.saturating_add(index),
            }),
            wrong: Wrong::Damaged,
        })
    }
}

/// Reads the body of a frame, all of it. Fails at a byte.
fn parse(kind: u8, body: &[u8]) -> Result<Parsed<'_>, usize> {
    let mut decoder = Decoder::new(body);
    let parsed = match kind {
        kind if kind == Kind::Header as u8 => value(&mut decoder).map(Part::Header),
        kind if kind == Kind::Head as u8 => value(&mut decoder).map(Part::Head),
        kind if kind == Kind::Keys as u8 => value(&mut decoder).map(Part::Keys),
        kind if kind == Kind::Run as u8 => return run(&mut decoder).ok_or(decoder.position()),
        kind if kind == Kind::Unsent as u8 => {
            return unsent(&mut decoder).ok_or(decoder.position());
        }
        _ => {
            let no_events = Parsed {
                part: None,
                marks: &[],
            };
            return Ok(no_events);
        }
    };
    match parsed {
        Some(part) if decoder.position() == body.len() => Ok(Parsed {
            part: Some(part),
            marks: &[],
        }),
        _ => Err(decoder.position()),
    }
}

fn value<'b, T: Decode<'b, ()>>(decoder: &mut Decoder<'b>) -> Option<T> {
    decoder.decode().ok()
}

fn run<'b>(decoder: &mut Decoder<'b>) -> Option<Parsed<'b>> {
    if decoder.array().ok()? != Some(10) {
        return None;
    }
    let run = Run {
        position: decoder.u64().ok()?,
        device: DeviceNo(decoder.u32().ok()?),
        first_seq: decoder.u32().ok()?,
        received: TimeMs(decoder.i64().ok()?),
        verdict: value(decoder)?,
        branch_of: value(decoder)?,
        end_hash: value(decoder)?,
        signature: value(decoder)?,
    };
    let (marks, events) = events(decoder)?;
    Some(Parsed {
        part: Some(Part::Run(run, events)),
        marks,
    })
}

fn unsent<'b>(decoder: &mut Decoder<'b>) -> Option<Parsed<'b>> {
    if decoder.array().ok()? != Some(5) {
        return None;
    }
    let device = DeviceNo(decoder.u32().ok()?);
    let first_seq = decoder.u32().ok()?;
    let signature = value(decoder)?;
    let (marks, events) = events(decoder)?;
    Some(Parsed {
        part: Some(Part::Unsent(Unsent {
            device,
            first_seq,
            signature,
            events,
        })),
        marks,
    })
}

/// The marks and the events, up to the end of the body.
fn events<'b>(decoder: &mut Decoder<'b>) -> Option<(&'b [u8], Vec<&'b [u8]>)> {
    let marks = decoder.bytes().ok()?;
    let count = decoder.array().ok()??;
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(decoder.bytes().ok()?);
    }
    let whole = decoder.position() == decoder.input().len();
    let marked = marks.len() == events.len().checked_mul(size_of::<Mark>())?;
    (whole && marked && !events.is_empty()).then_some((marks, events))
}

/// Verifies a file from its first byte to its last. `is_signed_by` says whether a signature of a
/// message is by a key; `progress` hears how many bytes were read.
///
/// The server's key is in the [`Header`] that comes back: it is worth as much as whoever gave the
/// file, until it is compared with what the shop's phones know.
pub fn verify(
    file: &[u8],
    depth: Depth,
    is_signed_by: impl Fn(&PublicKey, &[u8], &Signature) -> bool,
    mut progress: impl FnMut(usize),
) -> Result<(Header, Summary), Bad> {
    let nothing = |flaw| Bad {
        good: Summary::default(),
        flaw,
    };
    let mut reader = Reader::new(file).map_err(nothing)?;
    let header = match reader.next() {
        Some(Ok(Part::Header(header))) => header,
        Some(Err(flaw)) => return Err(nothing(flaw)),
        _ => return Err(nothing(Flaw::Structure { byte: MAGIC.len() })),
    };
    let mut verifier = Verifier::new(&header.origin, depth, is_signed_by);
    loop {
        let at = reader.position();
        let bad = |verifier: &Verifier<_>, flaw| Bad {
            good: verifier.summary(),
            flaw,
        };
        let part = match reader.next() {
            None => break,
            Some(part) => part.map_err(|flaw| bad(&verifier, flaw))?,
        };
        let read = match &part {
            Part::Header(_) => return Err(bad(&verifier, Flaw::Structure { byte: at })),
            Part::Head(head) => verifier.expect(*head),
            Part::Run(run, events) => verifier.run(run, events),
            Part::Unsent(it) => verifier.unsent(it.device, it.first_seq, &it.events, &it.signature),
            Part::Keys(_) => Ok(()),
        };
        read.map_err(|fault| bad(&verifier, Flaw::Log(fault)))?;
        progress(reader.position());
    }
    let good = verifier.summary();
    match verifier.finish() {
        Ok(summary) => Ok((header, summary)),
        Err(fault) => Err(Bad {
            good,
            flaw: Flaw::Log(fault),
        }),
    }
}
