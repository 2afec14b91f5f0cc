//! Copies in the replicas' processes over a real Redis: its reads, and what each way of hearing of changes loses in a cut.

use report::record::LevelFigures;

use crate::common::{assert_ended, record, run, sound, strategy, unspoiled};

#[test]
fn a_real_redis_is_read_as_often_as_theory_says() {
    let results = tempfile::tempdir().unwrap();
    let name = "plain + near(ttl=1s) + coalesce + lock";
    let load = ["-r", "900/s", "-w", "2s", "-d", "8s", "--strategy", name];
    let (said, path) = unspoiled(results.path(), |folder| {
        let to = ["--lab", "local", "--cache", "redis", "-o", folder.to_str().unwrap()];
        run(&[&["--scenario", "near-hot"][..], &to, &load].concat())
    });
    assert_ended(&said, &path, &[0]);
    let of = strategy(&record(&path), name).levels.clone().unwrap();
    // Three replicas, a copy a second each: one more or less at the ends of the run.
    let (reads, theory) = (of.shared_reads_per_s.unwrap(), of.shared_reads_by_theory.unwrap());
    assert!((reads - theory).abs() < 0.45, "{reads}, theory {theory}");
    assert!(of.near_share.unwrap() > 0.98, "{of:?}");
}

#[test]
fn in_a_cut_a_channel_loses_what_a_stream_does_not_and_no_copy_stays_wrong() {
    let results = tempfile::tempdir().unwrap();
    let mine = results.path().join("cut.toml");
    let cut = "\n[[event]]\nat = \"3s\"\ndo = \"subscriber-cut\"\nfor = \"2s\"\n";
    std::fs::write(&mine, run(&["show", "client-side"]).out + cut).unwrap();
    let buses = ["pubsub", "streams", "tracking", "tracking-default"];
    let names = buses.map(|bus| format!("plain + near(ttl=60s, invalidate={bus}) + coalesce + lease + invalidate"));
    let (file, strategies) = (mine.to_str().unwrap().to_owned(), names.join(","));
    let args = |to: &str| -> Vec<String> {
        let base = ["--scenario", &file, "--lab", "local", "--cache", "redis", "--strategy", &strategies, "-o", to];
        let load = ["-r", "150/s", "-w", "1s", "-d", "8s", "--set", "keys.kind=uniform", "--set", "keys.n=20"];
        base.into_iter().chain(load).chain(["--set", "writes.rate=10/s"]).map(str::to_owned).collect()
    };
    let (said, path) = unspoiled(&results.path().join("runs"), |folder| {
        let args = args(folder.to_str().unwrap());
        run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    });
    assert_ended(&said, &path, &[0, 99]);
    let record = record(&path);
    for (bus, name) in buses.iter().zip(&names) {
        let of = strategy(&record, name);
        assert!(sound(of), "{bus}: {:?}", of.invalid_because);
        let LevelFigures { lost, flushed, heard, .. } = of.levels.clone().unwrap();
        let age = of.behind.as_ref().unwrap().age_ms.max.unwrap();
        assert!(age < 3500.0, "{bus}: an answer was behind for {age} ms");
        assert!(heard.unwrap() > 50, "{bus}: {heard:?}");
        match *bus {
            // Ten a second for two seconds, of which three replicas hear nothing.
            "pubsub" => assert!((12..=150).contains(&lost.unwrap()) && flushed >= Some(3), "{lost:?} {flushed:?}"),
            "streams" => assert_eq!((lost, flushed), (Some(0), Some(0))),
            _ => assert!(lost.is_none() && flushed >= Some(3), "{bus}: {lost:?} {flushed:?}"),
        }
    }
}
