//! Every object is read as its type and written again: a field that the type has not is lost on the way, and so is found.

use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch, core::v1 as core, networking::v1 as networking};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{FOLDERS, golden, id};

fn again<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, String> {
    let typed: T = serde_json::from_value(object.clone()).map_err(|e| e.to_string())?;
    serde_json::to_value(typed).map_err(|e| e.to_string())
}

/// What speaks against an object's being of its type.
fn mistyped(object: &Value) -> Option<String> {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let read = match (text("apiVersion"), text("kind")) {
        ("v1", "ConfigMap") => again::<core::ConfigMap>(object),
        ("v1", "Namespace") => again::<core::Namespace>(object),
        ("v1", "PersistentVolumeClaim") => again::<core::PersistentVolumeClaim>(object),
        ("v1", "Service") => again::<core::Service>(object),
        ("apps/v1", "Deployment") => again::<apps::Deployment>(object),
        ("apps/v1", "StatefulSet") => again::<apps::StatefulSet>(object),
        ("batch/v1", "CronJob") => again::<batch::CronJob>(object),
        ("batch/v1", "Job") => again::<batch::Job>(object),
        ("networking.k8s.io/v1", "NetworkPolicy") => again::<networking::NetworkPolicy>(object),
        ("monitoring.coreos.com/v1", "PodMonitor") => {
            return jsonschema::draft202012::new(&monitor()).unwrap().validate(object).err().map(|e| e.to_string());
        }
        (version, kind) => Err(format!("no type for {version} {kind}")),
    };
    match read {
        Ok(again) if again == *object => None,
        Ok(again) => Some(format!("read as {again}")),
        Err(why) => Some(why),
    }
}

/// The part of PodMonitor that is used here. Its definition comes with the Prometheus operator, and neither Kubernetes' schemas nor types
/// have it.
fn monitor() -> Value {
    let object = |properties: Value| {
        let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
        json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
    };
    let text = || json!({ "type": "string" });
    let texts = json!({ "type": "array", "items": text() });
    let operator = json!({ "enum": ["In", "NotIn", "Exists", "DoesNotExist"] });
    let one = object(json!({ "key": text(), "operator": operator, "values": texts }));
    let seconds = json!({ "type": "string", "pattern": "^[0-9]+s$" });
    let endpoint = object(json!({ "port": text(), "path": text(), "interval": seconds }));
    let labels = json!({ "type": "object", "additionalProperties": text() });
    object(json!({
        "apiVersion": { "const": "monitoring.coreos.com/v1" },
        "kind": { "const": "PodMonitor" },
        "metadata": object(json!({ "name": text(), "namespace": text(), "labels": labels })),
        "spec": object(json!({
            "selector": object(json!({ "matchExpressions": { "type": "array", "items": one } })),
            "podMetricsEndpoints": { "type": "array", "items": endpoint },
        })),
    }))
}

#[test]
fn every_object_is_of_its_type_with_nothing_left_over() {
    for object in FOLDERS.iter().flat_map(|folder| golden(folder)) {
        assert_eq!(mistyped(&object), None, "{}", id(&object));
        let mut unknown = object.clone();
        let inside = if object["spec"].is_object() { "spec" } else { "metadata" };
        unknown[inside]["replcas"] = json!(1);
        assert!(mistyped(&unknown).is_some(), "{}: an unknown field passes", id(&object));
    }
    let deployment = |spec: Value| json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": spec });
    assert!(mistyped(&deployment(json!({ "replicas": "3" }))).is_some(), "a text is no number");
    assert!(mistyped(&json!({ "apiVersion": "v1", "kind": "Secret" })).is_some());
}
