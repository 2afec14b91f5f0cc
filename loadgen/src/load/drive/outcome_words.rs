//! How an answer was made, by the word that a cache writes into a header of its own: `X-Cache: HIT`, `CF-Cache-Status: EXPIRED`.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;
use hyper::header::HeaderName;
use strategies::Outcome;

/// Words of nginx, Cloudflare, Varnish, Fastly, Squid and CloudFront, in lower case, and what each says. A cache that asked its origin whether
/// an old entry still holds has asked it: that is a load.
const WORDS: [(&str, Outcome); 15] = [
    ("hit", Outcome::Hit),
    ("stale", Outcome::Stale),
    ("updating", Outcome::Stale),
    ("hit-stale", Outcome::Stale),
    ("miss", Outcome::Load),
    ("expired", Outcome::Load),
    ("revalidated", Outcome::Load),
    ("bypass", Outcome::Load),
    ("dynamic", Outcome::Load),
    ("pass", Outcome::Load),
    ("refreshhit", Outcome::Load),
    ("tcp_hit", Outcome::Hit),
    ("tcp_mem_hit", Outcome::Hit),
    ("tcp_miss", Outcome::Load),
    ("tcp_refresh_miss", Outcome::Load),
];
/// Headers that such words are found in, for a hint.
const USUAL: [&str; 6] =
    ["x-cache", "cf-cache-status", "x-cache-status", "x-proxy-cache", "x-varnish", "x-nginx-cache"];
/// Varnish's own, which has no word: one number for a request that it passed on or fetched, two for one that it found.
const VARNISH: HeaderName = HeaderName::from_static("x-varnish");
const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
/// Unknown words that are kept to be told, and characters of one.
const KEPT_MAX: usize = 5;
const WORD_MAX: usize = 40;

/// What is known of stale answers, by whatever says how an answer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ToldStaleness {
    /// Which they are, and how old each was.
    #[default]
    Age,
    /// Which they are.
    Share,
    /// Where one is named, that it is; a hit may be one, too.
    Nothing,
}

/// A header whose word says how an answer was made.
#[derive(Debug)]
pub struct OutcomeHeader {
    name: HeaderName,
    unknown: Mutex<BTreeSet<String>>,
}

impl OutcomeHeader {
    /// The one of that name; `None` where that is no header's.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(Self { name: name.parse().ok()?, unknown: Mutex::default() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// What it can say of stale answers. `X-Varnish` has no word for them, and of the caches that write `X-Cache` most have none.
    #[must_use]
    pub fn staleness(&self) -> ToldStaleness {
        let silent = self.name == VARNISH || self.name == X_CACHE;
        if silent { ToldStaleness::Nothing } else { ToldStaleness::Share }
    }

    /// What it says; `None` where it is absent, or has unknown words.
    pub(super) fn read(&self, headers: &HeaderMap) -> Option<Outcome> {
        let lines: Vec<&str> = headers.get_all(&self.name).iter().filter_map(|line| line.to_str().ok()).collect();
        let said = lines.join(",");
        let outcome = if self.name == VARNISH { numbers(&said) } else { words(&said) };
        if outcome.is_none() && !said.trim().is_empty() {
            self.keep(&said);
        }
        outcome
    }

    /// Its unknown words, as they were found.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn keep(&self, said: &str) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.len() < KEPT_MAX {
            unknown.insert(said.chars().filter(|c| !c.is_control()).take(WORD_MAX).collect());
        }
    }
}

/// The one of these headers that an answer has, to be named in a hint.
pub(super) fn usual_one(headers: &HeaderMap) -> Option<&'static str> {
    USUAL.into_iter().find(|name| headers.contains_key(*name))
}

/// Caches on the way append theirs, so the last is the nearest to us: it decides, unless it went on to the one before it. An unknown word
/// that would decide leaves all unknown.
fn words(said: &str) -> Option<Outcome> {
    let mut outcome = None;
    for member in said.split(',').rev() {
        let word = member.split_whitespace().next()?.to_ascii_lowercase();
        let (_, found) = WORDS.iter().find(|(known, _)| *known == word)?;
        outcome = Some(*found);
        if *found != Outcome::Load {
            break;
        }
    }
    outcome
}

fn numbers(said: &str) -> Option<Outcome> {
    let numbers: Option<Vec<u64>> = said.split_whitespace().map(|number| number.parse().ok()).collect();
    match numbers?.len() {
        1 => Some(Outcome::Load),
        2 => Some(Outcome::Hit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_common_caches_are_outcomes() {
        for (name, said, expected) in [
            ("x-cache-status", "HIT", Some(Outcome::Hit)),
            ("x-cache-status", "MISS", Some(Outcome::Load)),
            ("x-cache-status", "EXPIRED", Some(Outcome::Load)),
            ("x-cache-status", "STALE", Some(Outcome::Stale)),
            ("x-cache-status", "UPDATING", Some(Outcome::Stale)),
            ("x-cache-status", "REVALIDATED", Some(Outcome::Load)),
            ("x-cache-status", "BYPASS", Some(Outcome::Load)),
            ("cf-cache-status", "DYNAMIC", Some(Outcome::Load)),
            ("cf-cache-status", "NONE/UNKNOWN", None),
            ("x-cache", "hit (3)", Some(Outcome::Hit)),
            // Fastly with shielding: the shield's word, then the edge's.
            ("x-cache", "MISS, HIT", Some(Outcome::Hit)),
            ("x-cache", "HIT, MISS", Some(Outcome::Hit)),
            ("x-cache", "MISS, MISS", Some(Outcome::Load)),
            ("x-cache", "PERHAPS, HIT", Some(Outcome::Hit)),
            ("x-cache", "PERHAPS, MISS", None),
            ("x-cache", "Hit from cloudfront", Some(Outcome::Hit)),
            ("x-cache", "RefreshHit from cloudfront", Some(Outcome::Load)),
            ("x-cache", "MISS from squid.example", Some(Outcome::Load)),
            ("x-cache", "HIT,", None),
            ("x-varnish", "32770", Some(Outcome::Load)),
            ("x-varnish", "32772 32770", Some(Outcome::Hit)),
            ("x-varnish", "1 2 3", None),
            ("x-varnish", "HIT", None),
        ] {
            let header = OutcomeHeader::named(name).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::try_from(name).unwrap(), said.parse().unwrap());
            assert_eq!(header.read(&headers), expected, "{name}: {said}");
            assert_eq!(header.unknown().is_empty(), expected.is_some(), "{name}: {said}");
        }
    }

    #[test]
    fn several_lines_are_one_list_and_what_is_kept_is_bounded() {
        let header = OutcomeHeader::named("X-Cache").unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!((header.read(&headers), header.unknown().len()), (None, 0), "absent is not unknown");
        headers.append("x-cache", "MISS".parse().unwrap());
        headers.append("x-cache", "HIT".parse().unwrap());
        assert_eq!(header.read(&headers), Some(Outcome::Hit));
        for number in 0..100 {
            headers.insert("x-cache", format!("word{number}{}", "x".repeat(1000)).parse().unwrap());
            assert_eq!(header.read(&headers), None);
        }
        assert_eq!(header.unknown().len(), KEPT_MAX);
        assert!(header.unknown().iter().all(|word| word.len() == WORD_MAX));
        assert!(OutcomeHeader::named("not a header").is_none());
    }
}
