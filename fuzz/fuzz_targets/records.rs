//! libFuzzer over whole records: drawn, gated, checked, compared.
#![no_main]

#[path = "../records.rs"]
#[allow(dead_code)]
mod records;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| records::records(bytes));
