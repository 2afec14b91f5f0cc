//! What no object of deploy/ may be: privileged, without limits, of an unnamed version, near a secret that it does not need.

use serde_json::{Value, json};

use super::{FOLDERS, golden, id};
use crate::compose::is_secret;

/// The kinds that are applied. A new one is looked at here first.
const KINDS: [&str; 10] = [
    "ConfigMap",
    "CronJob",
    "Deployment",
    "Job",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodMonitor",
    "Service",
    "StatefulSet",
];

/// Everything in these objects that must not be there.
pub(super) fn forbidden(objects: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for object in objects {
        let mut bad = |is: bool, what: &str| {
            if is {
                found.push(format!("{}: {what}", id(object)));
            }
        };
        let kind = object["kind"].as_str().unwrap_or_default();
        bad(!KINDS.contains(&kind), "a kind that no rule knows");
        let is_namespaced = kind != "Namespace";
        bad(is_namespaced && object["metadata"]["namespace"] != "stampede-lab", "another namespace");
        bad(!is_namespaced && object["metadata"]["labels"][ENFORCE] != "restricted", "a namespace that admits more");
        let is_published = !object["spec"]["type"].is_null() || !object["spec"]["externalIPs"].is_null();
        bad(kind == "Service" && is_published, "a service that is published");
        let hides = kind == "Service" && object["spec"]["publishNotReadyAddresses"] != true;
        bad(hides, "a name that leads nowhere while a part is slow");
        let data = object["data"].as_object().into_iter().flatten();
        bad(kind == "ConfigMap" && data.clone().any(|(name, value)| holds_secret(name, value)), "a secret in the open");
        let shards = &object["spec"];
        if shards["completionMode"] == "Indexed" {
            let begins = shards["parallelism"] == shards["completions"] && shards["backoffLimit"] == 0;
            bad(!begins, "shards that do not begin together, once");
            let args = &shards["template"]["spec"]["containers"][0]["args"];
            let number = json!(format!("/{}", shards["completions"]));
            bad(!list(args).contains(&number), "shards of another number");
        }
        pod(object).into_iter().for_each(|pod| of_pod(pod, &mut bad));
    }
    found
}

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

pub(super) fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

fn holds_secret(name: &str, value: &Value) -> bool {
    is_secret(name, value.as_str().unwrap_or_default())
}

/// The pod that an object makes.
fn pod(object: &Value) -> Option<&Value> {
    let is_deeper = object["kind"] == "CronJob";
    let at = if is_deeper { "/spec/jobTemplate/spec/template/spec" } else { "/spec/template/spec" };
    object.pointer(at).filter(|spec| !spec["containers"].is_null())
}

fn of_pod(pod: &Value, bad: &mut impl FnMut(bool, &str)) {
    bad(["hostNetwork", "hostPID", "hostIPC"].iter().any(|field| pod[*field] == true), "the host's own namespace");
    let user = &pod["securityContext"];
    let is_nobody = user["runAsNonRoot"] == true && user["runAsUser"] == 10001 && user["fsGroup"] == 10001;
    bad(!is_nobody, "another user than 10001");
    bad(user["seccompProfile"] != json!({ "type": "RuntimeDefault" }), "no seccomp profile");
    bad(pod["automountServiceAccountToken"] != false, "a token for the cluster's own API");
    bad(pod["enableServiceLinks"] != false, "variables that nobody asked for");
    for volume in list(&pod["volumes"]) {
        let volume = volume.as_object().cloned().unwrap_or_default();
        let known = ["name", "secret", "configMap", "emptyDir", "persistentVolumeClaim"];
        bad(volume.keys().any(|kind| !known.contains(&kind.as_str())), "a volume of another kind, the host's perhaps");
        bad(volume.get("emptyDir").is_some_and(|of| of["sizeLimit"].is_null()), "a folder of any size");
        let for_all = |of: &Value| of["defaultMode"] != 0o440;
        bad(volume.get("secret").is_some_and(for_all), "a secret for every user");
    }
    let all = ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|kind| list(&pod[kind]));
    all.for_each(|container| of_container(container, bad));
}

fn of_container(container: &Value, bad: &mut impl FnMut(bool, &str)) {
    let may = &container["securityContext"];
    bad(may["privileged"] == true, "privileged");
    bad(may["allowPrivilegeEscalation"] != false, "new privileges");
    bad(may["readOnlyRootFilesystem"] != true, "a root file system that can be written");
    bad(may["capabilities"] != json!({ "drop": ["ALL"] }), "capabilities");
    let own = ["runAsUser", "runAsNonRoot", "seccompProfile", "procMount"];
    bad(own.iter().any(|field| !may[*field].is_null()), "a user or a profile of the container's own");
    let image = container["image"].as_str().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    bad(!name.contains(':') || name.ends_with(":latest"), "an image of no stated version");
    let resources = &container["resources"];
    let limited = ["cpu", "memory"].iter().all(|of| !resources["limits"][*of].is_null());
    bad(!limited || resources["limits"] != resources["requests"], "no limits, or other requests");
    bad(list(&container["ports"]).iter().any(|port| !port["hostPort"].is_null()), "a port of the host");
    for variable in list(&container["env"]) {
        let by_value = holds_secret(variable["name"].as_str().unwrap_or_default(), &variable["value"]);
        bad(by_value || !variable["valueFrom"]["secretKeyRef"].is_null(), "a secret in the environment");
    }
    bad(list(&container["envFrom"]).iter().any(|from| !from["secretRef"].is_null()), "secrets in the environment");
    let writes = |mount: &&Value| mount["readOnly"] != true && mount["mountPath"].to_string().contains("/secrets");
    bad(list(&container["volumeMounts"]).iter().any(|mount| writes(&mount)), "a secret that can be written");
}

#[test]
fn nothing_forbidden_is_in_what_is_applied() {
    for folder in FOLDERS {
        assert_eq!(forbidden(&golden(folder)), Vec::<String>::new(), "{folder}");
    }
}

/// Who sees which secret: the same as in the stack of containers.
#[test]
fn a_secret_is_mounted_where_it_is_needed_and_nowhere_else() {
    let mut seen: Vec<String> = Vec::new();
    for object in FOLDERS.iter().flat_map(|folder| golden(folder)) {
        let volumes = pod(&object).map(|pod| list(&pod["volumes"]).to_vec()).unwrap_or_default();
        let name = object["metadata"]["name"].as_str().unwrap();
        let secrets = volumes.iter().filter_map(|volume| volume["secret"]["secretName"].as_str());
        seen.extend(secrets.map(|secret| format!("{secret} {name}")));
    }
    seen.sort_unstable();
    seen.dedup();
    let control = ["app", "cache-proxy", "load", "origin", "regression"].map(|part| format!("lab-control {part}"));
    let others = [
        "lab-cache node",
        "lab-cache redis",
        "lab-injector cache-proxy",
        "lab-injector form-cluster",
        "lab-replica app",
    ];
    let mut may: Vec<String> = others.map(str::to_owned).into_iter().chain(control).collect();
    may.sort_unstable();
    assert_eq!(seen, may);
}

#[test]
fn each_forbidden_thing_is_noticed() {
    let all: Vec<Value> = FOLDERS.iter().flat_map(|folder| golden(folder)).collect();
    let spoilt = |of: &str, at: &str, value: Value| {
        let mut object = all.iter().find(|object| id(object) == of).unwrap().clone();
        let (parent, field) = at.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap_or_else(|| panic!("{of} has no {parent}"))[field] = value;
        assert_eq!(forbidden(std::slice::from_ref(&object)).len(), 1, "{of}{at}");
    };
    for (at, value) in [
        ("/hostNetwork", json!(true)),
        ("/hostPID", json!(true)),
        ("/securityContext/runAsNonRoot", json!(false)),
        ("/securityContext/runAsUser", json!(0)),
        ("/securityContext/seccompProfile", Value::Null),
        ("/automountServiceAccountToken", Value::Null),
        ("/enableServiceLinks", Value::Null),
        ("/volumes", json!([{ "name": "x", "hostPath": { "path": "/var/run" } }])),
        ("/volumes", json!([{ "name": "x", "emptyDir": {} }])),
        ("/volumes", json!([{ "name": "x", "secret": { "secretName": "x" } }])),
        ("/containers/0/securityContext/privileged", json!(true)),
        ("/containers/0/securityContext/allowPrivilegeEscalation", Value::Null),
        ("/containers/0/securityContext/readOnlyRootFilesystem", json!(false)),
        ("/containers/0/securityContext/capabilities", json!({ "drop": ["ALL"], "add": ["NET_ADMIN"] })),
        ("/containers/0/securityContext/runAsUser", json!(0)),
        ("/containers/0/image", json!("stampede-lab")),
        ("/containers/0/image", json!("registry.example:5000/stampede-lab")),
        ("/containers/0/image", json!("stampede-lab:latest")),
        ("/containers/0/resources", Value::Null),
        ("/containers/0/resources/requests/cpu", json!("100m")),
        ("/containers/0/resources/limits/memory", Value::Null),
        ("/containers/0/ports", json!([{ "containerPort": 1, "hostPort": 1 }])),
        ("/containers/0/env", json!([{ "name": "REDIS_PASSWORD", "value": "x" }])),
        ("/containers/0/env", json!([{ "name": "X", "valueFrom": { "secretKeyRef": { "name": "x", "key": "x" } } }])),
        ("/containers/0/envFrom", json!([{ "secretRef": { "name": "x" } }])),
        ("/containers/0/volumeMounts", json!([{ "name": "x", "mountPath": "/secrets/control" }])),
    ] {
        spoilt("Deployment/app", &format!("/spec/template/spec{at}"), value.clone());
        spoilt("CronJob/regression", &format!("/spec/jobTemplate/spec/template/spec{at}"), value);
    }
    for (of, at, value) in [
        ("ConfigMap/run", "/kind", json!("Secret")),
        ("ConfigMap/run", "/metadata/namespace", json!("default")),
        ("Namespace/stampede-lab", "/metadata/labels", Value::Null),
        ("Service/app", "/spec/type", json!("NodePort")),
        ("Service/origin", "/spec/publishNotReadyAddresses", Value::Null),
        ("ConfigMap/replica-redis", "/data/LAB_REDIS", json!("redis://replica:x@redis:6379")),
        ("Job/load", "/spec/parallelism", json!(2)),
        ("Job/load", "/spec/backoffLimit", json!(6)),
        ("Job/load", "/spec/template/spec/containers/0/args", json!(["--shard", "/4"])),
    ] {
        spoilt(of, at, value);
    }
}
