//! The bytes of events: frozen, deterministic, and never half-read.

use std::fmt::Write as _;

use shared::bytes::Fixed;
use shared::event::{Branch, Decoded, Event, Kind, MAX_EVENT_BYTES, Malformed, decode, encode};
use shared::ids::{DeviceNo, EventId};
use shared::testing::samples;

const GOLDEN: &str = include_str!("../testdata/events-v1.txt");

fn known(bytes: &[u8]) -> Event {
    match decode(bytes, None) {
        Ok(Decoded::Known(event)) => event,
        other => panic!("should be a known event: {other:?}"),
    }
}

fn all_samples() -> impl Iterator<Item = Event> {
    let kinds = Kind::ALL.iter();
    kinds.flat_map(|&kind| [true, false].map(|full| samples::event(kind, full)))
}

/// Each line: kind, version, `full` or `bare`, the bytes, the JSON rendering.
fn golden_of_today() -> String {
    let mut lines = String::new();
    for &kind in Kind::ALL {
        for (name, full) in [("full", true), ("bare", false)] {
            let event = samples::event(kind, full);
            let bytes: String = encode(&event).iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let json = serde_json::to_string(&event).expect("events have a JSON rendering");
            let _ = writeln!(
                lines,
                "{} v{} {name} {bytes} {json}",
                kind.name(),
                kind.version()
            );
        }
    }
    lines
}

#[test]
fn every_kind_is_written_as_on_the_day_it_was_frozen() {
    if std::env::var_os("PAKKA_FREEZE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/events-v1.txt");
        std::fs::write(path, golden_of_today()).expect("the golden file can be written");
        return;
    }
    for (golden, today) in GOLDEN.lines().zip(golden_of_today().lines()) {
        assert_eq!(
            golden, today,
            "a frozen shape changed: make a new version instead"
        );
    }
    assert_eq!(GOLDEN.lines().count(), 2 * Kind::ALL.len());
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    for event in all_samples() {
        assert_eq!(known(&encode(&event)), event);
    }
}

#[test]
fn an_event_of_a_newer_app_is_kept_and_not_half_read() {
    for event in all_samples() {
        let bytes = encode(&event);
        let is_unknown = |bytes: &[u8], why: &str| match decode(bytes, None) {
            Ok(Decoded::Unknown(unknown)) => assert_eq!(unknown.envelope, event.envelope, "{why}"),
            other => panic!("{why}: {other:?}"),
        };
        let mut extra_element = bytes.clone();
        extra_element[0] += 1; // an array of 13
        extra_element.push(0x01);
        is_unknown(&extra_element, "an element too many in the envelope");

        let mut trailing = bytes.clone();
        trailing.push(0xf6);
        is_unknown(&trailing, "bytes behind the end");
    }
}

#[test]
fn a_newer_version_and_an_unknown_kind_are_unknown() {
    let event = samples::event(Kind::DeviceRevoked, false);
    let bytes = encode(&event);
    // … kind 12 (0x0c), version 1, body [3].
    let tail = [0x0c, 0x01, 0x81, 0x03];
    assert!(bytes.ends_with(&tail));
    let head = &bytes[..bytes.len() - tail.len()];
    for (tail, why) in [
        (&[0x0c, 0x02, 0x81, 0x03][..], "a newer version"),
        (&[0x18, 0xff, 0x01, 0x81, 0x03][..], "an unknown kind"),
        (
            &[0x0c, 0x01, 0x82, 0x03, 0x05][..],
            "an element too many in the body",
        ),
        (
            &[0x0c, 0x01, 0x82, 0x03, 0xf6][..],
            "a null that should have been left out",
        ),
        (
            &[0x0c, 0x01, 0x81, 0x18, 0x03][..],
            "a number not in its shortest form",
        ),
        (
            &[0x0c, 0x01, 0x9f, 0x03, 0xff][..],
            "an array of indefinite length",
        ),
        (&[0x0c, 0x01, 0x81][..], "a body cut short"),
    ] {
        match decode(&[head, tail].concat(), None) {
            Ok(Decoded::Unknown(_)) => {}
            other => panic!("{why}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_are_no_event_say_so() {
    for bytes in [&b""[..], b"\x80", b"hello", b"\x8c\x01\x00", &[0x9f; 40]] {
        assert_eq!(decode(bytes, None), Err(Malformed::NotAnEvent));
    }
    assert_eq!(
        decode(&vec![0; MAX_EVENT_BYTES + 1], None),
        Err(Malformed::TooLong)
    );
    let mut event = samples::event(Kind::DeviceRevoked, true);
    event.envelope.group = Some(shared::event::Group {
        first: 900,
        count: 2,
    });
    assert_eq!(decode(&encode(&event), None), Err(Malformed::BadGroup));
}

#[test]
fn any_damaged_byte_is_noticed_or_harmless_to_the_reader() {
    for event in all_samples() {
        let bytes = encode(&event);
        for index in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[index] ^= flip;
                // Never a panic; and what is read whole is exactly what the bytes say.
                if let Ok(Decoded::Known(read)) = decode(&damaged, None) {
                    assert_eq!(encode(&read), damaged);
                }
            }
        }
    }
}

#[test]
fn in_a_branch_the_copied_phones_later_numbers_mean_the_branch() {
    let branch = Branch {
        device: DeviceNo(9),
        of: DeviceNo(3),
        from_seq: 41,
    };
    for event in all_samples() {
        let bytes = encode(&event);
        let Ok(Decoded::Known(read)) = decode(&bytes, Some(branch)) else {
            panic!("a branch is read whole")
        };
        let seq = event.envelope.id.seq;
        let writer = if seq >= 41 { 9 } else { 3 };
        assert_eq!(read.envelope.id, EventId::new(writer, seq));
        assert!(seq < 41 || !format!("{:?}", read.body).contains("DeviceNo(3), seq: 1042"));
    }
    // The branch's own later events carry its own number, and are read as they stand.
    let mut own = samples::event(Kind::DeviceRevoked, false);
    own.envelope.id = EventId::new(9, 50);
    assert_eq!(decode(&encode(&own), Some(branch)), Ok(Decoded::Known(own)));
}

#[test]
fn ids_and_hashes_are_readable() {
    assert_eq!(EventId::new(3, 1042).to_string(), "3-1042");
    assert_eq!("3-1042".parse(), Ok(EventId::new(3, 1042)));
    for bad in ["", "3", "3-0", "-1", "3-1042-1", "a-1"] {
        assert!(bad.parse::<EventId>().is_err(), "{bad}");
    }
    assert_eq!(Fixed([0xab, 0x01]).to_string(), "ab01");
}
