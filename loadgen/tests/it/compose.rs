//! What a stack of containers must not be: open to the network, privileged, near the Docker socket, of an unnamed version.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Everything in a resolved compose file that must not be there.
fn forbidden(file: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, service) in file["services"].as_object().unwrap() {
        let mut bad = |is: bool, what: &str| {
            if is {
                found.push(format!("{name}: {what}"));
            }
        };
        let list = |field: &str| service[field].as_array().cloned().unwrap_or_default();
        let has =
            |field: &str, value: &str| list(field).iter().any(|v| v.as_str().is_some_and(|v| v.starts_with(value)));
        bad(list("ports").iter().any(|p| p["host_ip"] != "127.0.0.1"), "a port that is not on loopback");
        bad(service["privileged"] == true, "privileged");
        let modes = ["network_mode", "pid", "ipc", "userns_mode"];
        bad(modes.iter().any(|mode| service[*mode] == "host"), "the host's own namespace");
        bad(!list("cap_add").is_empty() || !has("cap_drop", "ALL"), "capabilities");
        bad(!list("devices").is_empty(), "a device");
        bad(!has("security_opt", "no-new-privileges"), "new privileges");
        bad(service["read_only"] != true, "a root file system that can be written");
        let user = service["user"].as_str().unwrap_or_default();
        bad(user.is_empty() || user.starts_with('0') || user.starts_with("root"), "root");
        bad(service["mem_limit"].is_null(), "no memory limit");
        bad(service["pids_limit"].is_null(), "no limit of processes");
        let mounts = service["volumes"].to_string();
        bad(
            mounts.contains("docker.sock") || mounts.contains("/var/run") || mounts.contains("containerd"),
            "a Docker socket",
        );
        let image = service["image"].as_str().unwrap_or_default();
        bad(!image.contains(':') || image.ends_with(":latest"), "an image of no stated version");
        let environment = service["environment"].as_object().cloned().unwrap_or_default();
        let secret = environment.iter().any(|(name, value)| is_secret(name, value.as_str().unwrap_or_default()));
        bad(secret, "a secret in the environment");
        let one_shot = ["secrets", "cluster", "load"].contains(&name.as_str());
        bad(!one_shot && service["healthcheck"]["test"].is_null(), "no health check");
    }
    for (name, network) in file["networks"].as_object().unwrap() {
        let masquerades = network["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] != "false";
        if network["internal"] != true && masquerades {
            found.push(format!("network {name}: a way out"));
        }
    }
    found
}

/// A variable that holds a secret itself, not the name of a file that does.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    let names_one = ["PASSWORD", "TOKEN", "SECRET"].iter().any(|word| name.to_uppercase().contains(word));
    let in_url =
        value.split_once("://").and_then(|(_, rest)| rest.split_once('@')).is_some_and(|(u, _)| u.contains(':'));
    in_url || names_one && !(name.ends_with("_FILE") && value.starts_with("/secrets/"))
}

/// The file as Compose reads it, with these arguments.
fn resolved(with: &[&str]) -> Option<Value> {
    let mut command = Command::new("docker");
    command
        .arg("compose")
        .args(with)
        .args(["config", "--format", "json"])
        .current_dir(root())
        .env_remove("COMPOSE_PROJECT_NAME");
    let output = app::testing::needed("docker", || command.output().ok().filter(|output| output.status.success()))?;
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_resolved_file_has_nothing_forbidden() {
    let (Some(file), Some(watched)) = (resolved(&[]), resolved(&["--profile", "observe"])) else { return };
    assert_eq!(forbidden(&file), Vec::<String>::new());
    assert_eq!(forbidden(&watched), Vec::<String>::new());
    assert_eq!(file["name"], "stampede-lab");
    let services = |file: &Value| file["services"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(services(&file), ["app", "cache-proxy", "origin", "redis", "secrets"]);
    assert_eq!(services(&watched), ["app", "cache-proxy", "grafana", "origin", "prometheus", "redis", "secrets"]);
    // Those who watch see no secret and no network but where the scrapes come from; what is not watched is not changed.
    for service in ["prometheus", "grafana"] {
        let mounts = watched["services"][service]["volumes"].as_array().unwrap();
        assert!(mounts.iter().all(|mount| mount["type"] == "bind" && mount["read_only"] == true), "{mounts:?}");
    }
    let networks = |service: &str| {
        watched["services"][service]["networks"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(networks("prometheus"), ["edge-prometheus", "observe", "origin"]);
    assert_eq!(networks("grafana"), ["edge-grafana", "observe"]);
    assert_eq!(watched["services"]["app"], file["services"]["app"]);
    // What is published, and nothing else: Redis' port and the origin's data are not.
    let ports = |service: &str| file["services"][service]["ports"].as_array().map_or(0, Vec::len);
    assert_eq!((ports("app"), ports("cache-proxy"), ports("origin"), ports("redis")), (2, 1, 1, 0));
    // Who sees which secret.
    let sees = |service: &str, volume: &str| file["services"][service]["volumes"].to_string().contains(volume);
    assert!(!sees("app", "injector-password") && !sees("app", "cache-users"));
    assert!(!sees("origin", "password") && !sees("redis", "password") && !sees("redis", "token"));
}

/// What is added where servers stand in for one another, and that nothing of it is published, or sees more than it needs.
#[test]
fn the_cache_of_several_servers_has_nothing_forbidden_and_replicas_reach_it() {
    for (name, servers, seen) in [("cluster", "node-", 6), ("sentinel", "server-", 2)] {
        let Some(file) = resolved(&["--env-file", &format!("docker/{name}.env")]) else { return };
        assert_eq!(forbidden(&file), Vec::<String>::new());
        let services = file["services"].as_object().unwrap();
        assert_eq!(services.keys().filter(|service| service.starts_with(servers)).count(), seen);
        let is_of_cache = |service: &str| [servers, "sentinel-"].iter().any(|begins| service.starts_with(begins));
        for (service, of) in services.iter().filter(|(service, _)| is_of_cache(service)) {
            assert!(of["ports"].is_null(), "{service} is published");
            assert_eq!(of["networks"].as_object().unwrap().keys().collect::<Vec<_>>(), ["cache"], "{service}");
            assert!(!of["volumes"].to_string().contains("password"), "{service} sees a client's password");
        }
        for service in ["app", "cache-proxy"] {
            let environment = services[service]["environment"].to_string();
            assert!(environment.contains(if name == "cluster" { "node-1" } else { "sentinel-1" }), "{environment}");
        }
        assert!(services["app"]["depends_on"].as_object().unwrap().keys().any(|on| on.starts_with(name)));
    }
}

#[test]
fn each_forbidden_thing_is_noticed() {
    let good = json!({
        "services": { "a": {
            "image": "a:1", "user": "1:1", "read_only": true, "cap_drop": ["ALL"], "mem_limit": "1", "pids_limit": 1,
            "security_opt": ["no-new-privileges:true"], "healthcheck": { "test": ["CMD", "x"] },
            "ports": [{ "host_ip": "127.0.0.1", "published": "1" }], "volumes": [],
        } },
        "networks": { "n": { "internal": true } },
    });
    assert_eq!(forbidden(&good), Vec::<String>::new());
    for (field, value) in [
        ("ports", json!([{ "host_ip": "0.0.0.0", "published": "1" }])),
        ("ports", json!([{ "published": "6379" }])),
        ("privileged", json!(true)),
        ("network_mode", json!("host")),
        ("pid", json!("host")),
        ("cap_add", json!(["NET_ADMIN"])),
        ("cap_drop", json!([])),
        ("security_opt", json!([])),
        ("read_only", json!(false)),
        ("user", json!("0:0")),
        ("mem_limit", Value::Null),
        ("pids_limit", Value::Null),
        ("volumes", json!([{ "source": "/var/run/docker.sock" }])),
        ("image", json!("redis:latest")),
        ("image", json!("redis")),
        ("environment", json!({ "REDIS_PASSWORD": "x" })),
        ("environment", json!({ "LAB_TOKEN_FILE": "x" })),
        ("environment", json!({ "LAB_REDIS": "redis://user:x@redis:6379" })),
        ("healthcheck", Value::Null),
        ("devices", json!(["/dev/sda"])),
    ] {
        let mut bad = good.clone();
        bad["services"]["a"][field] = value.clone();
        assert_eq!(forbidden(&bad).len(), 1, "{field}: {value}");
    }
    let mut open = good;
    open["networks"]["n"] = json!({});
    assert_eq!(forbidden(&open).len(), 1);
}

/// Without Docker the file itself still tells the worst.
#[test]
fn the_file_itself_publishes_on_loopback_and_names_its_images() {
    let text = std::fs::read_to_string(root().join("compose.yaml")).unwrap();
    let lines: Vec<&str> = text.lines().map(|line| line.split(" #").next().unwrap().trim()).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.starts_with('#')).collect();
    for word in ["privileged", "docker.sock", ":latest", "network_mode: host", "cap_add", "pid: host"] {
        assert!(!lines.iter().any(|line| line.contains(word)), "{word}");
    }
    let published: Vec<&&str> =
        lines.iter().filter(|line| line.contains("_PORT") && !line.contains("LISTEN")).collect();
    assert_eq!(published.len(), 6, "{published:?}");
    assert!(published.iter().all(|line| line.contains("\"127.0.0.1:${")), "{published:?}");
    for line in ["GF_AUTH_ANONYMOUS_ORG_ROLE: Viewer", "GF_AUTH_DISABLE_LOGIN_FORM: \"true\""] {
        assert!(lines.contains(&line), "{line}");
    }
    let dockerfile = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    assert!(dockerfile.contains("USER 10001") && dockerfile.contains("--locked") && !dockerfile.contains(":latest"));
}
