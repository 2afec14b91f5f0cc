//! One connection to a server: a limit of time for whatever is asked, and what goes wrong in words.

use std::time::Duration;

use tls::client::{Encrypted, TlsClient};
use tls::files::TlsFiles;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::DiagnoseError;
use crate::escape;
use crate::wire::resp::{self, RespBudget, RespFault, RespReply};
use crate::wire::target::{RedisPlace, RedisTarget};

/// How long it may take to connect.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long the handshake of TLS may take of that.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(2);
/// How long a server may take for one batch of commands.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Of a line that is heard and not asked for, as much is kept.
const HEARD_LINE_MAX: u64 = 1024;

trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for S {}

/// A connection. Only the door of `allowed.rs` has one.
pub(crate) struct RespLink {
    stream: BufReader<Box<dyn ByteStream>>,
    is_elsewhere: bool,
}

impl RespLink {
    pub(crate) async fn open(target: &RedisTarget) -> Result<Self, DiagnoseError> {
        let opened = timeout(CONNECT_LIMIT, connect(target)).await;
        let late = |_| DiagnoseError::Unreachable(format!("no connection within {CONNECT_LIMIT:?}"));
        let (stream, is_elsewhere) = opened.map_err(late)??;
        Ok(Self { stream: BufReader::with_capacity(64 << 10, stream), is_elsewhere })
    }

    /// Whether the server is on another machine.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    /// Sends commands, and reads as many replies. `asked` names them where something goes wrong.
    pub(crate) async fn ask(
        &mut self,
        asked: &str,
        commands: &[Vec<Vec<u8>>],
    ) -> Result<Vec<RespReply>, DiagnoseError> {
        let mut bytes = Vec::new();
        commands.iter().for_each(|command| resp::encode(command, &mut bytes));
        let deadline = Instant::now() + ANSWER_LIMIT;
        let silent = |_| DiagnoseError::Silent { asked: asked.to_owned(), limit: ANSWER_LIMIT };
        // A server that has closed the connection may have said why, and that is still there to be read.
        let _ = timeout_at(deadline, self.stream.write_all(&bytes)).await.map_err(silent)?;
        let _ = timeout_at(deadline, self.stream.flush()).await.map_err(silent)?;
        let (mut replies, mut budget) = (Vec::new(), RespBudget::default());
        for _ in commands {
            let reply = timeout_at(deadline, resp::read(&mut self.stream, &mut budget)).await.map_err(silent)?;
            replies.push(reply.map_err(|fault| in_words(asked, fault))?);
        }
        Ok(replies)
    }

    /// The beginning of the next line that comes by itself, until `deadline`; `None` at that time.
    pub(crate) async fn hear(&mut self, deadline: Instant) -> Result<Option<Vec<u8>>, DiagnoseError> {
        let closed = |_: std::io::Error| DiagnoseError::Closed { asked: "MONITOR".into() };
        let heard = timeout_at(deadline, async {
            let mut line = Vec::new();
            (&mut self.stream).take(HEARD_LINE_MAX).read_until(b'\n', &mut line).await?;
            let mut ends = line.ends_with(b"\n");
            if line.is_empty() {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            while !ends {
                // What is left of a long line is passed over, whatever its length.
                let (seen, found) = {
                    let rest = self.stream.fill_buf().await?;
                    let at = rest.iter().position(|byte| *byte == b'\n');
                    (at.map_or(rest.len(), |at| at + 1), at.is_some())
                };
                if seen == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                self.stream.consume(seen);
                ends = found;
            }
            Ok(line)
        });
        heard.await.ok().transpose().map_err(closed)
    }
}

async fn connect(target: &RedisTarget) -> Result<(Box<dyn ByteStream>, bool), DiagnoseError> {
    match &target.place {
        RedisPlace::Tcp { host, port, tls } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            let is_elsewhere = stream.peer_addr().is_ok_and(|peer| !peer.ip().is_loopback());
            if *tls {
                return Ok((Box::new(encrypted(stream, host, &target.tls).await?), is_elsewhere));
            }
            Ok((Box::new(stream), is_elsewhere))
        }
        RedisPlace::Unix(path) => Ok((Box::new(UnixStream::connect(path).await.map_err(unreachable)?), false)),
    }
}

async fn encrypted(stream: TcpStream, host: &str, files: &TlsFiles) -> Result<Encrypted<TcpStream>, DiagnoseError> {
    let client = TlsClient::new(files).map_err(|flaw| DiagnoseError::Tls(flaw.to_string()))?;
    let said = |e: std::io::Error| DiagnoseError::Tls(escape::sentence(e.to_string().as_bytes()));
    let silent = |_| {
        let why = format!("no answer to the handshake within {HANDSHAKE_LIMIT:?}: does it speak TLS at that port?");
        DiagnoseError::Tls(why)
    };
    timeout(HANDSHAKE_LIMIT, client.connect(stream, host)).await.map_err(silent)?.map_err(said)
}

fn unreachable(error: std::io::Error) -> DiagnoseError {
    DiagnoseError::Unreachable(match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        std::io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        _ => escape::sentence(error.to_string().as_bytes()),
    })
}

fn in_words(asked: &str, fault: RespFault) -> DiagnoseError {
    let asked = asked.to_owned();
    match fault {
        RespFault::Closed => DiagnoseError::Closed { asked },
        RespFault::Broken(why) => DiagnoseError::Tls(escape::sentence(why.as_bytes())),
        RespFault::Foreign(line) => DiagnoseError::NotRedis(escape::sentence(&line)),
        RespFault::TooLarge(found, allowed) => DiagnoseError::TooLarge { asked, found, allowed },
    }
}
