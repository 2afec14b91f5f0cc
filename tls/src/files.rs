//! The files that an encrypted connection needs, read and checked. What they hold is never told.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};

use crate::unchecked::AnyCertificate;

/// Where systems keep the authorities that they trust.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// The longest file of certificates that is read.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// What an encrypted connection needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of the authorities that are trusted, PEM; the system's where none is named.
    pub authority: Option<PathBuf>,
    /// Our own certificate and its key, PEM.
    pub own: Option<(PathBuf, PathBuf)>,
    /// The name that the server's certificate must have; the address's where none is given.
    pub name: Option<String>,
}

impl TlsFiles {
    /// Whether nothing is named: then the system's authorities are trusted, and nobody is shown a certificate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which of the settings it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPart {
    /// The authorities.
    Authority,
    /// Our own certificate.
    Certificate,
    /// Its key.
    Key,
    /// The server's name.
    Name,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {found}")]
pub struct TlsFlaw {
    /// Which one.
    pub part: TlsPart,
    /// The file's path, or the name.
    pub at: String,
    /// What was found there.
    pub found: String,
    /// What is to be done.
    pub remedy: &'static str,
}

/// What connections are made with.
pub(crate) fn config(files: &TlsFiles) -> Result<ClientConfig, TlsFlaw> {
    let authority = authority(files)?;
    let flaw = |part, at: &Path, found: String, remedy| TlsFlaw { part, at: at.display().to_string(), found, remedy };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(TlsPart::Authority, &authority)?);
    if added == 0 {
        let found = "no certificate of an authority".to_owned();
        return Err(flaw(TlsPart::Authority, &authority, found, "name the file with the authority's certificate"));
    }
    let config = trusting(roots).map_err(|e| flaw(TlsPart::Authority, &authority, e.to_string(), "this is a bug"))?;
    let Some((certificate, key)) = &files.own else { return Ok(config.with_no_client_auth()) };
    let chain = certificates(TlsPart::Certificate, certificate)?;
    let private = PrivateKeyDer::from_pem_slice(&read(TlsPart::Key, key)?);
    let private = private.map_err(|_| {
        let remedy = "name the certificate's key, as -----BEGIN PRIVATE KEY----- and without a passphrase";
        flaw(TlsPart::Key, key, "no private key in PEM".into(), remedy)
    })?;
    config.with_client_auth_cert(chain, private).map_err(|error| match error {
        Error::InconsistentKeys(_) => flaw(
            TlsPart::Key,
            key,
            format!("the key of another certificate than {}", certificate.display()),
            "name the key that this certificate was made for",
        ),
        error => flaw(TlsPart::Certificate, certificate, error.to_string(), "name a certificate, and its own key"),
    })
}

/// The name that a server's certificate must have, where one is given.
pub(crate) fn name(files: &TlsFiles) -> Result<Option<ServerName<'static>>, TlsFlaw> {
    let Some(name) = &files.name else { return Ok(None) };
    let flaw = |_| TlsFlaw {
        part: TlsPart::Name,
        at: name.chars().filter(|c| !c.is_control()).collect(),
        found: "no name that a certificate can have".into(),
        remedy: "write a host's name or address, as cache.example",
    };
    ServerName::try_from(name.clone()).map(Some).map_err(flaw)
}

/// With ring, whatever else is linked in.
pub(crate) fn trusting(
    roots: RootCertStore,
) -> Result<tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::client::WantsClientCert>, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots))
}

/// The same, but for servers that are not checked at all.
pub(crate) fn unchecked() -> Result<ClientConfig, Error> {
    let provider = ring::default_provider();
    let any = Arc::new(AnyCertificate(provider.clone()));
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(any).with_no_client_auth())
}

fn authority(files: &TlsFiles) -> Result<PathBuf, TlsFlaw> {
    let named = files.authority.clone();
    named.or_else(|| AUTHORITIES.iter().map(PathBuf::from).find(|path| path.is_file())).ok_or_else(|| TlsFlaw {
        part: TlsPart::Authority,
        at: "this machine".into(),
        found: "no file of trusted authorities".into(),
        remedy: "name one",
    })
}

fn certificates(part: TlsPart, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFlaw> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(part, path)?).collect();
    let all = all.unwrap_or_default();
    if all.is_empty() {
        return Err(TlsFlaw {
            part,
            at: path.display().to_string(),
            found: "no certificate in PEM".into(),
            remedy: "name a file with -----BEGIN CERTIFICATE----- in it",
        });
    }
    Ok(all)
}

fn read(part: TlsPart, path: &Path) -> Result<Vec<u8>, TlsFlaw> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    file.map_err(|e| TlsFlaw {
        part,
        at: path.display().to_string(),
        found: e.to_string(),
        remedy: "name a file that can be read",
    })?;
    Ok(bytes)
}
