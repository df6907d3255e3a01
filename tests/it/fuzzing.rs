//! Runs the targets of `fuzz/` a limited number of times: on their seeds, and on mutated seeds.

use std::fs;
use std::path::Path;

use crate::targets::{ALL, Named};

/// The number of mutated seeds for each target.
fn runs() -> u32 {
    std::env::var("BACKTRAIL_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(150)
}

/// A reproducible generator of random numbers (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }
}

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Returns one of `seeds`, mutated in a few places.
fn changed(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let (at, other) = (numbers.below(bytes.len() + 1), &seeds[numbers.below(seeds.len())]);
        let end = (at + numbers.below(16)).min(bytes.len());
        match numbers.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.insert(at, u8::try_from(numbers.below(256)).unwrap()),
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << numbers.below(8);
                }
            }
            4 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let from = numbers.below(other.len());
                let to = (from + numbers.below(24)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    bytes.truncate(1 << 14);
    bytes
}

/// Returns the first of the seeds and mutated seeds on which a target fails.
fn fallen_on((name, target): Named) -> Option<String> {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no seed");
    let mut numbers = Numbers(0);
    let changed: Vec<_> = (0..runs()).map(|_| changed(&seeds, &mut numbers)).collect();
    let mut inputs = seeds.iter().chain(&changed);
    let fallen = inputs.find(|input| std::panic::catch_unwind(|| target(input)).is_err())?;
    Some(format!("{name} falls on b\"{}\"", fallen.escape_ascii()))
}

#[test]
fn every_target_passes_on_its_seeds_and_mutations() {
    let fallen: Vec<_> = ALL.into_iter().filter_map(fallen_on).collect();
    assert!(fallen.is_empty(), "{}", fallen.join("\n"));
}

#[test]
fn every_target_is_a_program_of_libfuzzer_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in ALL {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let program = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("targets::{name}::target")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), ALL.len());
}
