//! The server behind `--live`: one page and one stream of events, on loopback, on a thread of its own that ends with the
//! process and never keeps it alive.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream::{Stream, StreamExt as _, iter, unfold};

use super::Feed;
use crate::shell::exit::Failure;

/// Nothing from anywhere, and nothing to anywhere but the stream.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Serves a feed; where.
///
/// # Errors
/// [`Failure`] for an address that is not this machine's alone, or that can't be listened on.
pub fn serve(address: SocketAddr, feed: Feed) -> Result<SocketAddr, Failure> {
    if !address.ip().is_loopback() {
        return Err(Failure::usage(format!(
            "the live page is for this machine alone · --live {address} · allowed a loopback address · write --live, or \
             --live 127.0.0.1:8099"
        )));
    }
    let cannot = |error: std::io::Error| {
        Failure::usage(format!("cannot listen · --live {address} · {error} · choose another port, or none: --live"))
    };
    let listener = std::net::TcpListener::bind(address).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let local = listener.local_addr().map_err(cannot)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let work = move || {
        runtime.block_on(async {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            // The word is never said: the thread ends with the process.
            let (_stop, shutdown) = app::process::shutdown::Shutdown::pair();
            app::wire::serve::serve(listener, router(feed), shutdown).await;
        });
    };
    std::thread::Builder::new().name("live".into()).spawn(work).map_err(cannot)?;
    Ok(local)
}

fn router(feed: Feed) -> Router {
    let page = || async { Html(include_str!("page.html")) };
    Router::new().route("/", get(page)).route("/events", get(events)).layer(from_fn(ours)).with_state(feed)
}

/// A page somewhere on the web may point a name of its own at this address: only an address of this machine, and `localhost`, are
/// answered.
async fn ours(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let name = host.and_then(|host| host.parse::<Uri>().ok()?.host().map(str::to_owned));
    let ours = |name: &str| {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    if !name.is_some_and(|name| ours(&name)) {
        return (StatusCode::MISDIRECTED_REQUEST, "this server answers to a loopback address and localhost\n")
            .into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Everything that was told, from the start on, and then what is told.
async fn events(State(feed): State<Feed>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let batches = unfold((feed, 0), |(feed, from)| async move {
        let lines = feed.after(from).await;
        let next = from + lines.len();
        Some((iter(lines), (feed, next)))
    });
    Sse::new(batches.flatten().map(|line| Ok(Event::default().data(&*line)))).keep_alive(KeepAlive::default())
}
