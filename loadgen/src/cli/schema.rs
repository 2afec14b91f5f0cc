//! `loadgen schema`: JSON Schemas (draft 2020-12) of the JSON that the lab writes for others to read.
//!
//! They are made from the very types that are written, and their descriptions are the documentation of those types, so that
//! neither can say what the other does not. They describe what this build writes and older ones of the same version wrote:
//! a field that came later is not required. They are open, for so are the readers: an unknown field is ignored.

use std::fmt::Write as _;

use report::compare::baseline::{BASELINE_SCHEMA, Baseline, MEASURED_SCHEMA, Measured};
use report::compare::{NOISE_SCHEMA, NoiseFile};
use report::record::{EventRow, RUN_SCHEMA, Run};
use report::sweep::{SWEEP_SCHEMA, Sweep};
use report::write_atomic;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::cli::SchemaArgs;
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use crate::study::advise::record::{ADVICE_SCHEMA, Advice};
use crate::study::capacity::record::{CAPACITY_SCHEMA, CapacityRecord};
use crate::study::gate::{COMPARE_SCHEMA, Compared};
use crate::study::selftest::{SELFTEST_SCHEMA, Selftest};

/// The schema of a line of `events.jsonl`. The lines do not carry it: they are many, and lie beside a `run.json` that does.
const EVENTS_SCHEMA: &str = "stampede.events/v1";

/// What is true of every document.
const READING: &str = "Unknown numbers are null, never NaN. Readers ignore fields that they do not know: a later build may \
                       add some under the same version.";

/// What no schema here describes, and why.
const NOT_HERE: &str = "\
Not here, for it is no JSON: the CSV files and latency.hlog (docs/commands.md says what is in them), scenario.toml (docs/scenarios.md).
Not here, for only the build that wrote them reads them: part.json and part.jsonl (docs/machines.md).
Not here, for its format is another's: gate/bench.json (github-action-benchmark, customSmallerIsBetter).
";

/// One schema.
struct Document {
    /// The `schema` that the file carries, `stampede.run/v1`.
    id: &'static str,
    /// Which file, or which command's words.
    file: &'static str,
    /// What it is.
    what: &'static str,
    /// Makes the schema of its type.
    root: fn(SchemaGenerator) -> Schema,
}

/// All of them, in the order in which somebody meets them.
const DOCUMENTS: &[Document] = &[
    Document {
        id: RUN_SCHEMA,
        file: "results/<run>/run.json",
        what: "a run: what was run, on what, and what came out",
        root: root_of::<Run>,
    },
    Document {
        id: EVENTS_SCHEMA,
        file: "results/<run>/<strategy>/events.jsonl",
        what: "one line: what happened at a moment (lines carry no id)",
        root: root_of::<EventRow>,
    },
    Document {
        id: SWEEP_SCHEMA,
        file: "results/<sweep>/sweep.json",
        what: "a scenario at every point of a grid of settings",
        root: root_of::<Sweep>,
    },
    Document {
        id: ADVICE_SCHEMA,
        file: "results/<advice>/advice.json",
        what: "which strategy for somebody's numbers, and what else was tried",
        root: root_of::<Advice>,
    },
    Document {
        id: CAPACITY_SCHEMA,
        file: "results/<capacity>/capacity.json",
        what: "the highest load that each strategy bears",
        root: root_of::<CapacityRecord>,
    },
    Document {
        id: BASELINE_SCHEMA,
        file: "results/baseline/<scenario>.sim.json",
        what: "the figures that a simulated run is held to",
        root: root_of::<Baseline>,
    },
    Document {
        id: MEASURED_SCHEMA,
        file: "results/baseline/<scenario>.<lab>.json",
        what: "the runs that a real run is held to",
        root: root_of::<Measured>,
    },
    Document {
        id: NOISE_SCHEMA,
        file: "results/noise/<machine>.json",
        what: "how far the same thing differs from itself on a machine",
        root: root_of::<NoiseFile>,
    },
    Document {
        id: COMPARE_SCHEMA,
        file: "loadgen compare --format json",
        what: "runs against a run, metric by metric",
        root: root_of::<Compared>,
    },
    Document {
        id: SELFTEST_SCHEMA,
        file: "loadgen selftest --format json",
        what: "what the generator itself costs",
        root: root_of::<Selftest>,
    },
    #[cfg(feature = "labs")]
    Document {
        id: diagnose::record::DIAGNOSIS_SCHEMA,
        file: "loadgen diagnose --format json",
        what: "what is wrong with a Redis, and what could not be seen",
        root: root_of::<diagnose::record::Diagnosis>,
    },
];

/// Lists the schemas, prints one, or writes them to a folder.
///
/// # Errors
/// [`Failure`]: 2 for a name that is none, or a folder that can't be written.
pub fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    let chosen = args.name.as_deref().map(named).transpose()?;
    match (&args.output, chosen) {
        (None, None) => output::out(&list())?,
        (None, Some(document)) => output::out(&document.text()?)?,
        (Some(folder), chosen) => {
            for document in DOCUMENTS.iter().filter(|one| chosen.is_none_or(|chosen| chosen.id == one.id)) {
                let (path, text) = (folder.join(document.file_name()), document.text()?);
                write_atomic(&path, |out| out.write_all(text.as_bytes()))
                    .map_err(|error| Failure::usage(format!("no schema written · {error} · name it with -o")))?;
                output::out(&format!("{}\n", path.display()))?;
            }
        }
    }
    Ok(Exit::Ok)
}

fn list() -> String {
    let mut text = String::from("JSON Schemas (loadgen schema NAME prints one, loadgen schema -o DIR writes all)\n");
    for document in DOCUMENTS {
        let Document { id, file, what, .. } = document;
        let _ = writeln!(text, "  {:<9} {id:<21} {file}\n{:34}{what}", document.name(), "");
    }
    text + NOT_HERE
}

/// By its short name or its id.
fn named(name: &str) -> Result<&'static Document, Failure> {
    if let Some(found) = DOCUMENTS.iter().find(|one| name == one.name() || name == one.id) {
        return Ok(found);
    }
    let names = DOCUMENTS.iter().flat_map(|one| [one.name(), one.id]);
    let meant = scenarios::nearest(name, names).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let allowed = DOCUMENTS.iter().map(Document::name).collect::<Vec<_>>().join(", ");
    Err(Failure::usage(format!(
        "no such schema · schema {name:?} · allowed {allowed} · {meant}`loadgen schema` says what each is of"
    )))
}

impl Document {
    /// `run` of `stampede.run/v1`.
    fn name(&self) -> &'static str {
        let short = |id: &'static str| id.strip_prefix("stampede.")?.split_once('/');
        short(self.id).map_or(self.id, |(name, _)| name)
    }

    /// `stampede.run.v1.json`.
    fn file_name(&self) -> String {
        format!("{}.json", self.id.replace('/', "."))
    }

    /// The schema as text, pretty, with a newline at its end.
    fn text(&self) -> Result<String, Failure> {
        let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(RecursiveTransform(plain));
        let mut schema = (self.root)(settings.into_generator());
        let own = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{own} {READING}");
        schema.insert("$id".into(), format!("urn:{}", self.id.replace(['.', '/'], ":")).into());
        schema.insert("title".into(), format!("{} ({})", self.file, self.id).into());
        schema.insert("description".into(), description.trim_start().into());
        let text = serde_json::to_string_pretty(&schema).map_err(Failure::failed)?;
        Ok(text + "\n")
    }
}

fn root_of<T: JsonSchema>(generator: SchemaGenerator) -> Schema {
    generator.into_root_schema_for::<T>()
}

/// Makes what was derived from Rust into what a reader of JSON needs.
fn plain(schema: &mut Schema) {
    // `uint64` and `double` are Rust's business, and strict validators refuse formats that they do not know.
    schema.remove("format");
    if let Some(text) = schema.get("description").and_then(Value::as_str).map(words) {
        let id = schema.get("const").and_then(Value::as_str).filter(|id| id.starts_with("stampede."));
        let text = id.map_or(text, |id| format!("Always `{id}`."));
        schema.insert("description".into(), text.into());
    }
    // What has a default is read without it, and older records lack it.
    let has_default = |name: &Value| {
        let property = schema.get("properties").and_then(|all| all.get(name.as_str()?));
        property.is_some_and(|property| property.get("default").is_some())
    };
    let required = schema.get("required").and_then(Value::as_array).cloned();
    if let Some(mut required) = required {
        required.retain(|name| !has_default(name));
        schema.insert("required".into(), required.into());
    }
}

/// Documentation without what only rustdoc and Rust understand: line ends, `None`, links.
fn words(doc: &str) -> String {
    let joined = doc.lines().map(str::trim).collect::<Vec<_>>().join(" ").replace("`None`", "`null`");
    let mut text = String::new();
    let mut rest = joined.as_str();
    while let Some((before, link)) = rest.split_once('[') {
        let Some((shown, after)) = link.split_once(']') else { break };
        text += before;
        match shown.strip_prefix('`').and_then(|code| code.strip_suffix('`')) {
            Some(code) => {
                let _ = write!(text, "`{}`", code.rsplit("::").next().unwrap_or(code));
            }
            None => text += shown,
        }
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_becomes_plain_words() {
        for (doc, expected) in [
            ("Two lines\nof it; `None` where unknown.", "Two lines of it; `null` where unknown."),
            ("Index into [`Sweep::points`].", "Index into `points`."),
            ("Where any is [unknown](Outcomes::unknown), so.", "Where any is unknown, so."),
            ("Half open [0, 60) s", "Half open [0, 60) s"),
        ] {
            assert_eq!(words(doc), expected);
        }
    }
}
