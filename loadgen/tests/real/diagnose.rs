//! `loadgen diagnose` as its user runs it: exit codes, words, JSON, and looking again and again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::common::{loadgen, run, signal, until};
use crate::schemas::Schema;
use app::cache::redis_server::PrivateRedis;
use app::testing;
use diagnose::allowed::RedisCommand;
use diagnose::findings::RULES;
use diagnose::look::ServerLook;
use diagnose::look::fields::InfoFields;
use diagnose::look::keys::KeysLookedAt;
use diagnose::look::unseen::NotSeen;
use diagnose::record::Diagnosis;

/// Commands as somebody at a keyboard types them.
fn type_in(redis: &PrivateRedis, lines: &str) {
    let mut stream = UnixStream::connect(redis.url().replace("redis+unix://", "")).unwrap();
    stream.write_all(format!("{lines}\r\nQUIT\r\n").as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(!said.contains("-ERR"), "{said}");
}

/// What is said of a Redis that is seen through a keyhole: everything that a diagnosis can have.
pub(crate) fn through_a_keyhole() -> Diagnosis {
    let info = "redis_version:7.0.15\r\nrole:slave\r\ncluster_enabled:0\r\nuptime_in_seconds:7\r\nused_memory:1\r\nmaxmemory:1\r\n\
                maxmemory_policy:noeviction\r\nrejected_connections:1\r\ndb0:keys=3,expires=1\r\n";
    let ask = RedisCommand::of("TIME");
    let look = ServerLook {
        info: InfoFields::read(info.as_bytes()),
        keys: Some(KeysLookedAt::default()),
        user: Some("default".into()),
        not_seen: vec![NotSeen::refused(ask.allowed().unwrap(), b"NOPERM no")],
        ..ServerLook::default()
    };
    let findings = diagnose::findings::judge(&look);
    assert!(findings.len() > 1, "{findings:?}");
    diagnose::record::diagnosis("redis://h", &look, findings)
}

const BATCH: &str = "EVAL \"for i = 1, 300 do redis.call('SET', 'k:' .. i, i, 'EX', 1800) end\" 0";

#[test]
fn it_ends_with_0_where_all_is_well_and_with_10_where_it_is_not() {
    let Some(redis) = testing::redis(&["--maxmemory", "100mb"]) else { return };
    let well = run(&["diagnose", &redis.url()]);
    assert_eq!(well.code, Some(0), "{}{}", well.out, well.err);
    assert!(well.out.contains("nothing found") && well.out.contains("primary"), "{}", well.out);
    type_in(&redis, BATCH);
    let ill = run(&["diagnose", &redis.url()]);
    assert_eq!(ill.code, Some(10), "{}{}", ill.out, ill.err);
    let lines: Vec<&str> = ill.out.lines().collect();
    let at =
        lines.iter().position(|line| line.starts_with("warning  expire-together: 300 keys end in one second")).unwrap();
    assert!(lines[at + 1].starts_with("         why:    in that second"), "{}", ill.out);
    assert!(lines[at + 2].starts_with("         remedy: spread the TTLs"), "{}", ill.out);
    assert_eq!(lines[at + 3], "         see it: loadgen --scenario bulk-warm --set keys.n=300 --lab sim");
    assert!(ill.out.contains("keys looked at: all, in database 0"), "{}", ill.out);
}

#[test]
fn a_note_alone_does_not_change_the_exit_code() {
    let Some(redis) = testing::redis(&[]) else { return };
    type_in(&redis, &["GET k", "INCR k"].repeat(1000).join("\r\n"));
    type_in(&redis, "SET k 1 EX 60");
    let said = run(&["diagnose", &redis.url()]);
    assert!(said.out.contains("\nnote     counter-gap: "), "{}", said.out);
    assert_eq!(said.code, Some(0), "{}", said.err);
}

#[test]
fn its_json_is_what_the_schema_says() {
    let Some(redis) = testing::redis(&[]) else { return };
    type_in(&redis, BATCH);
    let said = run(&["diagnose", &redis.url(), "--format", "json", "--monitor", "10ms"]);
    assert_eq!(said.code, Some(10), "{}", said.err);
    let document: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    Schema::of("diagnosis").assert_knows("diagnose", &document);
    assert_eq!(document["schema"], "stampede.diagnosis/v1");
}

/// Every scenario that a finding names is one, with the fields that are set in it.
#[test]
fn what_a_finding_names_can_be_run() {
    let given = RULES.iter().filter_map(|rule| rule.scenario.map(|scenario| (rule.name, scenario)));
    for (name, scenario) in given.chain([("largest", "--scenario bulk-warm --set keys.n=100000 --lab sim")]) {
        let said = run(&scenario.split(' ').chain(["--dry-run"]).collect::<Vec<_>>());
        assert_eq!(said.code, Some(0), "{name}: {scenario}: {}", said.err);
    }
}

#[test]
fn a_password_is_read_from_a_file_and_told_to_nobody() {
    let Some(redis) = testing::redis(&["--requirepass", "SECRET"]) else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "SECRET\n").unwrap();
    let path = file.path().to_str().unwrap();
    let said = run(&["diagnose", &redis.url(), "--password-file", path]);
    assert_eq!((said.code, said.out.contains("SECRET")), (Some(0), false), "{}{}", said.out, said.err);
    let in_url = format!("{}?pass=SECRET", redis.url());
    for args in [
        vec!["diagnose", &in_url],
        vec!["diagnose", &in_url, "--format", "json"],
        vec!["diagnose", &in_url, "--password-file", path],
        vec!["diagnose", "redis://me:SECRET@127.0.0.1:1/x"],
        vec!["diagnose", "redis://:SECRET@127.0.0.1:1"],
        vec!["diagnose", "SECRET"],
    ] {
        let said = run(&args);
        assert!(!said.out.contains("SECRET") && !said.err.contains("SECRET"), "{}{}", said.out, said.err);
    }
    assert_eq!(run(&["diagnose", &in_url]).code, Some(0));
}

#[test]
fn what_is_wrong_is_told_in_the_houses_form() {
    for (args, code, words) in [
        (
            &["diagnose", "redis://127.0.0.1:1"][..],
            1,
            "no diagnosis · the Redis at redis://127.0.0.1:1 · found: nobody listens there · start it",
        ),
        (
            &["diagnose", "nonsense"],
            2,
            "no Redis URL · (an address that cannot be read, so it is not shown) · it is no address of a Redis · write redis://",
        ),
        (&["diagnose"], 2, "missing arguments"),
        (&["diagnose", "redis://h", "--sample", "0"], 2, "1..=1000000"),
        (
            &["diagnose", "redis://h", "--monitor", "11s"],
            2,
            "no such time · --monitor 11s · found 11s, allowed 1ms to 10s",
        ),
        (&["diagnose", "redis://h", "--monitor", "-1s"], 2, "no such time · --monitor -1s"),
        (&["diagnose", "redis://h", "--watch", "5"], 2, "which needs a number and a unit"),
        (&["diagnose", "redis://h", "--watch", "0s"], 2, "allowed 1s to "),
        (
            &["diagnose", "redis://h", "--password-file", "/nowhere/secret"],
            2,
            "no password · --password-file /nowhere/secret",
        ),
    ] {
        let said = run(args);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{args:?}: {}", said.err);
        assert!(said.err.starts_with("error: ") && said.err.contains(words), "{words:?} is not in {}", said.err);
    }
}

#[test]
fn watching_says_what_changed_until_it_is_interrupted() {
    let Some(redis) = testing::redis(&["--maxmemory", "100mb"]) else { return };
    let url = redis.url();
    let mut watching = loadgen(&["diagnose", &url, "--watch", "1s"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut next =
        |begins: &str| lines.find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("never: {begins}"));
    next("nothing found");
    type_in(&redis, BATCH);
    assert!(next("+ ").starts_with("+ warning  expire-together: 300 keys"));
    type_in(&redis, "FLUSHALL");
    assert_eq!(next("- "), "- warning  expire-together: gone");
    signal(&watching, "INT");
    let mut code = None;
    until("it ended", || {
        code = watching.try_wait().unwrap().map(|status| status.code());
        code.is_some()
    });
    assert_eq!(code, Some(Some(130)));
}
