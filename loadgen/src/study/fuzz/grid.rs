//! What a seed is played under.

use sim::fuzz::{FuzzSubject, Profile};

use super::random;

/// One seed under one strategy and one profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// The seed.
    pub seed: u64,
    /// The strategy.
    pub subject: FuzzSubject,
    /// The profile.
    pub profile: Profile,
}

impl Try {
    /// The command that plays it again.
    #[must_use]
    pub fn command(&self) -> String {
        format!(
            "loadgen fuzz --seed {} --strategy '{}' --profile {}",
            self.seed,
            self.subject.name(),
            self.profile.name
        )
    }
}

/// The strategies and profiles that seeds are dealt to in turns.
#[derive(Debug, Clone)]
pub struct FuzzGrid {
    /// The strategies.
    pub subjects: Vec<FuzzSubject>,
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// Whether each seed has a composition of its own; then the strategies are what a seed has for which nothing fits.
    pub random: bool,
}

impl FuzzGrid {
    /// What a seed is played under.
    #[must_use]
    pub fn of(&self, seed: u64) -> Try {
        let (subjects, profiles) = (self.subjects.len() as u64, self.profiles.len() as u64);
        let profile = self.profiles[(seed / subjects % profiles) as usize];
        let drawn = if self.random { random::composition(seed, profile) } else { None };
        let subject = drawn
            .map(|spec| FuzzSubject::Items(Box::new(spec)))
            .unwrap_or_else(|| self.subjects[(seed % subjects) as usize].clone());
        Try { seed, subject, profile }
    }
}
