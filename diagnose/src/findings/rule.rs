//! What a rule is: the row of a finding, and what it saw.

use crate::look::server::ServerLook;
use crate::record::{RedisFinding, Severity};

/// A finding's row. A new one is its file and its row in `RULES`.
#[derive(Debug, Clone, Copy)]
pub struct FindingRule {
    /// Its name, unique.
    pub name: &'static str,
    /// How bad it is where the look does not say otherwise.
    pub severity: Severity,
    /// When it is found: the threshold, in words.
    pub when: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What cures it.
    pub remedy: &'static str,
    /// Arguments of `loadgen` that show the same in the lab.
    pub scenario: Option<&'static str>,
    /// Looks for it.
    pub(super) rule: fn(&ServerLook) -> Option<FaultSeen>,
}

/// What a rule saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FaultSeen {
    found: String,
    severity: Option<Severity>,
    scenario: Option<String>,
}

impl From<String> for FaultSeen {
    fn from(found: String) -> Self {
        Self { found, severity: None, scenario: None }
    }
}

impl FaultSeen {
    /// As bad as this, and not as the row says.
    pub(super) fn severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// Shown by this, with the look's own figures.
    pub(super) fn scenario(self, scenario: String) -> Self {
        Self { scenario: Some(scenario), ..self }
    }
}

impl FindingRule {
    pub(super) fn judge(&self, look: &ServerLook) -> Option<RedisFinding> {
        let FaultSeen { found, severity, scenario } = (self.rule)(look)?;
        let scenario = scenario.or_else(|| self.scenario.map(ToOwned::to_owned));
        Some(RedisFinding {
            name: self.name.to_owned(),
            severity: severity.unwrap_or(self.severity),
            found,
            why: self.why.to_owned(),
            remedy: self.remedy.to_owned(),
            scenario: scenario.map(|arguments| format!("loadgen {arguments}")),
        })
    }
}
