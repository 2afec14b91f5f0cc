//! What a target answered to the question before the load.

use hyper::{HeaderMap, StatusCode, Version};
use strategies::Outcome;

use super::outcome_words;
use super::site::Site;

/// What a target answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The HTTP status.
    pub status: u16,
    /// The cache that its `Cache-Status` names, or the header that was named, where it tells an outcome.
    pub cache: Option<String>,
    /// That outcome.
    pub outcome: Option<Outcome>,
    /// A header in it that may tell one, where nothing else did.
    pub hint: Option<&'static str>,
    /// Bytes of its body.
    pub bytes: usize,
    /// The protocol, as `HTTP/1.1`.
    pub version: Version,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

impl Probed {
    pub(super) fn of(site: &Site, (status, version): (StatusCode, Version), headers: &HeaderMap, bytes: usize) -> Self {
        let told = site.asks.told(headers);
        let hint = if told.is_none() && site.asks.outcome.is_none() { outcome_words::usual_one(headers) } else { None };
        Self {
            status: status.as_u16(),
            outcome: told.as_ref().map(|told| told.outcome),
            cache: told.map(|told| told.cache),
            hint,
            bytes,
            version,
            encrypted: site.asks.is_encrypted(),
        }
    }
}
