//! The counting proxy in front of a service that is none of the lab's: what passes, how a read ends in its ledger, and who may ask for it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use app::origin_proxy::{CountedOrigin, Items, OriginProxy, OriginProxyListeners, run};
use app::process::shutdown::{Shutdown, Stop};
use app::wire::auth::ControlToken;
use app::wire::control::{FaultOrigin, Identity, LawWire, SizesWire, StartOrigin};
use app::wire::control_client::ControlClient;
use app::wire::programs::ORIGIN_PROXY;
use evidence::{OriginCounters, OriginFault, OriginRead, ReadEnd};

const TOKEN: &str = "a token for the tests only";

/// Reads one request's head; empty at the end of the connection.
fn head(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// A service of somebody's own: each connection is handed to `converse`.
fn service(converse: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let converse = std::sync::Arc::new(converse);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let converse = std::sync::Arc::clone(&converse);
            std::thread::spawn(move || converse(stream));
        }
    });
    address
}

struct Proxy {
    data: SocketAddr,
    control: SocketAddr,
    _stop: Stop,
}

impl Proxy {
    fn before(upstream: SocketAddr, patience: Duration) -> Self {
        let (stop, shutdown) = Shutdown::pair();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let bind = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let (data, control) = (bind().await, bind().await);
                tell.send((data.local_addr().unwrap(), control.local_addr().unwrap())).unwrap();
                let items = Items::read("/items/{key}").unwrap();
                let proxy =
                    OriginProxy::new(CountedOrigin { authority: upstream.to_string(), tls: None }, items, patience)
                        .unwrap();
                let control = (control, ControlToken::given(TOKEN).unwrap());
                run(proxy, OriginProxyListeners { data, control }, shutdown).await;
            });
        });
        let (data, control) = told.recv().unwrap();
        Self { data, control, _stop: stop }
    }

    fn client(&self) -> ControlClient {
        ControlClient::new(&format!("http://{}", self.control), Some(ControlToken::given(TOKEN).unwrap()))
    }

    async fn start(&self) -> ControlClient {
        let control = self.client();
        let law = LawWire::Constant { ns: 0 };
        let start = StartOrigin {
            items: 1,
            sizes: SizesWire::Constant { bytes: 1 }.into(),
            compressible: 0.0,
            concurrency: 1,
            queue: 0,
            service_time: law,
            write_time: None,
            seed: 1,
            write_every_ns: None,
        };
        control.post::<()>("/start", &start).await.unwrap();
        control
    }

    /// Sends a request as it is, and reads everything that comes until the connection ends.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.data).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The ledger, when nothing in it is open any more.
async fn ledger(control: &ControlClient, reads: u64) -> Vec<OriginRead> {
    loop {
        let counters: OriginCounters = control.get("/counters").await.unwrap();
        if counters.in_flight == 0 && counters.arrived == reads {
            return control.get("/ledger").await.unwrap();
        }
        tokio::task::yield_now().await;
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn requests_and_answers_pass_as_they_are_without_what_is_for_one_connection_alone() {
    let (tell, told) = mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let upstream = service(move |mut stream| {
        loop {
            let head = head(&mut stream);
            if head.is_empty() {
                return;
            }
            let mut body = vec![0; if head.starts_with("POST") { 4 } else { 0 }];
            stream.read_exact(&mut body).unwrap();
            tell.lock().unwrap().send((head.to_lowercase(), body)).unwrap();
            let answer = "HTTP/1.1 201 Made\r\nX-Kept: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Hop: 1\r\nConnection: X-Hop\r\n\
                          Keep-Alive: timeout=9\r\nContent-Length: 5\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
            if !head.starts_with("HEAD") {
                stream.write_all(b"hello").unwrap();
            }
        }
    });
    let proxy = Proxy::before(upstream, Duration::from_secs(10));
    let control = proxy.start().await;
    let request = "POST /items/7?q=%20 HTTP/1.1\r\nHost: shop.example\r\nX-Mine: yes\r\nX-Drop: 1\r\nConnection: close, X-Drop\r\nTE: trailers\r\n\
                   Upgrade: h2c\r\nProxy-Connection: keep-alive\r\nContent-Length: 4\r\n\r\nbody";
    let answer = proxy.ask(request).to_lowercase();
    let (asked, body) = told.recv().unwrap();
    assert!(asked.starts_with("post /items/7?q=%20 http/1.1\r\n") && body == b"body", "{asked}");
    assert!(asked.contains("host: shop.example\r\n") && asked.contains("x-mine: yes\r\n"), "{asked}");
    for gone in ["x-drop", "te:", "upgrade", "proxy-connection", "connection: close"] {
        assert!(!asked.contains(gone), "{gone} in {asked}");
    }
    assert!(answer.starts_with("http/1.1 201 "), "{answer}");
    assert!(answer.contains("x-kept: 1\r\n") && answer.contains("set-cookie: a=1\r\n"), "{answer}");
    assert!(answer.contains("set-cookie: b=2\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(!answer.contains("x-hop") && !answer.contains("keep-alive"), "{answer}");
    // HEAD has the length of what it does not carry.
    let answer = proxy.ask(&get("/items/7").replacen("GET", "HEAD", 1)).to_lowercase();
    assert!(answer.contains("content-length: 5\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    proxy.ask(&get("/elsewhere"));
    // The POST is no read, and elsewhere is no item.
    let reads = ledger(&control, 1).await;
    let [read] = reads.as_slice() else { panic!("{reads:?}") };
    assert_eq!((read.key.as_str(), read.outcome, read.start_ns), ("7", Some(ReadEnd::Ok), None));
    assert!(read.end_ns >= Some(read.arrived_ns));
}

#[tokio::test]
async fn each_way_in_which_a_read_can_end_is_told() {
    let upstream = service(|mut stream| {
        let head = head(&mut stream);
        let answer: &[u8] = match head.split(' ').nth(1).unwrap() {
            "/items/1" => {
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            }
            "/items/2" => b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "/items/3" => b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "/items/4" => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "/items/5" => b"no HTTP at all\r\n\r\n",
            "/items/6" => b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
            _ => b"",
        };
        stream.write_all(answer).unwrap();
        if answer.is_empty() {
            // Silence, until the other end has gone.
            let _ = stream.read(&mut [0]);
        }
    });
    let proxy = Proxy::before(upstream, Duration::from_millis(700));
    let control = proxy.start().await;
    let ends = [
        (1, "HTTP/1.1 200 ", ReadEnd::Ok),
        (2, "HTTP/1.1 404 ", ReadEnd::Missing),
        (3, "HTTP/1.1 503 ", ReadEnd::Failed),
        (4, "HTTP/1.1 200 ", ReadEnd::Failed),
        (5, "HTTP/1.1 502 ", ReadEnd::Failed),
        (6, "HTTP/1.1 304 ", ReadEnd::Ok),
        (7, "HTTP/1.1 504 ", ReadEnd::Failed),
    ];
    for (key, status, _) in ends {
        let answer = proxy.ask(&get(&format!("/items/{key}")));
        assert!(answer.starts_with(status), "{key}: {answer}");
    }
    // One whose caller goes away before there is an answer.
    let mut gone = TcpStream::connect(proxy.data).unwrap();
    gone.write_all(get("/items/8").as_bytes()).unwrap();
    while control.get::<OriginCounters>("/counters").await.unwrap().arrived < 8 {
        tokio::task::yield_now().await;
    }
    drop(gone);
    let reads = ledger(&control, 8).await;
    let found: Vec<_> = reads.iter().map(|read| (read.key.to_string(), read.outcome.unwrap())).collect();
    let mut expected: Vec<_> = ends.iter().map(|(key, _, end)| (key.to_string(), *end)).collect();
    expected.push(("8".to_owned(), ReadEnd::Abandoned));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_upstream_that_is_gone_is_told_and_the_control_listener_wants_its_token() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::before(dead, Duration::from_secs(10));
    // Before a run is started nobody keeps a ledger.
    assert!(proxy.ask(&get("/items/1")).starts_with("HTTP/1.1 502 "));
    let control = proxy.client();
    assert_eq!(control.get::<OriginCounters>("/counters").await.unwrap(), OriginCounters::default());
    let control = proxy.start().await;
    assert!(proxy.ask(&get("/items/one")).starts_with("HTTP/1.1 502 "));
    let reads = ledger(&control, 1).await;
    assert_eq!((reads[0].key.as_str(), reads[0].outcome), ("one", Some(ReadEnd::Failed)));
    assert_eq!(control.get::<Identity>("/identity").await.unwrap().program, ORIGIN_PROXY);
    let fault = FaultOrigin { kind: OriginFault::Fail, for_ns: 1 };
    let refused = control.post::<()>("/fault", &fault).await.unwrap_err().to_string();
    assert!(refused.contains("a counting proxy"), "{refused}");
    let stranger = ControlClient::new(&format!("http://{}", proxy.control), None);
    assert!(stranger.get::<Vec<OriginRead>>("/ledger").await.unwrap_err().to_string().contains("401"));
    // What is asked of the data listener goes to the upstream, the ledger's path as well.
    assert!(proxy.ask(&get("/ledger")).starts_with("HTTP/1.1 502 "));
    assert!(proxy.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 "));
}
