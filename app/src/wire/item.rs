//! The item's body: JSON that proves which item and version it is, so that an answer to another request is noticed.

use std::fmt::Write as _;

/// Why a body is not the item that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongBody {
    /// Not an item's body at all, or cut short.
    #[error("the body is no item")]
    NotAnItem,
    /// Somebody else's item.
    #[error("the body is item {0:?}")]
    OtherItem(String),
    /// The value is not what the checksum says.
    #[error("the body's checksum is wrong")]
    Checksum,
}

/// Writes a body: `{"id":"1","version":3,"checksum":"9f3a…","value":"…"}`. Key and value must need no JSON escape.
#[must_use]
pub fn body(key: &str, version: u64, value: &str) -> String {
    let mut text = String::with_capacity(value.len() + key.len() + 80);
    let sum = checksum(key, version, value);
    // Writing to a String cannot fail.
    let _ = write!(text, r#"{{"id":"{key}","version":{version},"checksum":"{sum:08x}","value":"{value}"}}"#);
    text
}

/// Checks that a body is `key`'s, whole and undamaged, and returns its version.
///
/// # Errors
/// [`WrongBody`] where it is not.
pub fn verify(bytes: &[u8], key: &str) -> Result<u64, WrongBody> {
    let text = std::str::from_utf8(bytes).map_err(|_| WrongBody::NotAnItem)?;
    let mut rest = text;
    let mut take = |prefix: &str, end: &str| -> Result<&str, WrongBody> {
        let after = rest.strip_prefix(prefix).ok_or(WrongBody::NotAnItem)?;
        let (field, tail) = after.split_once(end).ok_or(WrongBody::NotAnItem)?;
        rest = tail;
        Ok(field)
    };
    let id = take(r#"{"id":""#, r#"","#)?;
    let version = take(r#""version":"#, ",")?.parse::<u64>().map_err(|_| WrongBody::NotAnItem)?;
    let sum = take(r#""checksum":""#, r#"","#)?;
    let value = take(r#""value":""#, r#""}"#)?;
    if id != key {
        return Err(WrongBody::OtherItem(id.chars().take(64).collect()));
    }
    if !rest.is_empty() || u32::from_str_radix(sum, 16) != Ok(checksum(id, version, value)) {
        return Err(WrongBody::Checksum);
    }
    Ok(version)
}

/// Checks that a body is that of these items, in their order.
///
/// # Errors
/// [`WrongBody`] of the first that is not there, or not as it should be.
pub fn verify_page(bytes: &[u8], keys: impl Iterator<Item = String>) -> Result<(), WrongBody> {
    let inside = bytes.strip_prefix(b"{\"items\":[").and_then(|rest| rest.strip_suffix(b"]}"));
    let mut rest = inside.ok_or(WrongBody::NotAnItem)?;
    for (at, key) in keys.enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b",").ok_or(WrongBody::NotAnItem)?;
        }
        // Neither key nor value has a quotation mark.
        let end = rest.windows(2).position(|two| two == b"\"}").ok_or(WrongBody::NotAnItem)? + 2;
        verify(&rest[..end], &key)?;
        rest = &rest[end..];
    }
    if rest.is_empty() { Ok(()) } else { Err(WrongBody::NotAnItem) }
}

fn checksum(key: &str, version: u64, value: &str) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key.as_bytes());
    crc.update(&version.to_be_bytes());
    crc.update(value.as_bytes());
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_proves_whose_it_is() {
        let good = body("7", 3, "abc");
        assert_eq!(verify(good.as_bytes(), "7"), Ok(3));
        assert_eq!(verify(good.as_bytes(), "8"), Err(WrongBody::OtherItem("7".into())));
        assert_eq!(verify(good.replace("abc", "abd").as_bytes(), "7"), Err(WrongBody::Checksum));
        assert_eq!(verify(good.replace(":3,", ":4,").as_bytes(), "7"), Err(WrongBody::Checksum));
        assert_eq!(verify(&good.as_bytes()[..good.len() - 1], "7"), Err(WrongBody::NotAnItem));
        assert_eq!(verify(b"<html>", "7"), Err(WrongBody::NotAnItem));
        assert_eq!(verify(b"\xff\xfe", "7"), Err(WrongBody::NotAnItem));
        let page = format!("{{\"items\":[{good},{}]}}", body("8", 1, "x"));
        let verify_page =
            |body: &str, keys: &[&str]| verify_page(body.as_bytes(), keys.iter().map(|key| (*key).to_owned()));
        assert_eq!(verify_page(&page, &["7", "8"]), Ok(()));
        assert_eq!(verify_page(&page, &["7"]), Err(WrongBody::NotAnItem), "more than was asked for");
        assert_eq!(verify_page(&page, &["7", "8", "9"]), Err(WrongBody::NotAnItem));
        assert_eq!(verify_page(&page, &["8", "7"]), Err(WrongBody::OtherItem("7".into())));
        assert_eq!(verify_page(&good, &["7"]), Err(WrongBody::NotAnItem));
    }
}
