//! Writing a file.

use minicbor::{Encode, Encoder};

use super::{Check, Header, Kind, MAGIC, check_of, first_check, mark_of};
use crate::ids::DeviceNo;
use crate::sync::wire::{SealingKey, Signature, TreeHead};
use crate::verify::Run;

/// Writes a file frame by frame. It checks nothing: what a damaged store still holds can be saved,
/// too.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    check: Check,
}

impl Writer {
    /// Begins a file.
    pub fn new(header: &Header) -> Writer {
        let mut writer = Writer {
            bytes: MAGIC.to_vec(),
            check: first_check(),
        };
        writer.value(Kind::Header, header);
        writer
    }

    /// A signed head of the log. Before the log itself.
    pub fn head(&mut self, head: &TreeHead) {
        self.value(Kind::Head, head);
    }

    /// The next run of the log.
    pub fn run<B: AsRef<[u8]>>(&mut self, run: &Run, events: &[B]) {
        self.frame(Kind::Run, |encoder| {
            encoder.array(10).and_then(|it| it.u64(run.position))?;
            encoder.u32(run.device.0)?.u32(run.first_seq)?;
            encoder.i64(run.received.0)?.encode(run.verdict)?;
            encoder.encode(run.branch_of)?.encode(run.end_hash)?;
            encoder.encode(run.signature)?;
            write_events(encoder, events)
        });
    }

    /// Entries of a device that stand in no server's log yet, signed over all of its chain.
    pub fn unsent<B: AsRef<[u8]>>(
        &mut self,
        device: DeviceNo,
        first_seq: u32,
        events: &[B],
        signature: &Signature,
    ) {
        self.frame(Kind::Unsent, |encoder| {
            encoder.array(5)?.u32(device.0)?.u32(first_seq)?;
            encoder.encode(signature)?;
            write_events(encoder, events)
        });
    }

    /// Keys that seal names and notes. They make the file as private as the khata itself.
    pub fn keys(&mut self, keys: &[SealingKey]) {
        self.value(Kind::Keys, &keys);
    }

    /// What was written since the last call: a long file need not be in memory as a whole.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    /// Ends the file, and gives what was written since the last [`Writer::take`].
    pub fn finish(mut self) -> Vec<u8> {
        self.frame(Kind::End, |_| Ok(()));
        self.bytes
    }

    fn value<T: Encode<()>>(&mut self, kind: Kind, value: &T) {
        self.frame(kind, |encoder| encoder.encode(value).map(|_| ()));
    }

    fn frame(
        &mut self,
        kind: Kind,
        write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Result<(), Never>,
    ) {
        let mut encoder = Encoder::new(Vec::new());
        // A vector takes all that is written.
        write(&mut encoder).unwrap_or_else(|error| unreachable!("{error}"));
        let body = encoder.into_writer();
        let length = u32::try_from(body.len()).expect("a run is far shorter than 4 GiB");
        let mut head = vec![kind as u8];
        head.extend(length.to_be_bytes());
        self.check = check_of(&self.check, &head, &body);
        self.bytes.extend(head);
        self.bytes.extend(body);
        self.bytes.extend(self.check);
    }
}

type Never = minicbor::encode::Error<core::convert::Infallible>;

/// The marks of all events, one after the other, then the events.
fn write_events<B: AsRef<[u8]>>(encoder: &mut Encoder<Vec<u8>>, events: &[B]) -> Result<(), Never> {
    let marks = events.iter().flat_map(|event| mark_of(event.as_ref()));
    encoder.bytes(&marks.collect::<Vec<u8>>())?;
    encoder.array(events.len() as u64)?;
    for event in events {
        encoder.bytes(event.as_ref())?;
    }
    Ok(())
}
