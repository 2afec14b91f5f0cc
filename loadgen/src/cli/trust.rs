//! What encrypts connections to a server of `https://`, as its options say.

use std::path::PathBuf;

use report::text::escape::line;
use tls::client::TlsClient;
use tls::files::TlsFiles;

use crate::shell::exit::Failure;

/// A client that trusts the authorities of `ca`, or the system's; with `insecure` anybody. `of` is what the options begin with.
pub(crate) fn tls_client(of: &str, ca: Option<&PathBuf>, insecure: bool) -> Result<TlsClient, Failure> {
    if insecure {
        return TlsClient::without_checks().map_err(|e| Failure::failed(format!("no TLS · --{of}-insecure · {e}")));
    }
    let files = TlsFiles { authority: ca.cloned(), ..TlsFiles::default() };
    TlsClient::new(&files).map_err(|flaw| {
        let (at, found) = (line(&flaw.at), line(&flaw.found));
        Failure::usage(format!("no TLS · --{of}-ca {at} · found {found} · {}", flaw.remedy))
    })
}
