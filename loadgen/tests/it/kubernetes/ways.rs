//! Who may reach whom by the network policies: both ends must allow it, and the list is that of the stack's networks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::golden;

/// From, to, port. What is outside of the namespace is in brackets.
type Ways = BTreeSet<(String, String, String)>;

const LABEL: &str = "app.kubernetes.io/component";

/// The parts that a selector means.
fn parts(selector: &Value) -> Vec<String> {
    if selector == &json!({}) {
        return vec!["*".to_owned()];
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if let Some(one) = selector["matchLabels"].get(LABEL) {
        assert_eq!(selector.as_object().unwrap().len(), 1, "{selector}");
        return vec![text(one)];
    }
    let [rule] = selector["matchExpressions"].as_array().unwrap().as_slice() else { panic!("{selector}") };
    assert!(rule["key"] == LABEL && rule["operator"] == "In", "{selector}");
    rule["values"].as_array().unwrap().iter().map(text).collect()
}

/// Another end of a way.
fn peers(peer: &Value) -> Vec<String> {
    match (&peer["podSelector"], &peer["namespaceSelector"]["matchLabels"], &peer["ipBlock"]["cidr"]) {
        (pods, Value::Null, Value::Null) => parts(pods),
        (Value::Null, labels, Value::Null) => vec![format!("[{}]", labels["kubernetes.io/metadata.name"])],
        (Value::Null, Value::Null, cidr) => vec![format!("[{cidr}]")],
        other => panic!("a peer of several kinds: {other:?}"),
    }
}

/// The parts that a policy names.
pub(super) fn named(policy: &Value) -> Vec<String> {
    let (out, of_in) = ways(std::slice::from_ref(policy));
    let all = out.into_iter().chain(of_in).flat_map(|(from, to, _)| [from, to]);
    all.filter(|part| !part.starts_with('[')).collect()
}

/// What the policies let out, and what they let in.
fn ways(objects: &[Value]) -> (Ways, Ways) {
    let mut both = (Ways::new(), Ways::new());
    for policy in objects.iter().filter(|object| object["kind"] == "NetworkPolicy").map(|object| &object["spec"]) {
        for (direction, peer, is_out) in [("egress", "to", true), ("ingress", "from", false)] {
            let rules = policy[direction].as_array().into_iter().flatten();
            let types = policy["policyTypes"].as_array().unwrap();
            let begins = if is_out { "Egress" } else { "Ingress" };
            assert!(policy[direction].is_null() || types.iter().any(|kind| kind == begins), "{policy}");
            for rule in rules {
                let others: Vec<String> = rule[peer].as_array().unwrap().iter().flat_map(peers).collect();
                for port in rule["ports"].as_array().unwrap() {
                    for this in parts(&policy["podSelector"]) {
                        for other in &others {
                            let port = format!("{}/{}", port["port"], port["protocol"].as_str().unwrap());
                            let (this, other) = (this.clone(), other.clone());
                            if is_out {
                                both.0.insert((this, other, port))
                            } else {
                                both.1.insert((other, this, port))
                            };
                        }
                    }
                }
            }
        }
    }
    both
}

/// The ways inside the namespace, as text; each must be open at both ends.
fn inside(objects: &[Value]) -> Result<Vec<String>, String> {
    let (out, of_in) = ways(objects);
    let is_inside = |(from, to, _): &&(String, String, String)| !from.starts_with('[') && !to.starts_with('[');
    let half: Vec<_> = out.symmetric_difference(&of_in).filter(is_inside).collect();
    if !half.is_empty() {
        return Err(format!("open at one end only: {half:?}"));
    }
    Ok(out.iter().filter(is_inside).map(|(from, to, port)| format!("{from} → {to} {port}")).collect())
}

/// The ways that every stack has.
const BASE: &[&str] = &[
    "app → origin 8080/TCP",
    "load → app 8080/TCP",
    "load → app 8081/TCP",
    "load → cache-proxy 8081/TCP",
    "load → origin 8081/TCP",
    "regression → app 8080/TCP",
    "regression → app 8081/TCP",
    "regression → cache-proxy 8081/TCP",
    "regression → origin 8081/TCP",
];

#[test]
fn each_stack_has_the_ways_of_its_networks_and_no_other() {
    let cluster = [
        "app → node 6379/TCP",
        "cache-proxy → node 6379/TCP",
        "form-cluster → node 6379/TCP",
        "node → node 16379/TCP",
        "node → node 6379/TCP",
    ];
    let single = ["app → cache-proxy 6379/TCP", "cache-proxy → redis 6379/TCP"];
    for (folder, more) in [("single", &single[..]), ("cluster", &cluster), ("own", &[])] {
        let mut expected: Vec<&str> = BASE.iter().chain(more).copied().collect();
        expected.sort_unstable();
        assert_eq!(inside(&golden(folder)).unwrap(), expected, "{folder}");
    }
}

#[test]
fn what_leads_out_is_names_and_a_redis_of_ones_own_and_what_leads_in_is_the_scrape() {
    let leads = |folder: &str| {
        let (out, of_in) = ways(&golden(folder));
        let is_outside = |(from, to, _): &&(String, String, String)| (from.clone() + to).contains('[');
        let all: BTreeSet<String> =
            out.union(&of_in).filter(is_outside).map(|(from, to, port)| format!("{from} → {to} {port}")).collect();
        all
    };
    let with_names = ["app", "cache-proxy", "form-cluster", "load", "regression"];
    let names: BTreeSet<String> = with_names
        .iter()
        .flat_map(|part| ["TCP", "UDP"].map(|protocol| format!("{part} → [\"kube-system\"] 53/{protocol}")))
        .collect();
    assert_eq!(leads("single"), names);
    assert_eq!(leads("cluster"), names);
    let own = ["app", "cache-proxy"].map(|part| format!("{part} → [\"192.0.2.1/32\"] 6379/TCP"));
    assert_eq!(leads("own"), names.into_iter().chain(own).collect());
    let scrape = ["app", "origin"].map(|part| format!("[\"monitoring\"] → {part} 8080/TCP"));
    assert_eq!(leads("monitor"), scrape.into_iter().collect());
}

#[test]
fn a_way_that_is_open_at_one_end_only_is_noticed_and_all_else_is_shut() {
    for folder in super::STACKS {
        let mut objects = golden(folder);
        let shut = |object: &Value| {
            object["kind"] == "NetworkPolicy"
                && object["spec"] == json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] })
        };
        assert_eq!(objects.iter().filter(|object| shut(object)).count(), 1, "{folder} denies nothing by default");
        objects.retain(|object| super::id(object) != "NetworkPolicy/origin");
        assert!(inside(&objects).is_err(), "{folder}");
    }
}
