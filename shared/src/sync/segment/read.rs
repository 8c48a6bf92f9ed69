//! Reading a segment: templates are filled from columns. All of its values are walked over, because
//! each is foretold from those before it; events are made of those that are wanted.

use std::collections::BTreeMap;

use super::bytes::Reader;
use super::column::{Around, Values};
use super::template::{self, Part};
use super::tree::{self, Node};
use super::{
    BODY, ChainEnd, DIGEST_DOMAIN, Damaged, ELEMENTS, Fixed, GROUP, KIND, MAGIC, MAX_BYTES,
    MAX_COLUMNS, MAX_DEVICES, MAX_EVENTS, MAX_TEMPLATES, MAX_WORDS, Picked, Seen, Segment,
};
use crate::bytes::{self, Bytes};
use crate::calendar::TimeMs;
use crate::chain::digest;
use crate::event::Branch;
use crate::ids::{DeviceNo, EventId, IdMap as _, ShopId};
use crate::sync::wire::{BranchOf, Chunk, Generation, Verdict};

/// Room for most events.
const EVENT_BYTES: usize = 96;

/// How deep lists may stand in lists.
const MAX_DEPTH: u32 = 12;

/// Reads a segment: all of it, or nothing.
///
/// # Errors
///
/// The bytes are not those that were written.
pub fn read(bytes: &[u8]) -> Result<Segment, Damaged> {
    let (head, runs) = read_with(bytes, |_| true)?;
    let chunks = runs.into_iter().map(|run| Chunk {
        events: Some(run.events.into_iter().map(|(_, event)| event).collect()),
        ..run.chunk
    });
    Ok(Segment {
        shop: head.shop,
        generation: head.generation,
        chunks: chunks.collect(),
        ends: head.ends,
    })
}

/// Reads the events of a segment that are wanted, by what its columns tell of each. The same events
/// as if all were read and these picked out; no bytes are kept of the others.
///
/// # Errors
///
/// The bytes are not those that were written.
pub fn pick(bytes: &[u8], wanted: impl FnMut(&Seen<'_>) -> bool) -> Result<Vec<Picked>, Damaged> {
    read_with(bytes, wanted).map(|(_, runs)| runs)
}

struct Head {
    shop: ShopId,
    generation: Generation,
    ends: Vec<ChainEnd>,
}

fn read_with(
    bytes: &[u8],
    wanted: impl FnMut(&Seen<'_>) -> bool,
) -> Result<(Head, Vec<Picked>), Damaged> {
    let mut reader = Reader::new(bytes);
    if bytes.len() > MAX_BYTES * 2 {
        return Err(reader.damaged("too long"));
    }
    if reader.fixed()? != MAGIC {
        return Err(reader.damaged("no segment, or one of another version"));
    }
    let seal = reader.fixed()?;
    if digest(&[DIGEST_DOMAIN, &bytes[MAGIC.len() + seal.len()..]]).0 != seal {
        return Err(reader.damaged("the digest is another"));
    }
    let shop = ShopId(uuid::Uuid::from_bytes(reader.fixed()?));
    let generation = bytes::Fixed(reader.fixed()?);
    let first = reader.varint()?;
    let count = reader.count(MAX_EVENTS)?;
    let ends = (0..reader.count(MAX_DEVICES)?).map(|_| end(&mut reader));
    let ends = ends.collect::<Result<_, _>>()?;
    let mut filler = Filler::read(&mut reader)?;
    let runs = filler.chunks(first, count, wanted)?;
    filler.end()?;
    let head = Head {
        shop,
        generation,
        ends,
    };
    Ok((head, runs))
}

fn end(reader: &mut Reader<'_>) -> Result<ChainEnd, Damaged> {
    let number = |reader: &mut Reader<'_>| {
        u32::try_from(reader.varint()?).map_err(|_| reader.damaged("no number of 32 bits"))
    };
    Ok(ChainEnd {
        device: DeviceNo(number(reader)?),
        seq: number(reader)?,
        hash: bytes::Fixed(reader.fixed()?),
        signature: match reader.byte()? {
            0 => None,
            1 => Some(bytes::Fixed(reader.fixed()?)),
            _ => return Err(reader.damaged("neither signed nor unsigned")),
        },
    })
}

/// What a template tells of its events, without their bytes.
#[derive(Clone, Copy)]
struct Sort {
    kind: Option<u16>,
    is_alone: bool,
}

impl Sort {
    /// Of events that are kept as they stand.
    const UNKNOWN: Sort = Sort {
        kind: None,
        is_alone: false,
    };

    /// Of a template that is an event's as far as its body; nothing is known of any other.
    fn of(parts: &[Part]) -> Sort {
        let envelope = match parts.split_first() {
            Some((Part::Array(count), rest)) if *count == ELEMENTS as u64 => rest.get(..BODY),
            _ => None,
        };
        // Each element is one part, unless there are arrays among them.
        let is_flat = |part: &Part| !matches!(part, Part::Array(_) | Part::List(_));
        match envelope.filter(|parts| parts.iter().all(is_flat)) {
            Some(parts) => Sort {
                kind: match parts[KIND] {
                    Part::Same(kind) => u16::try_from(kind).ok(),
                    _ => None,
                },
                is_alone: parts[GROUP] == Part::Null,
            },
            None => Sort::UNKNOWN,
        }
    }
}

struct Filler<'b> {
    templates: Vec<Vec<Part>>,
    sorts: Vec<Sort>,
    /// What the event that is read names.
    names: Vec<EventId>,
    columns: Vec<Values>,
    words: Vec<&'b [u8]>,
    ids: Vec<(i64, i64)>,
    texts: Reader<'b>,
    raws: Reader<'b>,
    /// The end of the segment: where it is said that something is missing.
    last: Reader<'b>,
    /// How many bytes of events there may still be.
    room: usize,
}

impl<'b> Filler<'b> {
    fn read(reader: &mut Reader<'b>) -> Result<Filler<'b>, Damaged> {
        let columns = reader.count(MAX_COLUMNS)?;
        if columns < Fixed::COUNT {
            return Err(reader.damaged("columns are missing"));
        }
        let templates = (0..reader.count(MAX_TEMPLATES)?).map(|_| template::read(reader, columns));
        let templates = templates.collect::<Result<Vec<_>, _>>()?;
        let columns = (0..columns).map(|_| Values::read(reader));
        let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut blob = || {
            let length = reader.count(MAX_BYTES)?;
            reader.take(length).map(Reader::new)
        };
        let (mut words, texts, raws) = (blob()?, blob()?, blob()?);
        reader.end()?;

        let missing = || reader.damaged("a dictionary is damaged");
        let around = Around::default();
        let mut word_list = Vec::new();
        while let Some(length) = columns[Fixed::WordLengths as usize].next(&around) {
            let length = usize::try_from(length).map_err(|_| missing())?;
            word_list.push(words.take(length)?);
            if word_list.len() > MAX_WORDS {
                return Err(missing());
            }
        }
        words.end()?;
        let mut ids = Vec::new();
        while let Some(device) = columns[Fixed::IdDevices as usize].next(&around) {
            let around = Around { device, ..around };
            let seq = columns[Fixed::IdSeqs as usize].next(&around);
            ids.push((device, seq.ok_or_else(missing)?));
            if ids.len() > MAX_WORDS {
                return Err(missing());
            }
        }
        Ok(Filler {
            sorts: templates.iter().map(|parts| Sort::of(parts)).collect(),
            names: Vec::new(),
            templates,
            columns,
            words: word_list,
            ids,
            texts,
            raws,
            last: reader.clone(),
            room: MAX_BYTES,
        })
    }

    /// All columns and texts were used up.
    fn end(&self) -> Result<(), Damaged> {
        self.texts.end()?;
        self.raws.end()?;
        match self.columns.iter().all(Values::is_done) {
            true => Ok(()),
            false => Err(self.last.damaged("values are left")),
        }
    }

    fn next(&mut self, column: usize, around: &Around) -> Result<i64, Damaged> {
        let value = self.columns[column].next(around);
        value.ok_or_else(|| self.last.damaged("a column is too short"))
    }

    fn chunks(
        &mut self,
        first: u64,
        count: usize,
        mut wanted: impl FnMut(&Seen<'_>) -> bool,
    ) -> Result<Vec<Picked>, Damaged> {
        let mut next: BTreeMap<u32, u32> = BTreeMap::new();
        let mut position = first;
        let mut events = 0;
        let mut runs = Vec::new();
        for _ in 0..count {
            let run = self.chunk(position, &mut next, &mut wanted)?;
            events += run.chunk.count as usize;
            position = position.saturating_add(run.chunk.count.into());
            if events > MAX_EVENTS {
                return Err(self.last.damaged("more events than there may be"));
            }
            runs.push(run);
        }
        Ok(runs)
    }

    fn chunk(
        &mut self,
        position: u64,
        next: &mut BTreeMap<u32, u32>,
        mut wanted: impl FnMut(&Seen<'_>) -> bool,
    ) -> Result<Picked, Damaged> {
        let mut around = Around::default();
        let device = self.number(Fixed::Devices, &around)?;
        around.device = device.into();
        around.seq = next.get(&device).copied().unwrap_or(0).into();
        let first_seq = self.number(Fixed::FirstSeqs, &around)?;
        let count = self.number(Fixed::Counts, &around)?;
        let verdict = self.number(Fixed::Verdicts, &around)?;
        let verdict = u8::try_from(verdict).ok().and_then(Verdict::from_byte);
        let branch_of = self.next(Fixed::BranchesOf as usize, &around)?;
        let from_seq = self.number(Fixed::BranchesFrom, &around)?;
        let wrong = || self.last.damaged("no chunk");
        let branch_of = match branch_of.checked_sub(1).ok_or_else(wrong)? {
            -1 => None,
            device => Some(BranchOf {
                device: DeviceNo(u32::try_from(device).map_err(|_| wrong())?),
                from_seq,
            }),
        };
        let verdict = verdict.ok_or_else(wrong)?;
        if count as usize > MAX_EVENTS || count == 0 {
            return Err(wrong());
        }
        next.insert(device, first_seq.wrapping_add(count));
        let device = DeviceNo(device);
        let branch = branch_of.map(|of| Branch {
            device,
            of: of.device,
            from_seq: of.from_seq,
        });
        let mut events = Vec::new();
        let mut after = around;
        let mut bytes = Vec::with_capacity(EVENT_BYTES);
        for index in 0..count {
            after = Around {
                seq: i64::from(first_seq) + i64::from(index),
                ..around
            };
            self.names.clear();
            let sort = self.event(&mut after, &mut bytes)?;
            if let Some(branch) = branch {
                self.names.iter_mut().for_each(|id| *id = branch.read(*id));
            }
            // Numbers that cannot be are for those to refuse who know the chains.
            let seq = first_seq.wrapping_add(index);
            let seen = Seen {
                id: EventId { device, seq },
                kind: sort.kind,
                is_alone: sort.is_alone,
                names: &self.names,
            };
            if wanted(&seen) {
                let event = core::mem::replace(&mut bytes, Vec::with_capacity(EVENT_BYTES));
                events.push((seq, Bytes(event)));
            } else {
                bytes.clear();
            }
        }
        let received = self.next(Fixed::Received as usize, &after.of_receipt())?;
        let chunk = Chunk {
            position,
            device,
            first_seq,
            count,
            received: TimeMs(received),
            verdict,
            events: None,
            branch_of,
        };
        Ok(Picked { chunk, events })
    }

    fn number(&mut self, column: Fixed, around: &Around) -> Result<u32, Damaged> {
        let number = u32::try_from(self.next(column as usize, around)?);
        number.map_err(|_| self.last.damaged("no number of 32 bits"))
    }

    /// Reads an event; `around` tells afterwards what is known behind it.
    fn event(&mut self, around: &mut Around, out: &mut Vec<u8>) -> Result<Sort, Damaged> {
        let template = self.next(Fixed::Templates as usize, around)?;
        if template == 0 {
            let length = self.next(Fixed::Raws as usize, around)?;
            let length = usize::try_from(length).map_err(|_| self.last.damaged("no length"))?;
            out.extend_from_slice(self.raws.take(length)?);
        } else {
            self.fill(template, around, MAX_DEPTH, out)?;
        }
        let room = self.room.checked_sub(out.len());
        self.room = room.ok_or_else(|| self.last.damaged("more bytes than there may be"))?;
        Ok(match usize::try_from(template) {
            Ok(template @ 1..) => self.sorts[template],
            _ => Sort::UNKNOWN,
        })
    }

    fn fill(
        &mut self,
        template: i64,
        around: &mut Around,
        depth: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Damaged> {
        let parts = usize::try_from(template)
            .ok()
            .and_then(|template| self.templates.get_mut(template));
        let parts = parts.map(core::mem::take);
        let parts = parts.ok_or_else(|| self.last.damaged("no such template"))?;
        // Every part gives a byte at least, so that no list goes on without filling its room.
        if parts.is_empty() {
            return Err(self.last.damaged("an empty template"));
        }
        let mut filled = 0;
        let filled_parts = parts.iter().try_for_each(|part| {
            if out.len() > self.room {
                return Err(self.last.damaged("more bytes than there may be"));
            }
            self.part(*part, around, &mut filled, depth, out)
        });
        self.templates[template as usize] = parts;
        filled_parts
    }

    fn part(
        &mut self,
        part: Part,
        around: &mut Around,
        filled: &mut usize,
        depth: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Damaged> {
        let mut first = |filler: &mut Self, column: usize, around: &mut Around| {
            let value = filler.next(column, around)?;
            if let Some(known) = around.node.get_mut(*filled) {
                *known = value;
                *filled += 1;
            }
            Ok(value)
        };
        match part {
            Part::Array(count) => tree::put_array_head(out, count),
            Part::Null => tree::put_simple(out, &Node::Null),
            Part::False => tree::put_simple(out, &Node::False),
            Part::True => tree::put_simple(out, &Node::True),
            Part::Same(value) => tree::put_int(out, value),
            Part::OwnDevice => tree::put_int(out, around.device),
            Part::OwnSeq => tree::put_int(out, around.seq),
            Part::Int(column) => {
                let value = first(self, column, around)?;
                around.before = value;
                tree::put_int(out, value);
            }
            Part::Bytes(column) => {
                let code = first(self, column, around)?;
                tree::put_bytes(out, self.word(code, true)?);
            }
            Part::Text(column) => {
                let code = first(self, column, around)?;
                let text = self.word(code, false)?;
                tree::put_text_head(out, text.len());
                out.extend_from_slice(text);
            }
            Part::Digits(column, width) => {
                let code = first(self, column, around)?;
                let number = self.next(column + 1, around)?;
                around.before = number;
                let head = self.word(code, false)?;
                let digits = format!("{number:0width$}", width = width as usize);
                tree::put_text_head(out, head.len() + digits.len());
                out.extend_from_slice(head);
                out.extend_from_slice(digits.as_bytes());
            }
            Part::Id(column) => {
                let (device, seq) = match first(self, column, around)? {
                    0 => (
                        self.next(column + 1, around)?,
                        self.next(column + 2, around)?,
                    ),
                    place => {
                        let id = usize::try_from(place)
                            .ok()
                            .and_then(|at| self.ids.get(at - 1));
                        *id.ok_or_else(|| self.last.damaged("no such id"))?
                    }
                };
                if let (Ok(device), Ok(seq)) = (u32::try_from(device), u32::try_from(seq)) {
                    self.names.push(EventId::new(device, seq));
                }
                tree::put_array_head(out, 2);
                tree::put_int(out, device);
                tree::put_int(out, seq);
            }
            Part::List(column) => {
                let count = first(self, column, around)?;
                let deeper = depth.checked_sub(1);
                let deeper = deeper.ok_or_else(|| self.last.damaged("too deep"))?;
                let count = u64::try_from(count).map_err(|_| self.last.damaged("no count"))?;
                tree::put_array_head(out, count);
                let outside = around.node;
                for _ in 0..count {
                    around.node = [0; 2];
                    let template = self.next(column + 1, around)?;
                    self.fill(template, around, deeper, out)?;
                }
                around.node = outside;
            }
        }
        Ok(())
    }

    fn word(&mut self, code: i64, is_raw: bool) -> Result<&'b [u8], Damaged> {
        let number = usize::try_from(code >> 1);
        let number = number.map_err(|_| self.last.damaged("no such word"))?;
        match (code & 1, is_raw) {
            (0, _) => {
                let word = self.words.get(number).copied();
                word.ok_or_else(|| self.last.damaged("no such word"))
            }
            (_, true) => self.raws.take(number),
            (_, false) => self.texts.take(number),
        }
    }
}
