//! A row of `seconds.csv` or `bins100ms.csv`, of what was counted.

use report::record::{BinRow, Outcomes};

use super::second::{Bin, OutcomeCounts};

/// The row of a bin that begins at a moment, milliseconds since t = 0.
pub(super) fn row(start_ms: i64, bin: &Bin) -> BinRow {
    let mut outcomes = Outcomes::default();
    add_outcomes(&mut outcomes, &bin.outcomes);
    BinRow {
        start_ms,
        offered: bin.offered,
        sent: bin.sent,
        completed: outcomes.sum() - outcomes.error,
        errors: outcomes.error,
        hit: outcomes.hit,
        stale: outcomes.stale,
        wait: outcomes.wait,
        load: outcomes.load,
        shed: outcomes.shed,
        unknown: outcomes.unknown,
        retries: Some(bin.retries),
        near: Some(bin.near),
        ..BinRow::default()
    }
}

/// Adds counts to a sum.
pub(super) fn add_outcomes(sum: &mut Outcomes, [hit, stale, wait, load, shed, error, unknown]: &OutcomeCounts) {
    sum.hit += hit;
    sum.stale += stale;
    sum.wait += wait;
    sum.load += load;
    sum.shed += shed;
    sum.error += error;
    sum.unknown += unknown;
}
