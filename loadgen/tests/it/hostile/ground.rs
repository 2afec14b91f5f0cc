//! Real records of every kind, made by the program itself, and a folder of one of them with a file or two damaged.

use std::fs;
use std::path::{Path, PathBuf};

use report::compare::{NOISE_SCHEMA, NoiseBand, NoiseFile, machine_class};
use report::record::{ContainerRow, Metric};
use report::{Document as _, RunFolder};

use super::mutate::{Draw, mutated};

/// Whole records and what they are held to.
pub(crate) struct Ground {
    scratch: tempfile::TempDir,
    /// Folders of runs and of a sweep.
    pub(crate) folders: Vec<PathBuf>,
}

/// One damaged record, and what the commands over it are given.
pub(crate) struct Damaged {
    pub(crate) folder: PathBuf,
    pub(crate) whole: PathBuf,
    pub(crate) baselines: PathBuf,
    pub(crate) noise: PathBuf,
    /// What was damaged, for people.
    pub(crate) files: String,
}

impl Ground {
    /// Makes them: a simulated run with faults, a run with repeats that passes for a real one, a sweep; their baselines; noise.
    pub(crate) fn make(loadgen: impl Fn(&[&str])) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name).display().to_string();
        let sim = ["--lab", "sim", "--quiet"];
        let two = ["--strategy", "naive,singleflight"];
        let outage = ["--scenario", "cache-outage", "-d", "32s", "--set", "load.warmup=2s", "-c", "2", "-o"];
        loadgen(&[&sim[..], &two, &outage, &[&at("exact")]].concat());
        let repeated = ["--scenario", "hotkey-open", "-r", "20/s", "-d", "12s", "--repeats", "6", "-o"];
        loadgen(&[&sim[..], &two, &repeated, &[&at("real")]].concat());
        let grid = [
            "--scenario",
            "hotkey-open",
            "--quiet",
            "--strategy",
            "xfetch,swr",
            "-r",
            "20/s",
            "-d",
            "6s",
            "--seeds",
            "2",
        ];
        let knobs = ["--vary", "cache.ttl=2s,4s", "--vary", "origin.service_time=50ms,200ms"];
        let goal = ["--goal", "min origin.total where latency.p99 <= 20ms", "-o"];
        loadgen(&[&["sweep"][..], &grid, &knobs, &goal, &[&at("sweep")]].concat());
        let only = |name: &str| fs::read_dir(at(name)).unwrap().next().unwrap().unwrap().path();
        let folders = vec![only("exact"), only("real"), only("sweep")];
        let real = RunFolder::at(&folders[1]);
        let mut run = real.read_run().unwrap();
        run.lab = "local".into();
        real.write_run(&run).unwrap();
        let sample = |second: i64| ContainerRow {
            t_ns: second * 1_000_000_000,
            container: "app-1".into(),
            cpu_cores: 0.25,
            memory_bytes: 1 << 24,
            received_bytes: 7_000,
            sent_bytes: 9_000,
            throttled_ms: 0.0,
        };
        let rows: Vec<ContainerRow> = (-2..30).map(sample).collect();
        RunFolder::at(&folders[0]).strategy("naive").unwrap().write_containers(&rows).unwrap();
        for folder in &folders[..2] {
            loadgen(&["promote", &folder.display().to_string(), "--baseline-dir", &at("baselines")]);
        }
        let band = NoiseBand {
            scenario: run.scenario.clone(),
            lab: run.lab.clone(),
            duration_s: 12.0,
            strategy: "naive".into(),
            measured_at: "2026-01-01T00:00:00Z".into(),
            pairs: 10,
            within: Metric::ALL.into_iter().map(|metric| (metric, 0.05)).collect(),
        };
        let machine = machine_class(&run.environment);
        let file = NoiseFile { schema: NOISE_SCHEMA.into(), machine: machine.clone(), bands: vec![band] };
        file.write(&scratch.path().join("noise").join(format!("{machine}.json"))).unwrap();
        for folder in &folders {
            // Drawn anew each time.
            let _ = fs::remove_dir_all(folder.join("charts"));
        }
        Self { scratch, folders }
    }

    /// A copy of a record with one to three files of it, of its baseline or of its noise damaged, as the seed says.
    pub(crate) fn damaged(&self, seed: u64, into: &Path) -> Damaged {
        let mut draw = Draw(seed);
        let whole = draw.of(&self.folders).clone();
        let (folder, mut files) = (into.join("run"), Vec::new());
        copy(&whole, &folder, &mut files);
        for name in ["baselines", "noise"] {
            copy(&self.scratch.path().join(name), &into.join(name), &mut files);
        }
        files.sort();
        let mut said = Vec::new();
        for _ in 0..=draw.below(3) {
            // run.json says most, so it is damaged most.
            let main = files.iter().find(|file| file.ends_with("run.json") || file.ends_with("sweep.json"));
            let file = if draw.below(3) == 0 { main.unwrap_or(&files[0]) } else { draw.of(&files) };
            let bytes = mutated(&mut draw, &file.display().to_string(), &fs::read(file).unwrap_or_default());
            let _ = fs::remove_file(file);
            if draw.below(60) > 0 {
                fs::write(file, bytes).unwrap();
            }
            said.push(file.strip_prefix(into).unwrap_or(file).display().to_string());
        }
        let (baselines, noise) = (into.join("baselines"), into.join("noise"));
        Damaged { folder, whole, baselines, noise, files: said.join(", ") }
    }
}

/// Copies a folder by hard links: nothing here writes into a file, and the program puts new ones in their places.
fn copy(from: &Path, to: &Path, files: &mut Vec<PathBuf>) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, name) = {
            let entry = entry.unwrap();
            (entry.path(), entry.file_name())
        };
        if from.is_dir() {
            copy(&from, &to.join(name), files);
        } else if !["report.html", "summary.md", "junit.xml"].contains(&name.to_string_lossy().as_ref()) {
            fs::hard_link(&from, to.join(&name)).unwrap();
            files.push(to.join(name));
        }
    }
}
