//! `loadgen schema`: what the lab writes, and wrote, is what the schemas say, field by field; what is broken is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::{beside, only_run, run, starts_after, unspoiled};
use crate::diagnose::through_a_keyhole;
use crate::schemas::{Harm, MAPS, Schema, harmed, schemas};
use report::Document as _;
use report::compare::baseline::MEASURED_SCHEMA;
use report::compare::{NOISE_SCHEMA, NoiseBand, NoiseFile};
use report::record::{Metric, RUN_SCHEMA};
use serde_json::Value;

const EVENTS: &str = "stampede.events/v1";

/// The fields that a file need not have: older records lack them, or some strategies and events. (`measured` has those of `run`.)
const MAY_BE_MISSING: [&str; 53] = [
    "compare Comparison.lives",
    "events .action",
    "events .detail",
    "events .flight",
    "events .for_ns",
    "events .key",
    "events .replica",
    "run .blocks",
    "run .cache_settings",
    "run .comparisons",
    "run .foreign_origin",
    "run .shards",
    "run .unchecked",
    "run Comparison.lives",
    "run Conditions.start_spread_ms",
    "run Counters.immortal",
    "run Events.breaker_closed",
    "run Events.breaker_opened",
    "run Events.breaker_refused",
    "run Events.cache_breaker_closed",
    "run Events.cache_breaker_opened",
    "run Events.fenced",
    "run Events.limit_refused",
    "run Mark.near_by_chance",
    "run Outcomes.unknown",
    "run PerExpiry.fullest_replica",
    "run Recovery.recovered",
    "run Recovery.recovered_after_s",
    "run Server.near_by_chance",
    "run Shards.replicas",
    "run Strategy.behind",
    "run Strategy.conditions",
    "run Strategy.counters",
    "run Strategy.cut_after_s",
    "run Strategy.generator_cpu_cores",
    "run Strategy.levels",
    "run Strategy.life_s",
    "run Strategy.moved_on",
    "run Strategy.not_predicted",
    "run Strategy.peak_waiters",
    "run Strategy.pool",
    "run Strategy.predicted",
    "run Strategy.recovery",
    "run Strategy.repeats",
    "run Strategy.resent",
    "run Strategy.retries",
    "run Strategy.server",
    "run Strategy.shards",
    "run Strategy.takeovers",
    "run Strategy.traffic",
    "run Strategy.writes",
    "run Traffic.round_trips_per_request",
    "sweep .part",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What the lab wrote: the schema's id, where it lay, and the document.
type Written = (String, String, Value);

/// Files that the repository carries, of this build and of older ones.
fn committed() -> Vec<Written> {
    let mut all = Vec::new();
    for folder in
        ["results/baseline", "results/noise", "results/reference", "report/tests/fixtures", "fuzz/corpus/result"]
    {
        gather(&root().join(folder), &mut all);
    }
    gather(&root().join("docs"), &mut all);
    all
}

/// Every document that has a schema, and every line of `events.jsonl`.
fn gather(folder: &Path, all: &mut Vec<Written>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            gather(&path, all);
            continue;
        }
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let name = path.display().to_string();
        if kind == "json" && !name.ends_with("part.json") {
            let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            // The schemas themselves, and what other programs' tests have.
            let Some(id) = document["schema"].as_str() else { continue };
            all.push((id.to_owned(), name, document));
        } else if kind == "jsonl" && name.ends_with("events.jsonl") {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.lines().enumerate();
            all.extend(lines.map(|(at, line)| {
                (EVENTS.to_owned(), format!("{name}, line {}", at + 1), serde_json::from_str(line).unwrap())
            }));
        }
    }
}

/// What this build writes, of every kind, made once for all tests.
fn fresh() -> &'static [Written] {
    static FRESH: OnceLock<Vec<Written>> = OnceLock::new();
    FRESH.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let all = dir.path();
        // A busy machine can make a real run invalid, which is written like any other but can be no baseline.
        let local =
            "--lab local --cache memory --scenario hotkey --strategy singleflight -w 1s -d 2s --set cache.ttl=1s";
        let (said, local) = unspoiled(&all.join("local"), |folder| {
            run(&local.split(' ').chain(["--quiet", "-o", folder.to_str().unwrap()]).collect::<Vec<_>>())
        });
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        let _beside = beside();
        let well = |name: &str, line: &str, more: &[&str]| {
            let folder = all.join(name);
            let quiet = ["--quiet"].into_iter().filter(|_| line != "merge");
            let args: Vec<&str> = line.split(' ').chain(quiet).chain(["-o", folder.to_str().unwrap()]).collect();
            let said = run(&[&args[..], more].concat());
            assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
            only_run(&folder).to_str().unwrap().to_owned()
        };
        // Events, thresholds, retries, a limit, a breaker.
        let sim = well("sim", "--lab sim --scenario metastable", &[]);
        well("writes", "--lab sim --scenario leaderboard --strategy swr", &[]);
        well("counters", "--lab sim --scenario counters --strategy lua -d 3s --set load.clients=4", &[]);
        // Copies in the process.
        let near = ["--strategy", "plain + near(ttl=1s) + coalesce + lock"];
        well("near", "--lab sim --scenario near-hot -w 2s -d 10s", &near);
        let pooled = ["--strategy", "plain + cache-breaker + pool(size=4, hold=request) + lock"];
        well("pool", "--lab sim --scenario near-hot -w 2s -d 10s", &pooled);
        let parts = ["--strategy", "plain + parts + coalesce + lock + write-through"];
        well("shards", "--lab sim --scenario hot-shard -d 3s -r 300/s", &["--strategy", "plain + lock"]);
        let pages = ["--strategy", "plain + batch(mode=mget) + lock"];
        well("takeovers", "--lab sim --scenario cluster-hot-slot -d 8s -r 300/s", &pages);
        well("parts", "--lab sim --scenario large-values -d 3s -r 500/s", &parts);
        crate::proxy_origin::counted(&all.join("counted"));
        // A server that is set up and watched.
        if app::testing::needed("redis", app::cache::redis_server::installed).is_some() {
            let line =
                "--lab local --cache redis --scenario hotkey --strategy singleflight -w 1s -d 2s --set cache.ttl=1s";
            well("server", &format!("{line} --set cache.redis.appendonly=yes"), &[]);
        }
        // Shards, and the run that they make: as if they had driven a stack together, whose clocks they had to agree on.
        let line = "--lab sim --scenario hotkey-open -d 3s -w 1s --strategy naive --shard";
        let shards = ["0/2", "1/2"].map(|part| {
            let shard = well(&part.replace('/', "-of-"), &format!("{line} {part}"), &[]);
            starts_after(&Path::new(&shard).join("naive/part.jsonl"), 1_000);
            shard
        });
        well("merged", "merge", &[&shards[0], &shards[1]]);
        // An event that lasts.
        well("lasts", "--lab sim --scenario origin-outage --strategy best", &[]);
        let repeated =
            well("repeats", "--lab sim --scenario hotkey-open -d 6s --repeats 6 --strategy naive,swr,jitter", &[]);
        // The same requests of values that live shorter: a comparison tells reads for each life, too.
        let shorter = "--lab sim --scenario hotkey-open -d 6s --repeats 6 --strategy naive,swr --set cache.ttl=4s";
        let shorter = well("shorter", shorter, &[]);
        let grid = "sweep --scenario hotkey -d 6s -w 1s --vary cache.ttl=1s,2s --strategy xfetch,best --seeds 2";
        well("sweep", grid, &["--goal", "min origin.total where latency.p99 <= 2ms"]);
        well("part", &format!("{grid} --points 0/2"), &[]);
        let line = "capacity --scenario hotkey-open --strategy naive,swr -d 2s --from 100/s --to 200/s";
        well("capacity", line, &["--find", "max load.rate where latency.p99 <= 50ms and errors <= 0"]);
        let numbers = "advise --quick --rate 40/s --keys single --ttl 2s --service-time 200ms --origin-capacity 4/s";
        well("advice", numbers, &["--max-stale", "2s"]);
        // More is asked of the origin than it can do: what is advised then has fields of its own.
        let numbers =
            "advise --quick --rate 40/s --keys uniform:40 --ttl 2s --service-time 200ms --origin-capacity 6/s";
        well("beyond", numbers, &[]);
        // What would cost too much is sampled.
        let numbers = "advise --quick --rate 300/s --keys uniform:20000 --ttl 4s --service-time 100ms";
        well("sampled", numbers, &["--origin-capacity", "400/s"]);
        let baselines = all.join("baselines");
        for run_folder in [&sim, local.to_str().unwrap()] {
            let said = run(&["promote", "--baseline-dir", baselines.to_str().unwrap(), run_folder]);
            assert_eq!(said.code, Some(0), "{}", said.err);
        }
        noise().write(&all.join("noise.json")).unwrap();
        std::fs::write(all.join("diagnosis.json"), serde_json::to_string(&through_a_keyhole()).unwrap()).unwrap();
        for (name, line) in [
            ("compare.json", vec!["compare", &repeated, &shorter, "--format", "json"]),
            ("selftest.json", vec!["selftest", "-d", "1s", "--format", "json"]),
        ] {
            let said = run(&line);
            assert_eq!(said.code, Some(0), "{}", said.err);
            std::fs::write(all.join(name), said.out).unwrap();
        }
        let mut written = Vec::new();
        gather(all, &mut written);
        written
    })
}

fn noise() -> NoiseFile {
    let band = NoiseBand {
        scenario: "hotkey".into(),
        lab: "local".into(),
        duration_s: 10.0,
        strategy: "swr".into(),
        measured_at: "2026-11-20T23:59:00Z".into(),
        pairs: 10,
        within: Metric::ALL.map(|metric| (metric, 0.05)).into(),
    };
    NoiseFile { schema: NOISE_SCHEMA.into(), machine: "cpu-2-x86_64".into(), bands: vec![band] }
}

/// Of each kind the largest document, which has the most of what there can be.
fn largest() -> BTreeMap<&'static str, &'static Value> {
    let mut largest: BTreeMap<&str, &Value> = BTreeMap::new();
    for (id, _, document) in fresh() {
        let held = largest.entry(id).or_insert(document);
        if document.to_string().len() > held.to_string().len() {
            *held = document;
        }
    }
    largest
}

#[test]
fn what_the_lab_writes_and_wrote_is_what_the_schemas_say_and_no_field_is_unknown_to_them() {
    let schemas = schemas();
    let committed = committed();
    let kinds: BTreeSet<&str> = committed.iter().map(|(id, ..)| id.as_str()).collect();
    for id in ["stampede.run/v1", "stampede.baseline/v1", "stampede.noise/v1", "stampede.sweep/v1", EVENTS] {
        assert!(kinds.contains(id), "no committed {id}");
    }
    for (id, what, document) in committed.iter().chain(fresh()) {
        schemas.get(id).unwrap_or_else(|| panic!("{what}: no schema of {id}")).assert_knows(what, document);
    }
    // Neither does a schema have what no file has: each property was there to be looked at.
    for (id, schema) in &schemas {
        let documents = fresh().iter().filter(|(of, ..)| of == id);
        let mut met: BTreeSet<String> = documents.flat_map(|(_, _, document)| schema.met(document)).collect();
        if id == MEASURED_SCHEMA {
            // It has a run in it, and what a run can have was there in another one.
            let runs = fresh().iter().filter(|(of, ..)| of == RUN_SCHEMA);
            let inside = runs.flat_map(|(_, _, run)| schemas[RUN_SCHEMA].met(run));
            met.extend(inside.map(|name| if name.starts_with('.') { format!("Run{name}") } else { name }));
        }
        let never: Vec<String> = schema.properties().into_keys().filter(|name| !met.contains(name)).collect();
        assert!(never.is_empty(), "{id}: no file had {never:?}");
    }
}

#[test]
fn every_kind_of_event_is_named_in_the_schema_of_its_lines() {
    let schema = Schema::of("events");
    let described = schema.json["properties"]["event"]["description"].as_str().unwrap();
    for (_, what, line) in committed().iter().chain(fresh()).filter(|(id, ..)| id == EVENTS) {
        let event = line["event"].as_str().unwrap();
        assert!(described.contains(&format!("`{event}`")), "{what}: {event:?} is not in {described}");
    }
}

#[test]
fn a_file_that_lacks_a_field_or_has_another_kind_of_value_is_refused() {
    let schemas = schemas();
    let mut optional = BTreeSet::new();
    for (id, document) in largest() {
        let schema = &schemas[id];
        schema.assert_knows(id, document);
        for harm in [Harm::Text, Harm::Number] {
            for (place, broken) in harmed(document, harm) {
                assert!(!schema.takes(&broken), "{id}: {harm:?} at {place} is taken");
            }
        }
        let properties = schema.properties();
        let may_lack: BTreeSet<&str> =
            properties.iter().filter(|(_, required)| !**required).map(|(name, _)| name.as_str()).collect();
        for (place, _) in harmed(document, Harm::Missing).iter().filter(|(_, broken)| schema.takes(broken)) {
            let last = place.rsplit('.').next().unwrap();
            let may = last == "*" || may_lack.iter().any(|name| name.ends_with(&format!(".{last}")));
            assert!(may, "{id}: {place} is missing, and it is taken");
        }
        optional.extend(may_lack.iter().map(|name| format!("{} {name}", schema.name)));
    }
    optional.retain(|name| !name.starts_with("measured "));
    assert_eq!(optional, MAY_BE_MISSING.map(str::to_owned).into());
}

#[test]
fn readers_ignore_what_they_do_not_know_and_these_tests_do_not() {
    let schemas = schemas();
    for (id, document) in largest() {
        let schema = &schemas[id];
        for (place, more) in harmed(document, Harm::Unknown) {
            let is_map = schema.knows(&more) || !schema.takes(&more);
            assert_eq!(
                is_map,
                MAPS.contains(&place.rsplit('.').next().unwrap_or_default()),
                "{id}: a field more in {place:?}"
            );
        }
    }
}

#[test]
fn another_schemas_file_is_refused() {
    let schemas = schemas();
    for (id, document) in largest().into_iter().filter(|(id, _)| *id != EVENTS) {
        for other in [id.replace("/v1", "/v2"), "stampede.other/v1".to_owned(), String::new()] {
            let mut document = document.clone();
            document["schema"] = other.into();
            assert!(!schemas[id].takes(&document), "{id}: {} is taken", document["schema"]);
        }
        for (name, schema) in schemas.iter().filter(|(name, _)| *name != id) {
            assert!(!schema.takes(document), "{id} is taken for {name}");
        }
    }
}

#[test]
fn the_schemas_are_schemas_and_say_in_plain_words_what_each_field_is() {
    for (id, schema) in schemas() {
        assert_eq!(schema.json["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::draft202012::meta::validate(&schema.json).unwrap();
        assert_eq!(schema.json["$id"], format!("urn:{}", id.replace(['.', '/'], ":")));
        for property in schema.properties().keys() {
            let (of, name) = property.split_once('.').unwrap();
            let of = if of.is_empty() { &schema.json } else { &schema.json["$defs"][of] };
            let words = of["properties"][name]["description"].as_str().unwrap_or_default();
            assert!(!words.is_empty(), "{id}: {property} has no description");
        }
        let text = schema.json.to_string();
        assert_eq!(text.matches("Always `").count(), text.matches("\"const\":\"stampede.").count(), "{id}");
        for rust in ["`None`", "[`", "::", "](", "\"format\"", "uint"] {
            assert!(!text.contains(rust), "{id} has {rust:?}");
        }
    }
}

#[test]
fn every_schema_that_the_sources_name_is_listed() {
    let schemas = schemas();
    let mut folders = ["loadgen", "report", "app", "diagnose"].map(|room| root().join(room).join("src")).to_vec();
    let mut named = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let ids = text.split("\"stampede.").skip(1).filter_map(|rest| rest.split_once('"'));
            let is_id = |id: &&str| id.split_once("/v").is_some_and(|(_, version)| version.parse::<u32>().is_ok());
            named.extend(ids.map(|(id, _)| id).filter(is_id).map(|id| format!("stampede.{id}")));
        }
    }
    assert!(named.len() >= 9, "{named:?}");
    assert_eq!(named, schemas.into_keys().collect());
}

#[test]
fn the_committed_schemas_are_what_the_program_prints() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(&["schema", "-o", dir.path().to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let read = |folder: &Path| -> BTreeMap<String, String> {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let file = |path: PathBuf| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
        };
        files.map(file).collect()
    };
    let (made, committed) = (read(dir.path()), read(&root().join("docs/schemas")));
    assert!(made.contains_key("stampede.run.v1.json") && said.out.lines().count() == made.len(), "{}", said.out);
    let differ: Vec<&String> =
        made.keys().chain(committed.keys()).filter(|name| made.get(*name) != committed.get(*name)).collect();
    assert!(
        differ.is_empty(),
        "{differ:?} differ; look at what changed, then: cargo run -p loadgen -- schema -o docs/schemas"
    );
}

#[test]
fn one_is_named_by_its_name_or_its_id_and_an_unknown_one_is_refused() {
    let (by_name, by_id) = (run(&["schema", "run"]), run(&["schema", "stampede.run/v1"]));
    assert_eq!((by_name.code, &by_name.out), (Some(0), &by_id.out));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("new/folder");
    let said = run(&["schema", "run", "-o", folder.to_str().unwrap()]);
    let file = only_run(&folder);
    assert_eq!(said.out, format!("{}\n", file.display()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), by_name.out);
    let inside = file.join("schemas");
    for (args, words) in [
        (vec!["schema", "runn"], "no such schema · schema \"runn\" · allowed run, events, sweep, "),
        (vec!["schema", "runn"], "did you mean `run`? `loadgen schema` says what each is of"),
        (vec!["schema", "stampede.run/v2"], "did you mean `stampede.run/v1`?"),
        (
            vec!["schema", "-o", inside.to_str().unwrap()],
            "choose another folder, or make this one writable · name it with -o",
        ),
    ] {
        let said = run(&args);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.starts_with("error: ") && said.err.contains(words), "{words:?} in {}", said.err);
    }
    let list = run(&["schema"]).out;
    assert!(list.contains("latency.hlog") && list.contains("gate/bench.json"), "what is left out is said: {list}");
}
