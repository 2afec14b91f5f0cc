//! What each target does with its bytes: they must never panic, and what is read must be what would be written.
//!
//! Compiled into the fuzzer's programs and into `loadgen/tests/it/corpora.rs`, which plays the committed corpora without a
//! fuzzer. A file that includes it has `envelope` and `cache_status` beside it.

use report::Document as _;
use scenarios::Scenario;
use strategies::Outcome;

use super::{cache_status as header, envelope};

/// A scenario file. One that is good is the same after it was written out as resolved.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Scenario::parse(text, "fuzz.toml", &[]) {
        Ok(scenario) => {
            let written = scenario.to_toml();
            let again = Scenario::parse(&written, "again.toml", &[]).unwrap_or_else(|e| panic!("{e}\n{written}"));
            assert_eq!(again, scenario, "{written}");
        }
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

/// `run.json`, a baseline or `sweep.json`. Whatever is read can be shown, and a run is the same after it was written.
pub fn result(bytes: &[u8]) {
    if let Ok(run) = report::parse_run(bytes) {
        let _ = (report::verdict_table(&run), report::summary_markdown(&run));
        let _ = run.strategies.iter().map(report::figures).count();
        let written = serde_json::to_vec(&run).unwrap();
        assert_eq!(report::parse_run(&written).as_ref(), Ok(&run));
    }
    if let Ok(baseline) = report::compare::baseline::Baseline::parse(bytes) {
        assert_eq!(report::compare::baseline::compare(&baseline, &baseline).map(|changes| changes.len()), Ok(0));
    }
    if let Ok(sweep) = report::sweep::Sweep::parse(bytes) {
        let _ = (sweep.strategies(), sweep.seeds_run());
    }
}

/// An entry as it lies in Redis: the bytes as they are, and the same as header and payload with a checksum that is right, for
/// no fuzzer guesses one. What can be decoded is the same after it was encoded.
pub fn envelope(bytes: &[u8]) {
    for bytes in [Some(bytes.to_vec()), signed(bytes)].into_iter().flatten() {
        if let Ok(entry) = envelope::decode(&bytes) {
            assert_eq!(envelope::decode(&envelope::encode(&entry)).as_ref(), Ok(&entry));
        }
    }
}

/// Version, five stamps and lives, compression (one byte), length (four), and the payload.
fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
    let (words, rest) = bytes.split_at_checked(48)?;
    let (compression, rest) = rest.split_first()?;
    let (length, payload) = rest.split_at_checked(4)?;
    let mut fields: Vec<u64> = words.chunks(8).map(|word| word.iter().fold(0, |n, b| n << 8 | u64::from(*b))).collect();
    fields.push(u64::from(*compression));
    fields.push(length.iter().fold(0, |n, b| n << 8 | u64::from(*b)));
    let mut crc = crc32fast::Hasher::new();
    fields.iter().for_each(|field| crc.update(&field.to_be_bytes()));
    crc.update(payload);
    let mut out = b"SLAB\x01".to_vec();
    out.extend(fields.remove(0).to_be_bytes());
    rmp::encode::write_array_len(&mut out, 8).ok()?;
    for field in fields.into_iter().chain([u64::from(crc.finalize())]) {
        rmp::encode::write_uint(&mut out, field).ok()?;
    }
    out.extend(payload);
    Some(out)
}

/// `Cache-Status`, any cache's and the lab's own. What the lab's own reader understands the general one understands alike.
pub fn cache_status(bytes: &[u8]) {
    let told = header::read(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((outcome, level)) = Outcome::from_cache_status(text) else { return };
    let written = outcome.cache_status(level, if outcome == Outcome::Stale { -1 } else { 1 });
    assert_eq!(Outcome::from_cache_status(&written), Some((outcome, level)));
    let seen = header::read(written.as_bytes()).map(|told| told.outcome);
    let expected = match outcome {
        Outcome::Shed | Outcome::Error => Outcome::Load,
        answered => answered,
    };
    assert_eq!(seen, Some(expected), "{written}, from {text:?} ({told:?})");
}
