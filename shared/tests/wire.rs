//! The bytes of the wire and of everything that is hashed or signed: frozen, and read with patience.

use std::fmt::Write as _;

use minicbor::{Decode, Encode};
use shared::bytes::{Bytes, Fixed, Hash};
use shared::calendar::TimeMs;
use shared::chain::{self, digest};
use shared::event::{GenerationOpened, Role};
use shared::ids::DeviceNo;
use shared::sync::branch::{branch_message, number_of};
use shared::sync::generation::consent_message;
use shared::sync::log::{ChainHead, Log};
use shared::sync::restore::readmit_message;
use shared::sync::tree::proof::{ConsistencyProof, CurrentHead, InclusionProof, Leaf};
use shared::sync::tree::{self, Frontier, leaf_hash, node_hash};
use shared::sync::wire::*;
use shared::testing::device::{SHOP, key};

const GOLDEN: &str = include_str!("../testdata/wire-v1.txt");
const AT: TimeMs = TimeMs(1_763_625_600_000);

fn hash(byte: u8) -> Hash {
    Fixed([byte; 32])
}

fn request(full: bool) -> SyncRequest {
    let push = Push {
        first_seq: 41,
        previous: hash(3),
        events: vec![Bytes(vec![0x8c, 0x01]), Bytes(vec![0x8c, 0x02])],
        signature: Fixed([4; 64]),
    };
    let keys = vec![sealing_key(true), sealing_key(false)];
    SyncRequest {
        protocol: PROTOCOL,
        generation: full.then_some(Fixed([5; 16])),
        position: 512,
        root: hash(1),
        last_seq: 42,
        last_hash: hash(2),
        keys_after: 7,
        want_bytes: MAX_ANSWER_BYTES,
        push: full.then_some(push),
        keys: full.then_some(keys),
        segments: None,
    }
}

fn sealing_key(full: bool) -> SealingKey {
    SealingKey {
        id: Fixed([6; 16]),
        key: full.then_some(Fixed([7; 32])),
    }
}

fn chunk(full: bool) -> Chunk {
    Chunk {
        position: 513,
        device: DeviceNo(2),
        first_seq: 41,
        count: 2,
        received: AT,
        verdict: Verdict::Accepted,
        events: full.then(|| vec![Bytes(vec![0x8c, 0x01]), Bytes(vec![0x8c, 0x02])]),
        branch_of: full.then_some(BranchOf {
            device: DeviceNo(1),
            from_seq: 9,
        }),
    }
}

fn answer(full: bool) -> SyncAnswer {
    let run = |first_seq, result| ResultRun {
        first_seq,
        count: 1,
        result,
    };
    let results = vec![
        run(40, PushResult::Duplicate),
        run(41, PushResult::Stored(Verdict::Held)),
        run(42, PushResult::NotStored),
    ];
    SyncAnswer {
        protocol: PROTOCOL,
        generation: Fixed([5; 16]),
        results: if full { results } else { Vec::new() },
        standing: DeviceStanding {
            advice: if full { Advice::Behind } else { Advice::None },
            known_seq: 42,
            known_hash: hash(2),
        },
        chunks: if full {
            vec![chunk(true), chunk(false)]
        } else {
            Vec::new()
        },
        keys: if full {
            vec![sealing_key(true)]
        } else {
            Vec::new()
        },
        keys_last: 8,
        head: TreeHead {
            size: 514,
            root: hash(8),
            at: AT,
            signature: Fixed([9; 64]),
        },
        server_time: AT,
        more: full,
        sealed: None,
        restored: None,
        packed: None,
    }
}

fn pairing(full: bool) -> Pairing {
    let joiner = Joiner {
        device: DeviceNo(3),
        key: key(3),
        name: "Ravi's phone".to_owned(),
    };
    Pairing {
        secret_hash: hash(1),
        expires: AT,
        role: Role::Cashier,
        joiner: full.then_some(joiner),
    }
}

fn snapshot(full: bool) -> SnapshotAnswer {
    SnapshotAnswer {
        snapshot: Bytes(b"pakka-s1".to_vec()),
        head: answer(full).head,
        keys: if full {
            vec![sealing_key(true)]
        } else {
            Vec::new()
        },
        keys_last: u64::from(full),
    }
}

/// Each line: what, and its bytes.
fn golden_of_today() -> String {
    let mut lines = String::new();
    let mut line = |what: &str, bytes: &[u8]| {
        let _ = write!(lines, "{what} ");
        for byte in bytes {
            let _ = write!(lines, "{byte:02x}");
        }
        let _ = writeln!(lines);
    };
    for (name, full) in [("full", true), ("bare", false)] {
        line(&format!("SyncRequest {name}"), &written(&request(full)));
        line(&format!("SyncAnswer {name}"), &written(&answer(full)));
        line(&format!("Pairing {name}"), &written(&pairing(full)));
        let error = ErrorBody {
            code: "busy".to_owned(),
            message: "the queue is full".to_owned(),
            retry_after_ms: full.then_some(1_500),
            place: None,
            protocols: None,
        };
        line(&format!("ErrorBody {name}"), &written(&error));
    }
    let claim = ClaimRequest {
        code: "7K3D-9QXM".to_owned(),
        shop: SHOP,
        key: key(1),
        token: Fixed([2; 32]),
    };
    line("ClaimRequest", &written(&claim));
    let claimed = ClaimAnswer {
        device: DeviceNo::FOUNDER,
        server_key: key(0),
        generation: Fixed([5; 16]),
    };
    line("ClaimAnswer", &written(&claimed));
    let offer = PairingOffer {
        secret_hash: hash(1),
        code_hash: hash(2),
        role: Role::Cashier,
    };
    line("PairingOffer", &written(&offer));
    let join = JoinRequest {
        secret: Bytes(vec![1; 16]),
        key: key(3),
        token: Fixed([2; 32]),
        name: "Ravi's phone".to_owned(),
        wait_ms: 25_000,
    };
    line("JoinRequest", &written(&join));
    line("JoinAnswer waiting", &written(&JoinAnswer::Waiting));
    let joined = JoinAnswer::Joined(Joined {
        shop: SHOP,
        device: DeviceNo(3),
        role: Role::Cashier,
        server_key: key(0),
        generation: Fixed([5; 16]),
    });
    line("JoinAnswer joined", &written(&joined));
    let genesis = chain::genesis(SHOP, &key(1));
    line("h(0)", &genesis.0);
    let first = chain::next(&genesis, b"the first event");
    line("h(1)", &first.0);
    let head = chain::head_message(SHOP, DeviceNo(1), 1, &first);
    line("head message", &head);
    let leaf = leaf_hash(DeviceNo(1), 1, &first, AT, Verdict::Accepted);
    line("leaf", &leaf.0);
    line("node", &node_hash(&leaf, &hash(1)).0);
    let tree = tree::head_message(SHOP, &Fixed([5; 16]), 1, &leaf, AT);
    line("tree message", &tree);
    let inclusion = InclusionProof {
        leaf: Leaf {
            device: DeviceNo(1),
            seq: 41,
            chain: first,
            received: AT,
            verdict: Verdict::Accepted,
        },
        position: 513,
        size: 514,
        path: vec![hash(1), hash(2)],
    };
    line("InclusionProof", &written(&inclusion));
    let consistency = ConsistencyProof {
        from: 512,
        to: 514,
        path: vec![hash(1)],
    };
    line("ConsistencyProof", &written(&consistency));
    let current = CurrentHead {
        generation: Fixed([5; 16]),
        head: answer(false).head,
    };
    line("CurrentHead", &written(&current));
    let reads_segments = SyncRequest {
        segments: Some(1),
        ..request(false)
    };
    line("SyncRequest segments", &written(&reads_segments));
    line("SyncAnswer sealed", &written(&answer_sealed()));
    let reads_packed = SyncAnswer {
        packed: Some(1),
        ..answer(false)
    };
    line("SyncAnswer packed", &written(&reads_packed));
    for (name, full) in [("full", true), ("bare", false)] {
        line(&format!("SnapshotAnswer {name}"), &written(&snapshot(full)));
    }
    let head = answer(true).head;
    let part = Part {
        chunks: vec![chunk(true)],
        rest: vec![hash(1), hash(2)],
        before: None,
    };
    let part = written(&part);
    for (name, full) in [("full", true), ("bare", false)] {
        let restore = RestoreRequest {
            shop: SHOP,
            generation: Fixed([5; 16]),
            head: full.then_some(head),
            part: full.then(|| Bytes(part.clone())),
            marks: None,
        };
        line(&format!("RestoreRequest {name}"), &written(&restore));
        let mut log = Log::new(SHOP, Fixed([5; 16]));
        log.begin(DeviceNo(1), ChainHead::genesis(SHOP, &key(1)));
        let answer = RestoreAnswer {
            log: full.then_some(log),
            challenge: Fixed([3; 16]),
            opened: None,
            agreed: None,
            server: None,
        };
        line(&format!("RestoreAnswer {name}"), &written(&answer));
    }
    let readmit = ReadmitRequest {
        shop: SHOP,
        device: DeviceNo(3),
        token: Fixed([2; 32]),
        signature: Fixed([4; 64]),
    };
    line("ReadmitRequest", &written(&readmit));
    let message = readmit_message(SHOP, DeviceNo(3), &Fixed([2; 32]), &Fixed([3; 16]));
    line("readmit message", &message);
    let fork = Fork {
        of: DeviceNo(3),
        from_seq: 7,
        previous: hash(1),
        next: hash(2),
    };
    let branch = BranchRequest {
        shop: SHOP,
        fork,
        key: key(5),
        token: Fixed([2; 32]),
        signature: Fixed([4; 64]),
    };
    line("BranchRequest", &written(&branch));
    let message = branch_message(SHOP, &fork, &key(5), &Fixed([2; 32]));
    line("fork message", &message);
    let device = number_of(&fork);
    line("BranchAnswer", &written(&BranchAnswer { device }));
    let restored = SyncAnswer {
        restored: Some(Fixed([6; 16])),
        ..answer(false)
    };
    line("SyncAnswer restored", &written(&restored));
    let other = ErrorBody {
        code: "protocol".to_owned(),
        message: "this server does not speak version 9 of the protocol".to_owned(),
        retry_after_ms: None,
        place: None,
        protocols: Some(Protocols {
            oldest: 1,
            newest: 2,
        }),
    };
    line("ErrorBody protocol", &written(&other));
    generations(&mut line);
    lines
}

/// How a log goes on in another life.
fn generations(line: &mut impl FnMut(&str, &[u8])) {
    let opened = GenerationOpened {
        generation: Fixed([7; 16]),
        of: Fixed([5; 16]),
        size: 512,
        root: hash(8),
        server: key(0),
        device: DeviceNo(1),
        signature: Fixed([9; 64]),
    };
    line("consent message", &consent_message(SHOP, &opened));
    line("GenerationOpened", &written(&opened));
    let mut tree = Frontier::new();
    tree.push(hash(4));
    let part = Part {
        chunks: vec![chunk(true)],
        rest: vec![hash(1)],
        before: Some(Before {
            tree,
            previous: vec![hash(3)],
        }),
    };
    let request = RestoreRequest {
        shop: SHOP,
        generation: Fixed([5; 16]),
        head: Some(answer(true).head),
        part: Some(Bytes(written(&part))),
        marks: None,
    };
    line("RestoreRequest proved", &written(&request));
    let marks = vec![Mark {
        size: 513,
        root: hash(1),
    }];
    let request = RestoreRequest {
        part: None,
        marks: Some(marks),
        ..request
    };
    line("RestoreRequest marks", &written(&request));
    let answer = RestoreAnswer {
        log: None,
        challenge: Fixed([3; 16]),
        opened: Some(opened),
        agreed: Some(510),
        server: Some(key(0)),
    };
    line("RestoreAnswer opened", &written(&answer));
}

fn answer_sealed() -> SyncAnswer {
    SyncAnswer {
        sealed: Some(Sealed {
            after: 512,
            ends: vec![4_700, 9_000],
        }),
        ..answer(false)
    }
}

fn written<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("in memory")
}

#[test]
fn the_wire_and_the_hashes_are_as_on_the_day_they_were_frozen() {
    if std::env::var_os("PAKKA_FREEZE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/wire-v1.txt");
        std::fs::write(path, golden_of_today()).expect("the golden file can be written");
        return;
    }
    let today = golden_of_today();
    for (golden, today) in GOLDEN.lines().zip(today.lines()) {
        assert_eq!(golden, today, "a frozen shape changed: only add at the end");
    }
    assert_eq!(GOLDEN.lines().count(), today.lines().count());
}

#[test]
fn what_is_sent_is_read_as_it_was_written() {
    fn again<T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + std::fmt::Debug>(value: &T) {
        let bytes = written(value);
        assert_eq!(&minicbor::decode::<T>(&bytes).expect("written here"), value);
    }
    for full in [true, false] {
        again(&request(full));
        again(&answer(full));
        again(&pairing(full));
    }
    again(&answer_sealed());
}

#[test]
fn what_a_newer_version_adds_at_the_end_is_passed_over() {
    // Ten elements of now, nothing in the next five, and one of the future.
    let mut bytes = written(&answer(true));
    assert_eq!(bytes[0], 0x8a, "an array of 10");
    bytes[0] += 6;
    bytes.extend([0xf6; 5]);
    bytes.extend(written(&"something of the future"));
    assert_eq!(
        minicbor::decode::<SyncAnswer>(&bytes).ok(),
        Some(answer(true))
    );
    let mut bytes = written(&request(true));
    bytes[0] += 6;
    bytes.extend([0xf6; 5]);
    bytes.push(0x01);
    assert_eq!(
        minicbor::decode::<SyncRequest>(&bytes).ok(),
        Some(request(true))
    );
}

#[test]
fn a_segment_has_one_name() {
    let name = SegmentName {
        first: 1,
        last: 4_096,
    };
    assert_eq!(name.to_string(), "1-4096");
    assert_eq!("1-4096".parse(), Ok(name));
    for text in ["", "-", "1", "01-2", "1-+2", " 1-2", "3-2", "1-2-3", "-1-2"] {
        assert_eq!(text.parse::<SegmentName>(), Err(NoSegmentName), "{text}");
    }
}

#[test]
fn verdicts_have_one_byte_each_on_the_wire_and_in_the_tree() {
    for byte in 1..=6 {
        let verdict = Verdict::from_byte(byte).expect("a verdict");
        assert_eq!(verdict.byte(), byte);
        assert_eq!(written(&verdict), [byte]);
    }
    assert_eq!(Verdict::from_byte(0), None);
    assert_eq!(Verdict::from_byte(7), None);
}

/// The entries of the test tree of Certificate Transparency.
const ENTRIES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// Its roots at sizes 0 to 8, as every implementation of RFC 6962 and 9162 has them.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn the_tree_is_the_one_of_certificate_transparency() {
    let mut tree = Frontier::new();
    assert_eq!(tree.root().to_string(), ROOTS[0]);
    for (entry, root) in ENTRIES.iter().zip(&ROOTS[1..]) {
        tree.push(digest(&[&[0], entry]));
        assert_eq!(&tree.root().to_string(), root);
    }
}

/// RFC 9162 §2.1.1, word for word.
fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => digest(&[]),
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

#[test]
fn a_tree_that_grows_leaf_by_leaf_has_the_root_of_one_built_at_once() {
    let mut tree = Frontier::new();
    let mut leaves = Vec::new();
    for number in 0..300u16 {
        assert_eq!(tree.root(), root_of(&leaves), "{number} leaves");
        let leaf = digest(&[&number.to_be_bytes()]);
        leaves.push(leaf);
        tree.push(leaf);
        // It is kept as bytes between any two leaves.
        tree = minicbor::decode(&written(&tree)).expect("written just now");
    }
    assert_eq!(tree.size(), 300);
}
