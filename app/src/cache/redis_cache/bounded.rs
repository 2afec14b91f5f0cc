//! A stream from Redis whose replies are bounded: a server that announces a value without an end, or sends one, must not fill
//! the memory of a replica. The client library reads a reply whole before anybody can look at it, so the bound stands before it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The largest reply: sixteen of the largest values, and far more than any of the server's own words.
const REPLY_BYTES_MAX: u64 = 64 << 20;

/// A stream that ends with an error where a reply is larger than [`REPLY_BYTES_MAX`].
pub(super) struct BoundedReplies<S> {
    stream: S,
    reply: Reply,
}

impl<S> BoundedReplies<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, reply: Reply::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for BoundedReplies<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let within = self.reply.read(&buf.filled()[before..]);
        Poll::Ready(within.ok_or_else(|| {
            let why = format!("a reply of more than {} MiB", REPLY_BYTES_MAX >> 20);
            io::Error::new(io::ErrorKind::ConnectionAborted, why)
        }))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for BoundedReplies<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// How far a reply was read: the framing of RESP2 and RESP3 (redis.io, "Redis serialization protocol specification"), and none of
/// its contents.
#[derive(Debug, Default)]
struct Reply {
    at: At,
    /// Bytes of this reply so far.
    bytes: u64,
    /// Elements of it that are still to come, beside the one that is being read.
    more: u64,
}

#[derive(Debug, Default)]
enum At {
    /// The byte that tells an element's type.
    #[default]
    Type,
    /// The rest of its line: the type, and the number that was read so far; `None` where it is negative or no number.
    Line(u8, Option<u64>),
    /// So many bytes of a string, its line end included.
    Bulk(u64),
}

impl Reply {
    /// Reads on; `None` where the reply is too large.
    fn read(&mut self, mut bytes: &[u8]) -> Option<()> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.at {
                At::Type => self.at = At::Line(byte, Some(0)),
                At::Line(kind, number) if byte == b'\n' => {
                    let (kind, number) = (*kind, *number);
                    self.line(kind, number)?;
                }
                At::Line(kind, number) => {
                    let counts = matches!(kind, b'$' | b'!' | b'=' | b'*' | b'~' | b'>' | b'%' | b'|');
                    let digit = u64::from(byte.wrapping_sub(b'0'));
                    if counts && digit < 10 {
                        let grown = number.map(|n| n.saturating_mul(10).saturating_add(digit));
                        *number = grown;
                    } else if byte != b'\r' {
                        *number = None;
                    }
                }
                At::Bulk(left) => {
                    let skipped = (*left).min(bytes.len() as u64);
                    *left -= skipped;
                    let ended = *left == 0;
                    self.grow(skipped)?;
                    if ended {
                        self.element();
                    }
                    bytes = bytes.get(usize::try_from(skipped).ok()?..)?;
                    continue;
                }
            }
            if self.bytes > 0 || !matches!(self.at, At::Type) {
                self.grow(1)?;
            }
            bytes = rest;
        }
        Some(())
    }

    /// An element's line has ended.
    fn line(&mut self, kind: u8, number: Option<u64>) -> Option<()> {
        self.at = At::Type;
        let n = number.unwrap_or(0);
        if n > REPLY_BYTES_MAX {
            return None;
        }
        match kind {
            b'$' | b'!' | b'=' if number.is_some() => self.at = At::Bulk(n + 2),
            b'*' | b'~' | b'>' => self.elements(n)?,
            b'%' => self.elements(n * 2)?,
            // What it is about follows it.
            b'|' => self.elements(n * 2 + 1)?,
            _ => self.element(),
        }
        Some(())
    }

    /// An element is whole; with the last one the reply is.
    fn element(&mut self) {
        self.at = At::Type;
        match self.more.checked_sub(1) {
            Some(more) => self.more = more,
            None => self.bytes = 0,
        }
    }

    /// An element that is made of so many others. Each is a byte at least.
    fn elements(&mut self, of: u64) -> Option<()> {
        self.more += of;
        self.element();
        (self.more <= REPLY_BYTES_MAX).then_some(())
    }

    fn grow(&mut self, by: u64) -> Option<()> {
        self.bytes += by;
        (self.bytes <= REPLY_BYTES_MAX).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read in pieces of this size: whether it is within the bound, and how much of a reply is open at the end.
    fn read(text: &[u8], piece: usize) -> Option<(u64, u64)> {
        let mut reply = Reply::default();
        text.chunks(piece).try_for_each(|piece| reply.read(piece))?;
        Some((reply.bytes, reply.more))
    }

    #[test]
    fn replies_end_where_they_end_however_they_are_cut() {
        let whole: &[&[u8]] = &[
            b"+OK\r\n",
            b"-ERR no 12 such thing\r\n",
            b":-12\r\n",
            b"$-1\r\n",
            b"$0\r\n\r\n",
            b"$7\r\n*3\r\n$1\r\r\n",
            b"*-1\r\n",
            b"*0\r\n",
            b"*2\r\n$1\r\na\r\n*2\r\n:1\r\n+x\r\n",
            b"%1\r\n+a\r\n:1\r\n",
            b"|1\r\n+a\r\n:1\r\n$1\r\nb\r\n",
            b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nd\r\n",
            b"_\r\n#t\r\n,1.5\r\n(123\r\n=5\r\ntxt:a\r\n",
        ];
        for text in whole {
            for piece in 1..=text.len() {
                assert_eq!(read(text, piece), Some((0, 0)), "{} in {piece}", String::from_utf8_lossy(text));
            }
        }
        assert_eq!(read(&whole.concat(), 3), Some((0, 0)), "one after the other");
        assert_eq!(read(b"*2\r\n:1\r\n", 4), Some((8, 0)), "one element of two");
    }

    #[test]
    fn what_is_too_large_is_noticed_when_it_is_announced_or_when_it_comes() {
        for text in ["$99999999999\r\n", "*99999999999\r\n", "*3\r\n$99999999999999999999999\r\n", "%67108864\r\n"] {
            assert_eq!(read(text.as_bytes(), 5), None, "{text}");
        }
        let most = REPLY_BYTES_MAX as usize;
        for kind in ["+", "-", ":"] {
            assert_eq!(
                read(&[kind.as_bytes(), &vec![b'1'; most + 1]].concat(), 1 << 20),
                None,
                "a line without an end"
            );
        }
        let nested = "*1000\r\n".repeat(1 << 20);
        assert_eq!(read(nested.as_bytes(), 1 << 20), None, "arrays in arrays");
        let fits = [format!("${}\r\n", most - 100).as_bytes(), &vec![b'x'; most - 100], b"\r\n"].concat();
        assert_eq!(read(&fits, 1 << 20), Some((0, 0)));
    }
}
