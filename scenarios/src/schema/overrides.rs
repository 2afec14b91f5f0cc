//! `--set` values laid over a file's plain data, before anything is judged.
//!
//! It stands apart so that an override is validated by the same code as the file, and its problems point at the option.

use crate::schema::fields;
use crate::schema::nearest::did_you_mean;
use crate::schema::source::{SourcePlace, safe};
use crate::schema::syntax::parse_set;
use crate::schema::tree::{Field, Node, TomlTable, Value};
use crate::schema::walk::Walk;

/// Choosing the left by an override drops from the file what belongs only to another choice, so that `load.rate=400/s`
/// is enough to make a closed load open.
const DROPS: [(&str, &str, &[&str]); 7] = [
    ("load", "rate", &["clients", "think", "trace", "format", "key", "speed", "from", "to", "ops", "found"]),
    ("load", "clients", &["rate", "arrivals", "trace", "format", "key", "speed", "from", "to", "ops", "found"]),
    ("load", "trace", &["clients", "think", "rate", "arrivals", "ramp", "batch", "duration", "found"]),
    ("keys", "kind", &["hot_share", "exponent", "sample_of"]),
    ("writes", "rate", &["share"]),
    ("writes", "share", &["rate"]),
    ("writes", "kind", &["hot_share", "exponent"]),
];

/// Ramps have a field that belongs to only one choice of the load: where it is made by an override, those with the other's go.
const RAMPS: [(&str, &str); 2] = [("rate", "clients"), ("clients", "to")];

/// A trace brings its keys and its writes along.
const DRAWN_KEYS: [&str; 8] =
    ["kind", "n", "hot_share", "exponent", "sample_of", "missing_share", "missing_n", "churn"];

/// Lays each override over `top`, in the order given; a later one wins.
pub(crate) fn apply(top: &mut TomlTable, sets: &[(String, String)], walk: &mut Walk<'_>) {
    let known = fields::paths();
    for (index, (path, value)) in sets.iter().enumerate() {
        let place = SourcePlace::Set(index);
        if let Some(field) = path.strip_prefix("event.").filter(|field| fields::OF_EVENTS.contains(field)) {
            put_into_events(top, field, value, &place, walk);
        } else if known.iter().any(|known| known == path) {
            let node = Node { value: parse_set(value, &place), place: place.clone() };
            let names: Vec<&str> = path.split('.').collect();
            put(top, &names, node, &place);
        } else {
            report_unknown(path, &place, &known, walk);
        }
    }
    for (table, chosen, dropped) in DROPS {
        if let Some(fields) = inner(top, table)
            && fields.get(chosen).is_some_and(|node| is_set(&node.place))
        {
            keep_set(fields, dropped);
        }
    }
    if let Some(load) = inner(top, "load") {
        for (chosen, foreign) in RAMPS {
            if load.get(chosen).is_some_and(|node| is_set(&node.place)) {
                drop_list_with(load, "ramp", foreign);
            }
        }
    }
    if inner(top, "load").is_some_and(|load| load.get("trace").is_some_and(|node| is_set(&node.place))) {
        if let Some(keys) = inner(top, "keys") {
            keep_set(keys, &DRAWN_KEYS);
            drop_list_with(keys, "class", "share");
        }
        keep_set(top, &["writes"]);
    }
}

/// Drops these fields unless an override sets them.
fn keep_set(fields: &mut TomlTable, dropped: &[&str]) {
    fields.fields.retain(|field| is_set(&field.node.place) || !dropped.contains(&field.name.as_str()));
}

/// Drops a list of tables of which any has this field, which belongs to another choice, unless an override sets it.
fn drop_list_with(fields: &mut TomlTable, list: &str, foreign: &str) {
    let has = |node: &Node| matches!(&node.value, Value::Table(table) if table.get(foreign).is_some());
    if fields.get(list).is_some_and(|node| matches!(&node.value, Value::List(tables) if tables.iter().any(has))) {
        keep_set(fields, &[list]);
    }
}

fn put(table: &mut TomlTable, path: &[&str], node: Node, place: &SourcePlace) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        table.fields.retain(|field| field.name != *name);
        table.fields.push(Field { name: (*name).to_owned(), name_place: place.clone(), node });
        return;
    }
    if inner(table, name).is_none() {
        let empty = Node { value: Value::Table(TomlTable::default()), place: place.clone() };
        put(table, &[name], empty, place);
    }
    if let Some(fields) = inner(table, name) {
        put(fields, rest, node, place);
    }
}

/// Lays a value over a field of every event that has it.
fn put_into_events(top: &mut TomlTable, name: &str, value: &str, place: &SourcePlace, walk: &mut Walk<'_>) {
    let events = top.fields.iter_mut().filter(|field| field.name == "event");
    let tables =
        events.filter_map(|field| if let Value::List(list) = &mut field.node.value { Some(list) } else { None });
    let tables = tables.flatten().filter_map(|node| match &mut node.value {
        Value::Table(table) if table.get(name).is_some() => Some(table),
        _ => None,
    });
    let mut found = false;
    for table in tables {
        put(table, &[name], Node { value: parse_set(value, place), place: place.clone() }, place);
        found = true;
    }
    if !found {
        let what = format!("no event of the scenario has `{name}`");
        let found = format!("found event.{name}, allowed it where an event in the file has that field");
        walk.report(place, what, found, "choose another field, or add the event in a file");
    }
}

fn inner<'t>(table: &'t mut TomlTable, name: &str) -> Option<&'t mut TomlTable> {
    let field = table.fields.iter_mut().find(|field| field.name == name)?;
    match &mut field.node.value {
        Value::Table(fields) => Some(fields),
        _ => None,
    }
}

fn is_set(place: &SourcePlace) -> bool {
    matches!(place, SourcePlace::Set(_))
}

fn report_unknown(path: &str, place: &SourcePlace, known: &[String], walk: &mut Walk<'_>) {
    let shown = safe(path, 60);
    let group = path.split('.').next().unwrap_or_default();
    let guess = did_you_mean(path, known.iter().map(String::as_str));
    let siblings: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .filter(|known| known.split_once('.').is_some_and(|(table, _)| table == group))
        .collect();
    let (allowed, remedy) = match group {
        "event" | "threshold" => {
            ("event.for, event.factor".to_owned(), "the rest of events and thresholds is written in the file")
        }
        _ if siblings.is_empty() => (known.join(", "), "use one of these paths"),
        _ => (siblings.join(", "), "use one of these paths"),
    };
    walk.report(place, format!("unknown field `{shown}`{guess}"), format!("found {shown}, allowed {allowed}"), remedy);
}
