//! The libFuzzer targets' corpora, played without a fuzzer: every committed input, and every one with a byte changed.

#[path = "../../../fuzz/targets.rs"]
#[allow(unreachable_pub, reason = "shared with programs of another workspace")]
mod targets;

#[path = "../../../fuzz/records.rs"]
#[allow(unreachable_pub, reason = "shared with programs of another workspace")]
mod records;

use app::cache::envelope;
use loadgen::load::drive::cache_status;

/// Places of each input that are damaged, one at a time.
const PLACES: usize = 60;

/// Plays a corpus.
fn play(name: &str, places: usize, target: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let mut inputs: Vec<_> = files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect();
    inputs.sort();
    assert!(inputs.len() >= 4, "{} has {} inputs", folder.display(), inputs.len());
    target(b"");
    for (path, bytes) in inputs {
        assert!(bytes.len() <= 16 << 10, "{path} is not small");
        println!("{path}");
        target(&bytes);
        // Some places each, and half of it: what a torn or damaged file looks like.
        target(&bytes[..bytes.len() / 2]);
        for at in (0..bytes.len()).step_by(bytes.len() / places + 1) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x11;
            target(&damaged);
        }
    }
}

#[test]
fn scenario_files() {
    play("scenario", PLACES, targets::scenario);
}

#[test]
fn result_files() {
    play("result", PLACES, targets::result);
}

#[test]
fn envelopes() {
    play("envelope", PLACES, targets::envelope);
}

#[test]
fn cache_status() {
    play("cache-status", PLACES, targets::cache_status);
}

#[test]
fn latency_logs() {
    play("latency", PLACES, records::latency);
}

/// Each is drawn, which takes a while.
#[test]
fn whole_records() {
    play("records", 6, records::records);
}
