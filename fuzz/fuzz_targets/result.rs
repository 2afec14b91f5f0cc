//! libFuzzer over run.json, a baseline or sweep.json.
#![no_main]

#[path = "../../app/src/cache/envelope.rs"]
#[allow(dead_code, unreachable_pub)]
mod envelope;
#[path = "../targets.rs"]
#[allow(dead_code)]
mod targets;
#[path = "../../loadgen/src/load/drive/cache_status.rs"]
#[allow(dead_code)]
mod cache_status;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::result(bytes));
