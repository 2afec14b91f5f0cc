//! What the tests of this room and of the generator share. Behind the feature `testing`: no program has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tls::files::TlsFiles;

use crate::cache::redis_cache::RedisAddress;
use crate::cache::redis_nodes::{PrivateCluster, PrivateSentinel};
use crate::cache::redis_server::{PrivateRedis, installed};

/// What a test needs, where it is here. Where it is not, or `LAB_WITHOUT` (comma-separated) has `what`, a line that says so, and
/// the test is skipped.
///
/// # Panics
/// Where it is not here and `LAB_REQUIRE` has it.
#[must_use]
pub fn needed<T>(what: &str, find: impl FnOnce() -> Option<T>) -> Option<T> {
    let listed = |name| std::env::var(name).is_ok_and(|list| list.split(',').any(|one| one.trim() == what));
    if listed("LAB_WITHOUT") {
        skipped(&format!("LAB_WITHOUT has {what}"));
        return None;
    }
    let found = find();
    assert!(found.is_some() || !listed("LAB_REQUIRE"), "LAB_REQUIRE has {what}, and it is not here");
    if found.is_none() {
        skipped(&format!("no {what}; ci/test.sh installs it"));
    }
    found
}

/// A private Redis, where it is [`needed`] and here.
///
/// # Panics
/// Where Redis is required and absent, or does not start.
#[must_use]
#[allow(clippy::panic, reason = "test support")]
pub fn redis(extra: &[&str]) -> Option<PrivateRedis> {
    let server = needed("redis", installed)?;
    Some(PrivateRedis::start(&server, extra).unwrap_or_else(|e| panic!("{e}")))
}

/// A private cluster of three primaries with a replica each, where Redis is [`needed`] and here.
///
/// # Panics
/// Where Redis is required and absent, or the cluster does not come up.
#[must_use]
#[allow(clippy::panic, reason = "test support")]
pub fn cluster() -> Option<PrivateCluster> {
    let server = needed("redis", installed)?;
    Some(PrivateCluster::start(&server, 3, Duration::from_secs(1), &[]).unwrap_or_else(|e| panic!("{e}")))
}

/// A private server with a standby that three Sentinels watch, where Redis is [`needed`] and here.
///
/// # Panics
/// Where Redis is required and absent, or they do not come up.
#[must_use]
#[allow(clippy::panic, reason = "test support")]
pub fn sentinel() -> Option<PrivateSentinel> {
    let server = needed("redis", installed)?;
    Some(PrivateSentinel::start(&server, Duration::from_secs(1), &[]).unwrap_or_else(|e| panic!("{e}")))
}

/// Says that a test is skipped, and why.
#[allow(clippy::print_stderr, reason = "test support")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// An authority `ca`, certificates by it for a `server` (127.0.0.1, localhost, redis.example) and a `client`, and an authority `other`
/// that nobody trusts: NAME.crt and NAME.key, for two days.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes them, where an openssl is [`needed`] and here.
    ///
    /// # Panics
    /// Where it is required and absent, or makes none.
    #[must_use]
    #[allow(clippy::panic, clippy::expect_used, reason = "test support")]
    pub fn made() -> Option<Self> {
        let openssl = needed("openssl", || on_the_path("openssl"))?;
        let folder = tempfile::tempdir().expect("a folder");
        let run = |words: &str| {
            let made = Command::new(&openssl).args(words.split(' ')).current_dir(folder.path()).output();
            let made = made.unwrap_or_else(|e| panic!("{words}: {e}"));
            assert!(made.status.success(), "{words}: {}", String::from_utf8_lossy(&made.stderr));
        };
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
        write("server.ext", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:redis.example\n");
        write("client.ext", "extendedKeyUsage=clientAuth\n");
        const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for authority in ["ca", "other"] {
            run(&format!("req -x509 {KEY} -days 2 -subj /CN={authority} -keyout {authority}.key -out {authority}.crt"));
        }
        for of in ["server", "client"] {
            run(&format!("req {KEY} -subj /CN={of} -keyout {of}.key -out {of}.csr"));
            run(&format!(
                "x509 -req -in {of}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile {of}.ext -out {of}.crt"
            ));
        }
        Some(Self { folder })
    }

    /// One of the files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a client needs that shows its own certificate.
    #[must_use]
    pub fn of_a_client(&self) -> TlsFiles {
        let own = Some((self.file("client.crt"), self.file("client.key")));
        TlsFiles { authority: Some(self.file("ca.crt")), own, name: None }
    }
}

/// A private Redis that speaks TLS on a port of 127.0.0.1 and wants its clients' certificates.
pub struct EncryptedRedis {
    /// The port.
    pub port: u16,
    /// What it takes to reach it, and what does not.
    pub certificates: Certificates,
    /// The server; over its socket it speaks without TLS.
    pub server: PrivateRedis,
}

impl EncryptedRedis {
    /// Starts one, where Redis and openssl are [`needed`] and here.
    ///
    /// # Panics
    /// Where one of them is required and absent, or does not start.
    #[must_use]
    pub fn start(extra: &[&str]) -> Option<Self> {
        let (port, certificates) = (free_port(), Certificates::made()?);
        let text = |name: &str| certificates.file(name).display().to_string();
        let (port_text, certificate, key, authority) =
            (port.to_string(), text("server.crt"), text("server.key"), text("ca.crt"));
        let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &authority];
        let server = redis(&[&["--tls-port", port_text.as_str(), "--bind", "127.0.0.1"][..], &files, extra].concat())?;
        Some(Self { port, certificates, server })
    }

    /// Its URL, without a user.
    #[must_use]
    pub fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.port)
    }

    /// Its address, for a client that shows its certificate.
    #[must_use]
    pub fn address(&self) -> RedisAddress {
        RedisAddress { tls: self.certificates.of_a_client(), ..RedisAddress::from(self.url()) }
    }
}

/// A port that nobody listened at a moment ago.
///
/// # Panics
/// Where there is none.
#[must_use]
#[allow(clippy::expect_used, reason = "test support")]
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn on_the_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder: PathBuf| folder.join(program)).find(|file: &PathBuf| Path::is_file(file))
}
