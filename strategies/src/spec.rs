//! Stub, being written.

/// A composition.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec;
/// What is wrong with a text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(String);
impl Spec {
    /// Parses.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        if text.is_empty() {
            Err(SpecError("empty".into()))
        } else {
            Ok(Self)
        }
    }
}
