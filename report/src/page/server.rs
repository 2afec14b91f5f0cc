//! What the cache's server did of its own, marked on the panels of response time.

use super::html::*;
use super::plot::Plot;
use super::view::{StrategyRow, View};
use crate::draw::{SERVER_MARK_KINDS, ServerMarkKind};
use crate::record::Strategy;
use crate::text::phrases;

/// Strokes for what the server did: from top to bottom where it forked, ended that, or told of a delay, and short ones where entries go.
pub(super) fn marks(plot: &mut Plot, row: &StrategyRow<'_>) {
    for kind in &SERVER_MARK_KINDS {
        let places = kind.places(&row.digest.server);
        if kind.short {
            plot.strokes(kind.class, places);
        } else {
            plot.verticals(kind.class, places);
        }
    }
}

/// What the marks are, where there are any.
pub(super) fn legend(out: &mut Sheet, view: &View<'_>) {
    let any = |kind: &&ServerMarkKind| view.rows.iter().any(|row| kind.places(&row.digest.server).next().is_some());
    let there: Vec<&ServerMarkKind> = SERVER_MARK_KINDS.iter().filter(any).collect();
    if there.is_empty() {
        return;
    }
    out.push_str("<p class=\"how\">Marks of the cache’s server, asked ten times a second: <span class=\"keys\">");
    for kind in there {
        put!(out, "<span><i class=\"line {}\"></i>{}</span>", kind.class, escaped(kind.what));
    }
    out.push_str("</span></p>\n");
}

/// How many of the slowest requests were near a mark, and would be by chance; nothing where that is not known, or nothing
/// was marked.
pub(super) fn near(strategy: &Strategy) -> String {
    let known = strategy.server.as_ref().and_then(|server| server.slowest_near_share.zip(server.near_by_chance));
    known.filter(|(_, chance)| *chance > 0.0).map_or_else(String::new, |(slowest, chance)| {
        format!(
            " · of the slowest 0.1 % {} near marks, {} by chance",
            phrases::share(Some(slowest)),
            phrases::share(Some(chance))
        )
    })
}
