//! The question before the load: whether a target is there at all, and what its first answer was, in a plain line.

use std::time::{Duration, Instant};

use super::runner::TrialRunner;
use crate::cli::settings::Subject;
use crate::load::drive::{Probed, Unanswered, probe};
use crate::shell::exit::Failure;
use crate::shell::output;

impl TrialRunner<'_> {
    /// Whether the target is there at all, asked of each of its sites; what the first one answered. Without a warm-up its
    /// cache is to be met cold, so it is asked for an item that the load will not ask for.
    pub(super) async fn probe(&self, subject: &Subject) -> Result<Option<Probed>, Failure> {
        let scenario = &self.settings.scenario;
        let key = if scenario.load.warmup.is_zero() { scenario.keys.last().saturating_add(1) } else { 1 };
        let mut first = None;
        if subject.is_target() {
            for (site, url) in self.endpoints.sites.iter().zip(subject.composition.split(' ')) {
                let asked = Instant::now();
                let probed = probe(site, key, scenario.load.timeout).await;
                let probed = probed.map_err(|Unanswered { kind, why }| {
                    let advice = "is it up, and does it speak HTTP/1.1?";
                    let why = why.map(|why| format!(": {}", report::text::escape::line(&why))).unwrap_or_default();
                    Failure::failed(format!(
                        "the target does not answer · --target {url} · found {kind}{why} · {advice}"
                    ))
                })?;
                if !self.settings.quiet {
                    output::err(&format!("asked    {url} for {key}: {}\n", in_words(&probed, asked.elapsed())));
                    self.warn_of(&probed, url);
                }
                first.get_or_insert(probed);
            }
        }
        Ok(first)
    }

    /// Says so, before the load, where a target's first answer is one that would count as a failure, and where it does not tell how it
    /// was made.
    fn warn_of(&self, probed: &Probed, url: &str) {
        let status = probed.status;
        // Without a warm-up it was asked for an item that need not exist.
        let expected = (200..300).contains(&status) || (status == 404 && self.settings.scenario.load.warmup.is_zero());
        if expected {
            return self.warn_of_silence(probed, url);
        }
        let advice = match status {
            300..=399 => "redirects are not followed, and each counts as a failure: give the URL that it leads to",
            401 | 403 => "each such answer counts as a failure: does it want a header? --header @FILE",
            404 => "each such answer counts as a failure: is {key} where the item's number goes?",
            _ => "each such answer counts as a failure: is it the right URL, and the target well?",
        };
        output::err(&format!(
            "warning: the target answered {status} to a first question, before the load · {url} · {advice}\n"
        ));
    }

    fn warn_of_silence(&self, probed: &Probed, url: &str) {
        if probed.outcome.is_some() {
            return;
        }
        let named = self.settings.target.as_ref().and_then(|target| target.sites.first()?.outcome_header());
        let (found, advice) = match (named, probed.hint) {
            (Some(name), _) => (format!("no word in {name} that is known"), "docs/targets.md has the words".to_owned()),
            (None, Some(hint)) => (format!("no Cache-Status, and {hint}"), format!("add --outcome-header {hint}")),
            (None, None) => (
                "no Cache-Status".to_owned(),
                "let the cache send one, or name its header with --outcome-header".to_owned(),
            ),
        };
        output::err(&format!(
            "warning: how an answer was made is not known: hits, waits and stale answers are not told · {url} · found {found} · {advice}\n"
        ));
    }

    /// After the load: unknown words of the outcome header.
    pub(super) fn tell_unknown_words(&self) {
        let words: Vec<String> = self.endpoints.sites.iter().flat_map(|site| site.unknown_words()).collect();
        if words.is_empty() || self.settings.quiet {
            return;
        }
        let words: Vec<String> = words.iter().map(|word| format!("{:?}", report::text::escape::line(word))).collect();
        output::err(&format!(
            "warning: unknown words, each counted as an unknown outcome · --outcome-header · found {} · docs/targets.md has those \
             that are known\n",
            words.join(", ")
        ));
    }
}

/// `200, a hit by the word of nginx, 17 bytes, HTTP/1.1, 1 ms`.
fn in_words(probed: &Probed, took: Duration) -> String {
    let how = match (probed.outcome, &probed.cache) {
        (Some(outcome), Some(cache)) => {
            format!("{} by the word of {}", outcome.name(), report::text::escape::line(cache))
        }
        _ => "how it was made is not known".to_owned(),
    };
    let tls = if probed.encrypted { " over TLS" } else { "" };
    let Probed { status, bytes, version, .. } = probed;
    format!("{status}, {how}, {bytes} bytes, {version:?}{tls}, {:.1} ms", took.as_secs_f64() * 1000.0)
}
