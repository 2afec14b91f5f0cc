//! What every Rust entrant needs and no cache library does: settings, the origin, HTTP, and `Cache-Status`.
//!
//! An entrant stores what `load` returns: the body, when it was read, and the read's name. So each answer can say by itself how
//! it was made, whatever the library: a value younger than its request was waited for, and one older than TTL is stale.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What is cached.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Value {
    pub body: String,
    pub at_us: i64,
    pub by: String,
}

impl Value {
    /// What is left of its TTL.
    #[allow(dead_code)]
    pub fn left(&self) -> Duration {
        Duration::from_micros((self.at_us + ttl().as_micros() as i64 - now_us()).max(0) as u64)
    }
}

/// Why there is no value.
#[derive(Debug, Clone)]
pub enum Flaw {
    NotFound,
    Origin(String),
    Library(String),
}

pub fn env(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

pub fn best() -> bool {
    env("SETTINGS", "defaults") == "best"
}

pub fn ttl() -> Duration {
    Duration::from_millis(env("TTL_MS", "5000").parse().expect("TTL_MS is a number"))
}

/// An entry is stored a moment after it was read, so it lives that much longer without being stale.
const SLACK_US: i64 = 50_000;
/// Reads of this process that no answer has been counted for yet.
static UNCLAIMED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build().expect("a client")
});

fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// Reads the origin.
pub async fn load(id: String) -> Result<Value, Flaw> {
    let url = format!("{}/items/{id}", env("ORIGIN_URL", "http://127.0.0.1:8090").trim_end_matches('/'));
    let failed = |e: reqwest::Error| Flaw::Origin(e.to_string());
    let answer = CLIENT.get(url).header("lab-replica", env("REPLICA", "0")).send().await.map_err(failed)?;
    match answer.status().as_u16() {
        200 => {}
        404 => return Err(Flaw::NotFound),
        other => return Err(Flaw::Origin(format!("the origin said {other}"))),
    }
    let body = answer.text().await.map_err(failed)?;
    let value = Value { body, at_us: now_us(), by: format!("{}-{}-{id}", env("REPLICA", "0"), now_us()) };
    UNCLAIMED.lock().expect("not poisoned").insert(value.by.clone());
    Ok(value)
}

/// How an answer was made, as RFC 9211 says it.
fn cache_status(value: &Value, began_us: i64) -> String {
    if value.at_us >= began_us {
        let mine = UNCLAIMED.lock().expect("not poisoned").remove(&value.by);
        return if mine { "entrant; fwd=miss".into() } else { "entrant; fwd=miss; collapsed".into() };
    }
    let left = value.at_us + ttl().as_micros() as i64 - now_us();
    let seconds = if left > -SLACK_US { left.max(0) / 1_000_000 } else { left / 1_000_000 - 1 };
    format!("entrant; hit; ttl={seconds}")
}

/// A library's name and version, from the lock file that the entrant was built with.
pub fn version_of(name: &str, lock: &str) -> String {
    let at = lock.find(&format!("name = \"{name}\"\n")).map_or("", |at| &lock[at..]);
    format!("{name} {}", at.split('"').nth(3).unwrap_or("?"))
}

/// Answers for ever; `answer(id)` is a value that `load` returned, from a cache or not.
pub async fn serve<F, Fut>(version: String, answer: F)
where
    F: Fn(String) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Value, Flaw>> + Send,
{
    let item = async move |Path(id): Path<String>| -> Response {
        let began = now_us();
        match answer(id).await {
            Ok(value) => {
                let status = (header::HeaderName::from_static("cache-status"), cache_status(&value, began));
                ([status, (header::CONTENT_TYPE, "application/json".into())], value.body).into_response()
            }
            Err(Flaw::NotFound) => (StatusCode::NOT_FOUND, "no such item\n").into_response(),
            Err(Flaw::Origin(why)) => (StatusCode::BAD_GATEWAY, why).into_response(),
            Err(Flaw::Library(why)) => (StatusCode::INTERNAL_SERVER_ERROR, why).into_response(),
        }
    };
    let app = Router::new()
        .route("/items/{id}", get(item))
        .route("/healthz", get(async || "ok\n"))
        .route("/version", get(async move || version + "\n"));
    let listener = tokio::net::TcpListener::bind(env("LISTEN", "127.0.0.1:9001")).await.expect("a free port");
    axum::serve(listener, app).await.expect("a server");
}
