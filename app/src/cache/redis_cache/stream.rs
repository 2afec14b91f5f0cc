//! One stream to a server: TCP, TCP under TLS, or a socket of this machine.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use redis::{ConnectionAddr, ErrorKind, RedisResult};
use tls::client::{Encrypted, TlsClient};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A stream to a server.
pub(super) enum RedisStream {
    Tcp(TcpStream),
    /// Large, and one of many: in a box of its own.
    Tls(Box<Encrypted<TcpStream>>),
    Unix(UnixStream),
}

impl RedisStream {
    /// Connects, and encrypts what it is given a client for.
    pub(super) async fn open(address: &ConnectionAddr, tls: Option<&TlsClient>) -> RedisResult<Self> {
        match address {
            ConnectionAddr::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(match tls {
                    Some(client) => Self::Tls(Box::new(client.connect(stream, host).await?)),
                    None => Self::Tcp(stream),
                })
            }
            ConnectionAddr::Unix(path) => Ok(Self::Unix(UnixStream::connect(Path::new(path)).await?)),
            _ => Err((ErrorKind::InvalidClientConfig, "neither a host nor a socket").into()),
        }
    }
}

/// Does the same to whichever it is.
macro_rules! each {
    ($of:expr, $stream:ident => $act:expr) => {
        match $of.get_mut() {
            RedisStream::Tcp($stream) => $act,
            RedisStream::Tls($stream) => $act,
            RedisStream::Unix($stream) => $act,
        }
    };
}

impl AsyncRead for RedisStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for RedisStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
