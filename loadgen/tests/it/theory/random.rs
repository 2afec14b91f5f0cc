//! Random scenarios, and a list of strategies with random knobs for each.
//!
//! Settings are drawn so that most of them make a herd and a few make none, and so that each circumstance that theory must
//! know of comes up: ramps, events, full origins, impatient clients, odd laws. A run is as long as a number of requests allows.

use std::fmt::Write as _;

use strategies::rng::Rng;

/// A scenario, and strategies to try in it.
pub(crate) struct Setting {
    pub(crate) toml: String,
    pub(crate) replicas: u16,
    pub(crate) specs: Vec<String>,
}

impl Setting {
    /// That number of a series, with runs of about so many requests.
    pub(crate) fn draw(series: u64, number: u64, requests: f64) -> Self {
        let dice = Dice(Rng::new(series).fork(&format!("scenario {number}")));
        Self { replicas: dice.whole(1, 8) as u16, toml: scenario(&dice, requests), specs: specs(&dice) }
    }
}

/// Draws for one scenario.
struct Dice(Rng);

impl Dice {
    /// Between the two, evenly on a logarithmic scale.
    fn log(&self, from: f64, to: f64) -> f64 {
        (from.ln() + (to / from).ln() * self.0.next_unit()).exp()
    }

    fn chance(&self, share: f64) -> bool {
        self.0.next_unit() < share
    }

    fn one_of<'a>(&self, choices: &[&'a str]) -> &'a str {
        choices[(self.0.next_unit() * choices.len() as f64) as usize]
    }

    fn whole(&self, from: u32, to: u32) -> u32 {
        from + (self.0.next_unit() * f64::from(to - from + 1)) as u32
    }
}

fn ms(seconds: f64) -> String {
    format!("{}ms", (seconds * 1e3).round())
}

/// The whole file.
fn scenario(dice: &Dice, requests: f64) -> String {
    let ttl = dice.log(0.3, 60.0);
    let longest = if dice.chance(0.05) { 7.0 } else { 4.5 };
    let service = (ttl * dice.log(0.003, 0.9)).clamp(if dice.chance(0.1) { 0.004 } else { 0.012 }, longest);
    let share = if dice.chance(0.5) { 1.0 } else { dice.log(0.3, 1.0) };
    let missing = if dice.chance(0.12) { dice.log(0.01, 0.3) } else { 0.0 };
    let warmup = if dice.chance(0.1) { 0.0 } else { dice.log(0.5, 4.0) * ttl };
    let burst = dice.chance(0.04);
    let warmup = if burst { 0.0 } else { warmup };
    let mut text = "schema = 1\nname = \"random\"\nstrategies = [\"naive\"]\n[load]\n".to_owned();
    let per_s = if dice.chance(0.65) {
        let hot = dice.log(0.05, 40.0) / service;
        let rate = (hot / share).clamp(0.5, 20_000.0);
        let arrivals = if dice.chance(0.2) { "constant" } else { "poisson" };
        let _ = writeln!(text, "rate = \"{rate:.3}/s\"\narrivals = \"{arrivals}\"");
        rate
    } else {
        let clients = dice.log(1.0, 200.0).round();
        let think = (service * dice.log(0.05, 10.0)).clamp(0.008, 20.0);
        let law = match dice.one_of(&["constant", "constant", "exp", "exp", "exp", "lognormal"]) {
            "exp" => format!("{{ dist = \"exp\", mean = \"{}\" }}", ms(think)),
            "lognormal" => {
                format!("{{ dist = \"lognormal\", p50 = \"{}\", p99 = \"{}\" }}", ms(think), ms(think * 3.0))
            }
            _ => format!("\"{}\"", ms(think)),
        };
        let _ = writeln!(text, "clients = {clients}\nthink = {law}");
        clients / think
    };
    // As many cycles as the requests are enough for, three at least (and then those of a rare key are few).
    let duration = (ttl * dice.log(2.0, 150.0)).min((requests / per_s).max(3.0 * ttl)).clamp(1.0, 80_000.0);
    let warmup = warmup.min(duration);
    let _ = writeln!(text, "warmup = \"{}\"\nduration = \"{}\"", ms(warmup), ms(duration));
    let timeout = if dice.chance(0.15) { service * dice.log(0.3, 5.0) } else { 10.0 };
    let _ = writeln!(text, "timeout = \"{}\"", ms(timeout.min(600.0)));
    if text.contains("arrivals") && dice.chance(0.05) {
        let _ = writeln!(
            text,
            "[[load.ramp]]\nat = \"{}\"\nto = \"{:.3}/s\"\nover = \"0s\"",
            ms(duration / 2.0),
            per_s * 2.0
        );
    }
    if dice.chance(0.06) {
        text += "[load.retry]\nattempts = 3\n";
    }
    let keys = dice.whole(2, 60);
    text += &match dice.chance(0.04) {
        true => format!("[keys]\nkind = \"zipf\"\nn = {keys}\nexponent = 1.1\n"),
        false if share == 1.0 => "[keys]\nkind = \"single\"\n".to_owned(),
        false => format!("[keys]\nkind = \"hot\"\nhot_share = {share:.4}\nn = {keys}\n"),
    };
    let _ = writeln!(text, "missing_share = {missing:.4}\nmissing_n = {}", dice.whole(1, 20));
    let law = match dice.one_of(&["constant"; 9]) {
        _ if dice.chance(0.05) => format!("{{ dist = \"exp\", mean = \"{}\" }}", ms(service)),
        _ => format!("\"{}\"", ms(service)),
    };
    let places = if dice.chance(0.25) { dice.whole(1, 64) } else { dice.whole(128, 1024) };
    let _ = writeln!(text, "[cache]\nttl = \"{}\"\n[origin]\nservice_time = {law}\nconcurrency = {places}", ms(ttl));
    if dice.chance(0.1) {
        let _ = writeln!(text, "write_every = \"{}\"", ms(ttl * dice.log(0.1, 3.0)));
    }
    if burst {
        let _ = writeln!(text, "[warm]\nburst = \"all\"");
    }
    if dice.chance(0.04) {
        let _ = writeln!(text, "[[event]]\nat = \"{}\"\ndo = \"flush\"", ms(duration / 2.0));
    }
    text
}

/// Every policy, each under some of the fills, with every layer once at least.
fn specs(dice: &Dice) -> Vec<String> {
    let poll = || ms(dice.log(0.005, 0.2));
    let beta = || format!("beta={:.3}", dice.log(0.2, 8.0));
    let theta = || format!("theta={:.3}", 0.3 + 0.69 * dice.0.next_unit());
    let window = || format!("window={:.3}T, probability={:.3}", dice.log(0.02, 1.0), dice.log(0.005, 1.0));
    let stale = || format!("{:.3}T", dice.log(0.02, 2.0));
    let spread = || format!("{:.3}", dice.log(0.02, 2.0));
    let fill = || match dice.one_of(&["bare", "coalesce", "lock", "lease", "both"]) {
        "lock" => format!("lock(poll={})", poll()),
        "both" => format!("coalesce + lock(poll={})", poll()),
        "lease" => format!("lease(life={}, poll={})", ms(dice.log(0.1, 3.0)), poll()),
        fill => fill.to_owned(),
    };
    let mut specs = vec![
        "naive".to_owned(),
        "coalesce".into(),
        format!("singleflight(poll={})", poll()),
        "plain + lock(wake=notify)".into(),
        format!("plain(stale={}) + {}", stale(), fill()),
        "swr".into(),
        format!("swr(soft={:.3}T, stale={}) + {}", dice.log(0.3, 1.0), stale(), fill()),
        "swr + coalesce".into(),
        format!("xfetch({}) + lock", beta()),
        format!("xfetch({}, stale={}) + {}", beta(), stale(), fill()),
        format!("xfetch({}) + bare", beta()),
        format!("xfetch({}, mode=sync) + lock", beta()),
        format!("ahead({}) + lock", theta()),
        format!("ahead({}, stale={}) + {}", theta(), stale(), fill()),
        format!("soft-window({}) + lock", window()),
        format!("soft-window({}, stale={}) + {}", window(), stale(), fill()),
        format!("jitter({})", if dice.chance(0.3) { format!("±{:.3}", dice.log(0.02, 0.5)) } else { spread() }),
        "best".into(),
        "stack".into(),
        format!("xfetch({}, stale={}) + jitter({}) + {}", beta(), stale(), spread(), fill()),
    ];
    let guard = match dice.one_of(&["limit", "breaker", "negative"]) {
        "limit" => format!("plain + {} + limit(concurrency={})", fill(), dice.whole(1, 64)),
        "breaker" => format!("xfetch({}) + {} + breaker", beta(), fill()),
        _ => format!("swr + {} + negative", fill()),
    };
    specs.push(guard);
    specs.push(dice.one_of(&["broken-xfetch-sign", "broken-losers-load", "broken-lock-no-reread"]).to_owned());
    specs
}
