//! The handshake, and the stream that comes of it, whose errors say what TLS had against it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{Error, HandshakeKind, RootCertStore};

use crate::fault::{TlsCause, TlsFault};
use crate::files::{TlsFiles, TlsFlaw, config, name, trusting, unchecked};

/// What connections are made with: checked, and the same for all of them, so that one that is made again may resume its session.
#[derive(Clone)]
pub struct TlsClient {
    connector: TlsConnector,
    /// The name that the server's certificate must have, where it is not the address's.
    name: Option<ServerName<'static>>,
}

impl TlsClient {
    /// Reads the files.
    ///
    /// # Errors
    /// Which of them cannot be used, and why.
    pub fn new(files: &TlsFiles) -> Result<Self, TlsFlaw> {
        let name = name(files)?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config(files)?)), name })
    }

    /// One that takes whatever certificate a server shows: encrypted, and nobody knows with whom.
    ///
    /// # Errors
    /// Where the library cannot.
    pub fn without_checks() -> Result<Self, Error> {
        Ok(Self { connector: TlsConnector::from(Arc::new(unchecked()?)), name: None })
    }

    /// Encrypts a connection to `host`.
    ///
    /// # Errors
    /// A [`TlsFault`] in an [`io::Error`].
    pub async fn connect<S>(&self, stream: S, host: &str) -> io::Result<Encrypted<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let of_host = || {
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let no_name = |_| TlsFault::of(TlsCause::Name).into_io(io::ErrorKind::InvalidInput);
            ServerName::try_from(host).map_err(no_name)
        };
        let name = self.name.clone().map_or_else(of_host, Ok)?;
        let stream = self.connector.connect(name, stream).await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                TlsFault::of(TlsCause::Cut).into_io(error.kind())
            }
            _ => told(error),
        })?;
        Ok(Encrypted(stream))
    }
}

impl std::fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsClient(…)")
    }
}

/// Whether a server answers in TLS. It is told nothing, and nothing that it says is believed.
pub async fn answers_in_tls<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> bool {
    let Ok(config) = trusting(RootCertStore::empty()) else { return false };
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let Ok(name) = ServerName::try_from("localhost") else { return false };
    match connector.connect(name, stream).await {
        Ok(_) => true,
        Err(error) => error.get_ref().and_then(|e| e.downcast_ref()).is_some_and(|error: &Error| {
            matches!(error, Error::InvalidCertificate(_) | Error::AlertReceived(_) | Error::PeerIncompatible(_))
        }),
    }
}

/// An encrypted stream.
pub struct Encrypted<S>(TlsStream<S>);

impl<S> Encrypted<S> {
    /// Whether it resumed the session of one before it.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.0.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

/// An error of the library as a fault; any other as it is.
fn told(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
        Some(why) => TlsFault::told(why).into_io(error.kind()),
        None => error,
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf).map_err(told)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf).map_err(told)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx).map_err(told)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx).map_err(told)
    }
}
