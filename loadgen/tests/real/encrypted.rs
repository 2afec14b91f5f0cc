//! A run on a Redis of one's own over TLS: as valid as any, with every connection encrypted, and no key, certificate or password in what it
//! leaves; and what is said where TLS does not come about.

use std::path::Path;

use app::testing::{self, EncryptedRedis};

use crate::common::{Said, assert_ended, folder, record, run, sound, strategy, unspoiled};

const SECRET: &str = "SeCrEt7";

/// Options as a client of it gives them.
fn options(redis: &EncryptedRedis) -> Vec<String> {
    let file = |name: &str| redis.certificates.file(name).display().to_string();
    let all = [
        ("--redis", redis.url()),
        ("--tls-ca", file("ca.crt")),
        ("--tls-cert", file("client.crt")),
        ("--tls-key", file("client.key")),
    ];
    all.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}

/// Lines of files that nobody is to see again.
fn lines_of(redis: &EncryptedRedis) -> Vec<String> {
    let texts = ["ca.crt", "client.crt", "client.key"].map(|name| redis.certificates.file(name));
    let texts = texts.map(|file| std::fs::read_to_string(file).unwrap());
    let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('-'));
    lines.map(str::to_owned).chain([SECRET.to_owned()]).collect()
}

fn has_none(folder: &Path, secrets: &[String]) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            has_none(&entry.path(), secrets);
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
        for secret in secrets {
            assert!(!text.contains(secret.as_str()), "{} has {secret}", entry.path().display());
        }
    }
}

#[test]
fn a_run_over_tls_is_a_run_and_keeps_no_secret() {
    let Some(redis) = EncryptedRedis::start(&["--requirepass", SECRET]) else { return };
    let results = tempfile::tempdir().unwrap();
    let password = results.path().join("password");
    std::fs::write(&password, format!("{SECRET}\n")).unwrap();
    let scenario = results.path().join("mine.toml");
    let event = "\n[[event]]\nat = \"500ms\"\ndo = \"cache-grow\"\nkeys = 500\n";
    std::fs::write(&scenario, run(&["show", "hotkey"]).out + event).unwrap();
    let names = [
        "plain + near(ttl=1s, invalidate=tracking) + coalesce",
        "plain + pool(size=3, wait=1s) + lock",
        "singleflight",
    ];
    let mut args: Vec<String> = options(&redis);
    for word in ["--scenario", scenario.to_str().unwrap(), "--password-file", password.to_str().unwrap()] {
        args.push(word.to_owned());
    }
    for word in ["-w", "1s", "-d", "2s", "--strategy", &names.join(",")] {
        args.push(word.to_owned());
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (said, path) =
        unspoiled(&results.path().join("runs"), |to| run(&[&args[..], &["-o", to.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    let record = record(&path);
    assert!(record.cache.starts_with("redis ") && record.command.contains("rediss://127.0.0.1"), "{}", record.command);
    for name in names {
        let one = strategy(&record, name);
        assert!(sound(one), "{name}: {:?}", one.invalid_because);
        assert!(one.server.as_ref().is_some_and(|server| server.samples > 5), "{name}: {:?}", one.server);
        let rows = folder(&path, &one.folder).read_server().unwrap();
        let most = rows.iter().map(|row| row.keys).max();
        assert!(
            most.is_some_and(|keys| keys >= 500),
            "{name}: what the hand wrote over TLS is not there: {most:?} keys"
        );
    }
    let secrets = lines_of(&redis);
    has_none(&path, &secrets);
    for text in [&said.out, &said.err] {
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())), "{text}");
    }
}

/// What a run says that cannot begin.
fn refused(args: &[String], code: i32) -> Said {
    let results = tempfile::tempdir().unwrap();
    let rest = ["--scenario", "hotkey", "-w", "0s", "-d", "1s", "-o", results.path().to_str().unwrap()];
    let args: Vec<&str> = rest.into_iter().chain(args.iter().map(String::as_str)).collect();
    let said = run(&args);
    assert_eq!(said.code, Some(code), "{}", said.err);
    let error = said.err.lines().find(|line| line.starts_with("error: ")).unwrap_or(&said.err);
    assert_eq!(error.matches(" · ").count(), 3, "what · where · found · remedy: {error}");
    said
}

#[test]
fn why_there_is_no_encrypted_connection_is_told_with_its_remedy() {
    let Some(redis) = EncryptedRedis::start(&[]) else { return };
    let file = |name: &str| redis.certificates.file(name).display().to_string();
    let good = options(&redis);
    let with = |flag: &str, value: String| {
        let mut args = good.clone();
        match args.iter().position(|word| word == flag) {
            Some(at) => args[at + 1] = value,
            None => args.extend([flag.to_owned(), value]),
        }
        args
    };
    let plain = testing::free_port();
    let Some(_plain) = testing::redis(&["--port", &plain.to_string(), "--bind", "127.0.0.1"]) else { return };
    for (args, code, words) in [
        (with("--tls-ca", file("other.crt")), 1, ["by no trusted authority: ", "--tls-ca FILE"]),
        (with("--tls-name", "elsewhere.example".into()), 1, ["for another name: ", "--tls-name NAME"]),
        (good[..4].to_vec(), 1, ["the server wants a certificate of ours", "--tls-cert FILE --tls-key FILE"]),
        (with("--redis", format!("rediss://127.0.0.1:{plain}")), 1, ["the server speaks without it", "write redis://"]),
        (vec!["--redis".into(), redis.url().replace("rediss", "redis")], 1, ["speaks TLS alone", "write rediss://"]),
        (
            with("--tls-ca", "/nowhere/ca.crt".into()),
            2,
            ["no TLS · --tls-ca /nowhere/ca.crt · found No such", "can be read"],
        ),
        (with("--tls-ca", file("ca.key")), 2, ["ca.key · found no certificate in PEM", "-----BEGIN CERTIFICATE-----"]),
        (
            with("--tls-key", file("server.key")),
            2,
            ["server.key · found the key of another certificate", "was made for"],
        ),
        (with("--tls-name", "no name".into()), 2, ["--tls-name no name · found no name", "cache.example"]),
    ] {
        let said = refused(&args, code);
        assert!(words.iter().all(|word| said.err.contains(word)), "{words:?} are not in {}", said.err);
    }
}
