//! What could not be seen, with the command and what it lacked.

use schemars::JsonSchema;
use serde::Serialize;

use crate::allowed::AllowedCommand;
use crate::escape;

/// The right to all keys.
const KEYS: &str = "~*";

/// Something that could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotSeen {
    /// What, in words.
    pub what: String,
    /// The command that would have told.
    pub command: String,
    /// The right that our user lacked, as in `ACL SETUSER`; `null` where it was no right.
    pub right: Option<String>,
    /// Why: the server's own words, or the setting that is off.
    pub why: String,
}

impl NotSeen {
    /// A command that was refused.
    #[must_use]
    pub fn refused(row: &AllowedCommand, said: &[u8]) -> Self {
        let why = escape::sentence(said);
        let is_key = why.starts_with("NOPERM") && why.contains(" access ") && why.contains("key");
        let lacked = if is_key { KEYS } else { row.right };
        let right = (why.starts_with("NOPERM") && !lacked.is_empty()).then(|| lacked.to_owned());
        Self { what: row.what.to_owned(), command: row.words.to_owned(), right, why }
    }

    /// What is not told for another reason than a right.
    #[must_use]
    pub fn because(what: &str, command: &str, why: String) -> Self {
        Self { what: what.to_owned(), command: command.to_owned(), right: None, why }
    }
}
