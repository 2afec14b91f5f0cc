//! From TOML to the tree: what is no TOML is reported line by line.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::schema::source::{SourcePlace, safe};
use crate::schema::tree::{Field, Node, TomlTable, Value};
use crate::schema::walk::Walk;

/// Parses the text, reporting every line that is not TOML. `None` if what is left is not worth judging.
pub(crate) fn parse(text: &str, walk: &mut Walk<'_>) -> Option<TomlTable> {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    let mut worth_judging = true;
    let mut reported_to = None;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let again = reported_to.is_some_and(|end| span.start <= end);
        worth_judging &= report_syntax(error.message(), span.clone(), again, walk);
        if !again {
            let rest = text.get(span.start..).unwrap_or_default();
            reported_to = Some(span.start + rest.find('\n').unwrap_or(rest.len()));
        }
    }
    worth_judging.then(|| table_of(table.into_inner(), None))
}

/// Reports one complaint of the parser, unless it stumbles `again` on a line that has been reported: the first stumble is
/// where the mistake is. True if the rest can be judged all the same, because the parser kept what was meant.
fn report_syntax(message: &str, span: Range<usize>, again: bool, walk: &mut Walk<'_>) -> bool {
    let place = SourcePlace::from(span);
    let found = walk.found(&place);
    let nothing = place.is_empty();
    let (what, found, remedy, harmless) = if message == "duplicate key" {
        ("duplicate key", format!("found {found} a second time"), "keep one of the two".to_owned(), true)
    } else if message.starts_with("string values must be quoted") && nothing {
        ("no value", format!("found {found}, allowed a value"), "write it after the =".to_owned(), false)
    } else if message.starts_with("string values must be quoted") {
        let remedy = format!("write \"{found}\"");
        ("a text must be in quotes", format!("found {found}, allowed a number or a text in quotes"), remedy, true)
    } else {
        let (what, expected) = message.split_once(", ").unwrap_or((message, ""));
        let found = match expected {
            "" | "expected nothing" => format!("found {found}"),
            expected => format!("found {found}, {}", safe(expected, 200)),
        };
        (what, found, "correct the TOML here; what follows was not checked".to_owned(), false)
    };
    if !again {
        walk.report(&place, safe(what, 200), found, remedy);
    }
    harmless
}

/// A `--set` value: what parses as a number, boolean, string, list or inline table is one, anything else is text.
pub(crate) fn parse_set(text: &str, place: &SourcePlace) -> Value {
    match DeValue::parse(text).map(toml::Spanned::into_inner) {
        Ok(DeValue::Datetime(_)) | Err(_) => Value::Text(text.to_owned()),
        Ok(value) => value_of(value, Some(place)),
    }
}

/// `set` is the place of everything inside a `--set`; inside a file each value has its own.
fn table_of(table: DeTable<'_>, set: Option<&SourcePlace>) -> TomlTable {
    let fields = table.into_iter().map(|(key, value)| Field {
        name_place: place_of(&key, set),
        name: key.into_inner().into_owned(),
        node: node_of(value, set),
    });
    TomlTable { fields: fields.collect() }
}

fn node_of(value: toml::Spanned<DeValue<'_>>, set: Option<&SourcePlace>) -> Node {
    Node { place: place_of(&value, set), value: value_of(value.into_inner(), set) }
}

fn place_of<T>(value: &toml::Spanned<T>, set: Option<&SourcePlace>) -> SourcePlace {
    set.cloned().unwrap_or_else(|| value.span().into())
}

fn value_of(value: DeValue<'_>, set: Option<&SourcePlace>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(whole) => Value::Integer(i128::from_str_radix(whole.as_str(), whole.radix()).ok()),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Array(list) => Value::List(list.into_iter().map(|v| node_of(v, set)).collect()),
        DeValue::Table(table) => Value::Table(table_of(table, set)),
        DeValue::Boolean(_) | DeValue::Datetime(_) => Value::Other,
    }
}
