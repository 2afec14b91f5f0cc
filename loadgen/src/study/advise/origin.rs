//! The simulated origin: how many places it has, how long a read takes there, and how many reads may come at once.

use scenarios::Law;

use super::ask::{Question, times};
use super::numbers::tidy;
use super::scale::Scale;

/// Places of an origin that can be simulated.
pub(super) const PLACES_MAX: u32 = 1024;
/// How much longer a read may take than was said so that the origin does what was said; and how much shorter.
const LONGER: (f64, f64) = (0.66, 1.51);

/// Places of an origin that does so many reads a second: by Little's law capacity × service time, to the nearest whole one, and one at
/// least. No more than four times what the whole load could use.
fn whole_places(ask: &Question, capacity: f64) -> f64 {
    let service = ask.service.mean().as_secs_f64();
    let of_use = (4.0 * ask.rate * service).ceil() + 16.0;
    (capacity * service).round().max(1.0).min(of_use)
}

/// Of these as many as a scale leaves, and as can be simulated.
#[must_use]
pub fn places(ask: &Question, capacity: f64, scale: &Scale) -> u32 {
    (whole_places(ask, capacity) / scale.origin).round().clamp(1.0, f64::from(PLACES_MAX)) as u32
}

/// How long a read takes in an origin with whole places that does exactly so many reads a second: as much longer or shorter than was
/// said as its places are more or fewer. As said where there are more places than the load can use; and where there is less than two
/// thirds of one, for a read would take far too long: that origin does more than was said, and what comes to it is counted instead.
#[must_use]
pub fn service(ask: &Question, capacity: f64) -> Law {
    let longer = whole_places(ask, capacity) / (capacity * ask.service.mean().as_secs_f64());
    if (LONGER.0..=LONGER.1).contains(&longer) && longer != 1.0 { times(&ask.service, longer) } else { ask.service }
}

/// Reads a second that the simulated origin does, of the whole load's.
#[must_use]
pub fn does_per_s(ask: &Question, capacity: f64, scale: &Scale) -> f64 {
    let each = service(ask, capacity).mean().as_secs_f64().max(1e-9);
    let most = f64::from(PLACES_MAX) * scale.origin;
    let does = whole_places(ask, capacity).min(most) / each;
    let differs = (does / capacity - 1.0).abs() > 0.005 && capacity <= 4.0 * ask.rate;
    if differs { does } else { capacity }
}

/// What is simulated instead, where a read takes longer or shorter than was said or the origin does more or less.
#[must_use]
pub fn rounded(ask: &Question, capacity: f64, scale: &Scale) -> Option<String> {
    let (does, law) = (does_per_s(ask, capacity, scale), service(ask, capacity));
    let most = f64::from(PLACES_MAX) * scale.origin;
    let places = whole_places(ask, capacity).min(most);
    let s = if places == 1.0 { "" } else { "s" };
    let why = if places == most { "no more places can be simulated" } else { "its places are whole" };
    let differs = (law.mean().as_secs_f64() / ask.service.mean().as_secs_f64() - 1.0).abs() > 0.02;
    (does != capacity || differs).then(|| {
        format!(
            "{why}: simulated with {places:.0} place{s} of {} ms{} each, {} reads/s",
            tidy(law.mean().as_secs_f64() * 1e3),
            if matches!(law, Law::Constant(_)) { "" } else { " in the mean" },
            tidy(does)
        )
    })
}
