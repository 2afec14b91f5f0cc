//! Determinism, as a trace: every request, event and read of a run, in the order in which they happened.
//!
//! The fixtures are checked by debug and by release builds, which therefore agree. A change here is a change of what the
//! same seed means: it belongs into the changelog, and every baseline has to be made anew.

use crate::common::{Tally, run, shipped};
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
        ("hotkey", "naive", 0x0d49_8216_fa70_0add),
        ("hotkey", "best", 0x234d_cb02_b270_7c89),
        ("hotkey", "apee-lrm", 0x58bd_78da_fdfb_bbe0),
        ("hotkey-open", "xfetch", 0x6e2b_e31c_c28c_d232),
        ("bulk-warm", "jitter", 0x56b4_35bc_5eb4_9377),
    ] {
        let found = hash(&trace(scenario, SHORT, spec, 42));
        assert_eq!(found, expected, "{scenario} {spec}: found {found:#018x}");
    }
}
