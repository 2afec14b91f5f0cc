//! Figures of a record are rounded.

pub(super) fn round(value: f64, to: f64) -> f64 {
    (value * to).round() / to
}
