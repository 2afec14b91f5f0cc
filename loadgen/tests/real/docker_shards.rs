//! A stack of containers that is driven from beside it, and by several processes together.

use std::path::{Path, PathBuf};

use crate::common::{Said, assert_ended, record, signal, sound, strategy, unspoiled_alone, until};
use crate::test_stack::TestStack;

/// `docker compose run load`: its image has the load generator, and its network the names of the stack's parts.
pub(crate) fn it_is_driven_from_beside_it(stack: &TestStack) {
    let load = |args: &[&str]| -> Said { stack.compose(&[&["run", "--rm", "load"], args].concat()).into() };
    let short = ["--scenario", "hotkey", "-d", "5s", "-w", "2s", "--set", "cache.ttl=2s", "--strategy", "naive"];
    let said = (0..3).map(|_| load(&[&short[..], &["--format", "json", "--quiet"]].concat()));
    // Thresholds are those of the whole scenario.
    let said = said.into_iter().find(|said| said.code != Some(4)).expect("a run that no busy machine spoiled");
    assert!(matches!(said.code, Some(0 | 99)), "{}", said.err);
    let run: report::record::Run = serde_json::from_str(&said.out).unwrap();
    assert_eq!((run.lab.as_str(), run.replicas), ("stack", 3));
    let naive = strategy(&run, "naive");
    assert!(naive.valid && naive.errors == 0 && naive.unwitnessed == 0, "{naive:?}");
    assert!(naive.server.as_ref().unwrap().samples > 10, "its Redis is watched");
    for (args, code, words) in [
        (&["--scenario", "hotkey", "--dry-run"][..], 0, "# lab stack"),
        (&["--scenario", "hotkey", "--dry-run", "--lab", "sim"], 0, "# plan "),
        (
            &["--scenario", "hotkey", "--dry-run", "--cache", "memory"],
            2,
            "a stack has its own cache · --cache with --stack",
        ),
        (&["--scenario", "hotkey", "--dry-run", "--stack", "app,origin"], 2, "allowed three names"),
        (
            &["--scenario", "cache-outage", "--dry-run"],
            2,
            "an event that a stack that is reached by names can't make happen",
        ),
    ] {
        let said = load(args);
        assert_eq!(said.code, Some(code), "{args:?}: {}", said.err);
        assert!(format!("{}{}", said.out, said.err).contains(words), "{words:?}: {}{}", said.out, said.err);
    }
}

/// An open loop, so that the plan says how many requests there are.
fn open_loop(at: &Path, name: &str) -> PathBuf {
    let text = format!(
        "schema = 1\nname = \"{name}\"\nsummary = \"a test\"\nstrategies = [\"naive\", \"singleflight\"]\n[load]\nrate = \"200/s\"\n\
         warmup = \"2s\"\nduration = \"5s\"\ntimeout = \"5s\"\n[keys]\nkind = \"hot\"\nhot_share = 0.95\nn = 10\n[cache]\n\
         ttl = \"2s\"\n[origin]\nservice_time = \"200ms\"\n"
    );
    let file = at.join(format!("{name}.toml"));
    std::fs::write(&file, text).unwrap();
    file
}

/// One process a shard of so many, started one after the other.
fn start_shards(stack: &TestStack, file: &Path, of: usize, into: &Path) -> Vec<std::process::Child> {
    let one = |index| {
        let shard = format!("{index}/{of}");
        let args = ["--scenario", file.to_str().unwrap(), "--lab", "docker", "--quiet", "--shard", &shard, "-o"];
        let mut command = stack.loadgen(&[&args[..], &[into.to_str().unwrap()]].concat());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    (0..of).map(one).collect()
}

pub(crate) fn shards_drive_it_together(stack: &TestStack, scratch: &Path) {
    let file = open_loop(scratch, "together");
    let (said, path) = unspoiled_alone(&scratch.join("together"), |folder| {
        let shards = folder.with_extension("shards");
        for child in start_shards(stack, &file, 4, &shards) {
            let said = Said::from(child.wait_with_output().unwrap());
            assert_eq!(said.code, Some(0), "{}", said.err);
        }
        stack.run(&["merge", shards.to_str().unwrap(), "-o", folder.to_str().unwrap()])
    });
    assert_ended(&said, &path, &[0]);
    let run = record(&path);
    assert_eq!((run.lab.as_str(), run.shards, run.replicas), ("docker", Some(4), 3));
    // The same plan by one process, whose requests the plan has counted.
    let one = crate::common::run(&[
        "--scenario",
        file.to_str().unwrap(),
        "--lab",
        "sim",
        "--quiet",
        "-o",
        scratch.join("one").to_str().unwrap(),
    ]);
    assert_eq!(one.code, Some(0), "{}", one.err);
    let one = record(&crate::common::only_run(&scratch.join("one")));
    assert_eq!(run.plan_hash, one.plan_hash);
    for name in ["naive", "singleflight"] {
        let (seen, planned) = (strategy(&run, name), strategy(&one, name));
        assert!(sound(seen), "{name}: {:?}", seen.invalid_because);
        assert_eq!((seen.requests + seen.unsent, seen.errors, seen.unwitnessed), (planned.requests, 0, 0), "{name}");
        let conditions = seen.conditions.as_ref().unwrap();
        assert!(conditions.start_spread_ms.is_some_and(|ms| ms > 0.0 && ms < 5.0), "{conditions:?}");
        for part in ["generator", "generator-1", "generator-2", "generator-3", "replica-2", "origin"] {
            assert!(conditions.silent_ms.contains_key(part), "{part}: {conditions:?}");
        }
    }
    let mean = |name: &str| crate::common::origin_of(strategy(&run, name)).per_expiry.as_ref().unwrap().mean;
    assert!(mean("naive") > 10.0 && mean("singleflight") < 2.0, "one load: {} {}", mean("naive"), mean("singleflight"));
    let other = open_loop(scratch, "another");
    let two = [&file, &other].map(|file| file.to_str().unwrap());
    let refused = [0, 1].map(|index: usize| {
        let (shard, into) = (format!("{index}/2"), scratch.join("refused"));
        let args =
            ["--scenario", two[index], "--lab", "docker", "--quiet", "--shard", &shard, "-o", into.to_str().unwrap()];
        stack.loadgen(&args).stderr(std::process::Stdio::piped()).spawn().unwrap()
    });
    for child in refused {
        let said = Said::from(child.wait_with_output().unwrap());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains("shards of different runs · shard 1 of 2 · found scenario "), "{}", said.err);
    }
    assert!(!scratch.join("refused").exists(), "nothing is written");
}

pub(crate) fn a_shard_that_is_killed_makes_the_run_invalid(stack: &TestStack, scratch: &Path) {
    let (file, into) = (open_loop(scratch, "killed"), scratch.join("killed"));
    let mut children = start_shards(stack, &file, 3, &into);
    let begun = || {
        let folders = into.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        folders.filter(|path| path.join("naive").is_dir()).count() == 3
    };
    until("all shards drive", begun);
    signal(&children[1], "KILL");
    let ended: Vec<Said> = children.drain(..).map(|child| child.wait_with_output().unwrap().into()).collect();
    for index in [0, 2] {
        assert_eq!(ended[index].code, Some(4), "{}", ended[index].err);
        assert!(ended[index].err.contains("found 2 of 3, missing 1/3"), "{}", ended[index].err);
    }
    let merged = scratch.join("killed-merged");
    let said = stack.run(&["merge", into.to_str().unwrap(), "-o", merged.to_str().unwrap()]);
    if said.code == Some(2) {
        // It was killed before the load, for which all wait: then there is nothing to merge.
        assert!(ended[0].err.contains("before the load"), "{} {}", ended[0].err, said.err);
        return;
    }
    assert_eq!(said.code, Some(4), "{}", said.err);
    let run = record(&crate::common::only_run(&merged));
    let why = &run.strategies[0].invalid_because;
    assert!(why.iter().any(|why| why.contains("of 3 shards of the load these were lost")), "{why:?}");
}
