//! A scenario's text as plain data: values with the place where each was written, and nothing understood yet.
//!
//! It stands between the TOML parser and validation so that a `--set` can be laid over a file before anything is judged,
//! and so that every later message can point at the text. It decides nothing about meaning.

use crate::schema::source::SourcePlace;

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: SourcePlace,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    /// `None` where it does not fit 128 bits.
    Integer(Option<i128>),
    Float(f64),
    List(Vec<Node>),
    Table(TomlTable),
    /// Booleans and dates, which no field takes.
    Other,
}

/// Named values, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct TomlTable {
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) name_place: SourcePlace,
    pub(crate) node: Node,
}

impl TomlTable {
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let field = self.fields.iter().find(|field| field.name == name);
        field.map(|field| &field.node)
    }
}
