//! JSON Schemas at work: validators of what `loadgen schema` prints, and documents that are harmed.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "for a test")]

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::common::run;

/// A schema, by the name that `loadgen schema NAME` knows.
pub struct Schema {
    pub name: String,
    pub json: Value,
    open: Validator,
    strict: Validator,
}

impl Schema {
    pub fn of(name: &str) -> Self {
        let said = run(&["schema", name]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let json: Value = serde_json::from_str(&said.out).unwrap();
        let open = jsonschema::draft202012::new(&json).unwrap();
        let mut closed = json.clone();
        close(&mut closed);
        let strict = jsonschema::draft202012::new(&closed).unwrap();
        Self { name: name.to_owned(), json, open, strict }
    }

    /// Valid, and with no field that the schema does not know.
    #[track_caller]
    pub fn assert_knows(&self, what: &str, document: &Value) {
        let wrong: Vec<String> =
            self.strict.iter_errors(document).take(5).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{what} against {}:\n{}", self.name, wrong.join("\n"));
        assert!(self.takes(document), "{what}: the strict copy is the stricter");
    }

    /// Whether it is valid, as for everybody.
    pub fn takes(&self, document: &Value) -> bool {
        self.open.is_valid(document)
    }

    /// Whether it is valid and has only fields that are known.
    pub fn knows(&self, document: &Value) -> bool {
        self.strict.is_valid(document)
    }

    /// Every property, as `Outcomes.hit`, of the document itself `.schema`; and whether it is required.
    pub fn properties(&self) -> BTreeMap<String, bool> {
        let definitions = self.json["$defs"].as_object().cloned().unwrap_or_default();
        let mut all = BTreeMap::new();
        for (of, schema) in std::iter::once((String::new(), self.json.clone())).chain(definitions) {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            for name in schema["properties"].as_object().into_iter().flat_map(Map::keys) {
                all.insert(format!("{of}.{name}"), required.iter().any(|one| one == name));
            }
        }
        all
    }

    /// The properties that a document has, which must be valid.
    pub fn met(&self, document: &Value) -> BTreeSet<String> {
        let mut met = BTreeSet::new();
        self.walk("", &self.json, document, &mut met);
        met
    }

    fn walk(&self, of: &str, schema: &Value, value: &Value, met: &mut BTreeSet<String>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|at| at.strip_prefix("#/$defs/")) {
            return self.walk(name, &self.json["$defs"][name], value, met);
        }
        for one in schema["anyOf"].as_array().into_iter().flatten().filter(|_| !value.is_null()) {
            self.walk(of, one, value, met);
        }
        for (name, inside) in value.as_object().into_iter().flatten() {
            match schema["properties"].get(name) {
                Some(property) => {
                    met.insert(format!("{of}.{name}"));
                    self.walk("", property, inside, met);
                }
                None => self.walk("", &schema["additionalProperties"], inside, met),
            }
        }
        for inside in value.as_array().into_iter().flatten() {
            self.walk("", &schema["items"], inside, met);
        }
    }
}

/// Every schema that is listed, by its id.
pub fn schemas() -> BTreeMap<String, Schema> {
    let said = run(&["schema"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let words = said.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listed = words.filter(|words| words.len() > 2 && words[1].starts_with("stampede."));
    listed.map(|words| (words[1].to_owned(), Schema::of(words[0]))).collect()
}

/// Closes every object that is no map.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            // A property that is called `properties` would be met here, too; there is none.
            if fields.get("properties").is_some_and(Value::is_object) && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}

/// What is done to a document to break it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// A field is missing.
    Missing,
    /// A string is where a number was.
    Text,
    /// A number is where a string was.
    Number,
    /// A field is there that nobody knows.
    Unknown,
}

/// Fields whose own fields are no properties but names with values.
pub const MAPS: [&str; 11] = [
    "settings",
    "cache_settings",
    "origin_ms",
    "figures",
    "within",
    "error_kinds",
    "seconds_over",
    "silent_ms",
    "clock_step_ms",
    "latency_ms_max",
    "by_mark",
];

/// The document harmed in this way at each place in turn, once for all members of a list or map; with the place,
/// `points[].figures.*.mean`.
pub fn harmed(document: &Value, harm: Harm) -> BTreeMap<String, Value> {
    let mut places = BTreeMap::new();
    find(document, harm, &mut Vec::new(), &mut places);
    let broken = places.into_iter().map(|(name, path)| {
        let mut copy = document.clone();
        inflict(&mut copy, harm, &path);
        (name, copy)
    });
    broken.collect()
}

/// A step into a document.
#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Member(usize),
}

fn find(value: &Value, harm: Harm, path: &mut Vec<Step>, places: &mut BTreeMap<String, Vec<Step>>) {
    let is_one = match harm {
        Harm::Missing => matches!(path.last(), Some(Step::Field(_))),
        Harm::Text => value.is_number(),
        Harm::Number => value.is_string(),
        Harm::Unknown => value.is_object(),
    };
    if is_one {
        places.entry(name_of(path)).or_insert_with(|| path.clone());
    }
    let fields = value.as_object().into_iter().flatten().map(|(name, inside)| (Step::Field(name.clone()), inside));
    let members = value.as_array().into_iter().flatten().enumerate();
    for (step, inside) in fields.chain(members.map(|(at, inside)| (Step::Member(at), inside))) {
        path.push(step);
        find(inside, harm, path, places);
        path.pop();
    }
}

fn name_of(path: &[Step]) -> String {
    let mut name = String::new();
    let mut in_a_map = false;
    for step in path {
        name += &match step {
            Step::Field(_) if in_a_map => ".*".to_owned(),
            Step::Field(field) => format!(".{field}"),
            Step::Member(_) => "[]".to_owned(),
        };
        in_a_map = matches!(step, Step::Field(field) if !in_a_map && MAPS.contains(&field.as_str()));
    }
    name.trim_start_matches('.').to_owned()
}

fn inflict(document: &mut Value, harm: Harm, path: &[Step]) {
    let (whole, last) = if harm == Harm::Missing { path.split_at(path.len() - 1) } else { (path, &[][..]) };
    let mut at = document;
    for step in whole {
        at = match step {
            Step::Field(name) => &mut at[name.as_str()],
            Step::Member(member) => &mut at[*member],
        };
    }
    match (harm, last) {
        (Harm::Missing, [Step::Field(name)]) => drop(at.as_object_mut().and_then(|fields| fields.remove(name))),
        (Harm::Text, _) => *at = at.to_string().into(),
        (Harm::Number, _) => *at = 7.into(),
        (Harm::Unknown, _) => {
            drop(at.as_object_mut().map(|fields: &mut Map<_, _>| fields.insert("zz".into(), Value::Null)))
        }
        (Harm::Missing, _) => unreachable!("only fields are taken away"),
    }
}
