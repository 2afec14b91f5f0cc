//! A small proxy between replicas and a Redis, which can lose or delay the reply to one command after its effect.
//!
//! It knows no more of the protocol than that a command has its key in it. It is for loopback, where a small command
//! arrives in one piece.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use app::cache::redis_server::PrivateRedis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// What happens to the reply of the next command that has the needle in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The connection breaks before the reply.
    Cut,
    /// The reply comes when the client has asked a second time.
    Late,
}

#[derive(Default)]
struct State {
    upstream: PathBuf,
    loss: Option<(Loss, String)>,
    lost: u32,
}

pub struct Proxy {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    pub async fn to(redis: &PrivateRedis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let proxy = Self { url, state: Arc::clone(&state) };
        proxy.lead_to(redis);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pump(client, Arc::clone(&state)));
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// New connections go to this one.
    pub fn lead_to(&self, redis: &PrivateRedis) {
        self.state.lock().unwrap().upstream = redis.url().replace("redis+unix://", "").into();
    }

    /// The next command with `needle` in it takes effect, and its reply is lost.
    pub fn lose(&self, loss: Loss, needle: &str) {
        self.state.lock().unwrap().loss = Some((loss, needle.to_owned()));
    }

    /// How many replies were lost or late.
    pub fn lost(&self) -> u32 {
        self.state.lock().unwrap().lost
    }
}

/// Takes the loss, if this is the command that it is meant for.
fn strike(state: &Mutex<State>, command: &[u8]) -> Option<(Loss, String)> {
    let mut state = state.lock().unwrap();
    let meant = state.loss.as_ref().is_some_and(|(_, needle)| contains(command, needle));
    if !meant {
        return None;
    }
    state.lost += 1;
    state.loss.take()
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Ends, and both connections with it, where either side has ended or the reply is to be cut.
async fn pump(mut client: TcpStream, state: Arc<Mutex<State>>) {
    let upstream = state.lock().unwrap().upstream.clone();
    let Ok(mut server) = UnixStream::connect(upstream).await else { return };
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut cut = false;
    let mut late: Option<(String, Vec<u8>)> = None;
    loop {
        tokio::select! {
            biased;
            read = client.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                let command = &up[..length];
                if late.as_ref().is_some_and(|(needle, _)| contains(command, needle)) {
                    let (_, reply) = late.take().unwrap();
                    if client.write_all(&reply).await.is_err() { return }
                }
                match strike(&state, command) {
                    Some((Loss::Cut, _)) => cut = true,
                    Some((Loss::Late, needle)) => late = Some((needle, Vec::new())),
                    None => {}
                }
                if server.write_all(command).await.is_err() { return }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                if cut { return }
                match &mut late {
                    Some((_, reply)) => reply.extend_from_slice(&down[..length]),
                    None => if client.write_all(&down[..length]).await.is_err() { return },
                }
            }
        }
    }
}
