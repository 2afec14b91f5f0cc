//! Where a server is and who asks it: read from a URL as everywhere else in the lab.

use std::path::PathBuf;

use redis::{ConnectionAddr, IntoConnectionInfo as _};
use tls::files::TlsFiles;

use crate::error::DiagnoseError;

/// What an address may begin with.
const SCHEMES: [&str; 5] = ["redis://", "rediss://", "redis+unix://", "valkey://", "unix://"];

/// A server, and the user that looks at it. It has secrets, and so no `Debug`.
#[derive(Clone)]
pub struct RedisTarget {
    /// Where it listens.
    pub place: RedisPlace,
    /// The user, where one is named.
    pub user: Option<String>,
    /// The password, where there is one.
    pub password: Option<String>,
    /// The database that is looked at; the fullest one where the address names none.
    pub database: Option<u32>,
    /// What an encrypted connection needs.
    pub tls: TlsFiles,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisPlace {
    /// Host and port, and whether the connection is encrypted.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
        /// By TLS.
        tls: bool,
    },
    /// A socket of this machine.
    Unix(PathBuf),
}

impl RedisTarget {
    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self.place, RedisPlace::Tcp { tls: true, .. })
    }

    /// Reads `redis://USER:PASSWORD@HOST:PORT/DB`, `rediss://…` or `redis+unix:///PATH?pass=…`.
    ///
    /// # Errors
    /// [`DiagnoseError::Address`], without anything of the URL in it: what cannot be read may be a secret.
    pub fn parse(url: &str) -> Result<Self, DiagnoseError> {
        let wrong = |why: &str| DiagnoseError::Address(why.to_owned());
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(wrong("it is no address of a Redis"));
        }
        // Whether this build can do TLS is not the URL's business.
        let (tls, plain) =
            url.strip_prefix("rediss://").map_or((false, url.to_owned()), |rest| (true, format!("redis://{rest}")));
        let info = plain.as_str().into_connection_info().map_err(|_| wrong("it cannot be read"))?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) => {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                RedisPlace::Tcp { host, port: *port, tls }
            }
            ConnectionAddr::Unix(path) => RedisPlace::Unix(path.clone()),
            _ => return Err(wrong("it is neither a host nor a socket")),
        };
        let settings = info.redis_settings();
        let database = u32::try_from(settings.db()).map_err(|_| wrong("its database is no number from 0 on"))?;
        let (user, password) = (settings.username().map(ToOwned::to_owned), settings.password().map(ToOwned::to_owned));
        Ok(Self { place, user, password, database: (database > 0).then_some(database), tls: TlsFiles::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_what_is_wrong_is_not_echoed() {
        let read = |url| RedisTarget::parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
        let target = read("redis://me:se%40cret@host:7000/3");
        assert_eq!(target.place, RedisPlace::Tcp { host: "host".into(), port: 7000, tls: false });
        assert_eq!((target.user.as_deref(), target.password.as_deref()), (Some("me"), Some("se@cret")));
        assert_eq!(target.database, Some(3));
        assert_eq!(read("rediss://host").place, RedisPlace::Tcp { host: "host".into(), port: 6379, tls: true });
        assert_eq!(read("redis://[::1]:1").place, RedisPlace::Tcp { host: "::1".into(), port: 1, tls: false });
        let unix = read("redis+unix:///run/redis.sock?pass=secret");
        assert_eq!(
            (unix.place, unix.password.as_deref()),
            (RedisPlace::Unix("/run/redis.sock".into()), Some("secret"))
        );
        assert_eq!(read("redis://h").database, None);
        for url in ["SECRET", "http://SECRET", "redis://h:SECRET", "redis://h/SECRET", "redis://me:SECRET@", ""] {
            let Err(error) = RedisTarget::parse(url) else { panic!("{url} is taken") };
            assert!(!error.to_string().contains("SECRET"), "{url}: {error}");
        }
    }
}
