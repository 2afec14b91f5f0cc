//! What a counting proxy adds to a request: the same server asked directly and through it, in turns.
//!
//! `cargo bench -p app --bench origin_proxy`

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::time::Duration;

use app::origin_proxy::{CountedOrigin, Items, OriginProxy, OriginProxyListeners, run};
use app::process::shutdown::Shutdown;
use app::wire::auth::ControlToken;
use app::wire::serve::serve;
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

fn proxied(c: &mut Criterion) {
    // The servers are a thread's, the client another's, as in a run.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bind = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (origin, data, control) = (bind().await, bind().await, bind().await);
            let (direct, through) = (origin.local_addr().unwrap(), data.local_addr().unwrap());
            let (_stop, shutdown) = Shutdown::pair();
            let items = Items::read("/items/{key}").unwrap();
            let upstream = CountedOrigin { authority: direct.to_string(), tls: None };
            let proxy = OriginProxy::new(upstream, items, Duration::from_secs(10)).unwrap();
            let token = ControlToken::given("a token for the bench").unwrap();
            let router = Router::new().route("/items/{id}", get(|| async { Bytes::from_static(&[b'x'; 1024]) }));
            tell.send((direct, through)).unwrap();
            let listeners = OriginProxyListeners { data, control: (control, token) };
            tokio::join!(serve(origin, router, shutdown.clone()), run(proxy, listeners, shutdown));
        });
    });
    let (direct, through) = told.recv().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    for round in ["first", "second"] {
        for (name, at) in [("direct", direct), ("proxied", through)] {
            let uri: hyper::Uri = format!("http://{at}/items/1").parse().unwrap();
            c.bench_function(&format!("a GET of 1 KiB, {name}, {round} turn"), |b| {
                b.iter(|| {
                    runtime.block_on(async {
                        let answer = client.get(uri.clone()).await.unwrap();
                        black_box(answer.into_body().collect().await.unwrap().to_bytes())
                    })
                });
            });
        }
    }
}

criterion_group!(benches, proxied);
criterion_main!(benches);
