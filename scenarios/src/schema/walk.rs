//! The walk from plain data to validated values: opening tables, and collecting what is wrong with them.
//!
//! What returns `None` has reported why, so a caller collects all its fields before it gives up and a file's problems
//! come out in one pass. It holds no rule of any particular field; the kinds of fields are in `getters.rs`.

use crate::schema::nearest::{did_you_mean, near};
use crate::schema::problem::{Finding, ScenarioErrors};
use crate::schema::source::{Source, SourcePlace, safe};
use crate::schema::tree::{Node, TomlTable, Value};
use crate::values::recorded::OpenTrace;

/// Most findings that are kept while a file is read: a megabyte of nonsense must not become a gigabyte of complaints.
const FINDINGS_MAX: usize = 1000;

/// A table being read.
pub(crate) struct Fields<'t> {
    table: &'t TomlTable,
    /// As messages name it: `[load]`.
    pub(crate) title: String,
    pub(crate) place: SourcePlace,
    /// Fields that an unknown one probably meant: their absence is not reported a second time.
    misspelt: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    pub(crate) fn get(&self, name: &str) -> Option<&'t Node> {
        self.table.get(name)
    }

    /// Whether the field is there, perhaps under a misspelt name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some() || self.misspelt.contains(&name)
    }
}

/// The problems found so far, and the text they point into.
pub(crate) struct Walk<'s> {
    source: &'s Source<'s>,
    /// What opens a trace, where anything does.
    traces: Option<OpenTrace>,
    findings: Vec<Finding>,
    /// Findings beyond the limit, counted only.
    omitted: usize,
}

impl<'s> Walk<'s> {
    pub(crate) fn new(source: &'s Source<'s>, traces: Option<OpenTrace>) -> Self {
        Self { source, traces, findings: Vec::new(), omitted: 0 }
    }

    /// What opens a trace, where anything does.
    pub(crate) fn opens_traces(&self) -> Option<OpenTrace> {
        self.traces
    }

    /// `value` if nothing was wrong, else everything that was.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ScenarioErrors> {
        match value {
            Some(value) if self.findings.is_empty() => Ok(value),
            _ => Err(ScenarioErrors::locate(self.findings, self.omitted, self.source)),
        }
    }

    /// What is written at a place, ready to be shown.
    pub(crate) fn found(&self, place: &SourcePlace) -> String {
        self.source.found(place)
    }

    pub(crate) fn report(
        &mut self,
        place: &SourcePlace,
        what: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.findings.len() >= FINDINGS_MAX {
            self.omitted += 1;
            return;
        }
        self.findings.push(Finding {
            place: place.clone(),
            what: what.into(),
            found: found.into(),
            remedy: remedy.into(),
        });
    }

    /// Reports a value, as `found <it>, allowed <allowed>`.
    pub(crate) fn refuse(&mut self, node: &Node, what: impl Into<String>, allowed: &str, remedy: impl Into<String>) {
        let found = format!("found {}, allowed {allowed}", self.found(&node.place));
        self.report(&node.place, what, found, remedy);
    }

    /// Opens a table and reports the fields it does not know.
    pub(crate) fn open<'t>(
        &mut self,
        table: &'t TomlTable,
        title: impl Into<String>,
        place: &SourcePlace,
        allowed: &'static [&'static str],
    ) -> Fields<'t> {
        let title = title.into();
        let mut misspelt = Vec::new();
        for field in &table.fields {
            if allowed.contains(&field.name.as_str()) {
                continue;
            }
            misspelt.extend(near(&field.name, allowed.iter().copied()));
            let shown = safe(&field.name, 60);
            let guess = did_you_mean(&field.name, allowed.iter().copied());
            self.report(
                &field.name_place,
                format!("unknown field `{shown}`{guess}"),
                format!("found {shown} in {title}, allowed {}", allowed.join(", ")),
                "rename it, or remove it",
            );
        }
        Fields { table, title, place: place.clone(), misspelt }
    }

    /// Opens a table, by its path from the file's top: `load`, `load.retry`. Its absence is reported if it is `required`.
    pub(crate) fn section<'t>(
        &mut self,
        within: &Fields<'t>,
        path: &'static str,
        allowed: &'static [&'static str],
        required: bool,
    ) -> Option<Fields<'t>> {
        let name = path.rsplit('.').next().unwrap_or(path);
        match within.get(name) {
            None if required => {
                self.missing(within, name, &format!("add a [{path}] table"));
                None
            }
            None => None,
            Some(Node { value: Value::Table(table), place }) => {
                Some(self.open(table, format!("[{path}]"), place, allowed))
            }
            Some(node) => {
                self.refuse(
                    node,
                    format!("`{name}` must be a table"),
                    "a table",
                    format!("write [{path}] and its fields below"),
                );
                None
            }
        }
    }

    /// The tables of a list, by its path from the file's top: `event`, `load.ramp`. None if it is absent.
    pub(crate) fn sections<'t>(
        &mut self,
        within: &Fields<'t>,
        path: &'static str,
        allowed: &'static [&'static str],
    ) -> Vec<Fields<'t>> {
        let name = path.rsplit('.').next().unwrap_or(path);
        let tables = match within.get(name) {
            None => return Vec::new(),
            Some(Node { value: Value::List(nodes), .. }) => nodes.iter().collect(),
            Some(node) => vec![node],
        };
        let listed = matches!(within.get(name).map(|node| &node.value), Some(Value::List(_)));
        let mut opened = Vec::new();
        for node in tables {
            match &node.value {
                Value::Table(table) if listed => {
                    opened.push(self.open(table, format!("[[{path}]]"), &node.place, allowed));
                }
                _ => self.refuse(
                    node,
                    format!("`{name}` must be a list of tables"),
                    &format!("any number of [[{path}]]"),
                    format!("write [[{path}]], with two brackets, and its fields below"),
                ),
            }
        }
        opened
    }

    /// Reports a field that should be there; silent if it is there under a misspelt name.
    pub(crate) fn missing(&mut self, fields: &Fields<'_>, name: &str, remedy: &str) {
        if !fields.misspelt.contains(&name) {
            self.report(
                &fields.place,
                format!("missing field `{name}`"),
                format!("found no {name} in {}", fields.title),
                remedy,
            );
        }
    }

    /// Reports each of `names` that is given although it belongs elsewhere.
    pub(crate) fn foreign(&mut self, fields: &Fields<'_>, names: &[&str], belongs: &str) {
        for name in names {
            if let Some(node) = fields.get(name) {
                self.refuse(
                    node,
                    format!("`{name}` does not belong here"),
                    &format!("{name} only {belongs}"),
                    "remove it",
                );
            }
        }
    }
}
