//! A real Prometheus against a running lab: that it reads what replicas and origin show, that its sums are those of the
//! records, and that every rule and every panel of the dashboard asks for something that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use app::process::runtime::RealClock;
use app::process::shutdown::Shutdown;
use app::testing::needed;
use app::wire::control_client::ControlClient;
use evidence::ReplicaCounters;

use crate::common::{beside, signal};
use clap::Parser as _;
use loadgen::cli::Cli;
use loadgen::cli::settings::Settings;
use loadgen::lab::trial::{Trial, TrialRunner};
use loadgen::lab::{Endpoints, LocalLab};
use loadgen::load::drive::Pacer;
use loadgen::load::live::Feed;
use report::RunFolder;
use report::record::EventRow;
use scenarios::Plan;
use serde_json::{Value, json};
use tempfile::TempDir;

fn observe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/observe")
}

fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Prometheus and its tool, where they are needed and here.
fn programs() -> Option<(PathBuf, PathBuf)> {
    needed("prometheus", || on_path("prometheus").zip(on_path("promtool")))
}

/// Runs promtool in a folder; whether it was content, and what it said.
fn promtool(tool: &Path, folder: &Path, args: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new(tool);
    command.args(args).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn promtool_is_content_with_configuration_and_rules_and_each_alert_fires_and_keeps_quiet() {
    let Some((_, tool)) = programs() else { return };
    let _beside = beside();
    for args in
        [["check", "config", "prometheus.yml"], ["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]]
    {
        let (content, said) = promtool(&tool, &observe(), &args, "");
        assert!(content, "{args:?}: {said}");
    }
    // Each alert's test fails where the alert always fires, and where it never does.
    let text = std::fs::read_to_string(observe().join("alerts.yml")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    std::fs::copy(observe().join("alerts_test.yml"), scratch.path().join("alerts_test.yml")).unwrap();
    for wrong in ["vector(1)", "vector(1) > 2"] {
        let mut file: Value = serde_yaml_ng::from_str(&text).unwrap();
        let rules = file["groups"][0]["rules"].as_array_mut().unwrap();
        assert!(rules.len() >= 8);
        rules.iter_mut().for_each(|rule| rule["expr"] = json!(wrong));
        let names: Vec<String> = rules.iter().map(|rule| rule["alert"].as_str().unwrap().to_owned()).collect();
        std::fs::write(scratch.path().join("alerts.yml"), file.to_string()).unwrap();
        let (content, said) = promtool(&tool, scratch.path(), &["test", "rules", "alerts_test.yml"], "");
        let unnoticed: Vec<&String> =
            names.iter().filter(|name| !said.contains(&format!("alertname: {name},"))).collect();
        assert!(!content && unnoticed.is_empty(), "{wrong} in the place of {unnoticed:?}: {said}");
    }
}

/// A Prometheus of our own: the documented configuration, with the lab's addresses.
struct Prometheus {
    child: Child,
    api: ControlClient,
    _folder: TempDir,
}

impl Prometheus {
    async fn start(program: &Path, replicas: &[SocketAddr], origin: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = std::fs::read_to_string(observe().join("prometheus.yml")).unwrap();
        let targets = replicas.iter().map(|at| format!("\"{at}\"")).collect::<Vec<_>>().join(", ");
        for (from, to) in [
            (
                "dns_sd_configs: [{names: [app], type: A, port: 8080, refresh_interval: 5s}]",
                format!("static_configs: [{{targets: [{targets}]}}]"),
            ),
            ("\"origin:8080\"", format!("\"{origin}\"")),
        ] {
            assert!(text.contains(from), "prometheus.yml has no {from}");
            text = text.replace(from, &to);
        }
        std::fs::write(folder.path().join("prometheus.yml"), text).unwrap();
        std::fs::copy(observe().join("alerts.yml"), folder.path().join("alerts.yml")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = match on_path("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "TERM"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = command.spawn().unwrap();
        let api = ControlClient::new(&format!("http://127.0.0.1:{port}"), None);
        let mut prometheus = Self { child, api, _folder: folder };
        let log = prometheus._folder.path().join("log");
        for _ in 0..600 {
            if prometheus.api.get::<Value>("/api/v1/status/runtimeinfo").await.is_ok() {
                return prometheus;
            }
            assert!(prometheus.child.try_wait().unwrap().is_none(), "{}", std::fs::read_to_string(log).unwrap());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Prometheus does not answer: {}", std::fs::read_to_string(log).unwrap());
    }

    /// A query's samples: labels, and value.
    async fn query(&self, query: &str) -> Vec<(BTreeMap<String, String>, f64)> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer: Value = self.api.get(&format!("/api/v1/query?query={encoded}")).await.expect(query);
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let sample = |sample: &Value| {
            let labels = serde_json::from_value(sample["metric"].clone()).unwrap();
            (labels, sample["value"][1].as_str().unwrap().parse().unwrap())
        };
        answer["data"]["result"].as_array().unwrap().iter().map(sample).collect()
    }

    /// The one value of a query.
    async fn value(&self, query: &str) -> f64 {
        let samples = self.query(query).await;
        assert_eq!(samples.len(), 1, "{query}: {samples:?}");
        samples[0].1
    }

    /// A query's values by one label.
    async fn by(&self, label: &str, query: &str) -> BTreeMap<String, f64> {
        self.query(query).await.into_iter().map(|(labels, value)| (labels[label].clone(), value)).collect()
    }

    /// Waits until each of `targets` was looked at after this moment: then it has everything that was counted by now.
    async fn has_seen_now(&self, targets: usize) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        for _ in 0..300 {
            let seen = self.query("timestamp(stampede_build_info)").await;
            if seen.len() == targets && seen.iter().all(|(_, at)| *at > now) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Prometheus does not look any more: {:?}", self.query("up").await);
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        signal(&self.child, "TERM");
        let _ = self.child.wait();
    }
}

/// What a strategy's record and Prometheus say of the same run: answers by outcome, the ledger's reads.
async fn compare(prometheus: &Prometheus, before: &Sums, trial: &Trial) -> Sums {
    let strategy = &trial.figures.strategy;
    let sums = Sums::read(prometheus).await;
    let recorded = &strategy.outcomes;
    let recorded = [
        ("hit", recorded.hit),
        ("stale", recorded.stale),
        ("wait", recorded.wait),
        ("load", recorded.load),
        ("shed", recorded.shed),
        ("error", recorded.error),
    ];
    for (outcome, count) in recorded {
        let seen = sums.outcomes[outcome] - before.outcomes.get(outcome).unwrap_or(&0.0);
        assert_eq!(seen, count as f64, "{outcome} of {}", strategy.name);
    }
    // All of the ledger: the record's total leaves out what arrives while the last requests are answered.
    let mut reads = 0;
    let count = &mut |_: &_| {
        reads += 1;
        Ok(())
    };
    trial.origin.as_ref().unwrap().each(count).unwrap();
    assert!(reads as u64 >= strategy.origin.as_ref().unwrap().total && reads > 0);
    assert_eq!(sums.reads - before.reads, reads as f64, "origin reads of {}", strategy.name);
    assert_eq!(sums.flights - before.flights, reads as f64, "flights of {}", strategy.name);
    sums
}

/// The fleet's counters, as Prometheus adds them up.
#[derive(Default)]
struct Sums {
    outcomes: BTreeMap<String, f64>,
    reads: f64,
    flights: f64,
    overlapping: f64,
}

impl Sums {
    async fn read(prometheus: &Prometheus) -> Self {
        Self {
            outcomes: prometheus.by("outcome", "sum by (outcome) (stampede_requests_total)").await,
            reads: prometheus.value("sum(stampede_origin_reads_total)").await,
            flights: prometheus.value("sum(stampede_flights_total)").await,
            overlapping: prometheus.value("sum(stampede_origin_overlapping_reads_total)").await,
        }
    }
}

/// The rule's own words.
fn expression(alert: &str) -> String {
    let text = std::fs::read_to_string(observe().join("alerts.yml")).unwrap();
    let rules: Value = serde_yaml_ng::from_str(&text).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap().clone();
    let rule = rules.iter().find(|rule| rule["alert"] == alert).expect("the alert");
    rule["expr"].as_str().unwrap().to_owned()
}

/// Every query of the dashboard, with the panel that asks it.
fn panels() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(observe().join("grafana/stampede.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "stampede", "{title}");
            queries.push((title.to_owned(), target["expr"].as_str().unwrap().replace("$__rate_interval", "4s")));
        }
    }
    queries.push(("annotations".into(), dashboard["annotations"]["list"][0]["expr"].as_str().unwrap().into()));
    queries
}

/// What `/metrics` shows at an address.
fn text_of(at: SocketAddr) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: lab\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("stampede_")).map(str::to_owned).collect()
}

#[test]
fn prometheus_sees_what_the_records_say() {
    let Some((program, tool)) = programs() else { return };
    if needed("redis", app::cache::redis_server::installed).is_none() {
        return;
    }
    let _beside = beside();
    let args = "loadgen --scenario hotkey --strategy singleflight,naive --lab local --cache redis --quiet -w 0s -d 6s";
    let cli = Cli::parse_from(args.split(' ').chain(["--set", "cache.ttl=2s"]));
    let settings = Settings::of(&cli.run).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (lab, endpoints, _) = LocalLab::start(&settings).unwrap();
        let replicas: Vec<SocketAddr> = endpoints.sites.iter().filter_map(|site| site.address()).collect();
        let prometheus = Prometheus::start(&program, &replicas, lab.origin).await;
        the_runs(&settings, &endpoints, &prometheus).await;
        the_rules_and_the_panels(&prometheus).await;
        for at in replicas.iter().chain([&lab.origin]) {
            let text = text_of(*at);
            let (content, said) = promtool(&tool, &observe(), &["check", "metrics"], &text);
            assert!(content && said.is_empty(), "promtool check metrics, {at}: {said}");
        }
    });
}

/// A lock, and then a herd; what Prometheus has after each is what its record has.
async fn the_runs(settings: &Settings, endpoints: &Endpoints, prometheus: &Prometheus) {
    let clock = RealClock::start();
    let pacer = Pacer::start(clock).unwrap();
    let plan = Arc::new(Plan::new(settings.seed, &settings.scenario, u32::from(settings.replicas)));
    let (_stop, stop) = Shutdown::pair();
    let bench = TrialRunner {
        settings,
        endpoints,
        plan,
        run: "prometheus",
        clock,
        pacer: &pacer,
        stop,
        feed: Feed::new(false),
        together: None,
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut before = Sums::default();
    let mut told: BTreeMap<String, f64> = BTreeMap::new();
    for subject in &settings.subjects {
        let files = RunFolder::at(scratch.path()).strategy(&subject.folder).unwrap();
        let trial = bench.run(subject, &files, "").await.unwrap();
        prometheus.has_seen_now(endpoints.sites.len() + 1).await;
        let sums = compare(prometheus, &before, &trial).await;
        let (mut requests, mut operations) = (0, 0);
        for control in &endpoints.replicas {
            let counters: ReplicaCounters = control.get("/counters").await.unwrap();
            (requests, operations) = (requests + counters.requests, operations + counters.cache_ops);
        }
        assert_eq!(requests, trial.figures.strategy.requests);
        let count = &mut |event: &EventRow| {
            *told.entry(event.event.clone()).or_default() += 1.0;
            Ok(())
        };
        trial.events.each(count).unwrap();
        // None on an idle machine; one that is busy makes an operation late now and then, and both must say so.
        let failed = told.get("cache-failed").copied().unwrap_or_default();
        for (event, query) in [
            ("cache-failed", "sum(stampede_cache_errors_total)"),
            ("flight-led", "sum(stampede_flights_total)"),
            ("flight-ended", "sum(stampede_flights_ended_total)"),
            ("lock-ended", "sum(stampede_locks_ended_total)"),
            ("stored", "sum(stampede_cache_puts_total{result=\"stored\"})"),
        ] {
            assert_eq!(prometheus.value(query).await, told.get(event).copied().unwrap_or_default(), "{event}");
        }
        let (overlapping, reads) = (sums.overlapping - before.overlapping, sums.reads - before.reads);
        let under_way = !prometheus.query(&expression("StampedeUnderWay")).await.is_empty();
        let waits = prometheus.value("sum(stampede_lock_wait_seconds_count)").await;
        if subject.name == "singleflight" {
            // The lock: no read beside another where Redis was there, no alert, and losers that waited for a read of 200 ms.
            assert!((overlapping == 0.0 || failed > 0.0) && !under_way, "{overlapping} of {reads}, {under_way}");
            assert!(waits > 10.0 && sums.outcomes["wait"] > 10.0, "{waits}");
            let typical =
                prometheus.value("sum(stampede_lock_wait_seconds_sum) / sum(stampede_lock_wait_seconds_count)").await;
            assert!((0.02..1.0).contains(&typical), "{typical}");
            assert_eq!(prometheus.value("sum(stampede_cache_operations_total)").await, operations as f64);
        } else {
            assert!(overlapping > 0.5 * reads && under_way, "{overlapping} of {reads}, {under_way}");
        }
        for gauge in ["stampede_requests_in_flight", "stampede_background_tasks", "stampede_origin_reads_in_flight"] {
            assert_eq!(prometheus.value(&format!("sum({gauge})")).await, 0.0, "{gauge}");
        }
        let running = prometheus.by("strategy", "count by (strategy) (stampede_strategy_info)").await;
        assert_eq!(running, BTreeMap::from([(subject.composition.clone(), 3.0)]));
        before = sums;
    }
}

async fn the_rules_and_the_panels(prometheus: &Prometheus) {
    let names: Value = prometheus.api.get("/api/v1/label/__name__/values").await.unwrap();
    let names: BTreeSet<String> = serde_json::from_value(names["data"].clone()).unwrap();
    let rules: Value = prometheus.api.get("/api/v1/rules").await.unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap().clone();
    assert!(rules.len() >= 8);
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let missing: Vec<String> = named(rule["query"].as_str().unwrap()).difference(&names).cloned().collect();
        assert!(missing.is_empty(), "{} asks for {missing:?}", rule["name"]);
    }
    let panels = panels();
    assert!(panels.len() > 20);
    for (title, query) in &panels {
        let missing: Vec<String> = named(query).difference(&names).cloned().collect();
        assert!(missing.is_empty(), "«{title}» asks for {missing:?}");
        let series = prometheus.query(query).await;
        assert!(!series.is_empty() || query.contains("ALERTS"), "«{title}» shows nothing: {query}");
    }
}
