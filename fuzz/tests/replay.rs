//! The committed corpus, and a bounded number of mutations of it, through every target: what
//! `cargo xtask fuzz` does for longer.

use std::fs;
use std::path::{Path, PathBuf};

use pakka_fuzz::{TARGETS, Target, seeds};
use shared::testing::rng::Rng;

/// Mutations of each target in one run. `PAKKA_FUZZ_RUNS` sets another number.
const RUNS: u64 = 2_000;

/// The most changes of one input.
const MAX_CHANGES: u64 = 6;

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// The inputs of a target, by name.
fn inputs(target: Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = corpus(target.name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", target.name));
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("listed").path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read(path).expect("read"));
    paths.into_iter().map(read).collect()
}

#[test]
fn the_seeds_are_what_the_samples_make() {
    for (target, name, bytes) in seeds() {
        let file = corpus(target).join(format!("seed-{name}"));
        if std::env::var_os("PAKKA_FREEZE").is_some() {
            fs::create_dir_all(corpus(target)).expect("a folder");
            fs::write(&file, &bytes).expect("written");
        }
        assert!(
            file.exists(),
            "{} is missing: run with PAKKA_FREEZE=1",
            file.display()
        );
    }
}

#[test]
fn nothing_in_the_corpus_breaks_anything() {
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(inputs.len() > 1, "{}", target.name);
        for (path, bytes) in inputs {
            eprintln!("{}", path.display());
            (target.run)(&bytes);
        }
    }
}

fn mutate(target: &str) {
    let target = pakka_fuzz::target(target).expect("a target");
    let runs = std::env::var("PAKKA_FUZZ_RUNS");
    let runs = runs.map_or(RUNS, |runs| runs.parse().expect("a number"));
    let inputs = inputs(target);
    for seed in 0..runs {
        let mut rng = Rng::new(seed);
        let mut bytes = rng.pick(&inputs).1.clone();
        for _ in 0..=rng.below(MAX_CHANGES) {
            change(&mut bytes, &rng.pick(&inputs).1.clone(), &mut rng);
        }
        // The last line before a failure: with it, the input can be made again.
        eprintln!("{} {seed}", target.name);
        (target.run)(&bytes);
    }
}

fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    /// Numbers at the edges of CBOR's lengths and of integers.
    const EDGES: [u8; 12] = [
        0x00, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x3b, 0x5f, 0x7f, 0x80, 0x9f, 0xff,
    ];
    let length = bytes.len() as u64;
    let at = rng.below(length.max(1)) as usize;
    let end = (at + 1 + rng.below(16) as usize).min(bytes.len());
    match rng.below(8) {
        _ if bytes.is_empty() => bytes.push(rng.bits() as u8),
        0 => bytes[at] ^= 1 << rng.below(8),
        1 => bytes[at] = rng.bits() as u8,
        2 => bytes[at] = *rng.pick(&EDGES),
        3 => bytes[at..end].fill(0xff),
        4 => drop(bytes.drain(at..end)),
        5 => bytes.insert(at, *rng.pick(&EDGES)),
        6 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        _ => {
            let from = rng.below(other.len().max(1) as u64) as usize;
            let until = (from + 64).min(other.len());
            bytes.splice(at..end, other[from..until].iter().copied());
        }
    }
}

macro_rules! mutations {
    ($($target:ident,)*) => {
        mod no_mutation_breaks {
            $(
                #[test]
                fn $target() {
                    super::mutate(stringify!($target));
                }
            )*

            #[test]
            fn and_no_target_is_left_out() {
                let names = [$(stringify!($target)),*];
                assert_eq!(pakka_fuzz::TARGETS.map(|target| target.name), names);
            }
        }
    };
}

mutations! {
    event, segment, request, answer, inclusion, consistency, export, restore, snapshot, packed,
}
