//! What is wrong with `[cache.redis]`, and with events that are about a server.

use crate::bad_input::{plus, transcript, with};
use scenarios::{SERVER_SETTINGS, Scenario};

#[test]
fn server() {
    let set = |text: &str| with("ttl = \"5s\"", &format!("ttl = \"5s\"\n[cache.redis]\n{text}"));
    let cases = [
        ("unknown setting", set("apendonly = \"yes\"")),
        ("a setting that is not to be made", set("port = 6379")),
        ("unknown word", set("maxmemory-policy = \"allkeys-lfo\"")),
        ("a boolean", set("appendonly = true")),
        ("bytes without a unit", set("maxmemory = 8")),
        ("too little memory", set("maxmemory = \"1KiB\"")),
        ("a number with a unit", set("hz = \"10s\"")),
        ("a number too large", set("maxmemory-samples = 65")),
        ("half a save point", set("save = \"60\"")),
        ("no list of save points", set("save = 60")),
        ("no table", with("ttl = \"5s\"", "ttl = \"5s\"\nredis = \"yes\"")),
        ("an event that grows by nothing", plus("[[event]]\nat = \"1s\"\ndo = \"cache-grow\"\nkeys = 0")),
        ("an event that does not say by how much", plus("[[event]]\nat = \"1s\"\ndo = \"cache-grow\"")),
        ("keys elsewhere", plus("[[event]]\nat = \"1s\"\ndo = \"cache-save\"\nkeys = 5")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn each_setting_can_be_set_by_its_path_and_is_documented() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/server.md")).unwrap();
    for (name, range) in SERVER_SETTINGS {
        let value = match range {
            scenarios::ServerRange::Words(words) => words[0].to_owned(),
            scenarios::ServerRange::Whole(_, to) => to.to_string(),
            scenarios::ServerRange::Bytes(..) => "8MiB".to_owned(),
            scenarios::ServerRange::SavePoints => "60 1000".to_owned(),
        };
        let set = (format!("cache.redis.{name}"), value.clone());
        let scenario = Scenario::parse(scenarios::shipped()[0].1, "hotkey", &[set]).unwrap();
        assert_eq!(scenario.settings().get(&format!("cache.redis.{name}")), Some(&value));
        assert!(docs.contains(&format!("`{name}`")), "docs/server.md has no {name}");
    }
    assert!(scenarios::settable().iter().all(|path| !path.starts_with("cache.redis")), "no knob of a simulation");
}
