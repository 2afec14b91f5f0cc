//! How the program ends: the exit codes of the contract, and which wins where several apply.

/// The exit codes, in the order in which they win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Usage, or bad input.
    Usage,
    /// Ctrl-C.
    Interrupted,
    /// The lab or the program failed.
    Failed,
    /// A run is invalid.
    Invalid,
    /// No baseline, or one that can't be compared.
    NotComparable,
    /// Figures differ from the baseline's.
    Regression,
    /// A diagnosis found something that is more than a note.
    Found,
    /// A scenario's threshold was missed.
    ThresholdMissed,
    /// All is well.
    Ok,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotComparable => 3,
            Self::Invalid => 4,
            Self::Regression | Self::Found => 10,
            Self::ThresholdMissed => 99,
            Self::Interrupted => 130,
        }
    }
}

/// An end that needs a sentence: what, where, found against allowed, remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// The code to end with.
    pub exit: Exit,
    /// The sentence, complete with `error:` where it has one problem, or several lines of them.
    pub text: String,
}

impl Failure {
    /// Bad input.
    pub fn usage(text: impl std::fmt::Display) -> Self {
        Self::with(Exit::Usage, text)
    }

    /// The lab or the program failed.
    pub fn failed(text: impl std::fmt::Display) -> Self {
        Self::with(Exit::Failed, text)
    }

    /// There is no baseline, or none that can be compared.
    pub fn not_comparable(text: impl std::fmt::Display) -> Self {
        Self::with(Exit::NotComparable, text)
    }

    /// A run is invalid.
    pub fn invalid(text: impl std::fmt::Display) -> Self {
        Self::with(Exit::Invalid, text)
    }

    fn with(exit: Exit, text: impl std::fmt::Display) -> Self {
        // Names of files, of records and of servers are in it.
        let text = report::text::escape::lines(&text.to_string());
        let text = if text.starts_with("error:") { text } else { format!("error: {text}") };
        Self { exit, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_several_apply_the_first_of_the_contract_wins() {
        let order = [2, 130, 1, 4, 3, 10, 10, 99, 0];
        let mut all = [Exit::Ok, Exit::Failed, Exit::Usage, Exit::Invalid, Exit::ThresholdMissed].to_vec();
        all.extend([Exit::Regression, Exit::Found, Exit::Interrupted, Exit::NotComparable]);
        all.sort();
        assert_eq!(all.iter().map(|e| e.code()).collect::<Vec<_>>(), order);
    }
}
