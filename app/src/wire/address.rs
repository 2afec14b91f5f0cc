//! Addresses as they may be printed and kept. A URL can hold a secret nearly anywhere: in its user part, its query, its
//! fragment, and, where it is mistyped, in what looks like its host. So there is one rule for every message and record: scheme,
//! host, port and path are shown, `…` stands for what is left out, and nothing is shown of what cannot be read.

use std::net::{IpAddr, ToSocketAddrs};

/// What is shown of an address that cannot be read.
pub const UNREADABLE: &str = "(an address that cannot be read, so it is not shown)";

/// A URL without its secrets: `redis://user:secret@host:6379/0?x=y` becomes `redis://…@host:6379/0?…`.
#[must_use]
pub fn shown(url: &str) -> String {
    let Some(Parts { scheme, host, path, user, rest }) = Parts::of(url) else { return UNREADABLE.to_owned() };
    let (user, rest) = (if user { "…@" } else { "" }, if rest { "?…" } else { "" });
    format!("{scheme}://{user}{host}{path}{rest}")
}

/// A word of a command line: shown as it is, unless it is or holds an address (`--redis=redis://…`).
#[must_use]
pub fn shown_word(word: &str) -> String {
    let Some(at) = word.find("://") else { return word.to_owned() };
    let scheme = word[..at].rfind(|c: char| !is_scheme(c)).map_or(0, |before| before + 1);
    // A multi-byte character cannot be a scheme's, so it ends there; stay on its border.
    let scheme = (scheme..=at).find(|from| word.is_char_boundary(*from)).unwrap_or(at);
    format!("{}{}", &word[..scheme], shown(&word[scheme..]))
}

/// Whether everything that a Redis URL's host resolves to is this machine: a unix socket, or a loopback address.
///
/// # Errors
/// A sentence where the URL cannot be read, or its host has no address.
pub fn is_loopback(url: &str) -> Result<bool, String> {
    let Parts { host, .. } = Parts::of(url).ok_or("it cannot be read")?;
    let (name, _) = split_port(host);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() {
        return Ok(true);
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(address.is_loopback());
    }
    let mut found = (name, 0).to_socket_addrs().map_err(|e| format!("{name:?} can't be resolved: {e}"))?.peekable();
    if found.peek().is_none() {
        return Err(format!("{name:?} has no address"));
    }
    Ok(found.all(|address| address.ip().is_loopback()))
}

/// The parts of a URL that hold no secret, and whether it has others.
struct Parts<'a> {
    scheme: &'a str,
    /// Host and port.
    host: &'a str,
    path: &'a str,
    user: bool,
    rest: bool,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let plain = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        let (authority, after) = plain;
        let (path, rest) = after.find(['?', '#']).map_or((after, ""), |at| after.split_at(at));
        // A password with a slash, a question mark or a hash in it, unescaped, has its @ behind what looks like the host.
        if after.contains('@') || path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let (user, host) = authority.rsplit_once('@').map_or((false, authority), |(_, host)| (true, host));
        let (name, port) = split_port(host);
        let named = |c: char| c.is_ascii_alphanumeric() || ".-_[]:%".contains(c);
        let is_port = |port: &str| port.parse::<u16>().is_ok();
        let readable = !scheme.is_empty()
            && scheme.chars().all(is_scheme)
            && name.chars().all(named)
            && port.is_none_or(is_port)
            && (!name.is_empty() || (port.is_none() && path.starts_with('/')));
        readable.then_some(Self { scheme, host, path, user, rest: !rest.is_empty() })
    }
}

/// `host:port` in two; the colons of `[::1]` are its host's.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn is_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-.".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_port_and_path_are_shown_and_nothing_else() {
        for (url, expected) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("redis://me:SECRET@host:6379/0", "redis://…@host:6379/0"),
            ("redis://:SE@CRET@host/0", "redis://…@host/0"),
            ("redis://host/0?password=SECRET", "redis://host/0?…"),
            ("redis+unix:///s?pass=SECRET", "redis+unix:///s?…"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("http://[::1]:9/items/{key}?api_key=SECRET#SECRET", "http://[::1]:9/items/{key}?…"),
            ("http://localhost/#SECRET", "http://localhost/?…"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_echoed() {
        for url in [
            "SECRET",
            "redis:SECRET@host",
            "redis://:SEC/RET@host:6379",
            "redis://:12/RET@host",
            "redis://me:12?SECRET@host",
            "redis://me:12#SECRET@host",
            "redis://:SECRET",
            "redis://host:SECRET/0",
            "redis://ho st/SECRET",
            "redis://host/a SECRET",
            "SECRET ://host/",
            "redis:///?pass=SECRET\u{1b}[2J".trim_end_matches("\u{1b}[2J"),
        ] {
            assert!(!shown(url).contains("SECRET") && !shown(url).contains("RET"), "{url}: {}", shown(url));
        }
    }

    #[test]
    fn a_word_of_a_command_line_keeps_its_flag() {
        for (word, expected) in [
            ("hotkey", "hotkey"),
            ("--redis=redis://:SECRET@h", "--redis=redis://…@h"),
            ("'redis://h?pass=SECRET'", "'redis://h?…"),
            ("é://SECRET", &format!("é{UNREADABLE}")),
        ] {
            assert_eq!(shown_word(word), expected, "{word}");
        }
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for (url, expected) in [
            ("redis://127.0.0.1", true),
            ("redis://me:x@127.7.7.7:1/0", true),
            ("redis://[::1]:6379", true),
            ("redis+unix:///tmp/s", true),
            ("redis://localhost:6379", true),
            ("redis://192.0.2.1:6379", false),
            ("redis://[2001:db8::1]", false),
            ("redis://0.0.0.0", false),
        ] {
            assert_eq!(is_loopback(url), Ok(expected), "{url}");
        }
        assert!(is_loopback("redis://no-such-host.invalid").is_err());
    }
}
