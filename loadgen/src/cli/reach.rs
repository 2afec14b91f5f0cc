//! What reaching a Redis may need, read and checked: a password's file, and the files of TLS. Nothing that is in one of them is said.

use std::path::Path;

use tls::files::{TlsFiles, TlsFlaw, TlsPart};

use super::redis_access::RedisAccessArgs;
use crate::shell::exit::Failure;

/// A password's file is a line.
const PASSWORD_BYTES_MAX: u64 = 64 << 10;

/// The password of the file, where one is named: there must be none in the address, then.
pub(crate) fn password(args: &RedisAccessArgs, address_has_one: bool) -> Result<Option<String>, Failure> {
    let Some(file) = &args.password_file else { return Ok(None) };
    let flaw = |why: &str, advice: &str| {
        let file = report::text::escape::line(&file.display().to_string());
        Err(Failure::usage(format!("no password · --password-file {file} · {why} · {advice}")))
    };
    if address_has_one {
        return flaw("found one in the URL, too", "leave one of them out");
    }
    let text = match read(file) {
        Ok(text) => text,
        Err(error) => return flaw(&error.to_string(), "name a file with one line in it"),
    };
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return flaw("found nothing in it", "write the password into it, or leave the option out");
    }
    Ok(Some(password.to_owned()))
}

fn read(file: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(file)?.take(PASSWORD_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// What an encrypted connection needs.
pub(crate) fn files(args: &RedisAccessArgs) -> TlsFiles {
    TlsFiles {
        authority: args.tls_ca.clone(),
        own: args.tls_cert.clone().zip(args.tls_key.clone()),
        name: args.tls_name.clone(),
    }
}

/// Which option cannot be used, and why.
pub(crate) fn unusable(flaw: &TlsFlaw) -> Failure {
    let flag = match flaw.part {
        TlsPart::Authority => "--tls-ca",
        TlsPart::Certificate => "--tls-cert",
        TlsPart::Key => "--tls-key",
        TlsPart::Name => "--tls-name",
    };
    let (at, found) = (report::text::escape::line(&flaw.at), report::text::escape::line(&flaw.found));
    Failure::usage(format!("no TLS · {flag} {at} · found {found} · {}", flaw.remedy))
}

/// Options of TLS beside an address without it.
pub(crate) fn without_tls(address: &str) -> Failure {
    Failure::usage(format!(
        "no TLS without rediss:// · {address} · found --tls-… beside it · write rediss://, or leave them out"
    ))
}
