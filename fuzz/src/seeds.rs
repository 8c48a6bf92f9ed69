//! What fuzzing begins with: a few sound inputs for each target.

use minicbor::Encode;
use shared::calendar::BusinessDay;
use shared::event::{Kind, encode};
use shared::ids::DeviceNo;
use shared::sync::segment::packed::pack;
use shared::sync::segment::write;
use shared::sync::wire::SyncRequest;
use shared::testing::archive::Archive;
use shared::testing::demo::Size;
use shared::testing::{samples, sealed};

use super::proof::{SIZES, true_consistency, true_inclusion};
use super::restore;
use super::snapshot;
use super::sync::{founder, sound_answer};

/// A sound input: its target, its name in the corpus, its bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// All of them.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for &kind in Kind::ALL {
        for (full, name) in [(true, "full"), (false, "bare")] {
            let name = format!("{}-{name}", kind.name());
            seeds.push(("event", name, encode(&samples::event(kind, full))));
        }
    }
    for (events, name) in [(20, "small"), (120, "large")] {
        let chunks = sealed::chunks(Size {
            customers: 3,
            ..size(events)
        });
        let segment = sealed::segment(chunks);
        seeds.push(("segment", name.to_owned(), write(&segment).expect("fits")));
    }
    let founder = founder();
    let requests: [(&str, SyncRequest); 4] = [
        ("nothing-new", founder.ask()),
        ("next", founder.ask_with(4, 5)),
        ("again", founder.ask_with(1, 4)),
        ("too-far", founder.ask_with(5, 5)),
    ];
    for (name, request) in requests {
        seeds.push(("request", name.to_owned(), bytes(&request)));
        if let Some(answer) = sound_answer(&request) {
            seeds.push(("answer", name.to_owned(), bytes(&answer)));
        }
    }
    for size in SIZES {
        for other in SIZES.into_iter().filter(|other| *other <= size) {
            let name = format!("{other}-of-{size}");
            let inclusion = true_inclusion(other, size).expect("it stands there");
            seeds.push(("inclusion", name.clone(), bytes(&inclusion)));
            let consistency = true_consistency(other, size).expect("it grew");
            seeds.push(("consistency", name, bytes(&consistency)));
        }
    }
    for (events, name) in [(20, "small"), (60, "large")] {
        seeds.push((
            "export",
            name.to_owned(),
            Archive::demo(size(events)).file(),
        ));
    }
    for (number, request) in restore::sound_requests().iter().enumerate() {
        seeds.push(("restore", format!("part-{number}"), bytes(request)));
    }
    for (first_seq, name) in [(1, "all"), (4, "last")] {
        let request = founder.ask_with(first_seq, 5);
        let packed = pack(DeviceNo::FOUNDER, &request).expect("the end of a chain");
        seeds.push(("packed", name.to_owned(), packed));
    }
    for (events, name) in [(20, "small"), (60, "large")] {
        seeds.push(("snapshot", name.to_owned(), snapshot::sound(events)));
    }
    seeds
}

pub(super) fn size(events: u32) -> Size {
    let until = BusinessDay::from_ymd(2026, 3, 31).expect("a day");
    Size {
        customers: 3,
        days: 3,
        ..Size::year(events, 7, until)
    }
}

fn bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("in memory")
}
