//! The hot-key scenario in virtual time, against what the theory and the prototypes say of it.

use crate::common::{Tally, hotkey, simulated};

#[test]
fn the_herd_is_there_and_its_cures_work() {
    // An independent simulation of this load (design/strategies.md): naive 713–736, lock 109–112, swr 109–113,
    // xfetch + lock 116–122, jitter 614–679 reads in 60 s; the link's latency moves each by a few.
    for (spec, least, most) in [
        ("naive", 690, 760),
        ("coalesce", 150, 175),
        ("singleflight", 105, 115),
        ("swr", 105, 115),
        ("xfetch", 110, 126),
    ] {
        let Tally { measured_reads, requests, .. } = simulated(&hotkey(&[]), spec, 3, 42);
        println!("{spec}: {measured_reads} reads of {requests}");
        assert!((least..=most).contains(&measured_reads), "{spec}: {measured_reads}");
    }
}
