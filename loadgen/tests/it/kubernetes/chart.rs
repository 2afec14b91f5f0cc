//! The Helm chart is made of the objects that Kustomize builds and of a list of settings, chart.yaml: so it cannot say anything else.
//! `LAB_BLESS=1` writes it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Once;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{FOLDERS, STACKS, blesses, golden, id, objects, printed, root, rules, said, text};

/// A value of the chart.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    name: String,
    #[serde(default)]
    says: String,
    schema: Value,
    /// Where no object has it.
    default: Option<Value>,
    #[serde(default)]
    places: Vec<String>,
    /// Whether every text that equals the default gives way to it.
    #[serde(default)]
    everywhere: bool,
}

fn settings() -> Vec<Setting> {
    serde_yaml_ng::from_str(include_str!("chart.yaml")).unwrap()
}

/// What Kustomize names by its content.
const MARKED: [&str; 3] = ["replica-redis", "injector-redis", "redis-conf"];

/// A name without the mark of its content.
pub(super) fn unmarked(name: &str) -> &str {
    let is_mark = |rest: &str| rest.len() == 11 && rest.starts_with('-');
    MARKED.into_iter().find(|base| name.strip_prefix(base).is_some_and(is_mark)).unwrap_or(name)
}

/// Calls for each text of a value.
fn each_text(value: &mut Value, with: &impl Fn(&mut String)) {
    match value {
        Value::String(text) => with(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, with)),
        Value::Object(fields) => fields.values_mut().for_each(|field| each_text(field, with)),
        _ => {}
    }
}

/// Objects as one compares them between Kustomize and Helm.
fn comparable(mut objects: Vec<Value>) -> Vec<Value> {
    objects.retain(|object| object["kind"] != "Namespace");
    objects.iter_mut().for_each(|object| each_text(object, &|text| *text = unmarked(text).to_owned()));
    objects
}

type Files = BTreeMap<&'static str, Vec<Value>>;

/// The chart's files. What several folders have is in a file of its own, once.
fn files() -> Files {
    let mut files: Files = FOLDERS.map(|folder| (folder, golden(folder))).into();
    share(&mut files, &STACKS, "stack");
    share(&mut files, &["load", "merge"], "run");
    files.values_mut().for_each(|file| file.retain(|object| object["kind"] != "Namespace"));
    files
}

/// Moves what these files have in common into another.
fn share(files: &mut Files, of: &[&'static str], into: &'static str) {
    let same = |one: &Value, other: &Value| comparable(vec![one.clone()]) == comparable(vec![other.clone()]);
    let in_all = |object: &Value| of.iter().all(|name| files[name].iter().any(|other| same(object, other)));
    let common: Vec<Value> = files[of[0]].iter().filter(|object| in_all(object)).cloned().collect();
    for name in of {
        files.get_mut(name).unwrap().retain(|object| !common.iter().any(|of_all| same(object, of_all)));
    }
    files.insert(into, common);
}

/// When a file's objects are installed.
fn condition(file: &str) -> Option<String> {
    match file {
        "stack" => None,
        "run" => Some("or .Values.parts.load .Values.parts.merge".to_owned()),
        cache if STACKS.contains(&cache) => Some(format!("eq .Values.cache \"{cache}\"")),
        part => Some(format!(".Values.parts.{part}")),
    }
}

/// A place of a setting in the files.
fn place<'a>(files: &'a mut Files, place: &str) -> &'a mut Value {
    let [file, object, at] = place.split(' ').collect::<Vec<_>>()[..] else { panic!("{place}") };
    let found = files.get_mut(file).unwrap().iter_mut().find(|found| id(found) == object);
    let pod = if object.starts_with("CronJob") { "/spec/jobTemplate/spec" } else { "/spec" };
    let at = at.replace('@', &format!("{pod}/template/spec/containers/0"));
    found.and_then(|object| object.pointer_mut(&at)).unwrap_or_else(|| panic!("nothing is at {place}"))
}

/// Puts a setting into its places; what was there is its default.
fn set(files: &mut Files, setting: &Setting) -> Value {
    let (whole, part) = (format!("WHOLE({})", setting.name), format!("PART({})", setting.name));
    let Some(first) = setting.places.first() else { return setting.default.clone().unwrap() };
    let default = place(files, first).clone();
    let of = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
    for at in &setting.places {
        let here = place(files, at);
        let inside = here.as_str().filter(|text| *here != default && text.contains(&of));
        assert!(inside.is_some() || *here == default, "{at} is {here}, not {default}");
        *here = inside.map_or_else(|| whole.clone(), |text| text.replace(&of, &part)).into();
    }
    if setting.everywhere {
        let put = |text: &mut String| {
            if *text == of {
                text.clone_from(&whole)
            }
        };
        files.values_mut().flatten().for_each(|object| each_text(object, &put));
    }
    default
}

/// The templates' and values' texts by their path in the chart.
fn chart() -> BTreeMap<String, String> {
    const MADE: &str =
        "Made of deploy/kubernetes and of loadgen/tests/it/kubernetes/chart.yaml by LAB_BLESS=1: edit those.";
    let (mut files, settings) = (files(), settings());
    let defaults: Vec<Value> = settings.iter().map(|setting| set(&mut files, setting)).collect();
    let mut chart = BTreeMap::new();
    for (name, objects) in &mut files {
        let texts = objects.iter_mut().map(|object| template(object, &settings)).collect::<Vec<_>>().join("---\n");
        let texts = match condition(name) {
            None => texts,
            Some(condition) => format!("{{{{- if {condition} }}}}\n{texts}{{{{- end }}}}\n"),
        };
        chart.insert(format!("templates/{name}.yaml"), format!("# {MADE}\n{texts}"));
    }
    chart.insert("values.yaml".to_owned(), values(MADE, &settings, &defaults));
    let schema = serde_json::to_string_pretty(&schema(MADE, &settings)).unwrap() + "\n";
    chart.insert("values.schema.json".to_owned(), schema);
    chart
}

fn template(object: &mut Value, settings: &[Setting]) -> String {
    object["metadata"]["namespace"] = "NAMESPACE()".into();
    each_text(object, &|text| {
        // Of these the content is the chart's user's, so the mark is, too.
        let by_user = ["replica-redis", "injector-redis"].contains(&unmarked(text)) && unmarked(text) != text;
        if by_user {
            *text = format!("{}-MARK()", unmarked(text));
        }
    });
    let mut text = serde_yaml_ng::to_string(object).unwrap().replace("NAMESPACE()", "{{ .Release.Namespace }}");
    text = text.replace("MARK()", "{{ list .Values.cache .Values.own | toJson | sha256sum | trunc 10 }}");
    for Setting { name, .. } in settings {
        text = text.replace(&format!("WHOLE({name})"), &format!("{{{{ .Values.{name} | toJson }}}}"));
        text = text.replace(&format!("PART({name})"), &format!("{{{{ .Values.{name} }}}}"));
    }
    text
}

fn values(made: &str, settings: &[Setting], defaults: &[Value]) -> String {
    let (mut text, mut group) = (format!("# {made}\n"), "");
    for (setting, default) in settings.iter().zip(defaults) {
        let (of, name) = setting.name.split_once('.').unwrap_or(("", &setting.name));
        if !of.is_empty() && of != group {
            text += &format!("{of}:\n");
        }
        group = of;
        let says = if setting.says.is_empty() { String::new() } else { format!("# {}\n", setting.says) };
        let value = serde_yaml_ng::to_string(&json!({ name: default })).unwrap();
        let indent = if of.is_empty() { "" } else { "  " };
        (says + &value).lines().for_each(|line| text += &format!("{indent}{line}\n"));
    }
    text
}

fn schema(made: &str, settings: &[Setting]) -> Value {
    let closed = || json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    let mut all = closed();
    (all["$schema"], all["$comment"]) = ("http://json-schema.org/draft-07/schema#".into(), made.into());
    let put = |object: &mut Value, name: &str, schema: Value| {
        object["properties"][name] = schema;
        object["required"].as_array_mut().unwrap().push(name.into());
    };
    for setting in settings {
        let mut schema = setting.schema.clone();
        if !setting.says.is_empty() {
            schema["description"] = setting.says.clone().into();
        }
        match setting.name.split_once('.') {
            None => put(&mut all, &setting.name, schema),
            Some((of, name)) => {
                if all["properties"][of].is_null() {
                    put(&mut all, of, closed());
                }
                put(&mut all["properties"][of], name, schema);
            }
        }
    }
    // What Helm itself may put beside a chart's values.
    all["properties"]["global"] = json!({ "type": "object" });
    all
}

/// Where the chart is, blessed where that is asked for.
fn folder() -> PathBuf {
    static BLESSED: Once = Once::new();
    let folder = root().join("deploy/helm");
    if blesses() {
        let write = |(file, made): (String, String)| std::fs::write(folder.join(file), made).unwrap();
        BLESSED.call_once(|| chart().into_iter().for_each(write));
    }
    folder
}

#[test]
fn the_chart_is_made_of_the_committed_objects_and_its_list_of_settings() {
    let chart = chart();
    for (file, made) in &chart {
        let found = std::fs::read_to_string(folder().join(file)).unwrap_or_default();
        assert!(found == *made, "{file} is not what the objects make of it: LAB_BLESS=1 writes it anew\n{made}");
    }
    let found = std::fs::read_dir(folder().join("templates")).unwrap().count();
    assert_eq!(found, chart.keys().filter(|file| file.starts_with("templates/")).count(), "a template of nothing");
}

#[test]
fn the_schema_takes_the_values_and_refuses_what_it_does_not_know_and_what_must_not_be() {
    let schema = schema("", &settings());
    let schema = jsonschema::draft7::new(&schema).unwrap();
    let text = std::fs::read_to_string(folder().join("values.yaml")).unwrap();
    let values: Value = serde_yaml_ng::from_str(&text).unwrap();
    assert!(schema.is_valid(&values), "{:?}", schema.iter_errors(&values).map(|e| e.to_string()).collect::<Vec<_>>());
    for (at, good) in [
        ("/image", json!("registry.example:5000/stampede-lab:0.2.0")),
        ("/image", json!(format!("stampede-lab@sha256:{}", "0".repeat(64)))),
        ("/resources/load/cpu", json!(4)),
        ("/own/replica", json!({ "LAB_REDIS": "redis://a:26379,redis://me@b", "LAB_REDIS_PRIMARY": "lab" })),
    ] {
        let mut with = values.clone();
        *with.pointer_mut(at).unwrap() = good.clone();
        assert!(schema.is_valid(&with), "{at}: {good}");
    }
    for (at, bad) in [
        ("/replcas", json!(3)),
        ("/parts/lod", json!(true)),
        ("/resources/app/gpu", json!("1")),
        ("/own/replica/LAB_TOKEN", json!("x")),
        ("/image", json!("stampede-lab")),
        ("/image", json!("stampede-lab:latest")),
        ("/image", Value::Null),
        ("/cache", json!("sentinel")),
        ("/replicas", json!(0)),
        ("/shards", json!("3")),
        ("/run", json!("../elsewhere")),
        ("/resources/app/memory", Value::Null),
        ("/own/replica/LAB_REDIS", json!("redis://replica:password@redis.example:6379")),
    ] {
        let mut with = values.clone();
        let (parent, field) = at.rsplit_once('/').unwrap();
        with.pointer_mut(parent).unwrap()[field] = bad.clone();
        assert!(!schema.is_valid(&with), "{at}: {bad}");
    }
}

/// Helm's answer to these values.
fn helm(values: &str) -> Option<Vec<Value>> {
    let chart = folder().display().to_string();
    printed("helm", &["template", "lab", &chart, "-n", "stampede-lab", "--set", values]).map(|text| objects(&text))
}

#[test]
fn helm_makes_of_the_chart_what_kustomize_makes_of_the_folders() {
    let stacks = STACKS.map(|stack| (vec![stack], format!("cache={stack}")));
    let parts = FOLDERS.into_iter().filter(|folder| !STACKS.contains(folder));
    let parts = parts.map(|part| (vec!["single", part], format!("parts.{part}=true")));
    let run = (vec!["single", "load", "merge"], "parts.load=true,parts.merge=true".to_owned());
    for (folders, values) in stacks.into_iter().chain(parts).chain([run]) {
        let Some(made) = helm(&values) else { return };
        let mut expected: Vec<Value> = folders.iter().flat_map(|folder| golden(folder)).collect();
        expected.sort_by_key(id);
        expected.dedup();
        let (made, expected) = (comparable(made), comparable(expected));
        assert_eq!(made.iter().map(id).collect::<Vec<_>>(), expected.iter().map(id).collect::<Vec<_>>(), "{values}");
        made.iter().zip(&expected).for_each(|(made, expected)| assert_eq!(made, expected, "{values}"));
    }
    let all = printed("helm", &["lint", "--strict", "deploy/helm"]).unwrap();
    assert!(all.contains("0 chart(s) failed"), "{all}");
}

#[test]
fn with_other_values_helm_makes_what_they_say_and_nothing_forbidden() {
    let values = "parts.load=true,parts.merge=true,image=registry.example:5000/lab:2,replicas=5,shards=7,run=second,\
                  resources.load.cpu=4,cache=own,own.cidr=10.0.0.0/8,own.port=7000";
    let Some(objects) = helm(values) else { return };
    assert_eq!(rules::forbidden(&objects), Vec::<String>::new());
    let object = |of: &str| objects.iter().find(|object| id(object) == of).unwrap();
    let (app, load) = (&object("Deployment/app")["spec"], &object("Job/load")["spec"]);
    let shard = &load["template"]["spec"]["containers"][0];
    assert_eq!((&app["replicas"], &load["completions"], &shard["args"][3]), (&json!(5), &json!(7), &json!("/7")));
    assert_eq!(shard["resources"]["requests"], json!({ "cpu": 4, "memory": "1Gi" }));
    let images: Vec<&Value> = [app, load].map(|of| &of["template"]["spec"]["containers"][0]["image"]).into();
    assert_eq!(images, ["registry.example:5000/lab:2"; 2]);
    assert_eq!(object("ConfigMap/run")["data"]["name"], "second");
    let egress = &object("NetworkPolicy/to-own-redis")["spec"]["egress"][0];
    assert_eq!(
        (&egress["to"][0]["ipBlock"]["cidr"], &egress["ports"][0]["port"]),
        (&json!("10.0.0.0/8"), &json!(7000))
    );
    // Other settings of the cache are another name, so that the replicas are started anew.
    let name = |objects: &[Value]| {
        objects.iter().find(|o| id(o) == "ConfigMap/replica-redis").unwrap()["metadata"]["name"].clone()
    };
    let moved = helm("cache=own,own.replica.LAB_REDIS=rediss://elsewhere").unwrap();
    assert_ne!(name(&moved), name(&objects));
    let app = moved.iter().find(|object| id(object) == "Deployment/app").unwrap();
    assert_eq!(app.pointer("/spec/template/spec/containers/0/envFrom/0/configMapRef/name"), Some(&name(&moved)));
    for bad in ["replcas=5", "image=lab:latest", "own.replica.LAB_REDIS=redis://me:password@redis"] {
        let output = said("helm", &["template", "lab", "deploy/helm", "--set", bad]).unwrap();
        let why = text(&output.stderr);
        assert!(
            !output.status.success() && why.contains("don't meet the specifications of the schema"),
            "{bad}: {why}"
        );
    }
}
