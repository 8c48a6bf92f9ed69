//! Writing a segment: shapes are found, what differs goes into columns.

use std::collections::BTreeMap;

use super::bytes::put_varint;
use super::column::{self, Around};
use super::common::{COMMON_ID, COMMON_WORD, Common, id, is_list, ranked, split_digits};
use super::template::{self, Part};
use super::tree::{self, Node};
use super::{
    BODY, DIGEST_DOMAIN, ELEMENTS, Fixed, KIND, KIND_VERSION, MAGIC, MAX_BYTES, MAX_COLUMNS,
    MAX_DEVICES, MAX_EVENTS, MAX_TEMPLATES, Segment, Unfit, read,
};
use crate::chain::digest;
use crate::sync::wire::Chunk;

/// The bytes of a segment. The same segment has the same bytes.
///
/// # Errors
///
/// The chunks are no run of a log.
pub fn write(segment: &Segment) -> Result<Vec<u8>, Unfit> {
    check(segment)?;
    let bytes = Writer::new(&segment.chunks, tree::parse).write(segment);
    if read(&bytes).as_ref() == Ok(segment) {
        return Ok(bytes);
    }
    // Something came back otherwise than it went in: then nothing is believed to be known.
    let bytes = Writer::new(&segment.chunks, |_| None).write(segment);
    match read(&bytes).as_ref() == Ok(segment) {
        true => Ok(bytes),
        false => Err(Unfit("it cannot be written so that it comes back")),
    }
}

fn check(segment: &Segment) -> Result<(), Unfit> {
    let mut next = segment.chunks.first().map(|chunk| chunk.position);
    let (mut events, mut bytes) = (0, 0);
    for chunk in &segment.chunks {
        let held = chunk.events.as_ref().ok_or(Unfit("events are missing"))?;
        if held.is_empty() || held.len() != chunk.count as usize {
            return Err(Unfit("a chunk does not hold what it says"));
        }
        if next != Some(chunk.position) {
            return Err(Unfit("there is a gap"));
        }
        next = chunk.position.checked_add(u64::from(chunk.count));
        events += held.len();
        bytes += held.iter().map(|event| event.0.len()).sum::<usize>();
    }
    if events == 0 || events > MAX_EVENTS || bytes > MAX_BYTES || segment.ends.len() > MAX_DEVICES {
        return Err(Unfit("nothing or too much"));
    }
    Ok(())
}

/// The way from the whole event to a place in it, without the places in lists.
type Path = Vec<u64>;

/// Stands in a path for every place of a list.
const ANY: u64 = u64::MAX;

struct Writer<'b> {
    parse: fn(&'b [u8]) -> Option<Node<'b>>,
    words: BTreeMap<&'b [u8], i64>,
    ids: BTreeMap<(i64, i64), i64>,
    columns: Vec<column::Writer>,
    numbers: BTreeMap<(Path, u8), usize>,
    templates: BTreeMap<Vec<Part>, i64>,
    texts: Vec<u8>,
    raws: Vec<u8>,
}

/// Where the writer stands in an event.
struct Place {
    path: Path,
    around: Around,
    /// How many values of the node are known.
    filled: usize,
    parts: Vec<Part>,
}

impl<'b> Writer<'b> {
    /// Counts words and ids, and keeps the common ones.
    fn new(chunks: &'b [Chunk], parse: fn(&'b [u8]) -> Option<Node<'b>>) -> Writer<'b> {
        let mut common = Common::default();
        for event in chunks
            .iter()
            .flat_map(|chunk| chunk.events.iter().flatten())
        {
            if let Some(node) = parse(&event.0) {
                common.count(&node, true);
            }
        }
        Writer {
            parse,
            words: ranked(common.words, COMMON_WORD),
            ids: ranked(common.ids, COMMON_ID),
            columns: vec![column::Writer::default(); Fixed::COUNT],
            numbers: BTreeMap::new(),
            // The first is that of events that are kept as they stand.
            templates: BTreeMap::from([(Vec::new(), 0)]),
            texts: Vec::new(),
            raws: Vec::new(),
        }
    }

    fn write(mut self, segment: &'b Segment) -> Vec<u8> {
        let mut next: BTreeMap<u32, u32> = BTreeMap::new();
        for chunk in &segment.chunks {
            self.chunk(chunk, next.get(&chunk.device.0).copied().unwrap_or(0));
            next.insert(chunk.device.0, chunk.first_seq.wrapping_add(chunk.count));
        }
        let words = self.dictionaries();
        let mut body = Vec::new();
        body.extend(segment.shop.0.as_bytes());
        body.extend(segment.generation.0);
        put_varint(&mut body, segment.first());
        put_varint(&mut body, segment.chunks.len() as u64);
        put_varint(&mut body, segment.ends.len() as u64);
        for end in &segment.ends {
            put_varint(&mut body, end.device.0.into());
            put_varint(&mut body, end.seq.into());
            body.extend(end.hash.0);
            body.push(end.signature.is_some().into());
            body.extend(end.signature.iter().flat_map(|signature| signature.0));
        }
        put_varint(&mut body, self.columns.len() as u64);
        let mut templates: Vec<_> = self.templates.into_iter().collect();
        templates.sort_by_key(|(_, number)| *number);
        put_varint(&mut body, templates.len() as u64);
        for (parts, _) in &templates {
            template::write(&mut body, parts);
        }
        for column in &self.columns {
            column.write(&mut body);
        }
        for blob in [&words, &self.texts, &self.raws] {
            put_varint(&mut body, blob.len() as u64);
            body.extend(blob);
        }
        let seal = digest(&[DIGEST_DOMAIN, &body]);
        [MAGIC.as_slice(), &seal.0, &body].concat()
    }

    fn chunk(&mut self, chunk: &'b Chunk, next_seq: u32) {
        let around = Around {
            device: chunk.device.0.into(),
            seq: next_seq.into(),
            ..Around::default()
        };
        let device = &mut self.columns[Fixed::Devices as usize];
        device.push(chunk.device.0.into(), &Around::default());
        let branch = chunk.branch_of;
        let values = [
            (Fixed::FirstSeqs, chunk.first_seq.into()),
            (Fixed::Counts, chunk.count.into()),
            (Fixed::Verdicts, chunk.verdict.byte().into()),
            (
                Fixed::BranchesOf,
                branch.map_or(0, |of| i64::from(of.device.0) + 1),
            ),
            (
                Fixed::BranchesFrom,
                branch.map_or(0, |of| of.from_seq.into()),
            ),
        ];
        for (column, value) in values {
            self.columns[column as usize].push(value, &around);
        }
        let mut after = around;
        for (event, seq) in chunk
            .events
            .iter()
            .flatten()
            .zip(u64::from(chunk.first_seq)..)
        {
            after = self.event(
                &event.0,
                Around {
                    seq: seq as i64,
                    ..around
                },
            );
        }
        self.columns[Fixed::Received as usize].push(chunk.received.0, &after.of_receipt());
    }

    /// Takes an event, and gives what is known behind it.
    fn event(&mut self, bytes: &'b [u8], around: Around) -> Around {
        let mut place = Place {
            path: Vec::new(),
            around,
            filled: 0,
            parts: Vec::new(),
        };
        let number = match (self.parse)(bytes).filter(|node| self.has_room(node)) {
            Some(node) => self.whole(&node, &mut place),
            None => {
                self.columns[Fixed::Raws as usize].push(bytes.len() as i64, &around);
                self.raws.extend(bytes);
                0
            }
        };
        self.columns[Fixed::Templates as usize].push(number, &around);
        place.around
    }

    /// Is there room for the columns and templates that an event may need?
    fn has_room(&self, node: &Node<'_>) -> bool {
        let new = 3 * node.size();
        new <= template::MAX_PARTS
            && self.columns.len() + new <= MAX_COLUMNS
            && self.templates.len() + new <= MAX_TEMPLATES
    }

    fn whole(&mut self, node: &Node<'b>, place: &mut Place) -> i64 {
        match node {
            Node::Array(elements) if place.path.is_empty() && elements.len() == ELEMENTS => {
                self.envelope(elements, place);
            }
            _ => self.node(node, place),
        }
        let parts = core::mem::take(&mut place.parts);
        let next = self.templates.len() as i64;
        *self.templates.entry(parts).or_insert(next)
    }

    /// What is known of every event: whose it is, and that its kind decides its shape.
    fn envelope(&mut self, elements: &[Node<'b>], place: &mut Place) {
        place.parts.push(Part::Array(ELEMENTS as u64));
        for (at, element) in elements.iter().enumerate() {
            let own = match (at, element) {
                (0, Node::Int(device)) if *device == place.around.device => Some(Part::OwnDevice),
                (1, Node::Int(seq)) if *seq == place.around.seq => Some(Part::OwnSeq),
                (KIND | KIND_VERSION, Node::Int(value)) => Some(Part::Same(*value)),
                _ => None,
            };
            if let Some(part) = own {
                place.parts.push(part);
                continue;
            }
            place.path.push(at as u64);
            if let (BODY, Node::Int(kind), Node::Int(version)) =
                (at, &elements[KIND], &elements[KIND_VERSION])
            {
                place.path.extend([*kind as u64, *version as u64]);
            }
            self.node(element, place);
            place.path.clear();
        }
    }

    fn node(&mut self, node: &Node<'b>, place: &mut Place) {
        match node {
            Node::Null => place.parts.push(Part::Null),
            Node::False => place.parts.push(Part::False),
            Node::True => place.parts.push(Part::True),
            Node::Int(value) => {
                self.hole(Part::Int, *value, place);
                place.around.before = *value;
            }
            Node::Bytes(bytes) => {
                let code = self.word(bytes, true);
                self.hole(Part::Bytes, code, place);
            }
            Node::Text(text) => self.text(text, place),
            Node::Array(elements) => match id(elements) {
                Some(id) => self.id(id, place),
                None if is_list(elements) => self.list(elements, place),
                None => {
                    place.parts.push(Part::Array(elements.len() as u64));
                    for (at, element) in elements.iter().enumerate() {
                        place.path.push(at as u64);
                        self.node(element, place);
                        place.path.pop();
                    }
                }
            },
        }
    }

    fn text(&mut self, text: &'b str, place: &mut Place) {
        let (head, digits) = split_digits(text);
        let code = self.word(head.as_bytes(), false);
        if digits.is_empty() {
            self.hole(Part::Text, code, place);
            return;
        }
        let width = digits.len() as u32;
        let column = self.hole(|column| Part::Digits(column, width), code, place);
        let number = digits.parse().expect("so many digits fit");
        self.columns[column + 1].push(number, &place.around);
        place.around.before = number;
    }

    fn id(&mut self, id: (i64, i64), place: &mut Place) {
        let known = self.ids.get(&id).map(|at| at + 1);
        let column = self.hole(Part::Id, known.unwrap_or(0), place);
        if known.is_none() {
            self.columns[column + 1].push(id.0, &place.around);
            self.columns[column + 2].push(id.1, &place.around);
        }
    }

    fn list(&mut self, elements: &[Node<'b>], place: &mut Place) {
        let column = self.hole(Part::List, elements.len() as i64, place);
        let mut path = place.path.clone();
        path.push(ANY);
        let mut inner = Place {
            path,
            around: place.around,
            filled: 0,
            parts: Vec::new(),
        };
        for element in elements {
            inner.around.node = [0; 2];
            inner.filled = 0;
            let before = inner.around;
            let number = self.whole(element, &mut inner);
            self.columns[column + 1].push(number, &before);
        }
        place.around.before = inner.around.before;
    }

    /// Makes a hole and fills its first column, which it gives.
    fn hole(&mut self, part: impl Fn(usize) -> Part, value: i64, place: &mut Place) -> usize {
        let sort = part(0);
        let key = (place.path.clone(), sort.sort());
        let next = self.columns.len();
        let column = *self.numbers.entry(key).or_insert(next);
        if column == next {
            self.columns
                .resize(next + sort.columns(), column::Writer::default());
        }
        place.parts.push(part(column));
        self.columns[column].push(value, &place.around);
        if let Some(known) = place.around.node.get_mut(place.filled) {
            *known = value;
            place.filled += 1;
        }
        column
    }

    /// A word's place in the dictionary, or its length when it stands among the others: even and
    /// odd numbers.
    fn word(&mut self, word: &'b [u8], is_raw: bool) -> i64 {
        if let Some(at) = self.words.get(word) {
            return at * 2;
        }
        match is_raw {
            true => self.raws.extend(word),
            false => self.texts.extend(word),
        }
        word.len() as i64 * 2 + 1
    }

    /// Fills the columns of the dictionaries and gives the words.
    fn dictionaries(&mut self) -> Vec<u8> {
        let mut words: Vec<_> = self.words.iter().collect();
        words.sort_by_key(|(_, at)| **at);
        for (word, _) in &words {
            self.columns[Fixed::WordLengths as usize].push(word.len() as i64, &Around::default());
        }
        let mut ids: Vec<_> = self.ids.iter().collect();
        ids.sort_by_key(|(_, at)| **at);
        for ((device, seq), _) in ids {
            let around = Around {
                device: *device,
                ..Around::default()
            };
            self.columns[Fixed::IdDevices as usize].push(*device, &Around::default());
            self.columns[Fixed::IdSeqs as usize].push(*seq, &around);
        }
        words
            .into_iter()
            .flat_map(|(word, _)| word.iter().copied())
            .collect()
    }
}
