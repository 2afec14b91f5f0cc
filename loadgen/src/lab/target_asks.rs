//! How a target is asked, checked: headers, whose values are never said, the method, the header of its outcomes, and TLS.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use report::text::escape::line;

use crate::cli::target_args::{MethodChoice, TargetArgs};
use crate::load::drive::{Asks, OutcomeHeader};
use crate::shell::exit::Failure;

/// Lines of headers that no list of processes shows.
const VARIABLE: &str = "LAB_TARGET_HEADERS";
/// A file of headers at most, and headers in all.
const FILE_BYTES_MAX: u64 = 64 << 10;
const HEADERS_MAX: usize = 100;
/// The longest name of a target.
const NAME_MAX: usize = 60;
/// What the generator says itself of each request and connection.
const ITS_OWN: [&str; 8] =
    ["connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];
const EXAMPLE: &str = "write --header 'Name: value', or --header @FILE with one in each line";

/// How a target is asked, but for TLS.
///
/// # Errors
/// [`Failure`] that names the header and never its value.
pub(super) fn asks(args: &TargetArgs) -> Result<Asks, Failure> {
    let mut headers = HeaderMap::new();
    for typed in &args.headers {
        match typed.strip_prefix('@') {
            Some(file) => {
                let place = format!("--header @{}", line(file));
                for (number, text) in (1..).zip(read(file, &place)?.lines()) {
                    add(&mut headers, text, &format!("{place}, line {number}"))?;
                }
            }
            None => add(&mut headers, typed, "--header")?,
        }
    }
    for (number, text) in (1..).zip(std::env::var(VARIABLE).unwrap_or_default().lines()) {
        add(&mut headers, text, &format!("{VARIABLE}, line {number}"))?;
    }
    let method = match args.method {
        MethodChoice::Get => Method::GET,
        MethodChoice::Head => Method::HEAD,
    };
    let outcome = args.outcome_header.as_deref().map(outcome).transpose()?.map(Arc::new);
    Ok(Asks {
        method,
        headers,
        outcome,
        #[cfg(feature = "labs")]
        tls: None,
    })
}

/// What a target is called in the table, the record and its folder.
///
/// # Errors
/// [`Failure`] where no folder can be called so.
pub(super) fn name(given: Option<&str>) -> Result<String, Failure> {
    let name = given.unwrap_or("target");
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=NAME_MAX).contains(&name.len())
        && name.chars().all(fits)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return Ok(name.to_owned());
    }
    let found = line(name);
    Err(Failure::usage(format!(
        "a name that no folder can have · --target-name · found {found:?}, allowed letters, digits, -, _ and ., {NAME_MAX} at most, a letter \
         or digit first · write it as nginx-lock"
    )))
}

fn outcome(name: &str) -> Result<OutcomeHeader, Failure> {
    OutcomeHeader::named(name).ok_or_else(|| {
        let name = line(name);
        Failure::usage(format!(
            "no header's name · --outcome-header {name} · found what no header is called · write its name alone, as X-Cache"
        ))
    })
}

fn read(file: &str, place: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let flaw =
        |why: &str| Failure::usage(format!("no headers · {place} · {why} · name a file with lines of 'Name: value'"));
    let is_file = std::fs::metadata(file).map_err(|e| flaw(&e.to_string()))?.is_file();
    if !is_file {
        return Err(flaw("found what is no regular file"));
    }
    let opened = File::open(file).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    opened.map_err(|e| flaw(&e.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(flaw(&format!("found more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn add(headers: &mut HeaderMap, text: &str, place: &str) -> Result<(), Failure> {
    let flaw = |found: &str| Err(Failure::usage(format!("no header · {place} · found {found} · {EXAMPLE}")));
    if text.trim().is_empty() {
        return Ok(());
    }
    // What has no colon may be a value alone, and so is not shown.
    let Some((name, value)) = text.split_once(':') else { return flaw("no colon in it") };
    let Ok(name) = name.trim().parse::<HeaderName>() else { return flaw("a name that no header can have") };
    if ITS_OWN.contains(&name.as_str()) {
        return flaw(&format!("{name}, which is the generator's own to say"));
    }
    let Ok(mut value) = HeaderValue::from_str(value.trim()) else {
        return flaw(&format!("a value of {name} that cannot be sent"));
    };
    value.set_sensitive(true);
    if headers.len() >= HEADERS_MAX {
        return flaw(&format!("more than {HEADERS_MAX} headers"));
    }
    headers.append(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[&str]) -> Result<Asks, Failure> {
        asks(&TargetArgs { headers: headers.iter().map(|h| (*h).to_owned()).collect(), ..TargetArgs::default() })
    }

    #[test]
    fn headers_are_taken_from_the_command_line_and_from_a_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("headers");
        std::fs::write(&file, "Authorization: Bearer SECRET\n\nX-Many: 1\r\nX-Many: 2\n").unwrap();
        let asks = of(&["Host: shop.example", &format!("@{}", file.display())]).unwrap();
        let of = |name: &str| asks.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
        assert_eq!(of("host"), [b"shop.example"]);
        assert_eq!(of("authorization"), [b"Bearer SECRET"]);
        assert_eq!(of("x-many"), [b"1", b"2"]);
        assert!(!format!("{asks:?}").contains("SECRET"), "{asks:?}");
    }

    #[test]
    fn what_is_no_header_is_refused_without_its_value() {
        for (typed, said) in [
            ("SECRET", "no colon"),
            ("a b: SECRET", "a name that no header can have"),
            ("X-A: SEC\nRET", "a value of x-a that cannot be sent"),
            ("Content-Length: 5", "content-length, which is the generator's own"),
            ("Transfer-Encoding: chunked", "transfer-encoding, which is"),
            ("@/no/such/file", "No such file"),
            ("@/", "no regular file"),
        ] {
            let text = of(&[typed]).unwrap_err().text;
            assert!(text.contains(said) && !text.contains("SEC"), "{typed}: {text}");
        }
        let many: Vec<String> = (0..=HEADERS_MAX).map(|n| format!("X-{n}: 1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(of(&many).unwrap_err().text.contains("more than 100 headers"));
        let args = TargetArgs { outcome_header: Some("not a header".into()), ..TargetArgs::default() };
        assert!(asks(&args).unwrap_err().text.contains("--outcome-header not a header"));
    }
}
