//! One client's connection to Redis: bytes both ways, those to Redis later where the lab says so.
//!
//! A delay shifts, it does not throttle: what arrives while something waits waits from its own arrival. The runtime's
//! timers are whole milliseconds, so a delay is up to about 2 ms longer than asked for.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::proxy::CacheProxy;

/// The most that is read at once.
const CHUNK_BYTES: usize = 16 << 10;
/// Chunks that may be under way to Redis; a client that sends faster waits.
const CHUNKS_MAX: usize = 256;

/// Passes bytes on until either side ends, and says whether that was the server's.
pub(super) async fn join(client: TcpStream, server: TcpStream, proxy: &CacheProxy) -> bool {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        // An error is an end, too: whose it was concerns nobody here.
        _ = later(from_client, to_server, proxy) => false,
        _ = at_once(from_server, to_client) => true,
    }
}

async fn at_once(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
    let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
    while from.read_buf(&mut chunk).await? > 0 {
        to.write_all_buf(&mut chunk).await?;
        chunk.reserve(CHUNK_BYTES);
    }
    Ok(())
}

async fn later(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, proxy: &CacheProxy) -> std::io::Result<()> {
    let (send, mut waiting) = mpsc::channel::<(Option<Instant>, BytesMut)>(CHUNKS_MAX);
    let read = async move {
        loop {
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            if from.read_buf(&mut chunk).await? == 0 {
                return Ok(());
            }
            let added = proxy.added();
            let due = (!added.is_zero()).then(|| Instant::now() + added);
            if send.send((due, chunk)).await.is_err() {
                return Ok(());
            }
        }
    };
    let write = async {
        while let Some((due, mut chunk)) = waiting.recv().await {
            if let Some(due) = due {
                sleep_until(due).await;
            }
            to.write_all_buf(&mut chunk).await?;
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(drop)
}
