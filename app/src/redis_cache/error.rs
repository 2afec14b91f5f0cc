//! From the client's errors to the ports' classes.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use strategies::port::{CacheError, CacheErrorClass};

/// The class of an error. `OOM`, `MISCONF` and `BUSY` have no kind in the client: their code string decides.
pub(super) fn classify(error: RedisError) -> CacheError {
    let class = if error.is_timeout() {
        CacheErrorClass::Slow
    } else if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() {
        CacheErrorClass::Down
    } else {
        by_code(error.code().unwrap_or_default(), &error)
    };
    CacheError { class, message: error.to_string() }
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
