//! A Redis of the lab's own that refuses writes, takes no new client, and ends its connections: and has its settings back afterwards.

use app::testing;

use crate::common::{assert_ended, folder, record, run, sound, strategy, unspoiled};

#[test]
fn a_full_server_a_server_without_room_for_clients_and_lost_connections_are_what_they_say() {
    if testing::needed("redis", app::cache::redis_server::installed).is_none() {
        return;
    }
    let results = tempfile::tempdir().unwrap();
    let mine = results.path().join("mine.toml");
    let event = |at: &str, what: &str, more: &str| format!("\n[[event]]\nat = \"{at}\"\ndo = \"{what}\"\n{more}");
    let events = [
        event("1s", "cache-full", "for = \"1s\"\n"),
        event("3s", "cache-clients", "for = \"2s\"\n"),
        event("3200ms", "cache-reset", ""),
    ];
    let text = run(&["show", "hotkey"]).out.replace("ttl = \"5s\"", "ttl = \"300ms\"").replace("\"200ms\"", "\"20ms\"");
    std::fs::write(&mine, text + &events.concat()).unwrap();
    let args = ["--scenario", mine.to_str().unwrap(), "--strategy", "naive", "-w", "1s", "-d", "7s", "--lab", "local"];
    let (said, path) =
        unspoiled(&results.path().join("runs"), |to| run(&[&args[..], &["-o", to.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    let record = record(&path);
    let of = strategy(&record, "naive");
    assert!(sound(of) && of.errors == 0, "{:?}", of.invalid_because);
    let (mut told, mut failed) = (Vec::new(), Vec::new());
    let files = folder(&path, "naive");
    files
        .each_event(&mut |row| match row.event.as_str() {
            "fault" | "fault-over" | "fault-failed" => told.push((row.event, row.action.unwrap_or_default())),
            "cache-failed" => failed.push((row.t_ns, row.detail.unwrap_or_default())),
            _ => {}
        })
        .unwrap();
    let told: Vec<String> = told.into_iter().map(|(event, action)| format!("{event} {action}")).collect();
    let expected = [
        "fault cache-full",
        "fault-over cache-full",
        "fault cache-clients",
        "fault cache-reset",
        "fault-over cache-clients",
    ];
    assert_eq!(told, expected);
    let within = |from: f64, to: f64, words: &str| {
        let here = |(t_ns, _): &&(i64, String)| (from * 1e9..to * 1e9).contains(&(*t_ns as f64));
        failed.iter().filter(here).filter(|(_, detail)| detail.contains(words)).count()
    };
    assert!(within(1.0, 2.3, "put full") > 2, "{failed:?}");
    assert!(within(4.3, 5.3, "get down") > 20, "{failed:?}");
    // Before, between and after there is nothing to fail.
    assert_eq!((within(0.0, 1.0, ""), within(2.3, 3.2, ""), within(5.6, 7.0, "")), (0, 0, 0), "{failed:?}");
}

#[test]
fn somebody_elses_server_is_not_changed() {
    let event = "\n[[event]]\nat = \"1s\"\ndo = \"cache-reset\"\n";
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.toml");
    std::fs::write(&mine, run(&["show", "hotkey"]).out + event).unwrap();
    for (lab, said) in [
        (&["--redis", "redis://127.0.0.1:1"][..], "it is for a Redis that the lab starts itself: leave --redis out"),
        (&["--cache", "memory"], "it is for a Redis that the lab starts itself"),
    ] {
        let refused = run(&[&["--scenario", mine.to_str().unwrap(), "--lab", "local"], lab].concat());
        assert_eq!(refused.code, Some(2), "{lab:?}: {}", refused.err);
        assert!(refused.err.contains(said), "{lab:?}: {}", refused.err);
    }
    let refused = run(&["--scenario", mine.to_str().unwrap(), "--lab", "sim"]);
    assert!(refused.err.contains("which needs a real Redis"), "{}", refused.err);
}
