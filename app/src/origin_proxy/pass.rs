//! One request on its way to the upstream, and the answer on its way back. Headers that are for one connection alone are taken out
//! (RFC 9110, section 7.6.1); everything else passes as it is.

use std::convert::Infallible;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use evidence::ReadEnd;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderName, TE, TRANSFER_ENCODING, UPGRADE};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};

use super::book::CountedRead;
use super::counted_body::CountedBody;
use super::proxy::OriginProxy;
use super::upstream::CountedOrigin;
use crate::wire::headers::asker;

/// An answer: the upstream's, or a sentence of the proxy's own.
pub(super) type Passed = Response<Either<CountedBody, Full<Bytes>>>;

/// Headers that end at this connection, whether `Connection` names them or not.
const OF_ONE_CONNECTION: [HeaderName; 6] = [
    CONNECTION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Passes a request on, and counts it where it reads an item.
pub(super) async fn pass(proxy: Arc<OriginProxy>, request: Request<Incoming>) -> Result<Passed, Infallible> {
    let mut read = arrive(&proxy, &request);
    let Some(request) = onward(&proxy.upstream, request) else {
        return Ok(refused(StatusCode::BAD_REQUEST, "a request that has no path to pass on"));
    };
    let answered = tokio::time::timeout(proxy.patience, proxy.client.request(request)).await;
    let (status, words) = match answered {
        Ok(Ok(answer)) => return Ok(back(answer, read, &proxy)),
        Ok(Err(error)) if error.is_connect() => {
            let why = error.source().map(|why| format!(": {why}")).unwrap_or_default();
            (StatusCode::BAD_GATEWAY, format!("the upstream takes no connection{why}"))
        }
        Ok(Err(_)) => (StatusCode::BAD_GATEWAY, "the upstream gave no whole answer".into()),
        Err(_) => (StatusCode::GATEWAY_TIMEOUT, "the upstream gave no answer in time".into()),
    };
    if let Some(read) = &mut read {
        read.end(ReadEnd::Failed);
    }
    Ok(refused(status, &words))
}

/// The read that a request is; `None` where it is none, or nobody keeps a ledger.
fn arrive(proxy: &OriginProxy, request: &Request<Incoming>) -> Option<CountedRead> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = request.uri().path_and_query().map_or("", |asked| asked.as_str());
    let Some(key) = proxy.items.key_of(asked).filter(|_| is_read) else {
        proxy.others.fetch_add(1, Ordering::Relaxed);
        return None;
    };
    proxy.reads.fetch_add(1, Ordering::Relaxed);
    Some(proxy.book()?.arrive(&key, proxy.clock, asker(request.headers())))
}

/// The same request to the upstream; `None` where it has no path.
fn onward(upstream: &CountedOrigin, request: Request<Incoming>) -> Option<Request<Incoming>> {
    let (mut head, body) = request.into_parts();
    let asked = head.uri.path_and_query()?.as_str();
    let to = Uri::builder().scheme(upstream.scheme()).authority(upstream.authority.as_str());
    head.uri = to.path_and_query(asked).build().ok()?;
    head.version = Version::HTTP_11;
    take_out(&mut head.headers);
    Some(Request::from_parts(head, body))
}

fn back(answer: Response<Incoming>, read: Option<CountedRead>, proxy: &OriginProxy) -> Passed {
    let (mut head, body) = answer.into_parts();
    head.version = Version::HTTP_11;
    take_out(&mut head.headers);
    let outcome = match head.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => ReadEnd::Missing,
        status if status.is_client_error() || status.is_server_error() => ReadEnd::Failed,
        _ => ReadEnd::Ok,
    };
    Response::from_parts(head, Either::Left(CountedBody::new(body, read, outcome, proxy.patience)))
}

/// Takes out what is for one connection alone: what `Connection` names, and what is so by itself.
fn take_out(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_ONE_CONNECTION) {
        headers.remove(name);
    }
}

fn refused(status: StatusCode, words: &str) -> Passed {
    let mut answer = Response::new(Either::Right(Full::new(Bytes::from(format!("{words}\n")))));
    *answer.status_mut() = status;
    answer
}
