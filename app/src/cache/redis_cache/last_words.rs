//! What a server says that ends a connection at once, or never answers on it: the client library does not pass that on, so a connection
//! of its own is made to hear it.

use redis::ConnectionAddr;
use tls::client::answers_in_tls;
use tls::fault::{NO_TLS, TlsCause, TlsFault};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use super::error::{one_line, sentence};
use super::link::RedisLink;
use super::stream::RedisStream;
use crate::wire::refused::{NO_REPLY, WANTS_TLS};

/// The longest first line that is read.
const LINE_BYTES_MAX: u64 = 1024;

impl RedisLink {
    /// What the server says to a client that connects, tells the password and asks for a sign of life, and how it refuses that:
    /// one line. `None` where it refuses nothing, or says nothing.
    pub(super) async fn last_words(&self) -> Option<String> {
        let limit = self.limits().connect;
        if let Some(line) = timeout(limit, self.heard()).await.ok().flatten() {
            return refusal(&line);
        }
        // Nothing was heard. Does it speak the other way? No secret is sent to find out.
        if self.tls().is_some() {
            let plain = timeout(limit, self.answers_plainly()).await.unwrap_or(false);
            return plain.then(|| TlsFault::of(TlsCause::Plain).to_string());
        }
        let encrypted = timeout(limit, self.answers_in_tls()).await.unwrap_or(false);
        encrypted.then(|| WANTS_TLS.to_owned())
    }

    /// The first line that comes, or why none can.
    async fn heard(&self) -> Option<String> {
        let settings = self.info().redis_settings();
        let mut asked = Vec::new();
        if let Some(password) = settings.password() {
            let mut auth = redis::cmd("AUTH");
            if let Some(user) = settings.username() {
                auth.arg(user);
            }
            asked.extend(auth.arg(password).get_packed_command());
        }
        asked.extend(redis::cmd("PING").get_packed_command());
        // As a line of the server's, which refuses.
        let fault = |why: String| why.starts_with(NO_TLS).then(|| format!("-{why}"));
        let address = self.address().await.ok()?;
        match RedisStream::open(&address, self.tls()).await {
            Ok(stream) => match first_line(stream, &asked).await {
                Ok(line) => (!line.is_empty()).then_some(line),
                Err(error) => fault(sentence(&error.into())),
            },
            Err(error) => fault(sentence(&error)),
        }
    }

    async fn answers_plainly(&self) -> bool {
        let Ok(address) = self.address().await else { return false };
        let Ok(stream) = RedisStream::open(&address, None).await else { return false };
        first_line(stream, b"PING\r\n").await.is_ok_and(|line| line.starts_with(['+', '-']))
    }

    async fn answers_in_tls(&self) -> bool {
        let Ok(address @ ConnectionAddr::Tcp(..)) = self.address().await else { return false };
        match RedisStream::open(&address, None).await {
            Ok(stream) => answers_in_tls(stream).await,
            Err(_) => false,
        }
    }
}

/// A line as what it refuses.
fn refusal(line: &str) -> Option<String> {
    match line.chars().next()? {
        '-' => Some(one_line(line.trim_start_matches('-'))),
        '+' | '$' | '*' | '%' => None,
        _ => Some(format!("{NO_REPLY}: {}", one_line(line))),
    }
}

async fn first_line(mut stream: impl AsyncRead + AsyncWrite + Unpin, asked: &[u8]) -> std::io::Result<String> {
    // It may have closed the connection already, and its words are still there to be read.
    let _ = stream.write_all(asked).await;
    let _ = stream.flush().await;
    let mut line = Vec::new();
    let read = BufReader::new(stream.take(LINE_BYTES_MAX)).read_until(b'\n', &mut line).await;
    match read {
        Err(error) if line.is_empty() => Err(error),
        _ => Ok(String::from_utf8_lossy(&line).trim().to_owned()),
    }
}
