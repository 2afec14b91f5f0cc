//! From the client's errors to the ports' classes.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use strategies::port::{CacheError, CacheErrorClass};
use tls::fault::NO_TLS;

use crate::wire::refused::{NO_REPLY, NOBODY};

/// The class of an error. `OOM`, `MISCONF` and `BUSY` have no kind in the client: their code string decides.
pub(super) fn classify(error: RedisError) -> CacheError {
    let class = if error.is_timeout() {
        CacheErrorClass::Slow
    } else if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() {
        CacheErrorClass::Down
    } else {
        by_code(error.code().unwrap_or_default(), &error)
    };
    CacheError { class, message: sentence(&error) }
}

/// What happened in words: the server's own where it said something, and none of the client library's.
pub(crate) fn sentence(error: &RedisError) -> String {
    let detail = error.detail().unwrap_or_default();
    let said = match error.code() {
        Some(code) => format!("{code} {detail}"),
        None if error.is_timeout() => "no answer in time".to_owned(),
        None if error.is_connection_refusal() => NOBODY.to_owned(),
        None if error.kind() == ErrorKind::AuthenticationFailed => format!("WRONGPASS {detail}"),
        None if matches!(error.kind(), ErrorKind::Parse | ErrorKind::UnexpectedReturnType) => NO_REPLY.to_owned(),
        None if error.is_io_error() && error.to_string().starts_with(NO_TLS) => error.to_string(),
        None if error.is_io_error() || error.is_connection_dropped() => "the connection was closed".to_owned(),
        None => detail.to_owned(),
    };
    one_line(&said)
}

/// The longest sentence of a server that is passed on.
const SENTENCE_MAX: usize = 300;

/// A server's words as one line of bounded length: they go to terminals and records.
pub(super) fn one_line(said: &str) -> String {
    let line = said.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(SENTENCE_MAX).collect()
}

fn by_code(code: &str, error: &RedisError) -> CacheErrorClass {
    match code {
        "OOM" | "MISCONF" => CacheErrorClass::Full,
        "READONLY" | "MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" | "LOADING" => CacheErrorClass::Moved,
        "NOAUTH" | "NOPERM" | "WRONGPASS" => CacheErrorClass::Denied,
        "BUSY" => CacheErrorClass::Slow,
        _ if error.kind() == ErrorKind::AuthenticationFailed => CacheErrorClass::Denied,
        // Said on a connection that the server then closes.
        _ if error.detail().is_some_and(|d| d.contains("max number of clients")) => CacheErrorClass::Down,
        _ => CacheErrorClass::Refused,
    }
}

/// Whether the key holds a list, a set …: no entry of ours, and the next SET overwrites it.
pub(super) fn is_wrong_type(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
        || (error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
            && error.to_string().contains("WRONGTYPE"))
}
