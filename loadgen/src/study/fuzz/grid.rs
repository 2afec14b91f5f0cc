//! What a seed is played under.

use sim::fuzz::Profile;
use strategies::Spec;

use super::random;

/// One seed under one strategy and one profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// The seed.
    pub seed: u64,
    /// The strategy.
    pub spec: Spec,
    /// The profile.
    pub profile: Profile,
}

impl Try {
    /// The command that plays it again.
    #[must_use]
    pub fn command(&self) -> String {
        format!("loadgen fuzz --seed {} --strategy '{}' --profile {}", self.seed, self.spec.name(), self.profile.name)
    }
}

/// The strategies and profiles that seeds are dealt to in turns.
#[derive(Debug, Clone)]
pub struct FuzzGrid {
    /// The strategies.
    pub specs: Vec<Spec>,
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// Whether each seed has a composition of its own; then the strategies are what a seed has for which nothing fits.
    pub random: bool,
}

impl FuzzGrid {
    /// What a seed is played under.
    #[must_use]
    pub fn of(&self, seed: u64) -> Try {
        let (specs, profiles) = (self.specs.len() as u64, self.profiles.len() as u64);
        let profile = self.profiles[(seed / specs % profiles) as usize];
        let drawn = if self.random { random::composition(seed, profile) } else { None };
        let spec = drawn.unwrap_or_else(|| self.specs[(seed % specs) as usize].clone());
        Try { seed, spec, profile }
    }
}
