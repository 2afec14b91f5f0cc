//! libFuzzer over latency.hlog.
#![no_main]

#[path = "../records.rs"]
#[allow(dead_code)]
mod records;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| records::latency(bytes));
