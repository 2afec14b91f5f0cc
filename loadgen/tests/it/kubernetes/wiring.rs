//! Every name in an object leads to something: a mount to its volume, a volume to its ConfigMap, a service and a check to a port that is
//! listened on, a selector to pods. Schemas and types see none of that.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rules::list;
use super::{FOLDERS, STACKS, golden, id};

fn name(of: &Value) -> &str {
    of["name"].as_str().unwrap_or_default()
}

/// The pods that an object makes, with their labels.
fn template(object: &Value) -> Option<&Value> {
    let deeper = object.pointer("/spec/jobTemplate/spec/template");
    deeper.or_else(|| object.pointer("/spec/template"))
}

/// The names in these objects that lead nowhere.
fn dangling(objects: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let config_maps = objects.iter().filter(|object| object["kind"] == "ConfigMap");
    let config_maps: BTreeSet<&str> = config_maps.map(|object| name(&object["metadata"])).collect();
    for (object, template) in objects.iter().filter_map(|object| template(object).map(|pods| (object, pods))) {
        let selected = object["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten();
        let others = selected.filter(|(name, value)| template["metadata"]["labels"][name] != **value);
        let mut lost: Vec<String> = others.map(|(name, _)| format!("selects no {name}")).collect();
        lost.extend(in_pod(&template["spec"], &config_maps));
        found.extend(lost.into_iter().map(|what| format!("{}: {what}", id(object))));
    }
    for service in objects.iter().filter(|object| object["kind"] == "Service") {
        let selector = service["spec"]["selector"].as_object().unwrap();
        let selects = |pods: &&Value| selector.iter().all(|(name, value)| pods["metadata"]["labels"][name] == *value);
        let pods: Vec<&Value> = objects.iter().filter_map(template).filter(selects).collect();
        let [pods] = pods[..] else {
            found.push(format!("{}: pods of {} kinds", id(service), pods.len()));
            continue;
        };
        let listens: Vec<&Value> =
            list(&pods["spec"]["containers"][0]["ports"]).iter().map(|port| &port["containerPort"]).collect();
        let deaf = list(&service["spec"]["ports"]).iter().filter(|port| !listens.contains(&&port["port"]));
        found.extend(deaf.map(|port| format!("{}: nothing listens on {}", id(service), port["port"])));
    }
    found
}

fn in_pod(pod: &Value, config_maps: &BTreeSet<&str>) -> Vec<String> {
    let mut lost = Vec::new();
    let volumes: BTreeSet<&str> = list(&pod["volumes"]).iter().map(name).collect();
    let container = &pod["containers"][0];
    let mounts: BTreeSet<&str> = list(&container["volumeMounts"]).iter().map(name).collect();
    lost.extend(volumes.symmetric_difference(&mounts).map(|name| format!("volume or mount {name} alone")));
    let of_volumes = list(&pod["volumes"]).iter().map(|volume| &volume["configMap"]);
    let of_env = list(&container["envFrom"]).iter().map(|from| &from["configMapRef"]);
    let of_keys = list(&container["env"]).iter().map(|variable| &variable["valueFrom"]["configMapKeyRef"]);
    let named = of_volumes.chain(of_env).chain(of_keys).filter(|of| !of.is_null() && of["optional"] != true);
    let absent = named.filter(|of| !config_maps.contains(name(of)));
    lost.extend(absent.map(|of| format!("no ConfigMap {}", name(of))));
    let ports: BTreeSet<&str> = list(&container["ports"]).iter().map(name).collect();
    for check in ["httpGet", "tcpSocket"] {
        let port = container["readinessProbe"][check]["port"].as_str();
        lost.extend(port.filter(|port| !ports.contains(port)).map(|port| format!("no port {port}")));
    }
    let variables: BTreeSet<&str> = list(&container["env"]).iter().map(name).collect();
    for argument in list(&container["args"]).iter().filter_map(Value::as_str).filter(|argument| argument.contains("$("))
    {
        let variable = argument.split_once("$(").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
        if !variables.contains(variable) {
            lost.push(format!("no variable {variable}"));
        }
    }
    lost
}

#[test]
fn every_name_leads_to_something() {
    for folder in FOLDERS {
        assert_eq!(dangling(&golden(folder)), Vec::<String>::new(), "{folder}");
    }
}

/// The claim that jobs name is the stack's, and the parts that policies name are pods of some folder.
#[test]
fn claims_and_parts_that_are_named_are_there() {
    let all: Vec<Value> = FOLDERS.iter().flat_map(|folder| golden(folder)).collect();
    let claims = all.iter().filter_map(template).flat_map(|pods| list(&pods["spec"]["volumes"]));
    let claims: BTreeSet<&str> =
        claims.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str()).collect();
    assert_eq!(claims, BTreeSet::from(["results"]));
    for stack in STACKS {
        assert!(golden(stack).iter().any(|object| id(object) == "PersistentVolumeClaim/results"), "{stack}");
    }
    let label = |pods: &Value| pods["metadata"]["labels"]["app.kubernetes.io/component"].as_str().unwrap().to_owned();
    let parts: BTreeSet<String> = all.iter().filter_map(template).map(label).collect();
    let named: BTreeSet<String> =
        all.iter().filter(|object| object["kind"] == "NetworkPolicy").flat_map(super::ways::named).collect();
    assert!(named.is_subset(&parts), "{named:?} are not all of {parts:?}");
    assert!(parts.difference(&named).map(String::as_str).eq(["copy", "merge"]), "these talk to nothing");
}

#[test]
fn each_name_that_leads_nowhere_is_noticed() {
    let single = golden("single");
    for (of, at, value) in [
        ("Deployment/app", "/spec/selector/matchLabels", json!({ "app.kubernetes.io/component": "ap" })),
        ("Deployment/app", "/spec/template/spec/containers/0/volumeMounts/0/name", json!("contrl")),
        ("Deployment/app", "/spec/template/spec/containers/0/envFrom/0/configMapRef/name", json!("replica-redis")),
        ("Deployment/redis", "/spec/template/spec/volumes/0/configMap/name", json!("redis-conf")),
        ("Deployment/redis", "/spec/template/spec/containers/0/readinessProbe/tcpSocket/port", json!("reds")),
        ("Deployment/redis", "/spec/template/spec/containers/0/args/0", json!("$(SERVER)")),
        ("Service/redis", "/spec/ports/0/port", json!(6380)),
        ("Service/redis", "/spec/selector", json!({ "app.kubernetes.io/component": "reds" })),
    ] {
        let mut objects = single.clone();
        *objects.iter_mut().find(|object| id(object) == of).unwrap().pointer_mut(at).unwrap() = value;
        assert!(!dangling(&objects).is_empty(), "{of}{at}");
    }
}
