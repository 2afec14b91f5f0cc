//! How long a window lives: T, or a life that is drawn for each. `jitter` for counters: windows that began together do not end together.

use std::time::Duration;

use super::layer::{CounterInfo, CounterPart, CounterTerm};
use crate::rng::Rng;
use crate::spec::{ParamInfo, Range};

/// Its row.
pub(crate) const COUNTER_JITTER: CounterInfo = CounterInfo {
    name: "jitter",
    part: CounterPart::Around,
    summary: "a window lives T·(1 + U(0, spread)), or T·(1 + U(−spread, spread)) for ±spread",
    params: &[ParamInfo { name: "spread", default: "0.2", what: "", range: Range::Spread(10.0, 0.9) }],
    make: |args| {
        let (spread, symmetric) = args.spread("spread")?;
        Ok(CounterTerm::Jitter { spread, symmetric })
    },
};

/// The lives of windows.
pub(crate) struct Lives {
    pub(crate) window: Duration,
    pub(crate) spread: f64,
    /// Whether lives become shorter, too.
    pub(crate) symmetric: bool,
    pub(crate) rng: Rng,
}

impl Lives {
    /// The life of the window that an increment may begin. Nothing is drawn where nothing is spread.
    pub(crate) fn draw(&self) -> Duration {
        if self.spread == 0.0 {
            return self.window;
        }
        let drawn = self.rng.next_unit();
        let drawn = if self.symmetric { 2.0 * drawn - 1.0 } else { drawn };
        self.window.mul_f64(1.0 + self.spread * drawn)
    }
}
