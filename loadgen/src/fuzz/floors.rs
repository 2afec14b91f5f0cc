//! How often each fault takes effect, and each rare event happens, in so many seeds over all presets and profiles: about half
//! of what 40 000 seeds came to. A fuzzer that does not reach a state says nothing about it.

/// The seeds that the floors are for.
pub const PER_SEEDS: u64 = 20_000;

/// Name and floor.
pub const FLOORS: &[(&str, u64)] = &[
    ("crash", 1500),
    ("freeze", 2400),
    ("replies-lost", 2000),
    ("cut-there", 1400),
    ("cut-back", 1400),
    ("clock-jump", 1000),
    ("clock-drift", 1000),
    ("cache-emptied", 1000),
    ("cache-lost", 1000),
    ("cache-paused", 1100),
    ("cache-slow", 1100),
    ("cache-refuses", 730),
    ("fail-over", 2000),
    ("origin-slow", 740),
    ("origin-fails", 740),
    ("origin-paused", 730),
    ("corrupt", 1100),
    ("take-over", 3000),
    ("fenced-put", 480),
    ("late-open-put", 4),
    ("corrupt-miss", 8200),
    ("refused-release", 1100),
    ("refused-renewal", 190),
    ("back-off", 5600),
    ("lock-fallback", 28_000),
    ("lock-timeout", 18_000),
    ("lock-lost", 620),
    ("leader-vanished", 490),
    ("load-timed-out", 790),
    ("origin-error", 2400),
    ("origin-full", 1400),
    ("op-refused", 45_000),
    ("op-timed-out", 80_000),
    ("op-out-of-memory", 12_000),
    ("refresh-failed", 560),
    ("early-refresh", 24_000),
    ("stale-served", 41_000),
    ("client-gone", 45_000),
    ("reset", 3700),
    ("old-over-new", 130),
];
