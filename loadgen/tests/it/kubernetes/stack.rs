//! The stack on Kubernetes is the stack of containers: the same commands, environment, images and memory as compose.yaml says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{golden, id, root};

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// A text with each `${NAME:-default}` as its default, or as these variables have it.
fn expanded(text: &str, set: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (variable, after) = rest.split_once('}').unwrap();
    let (name, default) = variable.split_once(":-").unwrap();
    format!("{before}{}{}", set.get(name).map_or(default, String::as_str), expanded(after, set))
}

/// The nodes' names: Compose counts from 1.
fn renamed(mut text: String) -> String {
    for number in 1..=6 {
        text = text.replace(&format!("node-{number}:"), &format!("node-{}.node:", number - 1));
    }
    text
}

/// What Compose runs as a service: its words, its environment and its memory.
type Runs = (Vec<String>, BTreeMap<String, String>, String, String);

fn by_compose(file: &Value, service: &str, set: &BTreeMap<String, String>) -> Runs {
    let text = |value: &Value| renamed(expanded(value.as_str().unwrap(), set));
    let service = &file["services"][service];
    // What an anchor has that the service does not say itself.
    let field = |name: &str| {
        let others = &service["<<"];
        let bases = others.as_array().map_or(std::slice::from_ref(others), Vec::as_slice);
        let own = (!service[name].is_null()).then_some(&service[name]);
        own.or_else(|| bases.iter().map(|base| &base[name]).find(|value| !value.is_null())).unwrap()
    };
    let words = field("command").as_array().unwrap().iter().map(text).collect();
    let environment = service["environment"].as_object().into_iter().flatten();
    let environment =
        environment.map(|(name, value)| (name.clone(), text(value))).filter(|(_, value)| !value.is_empty());
    let image = text(field("image")).replace(":local", ":0.1.0");
    (words, environment.collect(), image, text(field("mem_limit")).replace('m', "Mi"))
}

fn by_kubernetes(objects: &[Value], of: &str) -> Runs {
    let object = |of: &str| objects.iter().find(|object| id(object) == of).unwrap();
    let container = &object(of)["spec"]["template"]["spec"]["containers"][0];
    let list = |field: &str| container[field].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut environment: BTreeMap<String, String> =
        list("env").iter().map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect();
    for from in list("envFrom") {
        let name = super::chart::unmarked(from["configMapRef"]["name"].as_str().unwrap()).to_owned();
        let data = object(&format!("ConfigMap/{name}"))["data"].as_object().unwrap();
        environment.extend(data.iter().map(|(name, value)| (name.clone(), text(value))));
    }
    let words = list("command").iter().chain(&list("args")).map(text).collect();
    (words, environment, text(&container["image"]), text(&container["resources"]["limits"]["memory"]))
}

#[test]
fn what_runs_is_what_compose_runs() {
    let file: Value = serde_yaml_ng::from_str(&read("compose.yaml")).unwrap();
    let cluster = read("docker/cluster.env");
    let cluster =
        cluster.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into()));
    let [plain, cluster] = [BTreeMap::new(), cluster.collect()];
    for (folder, set, service, object) in [
        ("single", &plain, "app", "Deployment/app"),
        ("single", &plain, "origin", "Deployment/origin"),
        ("single", &plain, "cache-proxy", "Deployment/cache-proxy"),
        ("single", &plain, "redis", "Deployment/redis"),
        ("cluster", &cluster, "app", "Deployment/app"),
        ("cluster", &cluster, "cache-proxy", "Deployment/cache-proxy"),
        ("cluster", &cluster, "node-1", "StatefulSet/node"),
        ("cluster", &cluster, "cluster", "Job/form-cluster"),
    ] {
        let (compose, kubernetes) = (by_compose(&file, service, set), by_kubernetes(&golden(folder), object));
        assert_eq!(kubernetes, compose, "{folder}: {service}");
    }
    let other = BTreeMap::from([("LAB_APP_MEMORY".to_owned(), "1m".to_owned())]);
    assert_ne!(by_kubernetes(&golden("single"), "Deployment/app"), by_compose(&file, "app", &other));
    let conf = golden("single").into_iter().find(|object| id(object) == "ConfigMap/redis-conf").unwrap();
    assert_eq!(conf["data"]["redis.conf"], read("docker/redis/redis.conf"));
}
