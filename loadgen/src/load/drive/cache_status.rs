//! What an answer's `Cache-Status` tells (RFC 9211), whichever cache wrote it.

use hyper::HeaderMap;
use hyper::header::HeaderName;
use sfv::{BareItem, List, ListEntry, Parameters, Parser};
use strategies::Outcome;

/// As a name that is not read anew for each answer.
pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// What was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidOutcome {
    /// How the answer was made; never shed or error.
    pub outcome: Outcome,
    /// The cache that says so.
    pub cache: String,
}

/// What an answer's headers tell. Several lines of a list are one list (RFC 9110, section 5.3).
pub(super) fn told(headers: &HeaderMap) -> Option<SaidOutcome> {
    let mut lines = headers.get_all(CACHE_STATUS).iter();
    let first = lines.next()?;
    let mut joined = first.as_bytes().to_vec();
    lines.for_each(|line| {
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(line.as_bytes());
    });
    read(&joined)
}

/// Reads the header. Each cache on the way appends a member, so the last is the nearest to us: it decides, unless it
/// forwarded the request and does not say that it was collapsed; then the one before it does. `None` where the text is no
/// Structured Field or where no member says `hit` or `fwd`.
pub fn read(header: &[u8]) -> Option<SaidOutcome> {
    let members: List = Parser::new(header).parse().ok()?;
    let mut forwarded = None;
    for member in members.iter().rev() {
        let ListEntry::Item(item) = member else { return None };
        let told = |outcome| Some(SaidOutcome { outcome, cache: name(&item.bare_item) });
        let params = &item.params;
        if is_true(params, "hit") {
            let left = params.get("ttl").and_then(BareItem::as_integer).map(i64::from);
            return told(if left.is_some_and(|s| s < 0) { Outcome::Stale } else { Outcome::Hit });
        }
        if is_true(params, "collapsed") {
            return told(Outcome::Wait);
        }
        if params.contains_key("fwd") {
            forwarded = told(Outcome::Load);
        }
    }
    forwarded
}

fn is_true(params: &Parameters, name: &str) -> bool {
    params.get(name).and_then(BareItem::as_boolean) == Some(true)
}

fn name(item: &BareItem) -> String {
    let token = item.as_token().map(|t| t.as_str().to_owned());
    token.or_else(|| item.as_string().map(|s| s.as_str().to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_caches_header_is_an_outcome() {
        // The first six are examples of RFC 9211, section 3 and 4.
        for (header, expected) in [
            ("ExampleCache; hit", Some((Outcome::Hit, "ExampleCache"))),
            ("ExampleCache; hit; ttl=376", Some((Outcome::Hit, "ExampleCache"))),
            ("ExampleCache; hit; ttl=-412", Some((Outcome::Stale, "ExampleCache"))),
            ("ExampleCache; fwd=uri-miss", Some((Outcome::Load, "ExampleCache"))),
            ("ExampleCache; fwd=stale; fwd-status=304; stored", Some((Outcome::Load, "ExampleCache"))),
            (
                "OriginCache; hit; ttl=1100, \"CDN Company Here\"; hit; ttl=545",
                Some((Outcome::Hit, "CDN Company Here")),
            ),
            ("nginx; fwd=miss; collapsed", Some((Outcome::Wait, "nginx"))),
            ("nginx; fwd=miss; collapsed=?0", Some((Outcome::Load, "nginx"))),
            ("inner; hit; ttl=-1, outer; fwd=miss", Some((Outcome::Stale, "inner"))),
            ("inner; fwd=miss; stored, outer; fwd=miss", Some((Outcome::Load, "inner"))),
            ("lab; hit; ttl=-2; detail=stale", Some((Outcome::Stale, "lab"))),
            ("varnish; hit=?0; fwd=request", Some((Outcome::Load, "varnish"))),
            ("squid", None),
            ("", None),
            ("(a b); hit", None),
            ("HIT from cache", None),
            ("x; hit;", None),
        ] {
            let told = read(header.as_bytes());
            assert_eq!(told.as_ref().map(|t| (t.outcome, t.cache.as_str())), expected, "{header:?}");
        }
        assert_eq!(read(b"caf\xc3\xa9; hit"), None);
        assert_eq!(read(&[0xff; 300]), None);
    }
}
