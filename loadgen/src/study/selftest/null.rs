//! The null server: answers as a replica does, from memory, at as little cost as can be.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

use app::process::shutdown::{Shutdown, Stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of an item's value, as in `hotkey`.
const VALUE_BYTES: usize = 256;

/// A null server on a thread of its own, on loopback.
pub(super) struct NullServer {
    pub(super) address: SocketAddr,
    stop: Option<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl NullServer {
    /// Starts it for items 1 to `items`.
    ///
    /// # Errors
    /// A sentence where it does not come up.
    pub(super) fn start(items: u32) -> Result<Self, String> {
        let (tell, told) = mpsc::channel();
        let (stop, shutdown) = Shutdown::pair();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(serve(items, &tell, shutdown)),
                Err(e) => drop(tell.send(Err(e.to_string()))),
            }
        };
        let thread = std::thread::Builder::new().name("null-server".into()).spawn(run).map_err(|e| e.to_string())?;
        let address = told.recv().unwrap_or_else(|_| Err("it ended before it was up".into()))?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.stop();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(items: u32, tell: &mpsc::Sender<Result<SocketAddr, String>>, mut shutdown: Shutdown) {
    let answers: std::rc::Rc<[Vec<u8>]> = (0..=items).map(answer).collect();
    let bound = TcpListener::bind("127.0.0.1:0").await.and_then(|l| l.local_addr().map(|address| (l, address)));
    let listener = match bound {
        Ok((listener, address)) => {
            let _ = tell.send(Ok(address));
            listener
        }
        Err(e) => return drop(tell.send(Err(e.to_string()))),
    };
    let tasks = tokio::task::LocalSet::new();
    let accepting = tasks.run_until(async {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(converse(stream, std::rc::Rc::clone(&answers)));
        }
    });
    tokio::select! {
        biased;
        () = shutdown.wait() => {}
        () = accepting => {}
    }
}

/// One connection: whatever ends with an empty line and asks for an item gets that item.
async fn converse(mut stream: TcpStream, answers: std::rc::Rc<[Vec<u8>]>) {
    let _ = stream.set_nodelay(true);
    let (mut buffer, mut filled) = ([0_u8; 4096], 0);
    loop {
        match stream.read(&mut buffer[filled..]).await {
            Ok(0) | Err(_) => return,
            Ok(more) => filled += more,
        }
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            let answer = id(&buffer[..filled]).and_then(|id| answers.get(id));
            let Some(answer) = answer else { return };
            if stream.write_all(answer).await.is_err() {
                return;
            }
            filled = 0;
        }
    }
}

/// The id in `GET /items/{id} …`.
fn id(request: &[u8]) -> Option<usize> {
    let rest = request.strip_prefix(b"GET /items/")?;
    let end = rest.iter().position(|byte| *byte == b' ')?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

fn answer(id: u32) -> Vec<u8> {
    let body = app::wire::item::body(&id.to_string(), 1, &"x".repeat(VALUE_BYTES));
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-status: lab; hit; ttl=4\r\nage: 1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_ref()].concat()
}
