//! What a user of the server needs, and what is told where it has less.

use crate::common::{Client, look, names, only, redis, try_look};
use diagnose::allowed::{ALLOWED, MONITOR, rights};
use diagnose::look::DiagnoseOptions;
use diagnose::record::Severity;

const FILL: &str =
    "for i = 1, 2000 do redis.call('SET', 'item:' .. i, i, 'EX', 3600) end redis.call('SET', 'other:1', 1)";

/// A user with these rights, and the address with which it is reached.
fn user(redis: &app::cache::redis_server::PrivateRedis, rights: &str) -> String {
    let words: Vec<&str> = ["ACL", "SETUSER", "diagnose", ">secret"].into_iter().chain(rights.split(' ')).collect();
    let said = Client::of(redis).ask(&words);
    assert_eq!(said, "+OK", "{rights}");
    format!("{}?user=diagnose&pass=secret", redis.url())
}

#[test]
fn the_documented_rights_are_enough_and_each_is_needed() {
    let settings = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu", "--latency-monitor-threshold", "100"];
    let Some(redis) = redis(&settings) else { return };
    Client::of(&redis).eval(FILL);
    let url = user(&redis, &rights());
    let whole = look(&url, &DiagnoseOptions::default());
    only(&whole, "expire-together", Severity::Warning, &[]);
    assert_eq!((&whole.not_seen[..], whole.server.user.as_deref()), (&[][..], Some("diagnose")));
    let log = Client::of(&redis).ask(&["ACL", "LOG"]);
    assert!(!log.contains("diagnose"), "nothing was denied: {log}");
    // TYPE is asked of what is large only, SELECT and READONLY where they are needed.
    let seldom = ["", "+select", "+readonly", "+cluster|info"];
    for row in ALLOWED.iter().filter(|row| !seldom.contains(&row.right)) {
        user(&redis, &format!("resetkeys reset on >secret {}", rights().replace(&format!(" {}", row.right), "")));
        let less = look(&url, &DiagnoseOptions::default());
        let missing: Vec<_> = less.not_seen.iter().filter(|one| one.command == row.words).collect();
        if row.words == "TYPE" {
            continue;
        }
        assert_eq!(missing.len(), 1, "{}: {:?}", row.words, less.not_seen);
        assert_eq!(missing[0].right.as_deref(), Some(row.right), "{missing:?}");
    }
}

#[test]
fn a_user_without_any_right_sees_nothing_and_is_told_what_it_lacks() {
    let Some(redis) = redis(&[]) else { return };
    Client::of(&redis).eval(FILL);
    let blind = look(&user(&redis, "on -@all"), &DiagnoseOptions::default());
    assert_eq!(names(&blind), [""; 0], "{:#?}", blind.findings);
    assert_eq!((&blind.server.version, blind.server.keys, &blind.sample), (&None, None, &None));
    let lacked: Vec<&str> = blind.not_seen.iter().filter_map(|one| one.right.as_deref()).collect();
    for right in ["+info", "+config|get", "+slowlog|get", "+latency|latest", "+acl|getuser", "+time", "+scan"] {
        assert!(lacked.contains(&right), "{right} is not in {lacked:?}");
    }
    let said = diagnose::text::whole(&blind);
    assert!(said.contains("not seen\n  INFO: ") && said.contains("(needs +info): NOPERM"), "{said}");
}

#[test]
fn keys_that_are_not_ours_are_passed_over_and_counted() {
    let Some(redis) = redis(&[]) else { return };
    Client::of(&redis).eval(FILL);
    let url = user(&redis, &rights().replace("~*", "~item:*"));
    let part = look(&url, &DiagnoseOptions::default());
    assert_eq!(part.sample.unwrap().looked_at, 2000);
    let some = part.not_seen.iter().find(|one| one.command == "PTTL").unwrap();
    assert!(some.why.ends_with("(1 keys passed over)") && some.right.as_deref() == Some("~*"), "{some:?}");
}

#[test]
fn monitor_is_asked_for_only_on_request_and_needs_its_right() {
    let Some(redis) = redis(&[]) else { return };
    let url = user(&redis, &rights());
    let options = DiagnoseOptions { monitor: Some(std::time::Duration::from_millis(1)), ..DiagnoseOptions::default() };
    let without = look(&url, &options);
    assert!(without.not_seen.iter().any(|one| one.right.as_deref() == Some(MONITOR.right)), "{:?}", without.not_seen);
    user(&redis, &format!("{} {}", rights(), MONITOR.right));
    assert!(!look(&url, &options).not_seen.iter().any(|one| one.command == "MONITOR"));
}

#[test]
fn passwords_that_are_wrong_missing_or_too_many() {
    let Some(locked) = redis(&["--requirepass", "secret"]) else { return };
    let said = |url: &str| try_look(url, &DiagnoseOptions::default()).unwrap_err().to_string();
    let (missing, wrong) = (said(&locked.url()), said(&format!("{}?pass=SECRET", locked.url())));
    assert!(missing.contains("NOAUTH") && missing.contains("--password-file"), "{missing}");
    assert!(wrong.contains("WRONGPASS") && wrong.contains("check user and password"), "{wrong}");
    assert!(!wrong.contains("SECRET"));
    let Some(open) = redis(&[]) else { return };
    let many = said(&format!("{}?pass=SECRET", open.url()));
    assert!(many.contains("leave the password out") && !many.contains("SECRET"), "{many}");
}

#[test]
fn databases_are_chosen_by_the_address_or_by_their_keys() {
    let Some(redis) = redis(&[]) else { return };
    let mut client = Client::of(&redis);
    client.eval(
        "redis.call('SET', 'one', 1) redis.call('SELECT', 3) for i = 1, 50 do redis.call('SET', 'k' .. i, i) end",
    );
    let fullest = look(&redis.url(), &DiagnoseOptions::default());
    assert_eq!(fullest.sample.map(|sample| (sample.database, sample.looked_at)), Some((3, 50)));
    assert!(fullest.not_seen.iter().any(|one| one.why.starts_with("1 keys; database 3")), "{:?}", fullest.not_seen);
    let error = try_look(&format!("{}?db=99", redis.url()), &DiagnoseOptions::default()).unwrap_err().to_string();
    assert!(error.contains("DB index is out of range") && error.contains("number of the database"), "{error}");
}
