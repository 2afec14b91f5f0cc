//! What the cache's server did of its own, marked on the panel of response time.

use plotters::style::RGBColor;

use super::ink::{ALARM, At, EXPIRY, FAINT, FLOOR, Ink};
use crate::draw::{Frame, SERVER_MARK_KINDS, ServerMarkKind};
use crate::record::ServerRow;

/// Height of a short stroke, and length of the one that stands beside its meaning.
const SHORT: f64 = 9.0;
const KEY: f64 = 14.0;

/// How a stroke of a kind looks: its colour, and whether it is dashed.
fn look(kind: &ServerMarkKind) -> (RGBColor, bool) {
    match kind.class {
        "server over" => (FLOOR, true),
        "server spike" => (ALARM, false),
        "server gone" => (EXPIRY, false),
        _ => (FLOOR, false),
    }
}

fn stroke(ink: &mut Ink, kind: &ServerMarkKind, ends: [(f64, f64); 2]) {
    match look(kind) {
        (colour, true) => ink.dashed(&ends, colour, 1.0),
        (colour, false) => ink.line(&ends, colour, 1.0),
    }
}

/// The strokes, and in a line above the panel what they mean.
pub(super) fn marks(ink: &mut Ink, panel: &Frame, server: &[ServerRow], shows: impl Fn(f64) -> bool) {
    let (mut x, y) = (panel.left, panel.top - 6.0);
    for kind in &SERVER_MARK_KINDS {
        let places: Vec<f64> = kind.places(server).filter(|at| shows(*at)).collect();
        if places.is_empty() {
            continue;
        }
        let top = if kind.short { panel.bottom - SHORT } else { panel.top };
        for at in places {
            let x = panel.x(at);
            stroke(ink, kind, [(x, top), (x, panel.bottom)]);
        }
        stroke(ink, kind, [(x, y), (x + KEY, y)]);
        ink.text(kind.what, (x + KEY + 5.0, y), 10.5, FAINT, At::Left);
        x += KEY + 5.0 + ink.width(kind.what, 10.5) + 14.0;
    }
}
