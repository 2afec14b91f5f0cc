//! The origin's service model: how long its n-th read takes.
//!
//! It stands apart from the origin so that the axum service and the simulated one take exactly the same times.

use std::time::Duration;

use crate::plan::draw::{Purpose, PurposeDraws};
use crate::values::law::Law;

/// The service times of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceModel {
    law: Law,
}

impl ServiceModel {
    /// The service times of a law.
    #[must_use]
    pub const fn new(law: Law) -> Self {
        Self { law }
    }

    /// How long the `n`-th read holds its place: a pure function of seed and position.
    #[must_use]
    pub fn service_time(&self, seed: u64, n: u64) -> Duration {
        let draws = PurposeDraws::at(seed, Purpose::Service, 0, n);
        self.law.sample(draws.unit(0), draws.unit(1))
    }

    /// The mean service time.
    #[must_use]
    pub fn mean(&self) -> Duration {
        self.law.mean()
    }

    /// What one read in ten thousand takes longer than; of a constant law the constant.
    #[must_use]
    pub fn seldom_above(&self) -> Duration {
        self.law.seldom_above()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_takes_what_its_seed_and_number_say() {
        let ms = Duration::from_millis;
        let constant = ServiceModel::new(Law::Constant(ms(200)));
        assert_eq!(constant.service_time(1, 99), ms(200));

        let drawn = ServiceModel::new(Law::LogNormal { p50: ms(200), p99: ms(600) });
        assert_eq!(drawn.service_time(1, 99), drawn.service_time(1, 99));
        assert_ne!(drawn.service_time(1, 99), drawn.service_time(1, 98));
        assert_ne!(drawn.service_time(1, 99), drawn.service_time(2, 99));
    }
}
