//! Determinism, as a trace: every request, event and read of a run, in the order in which they happened.
//!
//! The fixtures are checked by debug and by release builds, which therefore agree. A change here is a change of what the
//! same seed means, which belongs into the changelog and makes every baseline anew; or of how an event is written, and then no
//! baseline changes.

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
    let differ = [
        ("hotkey", "naive", 0x1cf1_933a_160f_4839),
        ("hotkey", "best", 0x1622_8d93_d35b_4f44),
        ("hotkey", "apee-lrm", 0x2489_6e74_e480_2184),
        ("hotkey-open", "xfetch", 0xdc03_a3d0_3ef6_13c0),
        ("bulk-warm", "jitter", 0x9f21_5295_e623_f2e0),
    ]
    .into_iter()
    .map(|(scenario, spec, expected)| (scenario, spec, expected, hash(&trace(scenario, SHORT, spec, 42))))
    .filter(|(.., expected, found)| expected != found)
    .map(|(scenario, spec, _, found)| format!("{scenario} {spec}: found {found:#018x}"))
    .collect::<Vec<_>>();
    assert!(differ.is_empty(), "{differ:#?}");
}
