//! RESP2, read with bounds: a server is believed nothing, neither how long its answer is nor that it ends.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// The longest line that is read: an error, a number, a length.
const LINE_MAX: u64 = 64 << 10;
/// The longest text that is kept; of a longer one the length alone.
const TEXT_KEPT_MAX: u64 = 4 << 20;
/// The most that all replies to one batch may have, in bytes.
pub const REPLY_BYTES_MAX: u64 = 64 << 20;
/// The most members that all their lists may have.
pub const REPLY_MEMBERS_MAX: u64 = 500_000;
/// The deepest that lists are in one another: SLOWLOG has three.
const DEPTH_MAX: usize = 8;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RespReply {
    /// Text or bytes.
    Text(Vec<u8>),
    /// A text of so many bytes, which was read and not kept.
    Cut(u64),
    /// A whole number.
    Number(i64),
    /// Nil.
    Nothing,
    /// A list.
    List(Vec<RespReply>),
    /// An error, in its words.
    Refused(Vec<u8>),
}

impl RespReply {
    /// The text of it.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number in it, written as one or as text.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// The members of it.
    #[must_use]
    pub fn list(&self) -> Option<&[RespReply]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }
}

/// Why no reply could be read.
#[derive(Debug)]
pub enum RespFault {
    /// The connection ended, or failed.
    Closed,
    /// The encryption failed, in words.
    Broken(String),
    /// This is another protocol's first line.
    Foreign(Vec<u8>),
    /// More than is read: what came, and what is allowed.
    TooLarge(String, String),
}

impl From<std::io::Error> for RespFault {
    fn from(error: std::io::Error) -> Self {
        // As what TLS tells of an alert: the other side may refuse us only when the first answer is read.
        if error.kind() == std::io::ErrorKind::InvalidData { Self::Broken(error.to_string()) } else { Self::Closed }
    }
}

/// A command in the form in which it is sent.
pub fn encode(command: &[Vec<u8>], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
    for word in command {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// What may still come: of all replies to a batch together, for a batch has hundreds.
#[derive(Debug)]
pub struct RespBudget {
    bytes: u64,
    members: u64,
}

impl Default for RespBudget {
    fn default() -> Self {
        Self { bytes: REPLY_BYTES_MAX, members: REPLY_MEMBERS_MAX }
    }
}

/// Reads one reply.
///
/// # Errors
/// [`RespFault`]; nothing more can be read from there then.
pub async fn read<R: AsyncBufRead + Unpin>(from: &mut R, left: &mut RespBudget) -> Result<RespReply, RespFault> {
    // Lists that are not complete: how many members are missing, and those that are there.
    let mut open: Vec<(u64, Vec<RespReply>)> = Vec::new();
    loop {
        let mut reply = match one(from, left).await? {
            Part::Whole(reply) => reply,
            Part::Members(0) => RespReply::List(Vec::new()),
            Part::Members(_) if open.len() == DEPTH_MAX => {
                return Err(RespFault::TooLarge("lists in lists".into(), format!("{DEPTH_MAX} deep")));
            }
            Part::Members(members) => {
                open.push((members, Vec::new()));
                continue;
            }
        };
        loop {
            let Some((missing, mut list)) = open.pop() else { return Ok(reply) };
            list.push(reply);
            if missing > 1 {
                open.push((missing - 1, list));
                break;
            }
            reply = RespReply::List(list);
        }
    }
}

enum Part {
    Whole(RespReply),
    Members(u64),
}

async fn one<R: AsyncBufRead + Unpin>(from: &mut R, left: &mut RespBudget) -> Result<Part, RespFault> {
    let line = line(from, left).await?;
    let foreign = || RespFault::Foreign(line.clone());
    let (kind, rest) = line.split_first().ok_or_else(foreign)?;
    let number = || std::str::from_utf8(rest).ok().and_then(|text| text.parse::<i64>().ok()).ok_or_else(foreign);
    Ok(Part::Whole(match kind {
        b'+' => RespReply::Text(rest.to_vec()),
        b'-' => RespReply::Refused(rest.to_vec()),
        b':' => RespReply::Number(number()?),
        b'$' => match u64::try_from(number()?) {
            Ok(length) => text(from, length, left).await?,
            Err(_) => RespReply::Nothing,
        },
        b'*' => match u64::try_from(number()?) {
            Ok(members) if members > left.members => {
                return Err(RespFault::TooLarge(format!("{members} members"), REPLY_MEMBERS_MAX.to_string()));
            }
            Ok(members) => {
                left.members -= members;
                return Ok(Part::Members(members));
            }
            Err(_) => RespReply::Nothing,
        },
        _ => return Err(foreign()),
    }))
}

/// A line without its end.
async fn line<R: AsyncBufRead + Unpin>(from: &mut R, left: &mut RespBudget) -> Result<Vec<u8>, RespFault> {
    let mut line = Vec::new();
    from.take(LINE_MAX).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(RespFault::Closed);
    }
    let ends = line.ends_with(b"\r\n");
    if !ends && line.len() as u64 == LINE_MAX {
        return Err(RespFault::TooLarge("a line without an end".into(), format!("{LINE_MAX} bytes")));
    }
    spend(left, line.len() as u64)?;
    if !ends {
        return Err(RespFault::Foreign(line));
    }
    line.truncate(line.len() - 2);
    Ok(line)
}

async fn text<R: AsyncBufRead + Unpin>(
    from: &mut R,
    length: u64,
    left: &mut RespBudget,
) -> Result<RespReply, RespFault> {
    spend(left, length)?;
    let reply = if length <= TEXT_KEPT_MAX {
        // Grows as bytes come: what is announced costs nothing.
        let mut text = Vec::new();
        if from.take(length).read_to_end(&mut text).await? as u64 != length {
            return Err(RespFault::Closed);
        }
        RespReply::Text(text)
    } else {
        if tokio::io::copy_buf(&mut from.take(length), &mut tokio::io::sink()).await? != length {
            return Err(RespFault::Closed);
        }
        RespReply::Cut(length)
    };
    let mut end = [0; 2];
    from.read_exact(&mut end).await?;
    if end == *b"\r\n" { Ok(reply) } else { Err(RespFault::Foreign(end.to_vec())) }
}

fn spend(left: &mut RespBudget, bytes: u64) -> Result<(), RespFault> {
    left.bytes = left
        .bytes
        .checked_sub(bytes)
        .ok_or_else(|| RespFault::TooLarge(format!("more than {bytes} bytes"), format!("{REPLY_BYTES_MAX} bytes")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(bytes: &[u8]) -> Result<RespReply, RespFault> {
        read(&mut &*bytes, &mut RespBudget::default()).await
    }

    #[tokio::test]
    async fn every_kind_is_read() {
        let text = |text: &str| RespReply::Text(text.into());
        for (bytes, expected) in [
            (&b"+OK\r\n"[..], text("OK")),
            (b"$5\r\na\r\nbc\r\n", text("a\r\nbc")),
            (b"$0\r\n\r\n", text("")),
            (b"$-1\r\n", RespReply::Nothing),
            (b"*-1\r\n", RespReply::Nothing),
            (b":-7\r\n", RespReply::Number(-7)),
            (b"-ERR no\r\n", RespReply::Refused("ERR no".into())),
            (b"*0\r\n", RespReply::List(vec![])),
            (
                b"*3\r\n*1\r\n:1\r\n+a\r\n*0\r\n",
                RespReply::List(vec![RespReply::List(vec![RespReply::Number(1)]), text("a"), RespReply::List(vec![])]),
            ),
        ] {
            assert_eq!(parsed(bytes).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn what_is_hostile_is_refused_and_costs_no_memory() {
        let refused = async |bytes: &[u8]| match parsed(bytes).await.unwrap_err() {
            RespFault::Closed | RespFault::Broken(_) => "closed",
            RespFault::Foreign(_) => "foreign",
            RespFault::TooLarge(..) => "too large",
        };
        for (bytes, expected) in [
            (&b""[..], "closed"),
            (b"HTTP/1.1 400 Bad Request\r\n", "foreign"),
            (b"\r\n", "foreign"),
            (b"$99999999999\r\n", "too large"),
            (b"$9223372036854775807\r\n", "too large"),
            (b"$abc\r\n", "foreign"),
            (b":12", "foreign"),
            (b"$5\r\nab", "closed"),
            (b"$2\r\nabXX", "foreign"),
            (b"*99999999\r\n", "too large"),
            (b"*2\r\n:1\r\n", "closed"),
            (&b"*1\r\n".repeat(9), "too large"),
            (&b"x".repeat(1 << 17), "too large"),
        ] {
            assert_eq!(refused(bytes).await, expected, "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]));
        }
        let mut budget = RespBudget::default();
        let half = format!("${}\r\n", REPLY_BYTES_MAX / 2 + 1);
        let halves = (half.clone() + &"x".repeat(REPLY_BYTES_MAX as usize / 2 + 1) + "\r\n" + &half).into_bytes();
        let mut halves = &halves[..];
        assert!(matches!(read(&mut halves, &mut budget).await, Ok(RespReply::Cut(_))));
        assert!(matches!(read(&mut halves, &mut budget).await, Err(RespFault::TooLarge(..))), "two of a batch");
        let mut long = b"$5000000\r\n".to_vec();
        long.extend(vec![b'x'; 5_000_000]);
        long.extend(b"\r\n");
        assert_eq!(parsed(&long).await.unwrap(), RespReply::Cut(5_000_000));
    }

    #[test]
    fn a_command_is_written_as_a_list_of_texts() {
        let mut out = Vec::new();
        encode(&[b"GET".to_vec(), b"a\r\nb".to_vec()], &mut out);
        assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n");
    }
}
