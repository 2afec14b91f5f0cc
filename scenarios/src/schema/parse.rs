//! From a scenario's text to a scenario, or to everything that is wrong with it.
//!
//! Three steps that never mix: text to plain data, overrides laid over it, plain data to validated values. Each value is
//! judged by its own module; here are only the rules between tables.

use std::time::Duration;

use strategies::counter::CounterSpec;
use strategies::spec::Spec;

use crate::event::ScenarioEvent;
use crate::scenario::{CacheSettings, OriginModel, Scenario, Warm};
use crate::schema::fields;
use crate::schema::overrides;
use crate::schema::problem::ScenarioErrors;
use crate::schema::read::{TEXT_MAX, too_large};
use crate::schema::source::{Source, SourcePlace, safe};
use crate::schema::syntax;
use crate::schema::tree::{TomlTable, Value};
use crate::schema::walk::{Fields, Walk};
use crate::threshold::Threshold;
use crate::values::budgets;
use crate::values::counting::CountingLoad;
use crate::values::keys::{Keys, OwnKeys};
use crate::values::load::Load;
use crate::values::recorded::OpenTrace;
use crate::values::replica;
use crate::values::trace;
use crate::values::writes::Writes;
use strategies::units::{DURATION, duration_text};

/// The version of the schema that this build reads and writes.
pub(crate) const SCHEMA: i128 = 1;
const NAME_MAX: usize = 64;
const SUMMARY_MAX: usize = 300;

impl Scenario {
    /// Reads a scenario. `file_name` is what messages call the text. Each of `overrides` is a dotted path and a value's
    /// text, as in `--set cache.ttl=10s`: laid over the file in that order, then judged with it. An override that
    /// chooses another kind of load or keys drops from the file what belongs only to the old kind.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the text and the overrides, in one pass.
    pub fn parse(text: &str, file_name: &str, overrides: &[(String, String)]) -> Result<Self, ScenarioErrors> {
        Self::parse_opening(text, file_name, overrides, None)
    }

    /// The same, with what opens a trace where the load is one. Without it a trace is what `[load.found]` says of it, and its
    /// requests are not there: enough for a scenario that is only looked at.
    ///
    /// # Errors
    ///
    /// As [`Scenario::parse`].
    pub fn parse_opening(
        text: &str,
        file_name: &str,
        overrides: &[(String, String)],
        traces: Option<OpenTrace>,
    ) -> Result<Self, ScenarioErrors> {
        refuse_whole(text, file_name)?;
        let source = Source { file: file_name, text, sets: overrides };
        let mut walk = Walk::new(&source, traces);
        let scenario = read_text(text, overrides, &mut walk);
        walk.finish(scenario)
    }
}

/// What is wrong with a file as a whole, before it is worth parsing.
fn refuse_whole(text: &str, file: &str) -> Result<(), ScenarioErrors> {
    let refuse = |what: &str, found: &str, remedy: &str| {
        Err(ScenarioErrors::whole(file, what, found.to_owned(), remedy.to_owned()))
    };
    if text.len() > TEXT_MAX {
        return Err(too_large(file, text.len() as u64));
    }
    if text.starts_with('\u{feff}') {
        return refuse(
            "the file starts with a byte order mark",
            "found EF BB BF, allowed UTF-8 without it",
            "save it as \"UTF-8\", not \"UTF-8 with BOM\"",
        );
    }
    if text.trim().is_empty() {
        return refuse(
            "the file is empty",
            "found nothing, allowed a scenario in TOML",
            "start from a shipped one: loadgen show hotkey",
        );
    }
    Ok(())
}

fn read_text(text: &str, sets: &[(String, String)], walk: &mut Walk<'_>) -> Option<Scenario> {
    refuse_conflict(text, walk)?;
    let mut table = syntax::parse(text, walk)?;
    refuse_schema(&table, walk)?;
    overrides::apply(&mut table, sets, walk);
    let top = walk.open(&table, "the file", &SourcePlace::from(0..0), &fields::TOP);
    read_top(walk, &top)
}

fn refuse_conflict(text: &str, walk: &mut Walk<'_>) -> Option<()> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") {
            let place = SourcePlace::from(start..start + line.trim_end().len());
            let found = format!("found {}, allowed none", walk.found(&place));
            walk.report(&place, "git conflict marker", found, "resolve the merge, then remove the markers");
            return None;
        }
        start += line.len();
    }
    Some(())
}

/// Another schema makes every other complaint meaningless, so it is the only one. Its absence is one among others.
fn refuse_schema(table: &TomlTable, walk: &mut Walk<'_>) -> Option<()> {
    let Some(node) = table.get("schema") else {
        let place = SourcePlace::from(0..0);
        let found = format!("found no schema in the file, allowed {SCHEMA}");
        walk.report(&place, "missing field `schema`", found, format!("write schema = {SCHEMA} at the top"));
        return Some(());
    };
    match node.value {
        Value::Integer(Some(SCHEMA)) => Some(()),
        Value::Integer(number) if number.is_none_or(|number| number > SCHEMA) => {
            let number = walk.found(&node.place);
            let what = format!("written for a newer stampede lab (schema {number}, this build reads {SCHEMA})");
            walk.refuse(node, what, &SCHEMA.to_string(), "upgrade");
            None
        }
        _ => {
            walk.refuse(node, "unknown schema", &SCHEMA.to_string(), format!("write schema = {SCHEMA}"));
            None
        }
    }
}

fn read_top(walk: &mut Walk<'_>, top: &Fields<'_>) -> Option<Scenario> {
    let name = read_name(walk, top);
    let summary = read_summary(walk, top);
    let origin = walk.section(top, "origin", &fields::ORIGIN, true);
    let origin = origin.and_then(|fields| OriginModel::read(walk, &fields));
    let budgets = walk.section(top, "budgets", &fields::BUDGETS, false);
    let budgets = origin.as_ref().and_then(|o| budgets::read(walk, budgets.as_ref(), &o.service_time));
    let patience = budgets::patience(&budgets.unwrap_or_default());
    let load_fields = walk.section(top, "load", &fields::LOAD, true);
    let counting = CountingLoad::read(walk, top, load_fields.as_ref());
    let counts = CountingLoad::is_meant(load_fields.as_ref());
    let strategies = read_strategies(walk, top, counts);
    let (load, keys) = read_load_and_keys(walk, top, load_fields.as_ref(), patience);
    let cache = walk.section(top, "cache", &fields::CACHE, true);
    let cache = cache.and_then(|fields| CacheSettings::read(walk, &fields));
    if let (Some(load), Some(fields), Some(cache)) = (&load, &load_fields, &cache) {
        load.refuse_short_warmup(walk, fields, cache.ttl);
    }
    if let (Some(load), Some(fields), Some(keys)) = (&load, &load_fields, &keys) {
        load.refuse_batch(walk, fields, keys, counts || top.has("writes"));
    }
    let slots = match walk.section(top, "replica", &fields::REPLICA, false) {
        Some(fields) => replica::read(walk, &fields).map(Some),
        None => Some(None),
    };
    let writes = read_writes(walk, top, keys.as_ref(), load.as_ref(), origin.as_ref());
    let warm = match walk.section(top, "warm", &fields::WARM, false) {
        Some(fields) => read_warm(walk, &fields, load_fields.as_ref()).map(Some),
        // Absent is no warm-up burst; what is no table has been reported.
        None => Some(None),
    };
    let end = Walk::peek(load_fields.as_ref(), "duration", &DURATION);
    let mut events = Vec::new();
    for fields in walk.sections(top, "event", &fields::EVENT) {
        events.extend(ScenarioEvent::read(walk, &fields, end, keys.as_ref()));
    }
    events.sort_by_key(|event| event.at);
    let mut thresholds = Vec::new();
    for fields in walk.sections(top, "threshold", &fields::THRESHOLD) {
        thresholds.extend(Threshold::read(walk, &fields, strategies.as_deref(), keys.as_ref(), counts));
    }
    Some(Scenario {
        name: name?,
        summary: summary?,
        strategies: strategies?,
        load: load?,
        counting: counting?,
        keys: keys?,
        cache: cache?,
        origin: origin?,
        writes: writes?,
        budgets: budgets?,
        slots: slots?,
        warm: warm?,
        events,
        thresholds,
    })
}

/// `[load]` and `[keys]`. A trace is asked about its keys while it is looked through, and how many keys churn makes depends on the load's length.
fn read_load_and_keys(
    walk: &mut Walk<'_>,
    top: &Fields<'_>,
    load: Option<&Fields<'_>>,
    patience: Duration,
) -> (Option<Load>, Option<Keys>) {
    let fields = walk.section(top, "keys", &fields::KEYS, true);
    let traced = trace::is_meant(load);
    let own = fields.as_ref().and_then(|fields| OwnKeys::read(walk, fields, traced));
    // What else is wrong is said, too.
    let (right, own) = (own.is_some(), own.unwrap_or_default());
    let load = load.and_then(|fields| Load::read(walk, fields, patience, own.asks()));
    let keys = fields.and_then(|fields| match traced {
        true => {
            let trace = load.as_ref().and_then(Load::trace);
            let known = trace.and_then(|trace| trace.rows.as_ref()?.keys());
            Keys::read_traced(walk, &fields, own, trace.map(|trace| trace.found.keys), known)
        }
        false => Keys::read(walk, &fields, own, load.as_ref().map(Load::total)),
    });
    (load, keys.filter(|_| right))
}

/// `[writes]`, where it is there, or those of a trace. Rows that also get versions of themselves have some that no ledger tells of.
fn read_writes(
    walk: &mut Walk<'_>,
    top: &Fields<'_>,
    keys: Option<&Keys>,
    load: Option<&Load>,
    origin: Option<&OriginModel>,
) -> Option<Option<Writes>> {
    let trace = load.and_then(Load::trace);
    let (writes, place) = match (walk.section(top, "writes", &fields::WRITES, false), trace) {
        (None, None) => return Some(None),
        (None, Some(trace)) => match trace.writes() {
            None => return Some(None),
            Some(writes) => (Some(writes), top.get("load").map_or(&top.place, |node| &node.place).clone()),
        },
        (Some(fields), None) => (Writes::read(walk, &fields, keys, load.map(Load::total)), fields.place),
        (Some(fields), Some(_)) => {
            let found = "found [writes] and load.trace, allowed one of them";
            let remedy = "remove [writes]: a trace has its own writes, and ops = \"reads\" leaves them out";
            walk.report(&fields.place, "a trace has no [writes]", found, remedy);
            return None;
        }
    };
    if let Some(every) = origin.and_then(|origin| origin.write_every) {
        let found = format!("found origin.write_every = {} and writes, allowed one of them", duration_text(every));
        walk.report(
            &place,
            "writes and `origin.write_every` exclude each other: what is stale could not be told",
            found,
            "write write_every = \"0s\", or leave writes out",
        );
    }
    writes.map(Some)
}

fn read_name(walk: &mut Walk<'_>, top: &Fields<'_>) -> Option<String> {
    let name = walk.text(top, "name", "hotkey")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.chars().all(plain) && !name.starts_with('-') && (1..=NAME_MAX).contains(&name.len()) {
        return Some(name);
    }
    let allowed = format!("1 to {NAME_MAX} of a-z, 0-9 and -, not starting with -");
    if let Some(node) = top.get("name") {
        walk.refuse(node, "`name` can't name a folder", &allowed, "write it like \"hotkey-2\"");
    }
    None
}

fn read_summary(walk: &mut Walk<'_>, top: &Fields<'_>) -> Option<String> {
    let Some(node) = top.get("summary") else {
        return Some(String::new());
    };
    let summary = walk.text(top, "summary", "what one learns from it")?;
    if summary.chars().any(char::is_control) || summary.chars().count() > SUMMARY_MAX {
        let allowed = format!("one line of at most {SUMMARY_MAX} characters");
        walk.refuse(node, "`summary` is not one line", &allowed, "shorten it to a line");
        return None;
    }
    Some(summary)
}

/// The list of strategies, of the family that the load is for.
fn read_strategies(walk: &mut Walk<'_>, top: &Fields<'_>, counts: bool) -> Option<Vec<String>> {
    const EXAMPLE: &str = "write strategies = [\"naive\", \"singleflight\"]";
    let Some(node) = top.get("strategies") else {
        walk.missing(top, "strategies", EXAMPLE);
        return None;
    };
    let Value::List(list) = &node.value else {
        walk.refuse(node, "`strategies` must be a list", "a list of texts", EXAMPLE);
        return None;
    };
    if list.is_empty() {
        walk.refuse(node, "`strategies` is empty", "at least one", EXAMPLE);
        return None;
    }
    let mut texts: Vec<String> = Vec::new();
    for item in list {
        let Value::Text(text) = &item.value else {
            walk.refuse(item, "a strategy must be a text", "a text in quotes", EXAMPLE);
            continue;
        };
        if let Some((what, error, remedy)) = unfit(text, counts) {
            walk.report(&item.place, what, safe(&error, 1000), remedy);
        } else if texts.iter().any(|earlier| same_text(earlier, text)) {
            let what = format!("strategy `{}` is listed twice", safe(text, 60));
            walk.refuse(item, what, "each strategy once", "remove one of the two");
        }
        texts.push(text.clone());
    }
    (!texts.is_empty()).then_some(texts)
}

/// Why a text is no strategy for this load: what, in what words, and what to do.
fn unfit(text: &str, counts: bool) -> Option<(String, String, &'static str)> {
    const LIST: &str = "loadgen list shows the strategies";
    let shown = safe(text, 60);
    let (as_reader, as_counter) = (Spec::parse(text), CounterSpec::parse(text));
    match (counts, as_reader, as_counter) {
        (false, Ok(_), _) | (true, _, Ok(_)) => None,
        (false, Err(error), Ok(_)) => Some((
            format!("`{shown}` counts, and this load reads"),
            error.to_string(),
            "write kind = \"count\" in [load], or a strategy that reads",
        )),
        (true, Ok(_), Err(error)) => Some((
            format!("`{shown}` reads, and this load counts"),
            error.to_string(),
            "write one that counts, as \"lua\", or remove kind = \"count\"",
        )),
        (false, Err(error), Err(_)) => Some((format!("`{shown}` is not a strategy"), error.to_string(), LIST)),
        (true, Err(_), Err(error)) => {
            Some((format!("`{shown}` is not a strategy that counts"), error.to_string(), LIST))
        }
    }
}

/// Whether two strategies are written the same but for spaces.
fn same_text(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    letters(a) == letters(b)
}

fn read_warm(walk: &mut Walk<'_>, fields: &Fields<'_>, load: Option<&Fields<'_>>) -> Option<Warm> {
    let burst = walk.word(fields, "burst", &[("all", ())], None);
    let aged = walk.word(fields, "ages", &[("new", Warm::BurstAll), ("even", Warm::BurstAged)], Some(Warm::BurstAll));
    let warmup = Walk::peek(load, "warmup", &DURATION).unwrap_or(Duration::ZERO);
    if !warmup.is_zero() {
        let place = load.and_then(|load| load.get("warmup")).map_or(&fields.place, |node| &node.place);
        let found = format!("found warmup = {} and [warm], allowed warmup = 0s with it", duration_text(warmup));
        walk.report(
            place,
            "a burst and a warm-up exclude each other",
            found,
            "write warmup = \"0s\", or remove [warm]",
        );
    }
    burst.and(aged)
}
