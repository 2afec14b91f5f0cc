//! What charts and page draw with, and neither has for itself: scales, places, series with gaps, and what is said beside them.

mod containers;
mod frame;
mod reads;
mod scale;
mod series;
mod server;

pub(crate) use containers::Containers;
pub(crate) use frame::{Frame, pushed_apart};
pub(crate) use reads::{floor_rate, herd_bars, herd_end_s, herd_said, herd_what};
pub(crate) use scale::{AxisScale, Ticks, ends, whole};
pub(crate) use series::{
    DrawnPoint, HUES, SERVICE_HUES, SPECTRUM_STEPS, last_of, percentile_ticks, percentiles_of, unbroken,
};
pub(crate) use server::{SERVER_MARK_KINDS, ServerMarkKind};
