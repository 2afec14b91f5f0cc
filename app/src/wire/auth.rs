//! The run's secret, which a caller of a control listener shows.

use std::sync::Arc;

/// A control listener's secret. Never printed.
#[derive(Clone)]
pub struct ControlToken(Arc<str>);

impl std::fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ControlToken(…)")
    }
}

impl ControlToken {
    /// A token that the operator chose; at least 16 characters.
    ///
    /// # Errors
    /// A sentence where it is shorter.
    pub fn given(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < 16 {
            return Err(format!("the control token has {} characters; at least 16 are needed", text.len()));
        }
        Ok(Self(text.into()))
    }

    /// A fresh random token.
    ///
    /// # Errors
    /// A sentence where the machine has no randomness to give.
    pub fn random() -> Result<Self, String> {
        Ok(Self(format!("{:016x}{:016x}", entropy()?, entropy()?).into()))
    }

    /// The value of the `Authorization` header that this token asks for.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

/// 64 bits of the machine's randomness.
///
/// # Errors
/// A sentence where it has none to give.
pub fn entropy() -> Result<u64, String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|e| format!("no randomness from the system: {e}"))?;
    Ok(u64::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_and_never_printed() {
        let (one, two) = (ControlToken::random().unwrap(), ControlToken::random().unwrap());
        assert_ne!(one.bearer(), two.bearer());
        assert!(one.bearer().len() > 32 && !format!("{one:?}").contains(one.bearer().trim_start_matches("Bearer ")));
    }
}
