//! Where another program's clock stands against ours, and how well that is known.

use app::process::runtime::RealClock;
use app::wire::control::ClockReading;
use app::wire::control_client::{ControlClient, ControlError};
use strategies::port::Clock;

/// How often a clock is asked; the fastest answer counts.
const PROBES: u32 = 16;

/// A clock offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Offset {
    /// Add this to the other program's reading to get ours, nanoseconds.
    pub to_ours_ns: i64,
    /// How wrong that can be: half the round trip of the fastest probe, nanoseconds.
    pub uncertainty_ns: u64,
}

/// Asks a program for its clock, 16 times, and takes the answer with the shortest round trip (Cristian, 1989).
///
/// # Errors
/// Where it does not answer.
pub async fn offset(control: &ControlClient, clock: &RealClock) -> Result<Offset, ControlError> {
    let mut best: Option<(u64, i64)> = None;
    for _ in 0..PROBES {
        let before = clock.mono().0;
        let theirs = control.get::<ClockReading>("/clock").await?.mono_ns;
        let after = clock.mono().0;
        let (trip, middle) = (after - before, before + (after - before) / 2);
        let difference = i64::try_from(i128::from(middle) - i128::from(theirs)).unwrap_or(i64::MAX);
        if best.is_none_or(|(shortest, _)| trip < shortest) {
            best = Some((trip, difference));
        }
    }
    let (trip, to_ours_ns) = best.unwrap_or_default();
    Ok(Offset { to_ours_ns, uncertainty_ns: trip.div_ceil(2) })
}
