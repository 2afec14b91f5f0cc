//! libFuzzer over Cache-Status.
#![no_main]

#[path = "../../app/src/cache/envelope.rs"]
#[allow(dead_code, unreachable_pub)]
mod envelope;
#[path = "../targets.rs"]
#[allow(dead_code)]
mod targets;
#[path = "../../loadgen/src/load/drive/told.rs"]
#[allow(dead_code)]
mod told;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::cache_status(bytes));
