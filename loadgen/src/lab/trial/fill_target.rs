//! `[warm]` of a target: nobody can tell it to fill its cache, so it is asked for every item, once.

use std::time::Duration;

use report::text::escape::line;
use strategies::port::Clock;
use strategies::time::{Mono, nanos};
use strategies::units::duration_text;

use super::runner::TrialRunner;
use crate::lab::Offset;
use crate::lab::target::Target;
use crate::load::drive::{EveryItem, ItemUnanswered};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// Connections at most, whatever the origin can take: beside those of the load they must fit the file descriptors.
const CONNECTIONS_MAX: u32 = 200;

impl TrialRunner<'_> {
    /// Asks each of the target's sites, one after the other, for every item: a cache that they share is full after the first, and each of
    /// several gets all. t = 0 is the last answer; where the origin's ledger counts, so much later that by its clock, too, no read of these
    /// is one of the measured time.
    pub(super) async fn fill(&self, target: &Target, origin_clock: Option<Offset>) -> Result<Mono, Failure> {
        let mut stop = self.stop.clone();
        let ttl = self.settings.scenario.ttl_min();
        let last = tokio::select! {
            biased;
            () = stop.wait() => {
                let text = "stopped while the target's cache was being filled".into();
                return Err(Failure { exit: Exit::Interrupted, text });
            }
            filled = tokio::time::timeout(ttl, self.ask_sites(target)) => filled.map_err(|_| self.too_slow(target))??,
        };
        Ok(last.plus(Duration::from_nanos(origin_clock.map_or(0, |clock| clock.uncertainty_ns))))
    }

    /// When the last answer came.
    async fn ask_sites(&self, target: &Target) -> Result<Mono, Failure> {
        let scenario = &self.settings.scenario;
        let every = EveryItem {
            items: scenario.keys.ranks(),
            at_once: scenario.origin.concurrency.clamp(1, CONNECTIONS_MAX),
            timeout: scenario.load.timeout,
            between: target.max_per_s.map(|rate| Duration::from_secs_f64(rate.recip())),
            clock: self.clock,
            pace: self.pacer.handle(),
        };
        let (mut last, mut next) = (self.clock.mono(), self.clock.mono());
        for (site, url) in target.sites.iter().zip(&target.urls) {
            let begun = self.clock.mono();
            (last, next) = every.ask(site, next).await.map_err(|failed| unanswered(failed, &every, url))?;
            if !self.settings.quiet {
                let (items, took) = (every.items, nanos(last.since(begun)) as f64 / 1e6);
                output::err(&format!("filled   {url}: {items} items asked for, answered within {took:.1} ms\n"));
            }
        }
        Ok(last)
    }

    /// The first entries would have ended before t = 0.
    fn too_slow(&self, target: &Target) -> Failure {
        let scenario = &self.settings.scenario;
        let (items, ttl) = (scenario.keys.ranks(), duration_text(scenario.ttl_min()));
        let rate = if target.max_per_s.is_some() { ", --max-rate where the target can take it" } else { "" };
        Failure::failed(format!(
            "the target's cache could not be filled in time · [warm] · found {items} items of {}, which took longer than {ttl}, allowed \
             {ttl} (cache.ttl): the first entries would have ended before t = 0 · raise cache.ttl or origin.concurrency (at most \
             {CONNECTIONS_MAX} count){rate}, lower keys.n, or use a scenario without [warm]",
            target.urls.join(" ")
        ))
    }
}

fn unanswered(failed: ItemUnanswered, every: &EveryItem, url: &str) -> Failure {
    let ItemUnanswered { item, unanswered } = failed;
    let why = unanswered.why.map(|why| format!(": {}", line(&why))).unwrap_or_default();
    let (items, at_once, kind) = (every.items, every.at_once.min(every.items), unanswered.kind);
    Failure::failed(format!(
        "the target's cache could not be filled · --target {url}, item {item} of {items} · found {kind}{why}, allowed a 2xx · \
         is there an item for each number from 1 to {items} (keys.n), and can the target take {at_once} requests at once \
         (origin.concurrency)? Or use a scenario without [warm]"
    ))
}
