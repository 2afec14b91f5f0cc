//! A Redis over TLS: the same contract as without, every kind of connection, and what is said where there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::cache::cache_source::{CachePorts, CacheSource, RefusalCause};
use app::cache::redis_cache::{AddressFlaw, RedisAddress, RedisSource, ServerHand, ServerWatch};
use app::process::runtime::RealClock;
use app::testing::{self, Certificates, EncryptedRedis};
use app::wire::control::{CacheDelay, Flushed, Holder, LockOf, Namespace};
use strategies::Key;
use strategies::conformance::CacheSubject;
use strategies::counter::conformance::CounterSubject;
use strategies::pool_conformance::ConnectionsSubject;
use strategies::port::{Acquired, Bus, ConnectionLimits, Lookup, ReadFrom, Token};
use tls::client::TlsClient;
use tls::files::{TlsFiles, TlsPart};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::fleet::{Fleet, command};
use crate::common::{eventually, settings};
use crate::near::{BUSES, near, spec};
use crate::stack_parts::proxy;

fn source(redis: &EncryptedRedis) -> RedisSource {
    RedisSource::new(redis.address()).unwrap()
}

#[tokio::test]
async fn an_encrypted_redis_keeps_every_contract_by_either_version_of_tls() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let Some(redis) = EncryptedRedis::start(&["--tls-protocols", version]) else { return };
        every_contract(&redis).await;
    }
    // Nothing older.
    let Some(redis) = EncryptedRedis::start(&["--tls-protocols", "TLSv1.1"]) else { return };
    let (cause, said) = refused(redis.address()).await;
    assert_eq!(cause, RefusalCause::TlsFailed, "{said}");
}

async fn every_contract(redis: &EncryptedRedis) {
    let (source, clock) = (source(redis), Arc::new(RealClock::start()));
    let CachePorts { cache, lease, wake, invalidations, seize, counters, connections, .. } =
        source.open("run:strategy");
    let subject = CacheSubject {
        cache,
        lease,
        wake,
        invalidations,
        seize,
        clock: Arc::clone(&clock) as _,
        prefix: "contract".into(),
    };
    subject.check_all().await;
    let increx = source.can_of(&source.status().await.unwrap().server).increx;
    CounterSubject { counters, clock: Arc::clone(&clock) as _, prefix: "counters".into(), increx }.check_all().await;
    ConnectionsSubject { connections, clock, prefix: "pool".into() }.check_all().await;
}

/// What is tried before a run, and what the generator itself says to a server.
#[tokio::test]
async fn the_preflight_the_watch_and_the_hand_are_encrypted_too() {
    let Some(redis) = EncryptedRedis::start(&["--requirepass", "right"]) else { return };
    let address = RedisAddress { password: Some("right".into()), ..redis.address() };
    let buses = vec![Bus::PubSub, Bus::Streams { maxlen: 8 }, Bus::Tracking, Bus::TrackingDefault];
    let source = RedisSource::new(address.clone()).unwrap();
    let status = source.preflight("run:preflight", buses).await.unwrap();
    assert!(status.server.starts_with("redis "), "{status:?}");
    ServerHand::new(address.clone()).unwrap().grow("run", (0, 10), 10).await.unwrap();
    let sample = ServerWatch::new(address).unwrap().ask().await.unwrap();
    assert_eq!(sample.keys, 10);
}

#[tokio::test]
async fn changes_are_heard_over_encrypted_connections_and_after_they_were_cut() {
    let Some(redis) = EncryptedRedis::start(&[]) else { return };
    for bus in BUSES {
        let fleet = Fleet::start(&spec(bus), &[redis.address(), redis.address()], settings(1, 16)).await;
        let (writer, other, key) = (&fleet.replicas[0], &fleet.replicas[1], Key::of_item(3));
        eventually(&format!("{bus}: a copy"), async || near(other, &key).await.is_some()).await;
        let version = writer.write(&key).await;
        let new = async || near(other, &key).await.is_none_or(|found| found == version);
        eventually(&format!("{bus}: no copy is old"), new).await;
        other.source.cut_changes(Duration::from_millis(300)).await.unwrap();
        let version = writer.write(&key).await;
        let right = async || other.get(&key).await.unwrap().version == version;
        eventually(&format!("{bus}: right again after a cut"), right).await;
    }
}

/// Every connection is ended by the server at once; each is there again when it is next used.
#[tokio::test]
async fn a_pool_whose_connections_were_all_ended_stands_again() {
    let Some(redis) = EncryptedRedis::start(&[]) else { return };
    let pool = source(&redis).open("run:strategy").connections.pool(8, ConnectionLimits::USUAL, ReadFrom::Primary);
    let mut taken = Vec::new();
    for _ in 0..8 {
        taken.push(pool.take().await);
    }
    let key = Key::of_item(1);
    let all = async || {
        let asked = taken.iter().map(|one| one.connected.cache.get(&key));
        futures_util::future::join_all(asked).await.iter().all(|found| *found == Ok(Lookup::Absent))
    };
    eventually("all are connected", all).await;
    for _ in 0..3 {
        let _: redis::Value = command(&redis.server, &["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
        eventually("all are connected again", all).await;
    }
}

/// By either version: what a handshake costs most, the certificates, is not done again.
#[tokio::test]
async fn a_connection_that_is_made_again_resumes_its_session() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let Some(redis) = EncryptedRedis::start(&["--tls-protocols", version]) else { return };
        let client = TlsClient::new(&redis.certificates.of_a_client()).unwrap();
        for resumed in [false, true, true] {
            let stream = TcpStream::connect(("127.0.0.1", redis.port)).await.unwrap();
            let mut stream = client.connect(stream, "127.0.0.1").await.unwrap();
            assert_eq!(stream.is_resumed(), resumed, "{version}");
            stream.write_all(b"PING\r\n").await.unwrap();
            let mut answer = [0; 7];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"+PONG\r\n");
        }
    }
}

/// The proxy passes on what it cannot read; its own hand on Redis is encrypted.
#[tokio::test]
async fn through_the_proxy_replicas_speak_tls_with_redis_itself() {
    let Some(redis) = EncryptedRedis::start(&[]) else { return };
    let proxy = proxy(redis.address()).await;
    let through = RedisAddress { url: format!("rediss://127.0.0.1:{}", proxy.port), ..redis.address() };
    let ports = RedisSource::new(through).unwrap().open("run:one");
    let (key, life) = (Key::of_item(1), Duration::from_secs(60));
    let won = async || ports.lease.acquire(&key, Token(7), life).await == Ok(Acquired::Won);
    eventually("the proxy has found Redis", won).await;
    let of = LockOf { namespace: "run:one".into(), item: 1 };
    let holder: Holder = proxy.control.post("/holder", &of).await.unwrap();
    assert_eq!(holder.token, Some(Token(7).to_string()));
    let delay = CacheDelay { added_ns: 30_000_000, share: 1.0, for_ns: 3_600_000_000_000 };
    proxy.control.post::<()>("/delay", &delay).await.unwrap();
    let asked = Instant::now();
    ports.cache.get(&key).await.unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(30), "{:?}", asked.elapsed());
    let flushed: Flushed = proxy.control.post("/flush", &Namespace { namespace: "run:one".into() }).await.unwrap();
    assert_eq!(flushed.removed, 1);
}

/// What cannot be a connection's is refused before one is made, with the setting that is wrong.
#[test]
fn files_that_do_not_fit_are_refused_by_their_part() {
    let Some(certificates) = Certificates::made() else { return };
    let (file, good) = (|name: &str| certificates.file(name), certificates.of_a_client());
    let own = |certificate, key| Some((file(certificate), file(key)));
    for (tls, part, found) in [
        (TlsFiles { authority: Some(file("absent")), ..good.clone() }, TlsPart::Authority, "No such file"),
        (TlsFiles { authority: Some(file("ca.key")), ..good.clone() }, TlsPart::Authority, "no certificate in PEM"),
        (
            TlsFiles { own: own("client.key", "client.key"), ..good.clone() },
            TlsPart::Certificate,
            "no certificate in PEM",
        ),
        (TlsFiles { own: own("client.crt", "client.crt"), ..good.clone() }, TlsPart::Key, "no private key in PEM"),
        (
            TlsFiles { own: own("client.crt", "server.key"), ..good.clone() },
            TlsPart::Key,
            "the key of another certificate",
        ),
        (
            TlsFiles { name: Some("no name".into()), ..good.clone() },
            TlsPart::Name,
            "no name that a certificate can have",
        ),
    ] {
        let address = RedisAddress { tls, ..RedisAddress::from("rediss://127.0.0.1:1") };
        let said = address.check().unwrap_err();
        let AddressFlaw::Tls(flaw) = &said else { panic!("{said}") };
        assert!(flaw.part == part && flaw.found.contains(found) && !flaw.remedy.is_empty(), "{flaw:?}");
        let key = std::fs::read_to_string(file("client.key")).unwrap();
        assert!(key.lines().all(|line| line.starts_with('-') || !said.to_string().contains(line)), "{said}");
    }
}

/// What a preflight says, and the cause that it stands for.
async fn refused(address: RedisAddress) -> (RefusalCause, String) {
    let begun = Instant::now();
    let refused = RedisSource::new(address).unwrap().preflight("run:preflight", vec![]).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(4), "{refused:?} after {:?}", begun.elapsed());
    (refused.cause, refused.said)
}

#[tokio::test]
async fn why_there_is_no_encrypted_connection_is_told_by_its_cause() {
    let Some(redis) = EncryptedRedis::start(&[]) else { return };
    let (file, good) = (|name: &str| redis.certificates.file(name), redis.certificates.of_a_client());
    let named = |name: &str| Some(name.to_owned());
    let strange = Some((file("other.crt"), file("other.key")));
    let cases = [
        (
            TlsFiles { authority: Some(file("other.crt")), ..good.clone() },
            RefusalCause::AuthorityUnknown,
            "UnknownIssuer",
        ),
        (TlsFiles { name: named("elsewhere.example"), ..good.clone() }, RefusalCause::NameWrong, "redis.example"),
        (TlsFiles { own: None, ..good.clone() }, RefusalCause::CertificateWanted, "wants a certificate of ours"),
        (TlsFiles { own: strange, ..good.clone() }, RefusalCause::CertificateWanted, "does not take our certificate"),
    ];
    for (tls, cause, words) in cases {
        let (found, said) = refused(RedisAddress { tls, ..redis.address() }).await;
        assert!(found == cause && said.contains(words), "{cause:?}: {found:?} {said}");
    }
    RedisSource::new(RedisAddress { tls: TlsFiles { name: named("redis.example"), ..good }, ..redis.address() })
        .unwrap()
        .preflight("run:preflight", vec![])
        .await
        .unwrap();
    // Each of the two protocols where the other is spoken.
    let plain = RedisAddress::from(redis.url().replace("rediss:", "redis:"));
    assert_eq!(refused(plain).await, (RefusalCause::TlsWanted, "the server speaks TLS alone".into()));
    let port = testing::free_port();
    let Some(_without) = testing::redis(&["--port", &port.to_string(), "--bind", "127.0.0.1"]) else { return };
    let encrypted = RedisAddress { url: format!("rediss://127.0.0.1:{port}"), ..redis.address() };
    let (cause, said) = refused(encrypted).await;
    assert!(cause == RefusalCause::PlainText && said.contains("the server speaks without it"), "{cause:?} {said}");
}

/// No cause is told in words that stand for another.
#[test]
fn each_cause_of_tls_is_one_that_has_a_remedy() {
    use tls::fault::{TlsCause, TlsFault};
    for cause in TlsCause::ALL {
        let expected = match cause {
            TlsCause::Authority => RefusalCause::AuthorityUnknown,
            TlsCause::Name => RefusalCause::NameWrong,
            TlsCause::OwnMissing | TlsCause::OwnRefused => RefusalCause::CertificateWanted,
            TlsCause::Plain => RefusalCause::PlainText,
            TlsCause::Time | TlsCause::Cut | TlsCause::Other => RefusalCause::TlsFailed,
        };
        assert_eq!(RefusalCause::of(&TlsFault::of(cause).to_string()), expected, "{cause:?}");
    }
}
