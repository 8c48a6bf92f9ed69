//! Reads what the writer wrote.

use super::super::bytes::{Reader as Bytes, unzigzag};
use super::super::template::{self, Part};
use super::super::tree::{self, Node};
use super::super::{Damaged, MAX_COLUMNS, MAX_TEMPLATES};
use super::writer::Writer;
use super::{Known, Own};

/// How deep lists may stand in lists.
const MAX_DEPTH: u32 = 12;

pub(super) struct Reader {
    known: Known,
}

/// Where the reader stands in an event.
struct Place {
    own: Own,
    before: i64,
    /// How long the event may become.
    room: usize,
    out: Vec<u8>,
}

impl Reader {
    /// A reader that has just read the preset events.
    pub fn new() -> Reader {
        Reader {
            known: Writer::beginning(),
        }
    }

    /// The next event, of at most so many bytes.
    pub fn event(
        &mut self,
        from: &mut Bytes<'_>,
        own: Own,
        room: usize,
    ) -> Result<Vec<u8>, Damaged> {
        let template = from.varint()?;
        if template == 0 {
            let length = from.count(room)?;
            return from.take(length).map(<[u8]>::to_vec);
        }
        let mut place = Place {
            own,
            before: 0,
            room,
            out: Vec::with_capacity(96),
        };
        self.node(template, from, &mut place, MAX_DEPTH)?;
        match place.out.len() > room {
            true => Err(from.damaged("more bytes than there may be")),
            false => Ok(place.out),
        }
    }

    fn node(
        &mut self,
        template: u64,
        from: &mut Bytes<'_>,
        place: &mut Place,
        depth: u32,
    ) -> Result<(), Damaged> {
        let parts = match template.checked_sub(2) {
            None => template::read(from, MAX_COLUMNS)?,
            Some(number) => {
                let known = usize::try_from(number).ok();
                let known = known.and_then(|number| self.known.templates.get(number));
                known
                    .ok_or_else(|| from.damaged("no such template"))?
                    .clone()
            }
        };
        if parts.is_empty() {
            return Err(from.damaged("an empty template"));
        }
        for part in &parts {
            if place.out.len() > place.room {
                return Err(from.damaged("more bytes than there may be"));
            }
            self.part(*part, from, place, depth)?;
        }
        if template == 1 {
            if self.known.templates.len() >= MAX_TEMPLATES {
                return Err(from.damaged("more templates than there may be"));
            }
            self.known.templates.push(parts);
        }
        Ok(())
    }

    fn part(
        &mut self,
        part: Part,
        from: &mut Bytes<'_>,
        place: &mut Place,
        depth: u32,
    ) -> Result<(), Damaged> {
        match part {
            Part::Array(count) => tree::put_array_head(&mut place.out, count),
            Part::Null => tree::put_simple(&mut place.out, &Node::Null),
            Part::False => tree::put_simple(&mut place.out, &Node::False),
            Part::True => tree::put_simple(&mut place.out, &Node::True),
            Part::Same(value) => tree::put_int(&mut place.out, value),
            Part::OwnDevice => tree::put_int(&mut place.out, place.own.device),
            Part::OwnSeq => tree::put_int(&mut place.out, place.own.seq),
            Part::Int(column) => {
                self.known.reserve(column, 1);
                let value = self.int(column, from, place)?;
                tree::put_int(&mut place.out, value);
            }
            Part::Bytes(column) => {
                self.known.reserve(column, 1);
                let word = self.word(from, place)?;
                tree::put_bytes(&mut place.out, &word);
            }
            Part::Text(column) => {
                self.known.reserve(column, 1);
                let word = self.word(from, place)?;
                tree::put_text_head(&mut place.out, word.len());
                place.out.extend(word);
            }
            Part::Digits(column, width) => {
                self.known.reserve(column, 2);
                let head = self.word(from, place)?;
                let number = self.int(column + 1, from, place)?;
                let digits = format!("{number:0width$}", width = width as usize);
                tree::put_text_head(&mut place.out, head.len() + digits.len());
                place.out.extend(head);
                place.out.extend(digits.as_bytes());
            }
            Part::Id(column) => {
                self.known.reserve(column, 3);
                let device = self.distance(column + 1, from)?;
                let seq = self.distance(column + 2, from)?;
                tree::put_array_head(&mut place.out, 2);
                tree::put_int(&mut place.out, device);
                tree::put_int(&mut place.out, seq);
            }
            Part::List(column) => {
                self.known.reserve(column, 2);
                let deeper = depth.checked_sub(1);
                let deeper = deeper.ok_or_else(|| from.damaged("too deep"))?;
                let count = from.varint()?;
                tree::put_array_head(&mut place.out, count);
                for _ in 0..count {
                    let template = from.varint()?;
                    if template == 0 {
                        return Err(from.damaged("no template"));
                    }
                    self.node(template, from, place, deeper)?;
                }
            }
        }
        Ok(())
    }

    fn int(
        &mut self,
        column: usize,
        from: &mut Bytes<'_>,
        place: &mut Place,
    ) -> Result<i64, Damaged> {
        let last = &mut self.known.last[column];
        *last = match from.varint()?.checked_sub(1) {
            None => place.before,
            Some(distance) => last.wrapping_add(unzigzag(distance)),
        };
        place.before = *last;
        Ok(*last)
    }

    fn distance(&mut self, column: usize, from: &mut Bytes<'_>) -> Result<i64, Damaged> {
        let last = &mut self.known.last[column];
        *last = last.wrapping_add(unzigzag(from.varint()?));
        Ok(*last)
    }

    fn word(&mut self, from: &mut Bytes<'_>, place: &Place) -> Result<Vec<u8>, Damaged> {
        let words = &mut self.known.words;
        match from.varint()?.checked_sub(1) {
            None => {
                let length = from.count(place.room)?;
                let word = from.take(length)?.to_vec();
                words.push(word.clone());
                Ok(word)
            }
            Some(back) => {
                let at = usize::try_from(back).ok();
                let at = at.and_then(|back| words.len().checked_sub(back)?.checked_sub(1));
                let word = at.and_then(|at| words.get(at)).cloned();
                word.ok_or_else(|| from.damaged("no such word"))
            }
        }
    }
}
