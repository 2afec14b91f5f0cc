//! A private Redis, what is done to it, and what is found in it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use app::cache::redis_server::PrivateRedis;
use app::testing;
use diagnose::look::DiagnoseOptions;
use diagnose::record::{Diagnosis, RedisFinding, Severity};
use diagnose::wire::target::RedisTarget;

/// How long something that is to happen may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A connection as a client has it; its commands are words.
pub(crate) struct Client(BufReader<UnixStream>);

impl Client {
    pub(crate) fn of(redis: &PrivateRedis) -> Self {
        let socket = redis.url().replace("redis+unix://", "");
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, words: &[&str]) {
        let mut bytes = Vec::new();
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        diagnose::wire::resp::encode(&words, &mut bytes);
        self.0.get_mut().write_all(&bytes).unwrap();
    }

    /// A reply as it comes, in one text.
    pub(crate) fn reply(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let length = |line: &str| line[1..].trim().parse::<i64>().unwrap();
        match line.chars().next() {
            Some('$') if length(&line) >= 0 => {
                let mut text = vec![0; length(&line) as usize + 2];
                self.0.read_exact(&mut text).unwrap();
                String::from_utf8_lossy(&text).trim_end().to_owned()
            }
            Some('*') => (0..length(&line)).map(|_| self.reply() + "\n").collect(),
            _ => line.trim_end().to_owned(),
        }
    }

    pub(crate) fn ask(&mut self, words: &[&str]) -> String {
        self.send(words);
        self.reply()
    }

    /// A script, which must work. That it was slow is not the fault that is planted.
    pub(crate) fn eval(&mut self, script: &str) {
        let said = self.ask(&["EVAL", script, "0"]);
        assert!(!said.starts_with('-'), "{said}");
        self.ask(&["SLOWLOG", "RESET"]);
        self.ask(&["LATENCY", "RESET"]);
    }
}

/// A Redis on which all is well but what `extra` says.
pub(crate) fn redis(extra: &[&str]) -> Option<PrivateRedis> {
    testing::redis(extra)
}

pub(crate) fn look(url: &str, options: &DiagnoseOptions) -> Diagnosis {
    try_look(url, options).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn try_look(url: &str, options: &DiagnoseOptions) -> Result<Diagnosis, diagnose::error::DiagnoseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(diagnose::diagnose(&RedisTarget::parse(url)?, "redis://shown", options))
}

pub(crate) fn names(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis.findings.iter().map(|finding| finding.name.as_str()).collect()
}

/// The one that is found, and nothing beside it but what is named.
#[track_caller]
pub(crate) fn only(diagnosis: &Diagnosis, name: &str, severity: Severity, beside: &[&str]) -> RedisFinding {
    let others: Vec<&str> =
        names(diagnosis).into_iter().filter(|found| *found != name && !beside.contains(found)).collect();
    assert!(others.is_empty(), "beside {name}: {others:?} {:#?}", diagnosis.findings);
    let found = diagnosis.findings.iter().find(|finding| finding.name == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {:?}", names(diagnosis)));
    assert_eq!(found.severity, severity, "{found:?}");
    found.clone()
}

/// Looks until it is found.
pub(crate) fn until_found(url: &str, name: &str) -> Diagnosis {
    let begun = Instant::now();
    loop {
        let diagnosis = look(url, &DiagnoseOptions::default());
        if names(&diagnosis).contains(&name) {
            return diagnosis;
        }
        assert!(begun.elapsed() < PATIENCE, "never: {name}; {:?}", names(&diagnosis));
        std::thread::yield_now();
    }
}

/// Asks until the answer has it.
pub(crate) fn until_said(client: &mut Client, words: &[&str], has: &str) {
    let begun = Instant::now();
    while !client.ask(words).contains(has) {
        assert!(begun.elapsed() < PATIENCE, "never: {has} in {words:?}");
        std::thread::yield_now();
    }
}

/// A library that makes one call of the system's slower, put before `redis-server`: the fault is the machine's, and Redis meets it as
/// it meets a slow disk or a slow fork. `None` where there is no compiler or no Redis.
pub(crate) fn slowed(call: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let server = testing::needed("redis", app::cache::redis_server::installed)?;
    let folder = tempfile::tempdir().unwrap();
    let (source, library, script) =
        (folder.path().join("slow.c"), folder.path().join("slow.so"), folder.path().join("redis-server"));
    std::fs::write(&source, call).unwrap();
    let built = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .status();
    if !built.is_ok_and(|status| status.success()) {
        testing::skipped("no C compiler");
        return None;
    }
    let text = format!("#!/bin/sh\nLD_PRELOAD={} exec {} \"$@\"\n", library.display(), server.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    Some((folder, script))
}
