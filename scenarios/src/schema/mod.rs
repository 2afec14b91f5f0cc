//! The TOML schema: from text to validated values, or to everything that is wrong with it, and back.

pub(crate) mod fields;
pub(crate) mod getters;
pub(crate) mod nearest;
pub(crate) mod overrides;
pub(crate) mod parse;
pub(crate) mod problem;
pub(crate) mod quoted;
pub(crate) mod read;
pub(crate) mod resolved;
pub(crate) mod source;
pub(crate) mod syntax;
pub(crate) mod tree;
pub(crate) mod walk;
