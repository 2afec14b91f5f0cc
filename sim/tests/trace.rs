//! Determinism, as a trace: every request, event and read of a run, in the order in which they happened.
//!
//! The fixtures are checked by debug and by release builds, which therefore agree. A change here is a change of what the
//! same seed means: it belongs into the changelog, and every baseline has to be made anew.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod common;

use common::{Tally, run, shipped};
use strategies::rng::mix;

/// A run's trace as one text.
fn trace(scenario: &str, sets: &[(&str, &str)], spec: &str, seed: u64) -> String {
    let tally = Tally { keep_trace: true, ..Tally::default() };
    run(&shipped(scenario, sets), spec, 3, seed, tally).0.trace.join("\n")
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(text.len() as u64, |hash, byte| mix(hash ^ u64::from(byte)).wrapping_add(1))
}

const SHORT: &[(&str, &str)] = &[("load.duration", "7s")];

#[test]
fn the_same_seed_makes_the_same_trace_byte_for_byte() {
    let first = trace("hotkey", SHORT, "best", 42);
    assert!(first.lines().count() > 3000);
    assert_eq!(first, trace("hotkey", SHORT, "best", 42));
    assert_ne!(first, trace("hotkey", SHORT, "best", 43));
}

#[test]
fn a_trace_is_the_same_in_every_build_and_on_every_machine() {
    for (scenario, spec, expected) in [
        ("hotkey", "naive", 0x530e_72fa_5ab8_2777),
        ("hotkey", "best", 0x3251_8636_e016_a092),
        ("hotkey", "apee-lrm", 0x82a0_d5d6_f1eb_b750),
        ("hotkey-open", "xfetch", 0x90d8_fda3_dd37_b590),
        ("bulk-warm", "jitter", 0xeb58_7577_28e1_0952),
    ] {
        let found = hash(&trace(scenario, SHORT, spec, 42));
        assert_eq!(found, expected, "{scenario} {spec}: found {found:#018x}");
    }
}
