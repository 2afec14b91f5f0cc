//! A private cluster of real servers as the cache: where a hot key's load lies, what is refused, and that nothing is left behind.

use std::net::TcpStream;

use crate::common::{folder, record, run, strategy, unspoiled};
use app::testing;

const WHOLE: &str = "plain + lock";
const EVEN: &str = "plain + copies(n=3, tags=even) + lock";

#[test]
fn a_hot_key_is_one_shard_s_work_and_copies_spread_it() {
    if testing::needed("redis", app::cache::redis_server::installed).is_none() {
        return;
    }
    let results = tempfile::tempdir().unwrap();
    let strategies = [WHOLE, EVEN].join(",");
    let (said, path) = unspoiled(results.path(), |folder| {
        let load = ["--scenario", "hot-shard", "-r", "300/s", "-d", "4s", "--strategy", &strategies];
        let lab = ["--lab", "local", "--cache", "cluster", "--quiet", "-o", folder.to_str().unwrap()];
        run(&[&load[..], &lab].concat())
    });
    let run = record(&path);
    assert!(run.cache.ends_with(", a cluster of 3 primaries"), "{} {}", run.cache, said.err);
    let share = |name| strategy(&run, name).shards.clone().unwrap();
    // The lab's own watch of the cache is some commands a second, too.
    assert!(share(WHOLE).fullest_share.unwrap() > 0.75, "{:?}", share(WHOLE));
    assert!((0.3..0.45).contains(&share(EVEN).fullest_share.unwrap()), "{:?}", share(EVEN));
    assert_eq!((share(WHOLE).primaries, share(WHOLE).moved, share(WHOLE).told), (3, 0, Some(0)));
    let rows = folder(&path, &strategy(&run, WHOLE).folder).read_shards().unwrap();
    let nodes: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.node.as_str()).collect();
    assert_eq!(nodes.len(), 6, "{nodes:?}");
    for node in nodes {
        assert!(TcpStream::connect(node).is_err(), "{node} is still there");
    }
}

#[test]
fn what_a_cluster_cannot_do_is_refused_before_anything_is_run() {
    if testing::needed("redis", app::cache::redis_server::installed).is_none() {
        return;
    }
    let lab = ["--lab", "local", "--cache", "cluster", "-d", "1s"];
    let tracking = "plain + near(ttl=1s, invalidate=tracking) + lock";
    let folder = tempfile::tempdir().unwrap();
    let saves = folder.path().join("saves.toml");
    let event = "\n[[event]]\nat = \"500ms\"\ndo = \"cache-save\"\n";
    std::fs::write(&saves, run(&["show", "hotkey"]).out + event).unwrap();
    for (args, words) in [
        (&["--scenario", "near-hot", "--strategy", tracking][..], "changes told by one server"),
        (&["--scenario", saves.to_str().unwrap()], "cache-save"),
    ] {
        let said = run(&[args, &lab].concat());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
    let said = run(&["--scenario", "hotkey", "--lab", "sim", "--cache", "cluster"]);
    assert!(said.code == Some(2) && said.err.contains("--cache cluster with --lab sim"), "{}", said.err);
}
