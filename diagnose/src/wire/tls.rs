//! Encrypted connections: `rediss://` with an authority of one's own, and a certificate for ourselves where the server wants one. By
//! rustls with ring, so that no library of the system is needed.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::DiagnoseError;
use crate::escape;

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

/// Encrypts a connection to `host`.
pub(super) async fn encrypted(
    stream: TcpStream,
    host: &str,
    files: &TlsFiles,
) -> Result<TlsStream<TcpStream>, DiagnoseError> {
    let config = config(files)?;
    let name = files.name.as_deref().unwrap_or(host).to_owned();
    let name =
        ServerName::try_from(name).map_err(|_| tls("the server's name is none that a certificate can have".into()))?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|e| tls(escape::sentence(e.to_string().as_bytes())))
}

fn config(files: &TlsFiles) -> Result<ClientConfig, DiagnoseError> {
    let authority =
        files.authority.clone().or_else(|| AUTHORITIES.iter().map(PathBuf::from).find(|path| path.is_file()));
    let authority = authority.ok_or_else(|| tls("no file of trusted authorities: name one with --tls-ca".into()))?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(&authority)?);
    if added == 0 {
        return Err(tls(format!("no certificate of an authority in {}", authority.display())));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| tls(e.to_string()))?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &files.own else { return Ok(config.with_no_client_auth()) };
    let wrong = |path: &Path, why: String| tls(format!("{}: {why}", path.display()));
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| wrong(key, "no private key in PEM".into()))?;
    config.with_client_auth_cert(certificates(certificate)?, private).map_err(|e| wrong(certificate, e.to_string()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, DiagnoseError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let all = all.unwrap_or_default();
    if all.is_empty() { Err(tls(format!("no certificate in PEM in {}", path.display()))) } else { Ok(all) }
}

fn read(path: &Path) -> Result<Vec<u8>, DiagnoseError> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    file.map_err(|e| tls(format!("{}: {e}", path.display())))?;
    Ok(bytes)
}

fn tls(why: String) -> DiagnoseError {
    DiagnoseError::Tls(why)
}
