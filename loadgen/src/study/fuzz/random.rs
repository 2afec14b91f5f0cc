//! `--strategy random`: a composition drawn from each seed, its parameters anywhere in their ranges. What the presets leave out
//! is legal all the same: a poll of ten seconds, a lock of an hour, a limit of one.

use std::time::Duration;

use sim::fuzz::{Case, Profile};
use strategies::rng::Rng;
use strategies::{Budgets, Spec};

/// What a read takes in the simulated world beside its service time, its holder's own operations included, and a request beside a poll.
const AROUND: Duration = Duration::from_millis(20);
/// Compositions that are drawn before a seed goes without: most of those that are refused are so for a short lock.
const DRAWS: u64 = 100;

/// What a seed is played under; `None` where nothing fits. A composition that a run would refuse for how long the case's reads
/// take is drawn again.
pub(super) fn composition(seed: u64, profile: Profile) -> Option<Spec> {
    let read = Case::draw(seed, profile).service + AROUND;
    let budgets = Budgets { replica: Budgets::USUAL.replica - AROUND, ..Budgets::USUAL };
    let fits = |spec: &Spec| spec.unfit(read, &budgets).is_none();
    let root = Rng::new(seed).fork("composition");
    let mut drawn = (0..DRAWS).filter_map(|draw| Spec::parse(&Draw(root.fork(&draw.to_string())).composition()).ok());
    drawn.find(fits)
}

struct Draw(Rng);

impl Draw {
    fn chance(&self, probability: f64) -> bool {
        self.0.next_unit() < probability
    }

    fn one<'t>(&self, of: &[&'t str]) -> &'t str {
        of[(self.0.next_unit() * of.len() as f64) as usize % of.len()]
    }

    /// As likely between 1 and 2 as between 100 and 200.
    fn wide(&self, least: f64, most: f64) -> f64 {
        (least.ln() + self.0.next_unit() * (most / least).ln()).exp()
    }

    fn count(&self, least: u32, most: u32) -> u32 {
        self.wide(f64::from(least) + 1.0, f64::from(most) + 1.0) as u32 - 1
    }

    /// Milliseconds, as they are typed.
    fn ms(&self, least: u32, most: u32) -> String {
        format!("{}ms", self.wide(least.into(), most.into()) as u32)
    }

    fn share(&self) -> String {
        format!("{:.3}", 0.001 + 0.998 * self.0.next_unit())
    }

    fn span(&self) -> String {
        if self.chance(0.5) { format!("{:.2}T", 3.0 * self.0.next_unit()) } else { self.ms(1, 10_000) }
    }

    fn composition(&self) -> String {
        let mut layers = vec![self.policy()];
        if self.chance(0.2) {
            layers.push(format!("negative(ttl={})", self.ms(1, HOUR)));
        }
        if self.chance(0.3) {
            layers.push(format!("jitter(spread={:.2})", self.wide(0.01, 10.0)));
        }
        let fleet = self.one(&["", "", "lock", "lock", "lease", "lease"]);
        let coalesces = self.chance(0.4);
        match fleet {
            "lock" => layers.push(format!("lock(lease={}, {})", self.ms(600, HOUR), self.waiting())),
            "lease" => {
                let (life, age) = (self.ms(30, HOUR), self.ms(100, HOUR));
                layers.push(format!("lease(life={life}, max_age={age}, {})", self.waiting()));
            }
            _ if !coalesces => layers.push("bare".into()),
            _ => {}
        }
        if coalesces {
            layers.push("coalesce".into());
        }
        if self.chance(0.3) {
            let margin = if self.chance(0.5) { "auto".into() } else { self.ms(1, 4000) };
            let (places, queue) = (1 + self.count(0, 1023), self.count(0, 1_000_000));
            layers.push(format!("limit(concurrency={places}, queue={queue}, margin={margin})"));
        }
        if self.chance(0.3) {
            layers.push(format!(
                "breaker(share={}, samples={}, window={}, cool_down={}, trickle={}, successes={})",
                self.share(),
                1 + self.count(0, 99),
                self.ms(100, HOUR),
                self.ms(100, HOUR),
                1 + self.count(0, 1023),
                1 + self.count(0, 99)
            ));
        }
        // Last, so that what was drawn before is what it was.
        if self.chance(0.3) {
            let write = self.one(&["invalidate", "invalidate", "write-through", "write-through", "expire"]);
            let twice = if write == "invalidate" && self.chance(0.3) {
                format!("(twice={})", self.ms(1, 3000))
            } else {
                String::new()
            };
            layers.push(format!("{write}{twice}"));
        }
        let near = self.chance(0.3);
        if near {
            layers.push(self.near());
        }
        if !near && self.chance(0.2) {
            layers.push(format!("parts(n={})", 2 + self.count(0, 8)));
        }
        layers.join(" + ")
    }

    fn near(&self) -> String {
        let bus = self.one(&["none", "none", "pubsub", "streams", "tracking", "tracking-default"]);
        let maxlen = if bus == "streams" { format!(", maxlen={}", 1 + self.count(0, 99)) } else { String::new() };
        let stale = if self.chance(0.3) { self.ms(1, 10_000) } else { "0s".into() };
        let (ttl, entries, jitter) = (self.ms(1, HOUR), 1 + self.count(0, 9), self.wide(0.01, 10.0));
        format!("near(ttl={ttl}, entries={entries}, jitter={jitter:.2}, stale={stale}, invalidate={bus}{maxlen})")
    }

    fn policy(&self) -> String {
        let stale = if self.chance(0.5) { self.span() } else { "0s".into() };
        match self.one(&["plain", "swr", "xfetch", "ahead", "soft-window"]) {
            "swr" => format!("swr(soft={:.2}T, stale={stale})", 0.01 + 0.99 * self.0.next_unit()),
            "xfetch" => {
                let (beta, mode) = (self.wide(0.01, 100.0), self.one(&["background", "background", "sync"]));
                format!("xfetch(beta={beta:.2}, mode={mode}, stale={stale})")
            }
            "ahead" => format!("ahead(theta={}, stale={stale})", self.share()),
            "soft-window" => {
                format!("soft-window(window={}, probability={}, stale={stale})", self.span(), self.share())
            }
            _ => format!("plain(stale={stale})"),
        }
    }

    fn waiting(&self) -> String {
        let wait = if self.chance(0.2) { "0s".into() } else { self.ms(1, HOUR) };
        let on_timeout = self.one(&["shed", "load", "stale"]);
        let looks = if self.chance(0.7) { "poll" } else { "wake=notify, fallback" };
        format!("wait={wait}, on_timeout={on_timeout}, {looks}={}", self.ms(1, 10_000))
    }
}

/// In milliseconds.
const HOUR: u32 = 3_600_000;
