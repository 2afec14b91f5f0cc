//! `summary.md`: the verdict in Markdown, for a CI job's summary or a pull request.

use std::fmt::Write;

use crate::compare::comparison_table;
use crate::record::{Environment, Run};
use crate::text::escape::{markdown, markdown_block};
use crate::text::phrases;
use crate::text::sentences::sentences;
use crate::text::verdict::{Table, heading, legend};

/// The verdict table, the sentences under it, and what makes the run again, in GitHub's Markdown.
#[must_use]
pub fn summary_markdown(run: &Run) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# Stampede lab: {}\n\n{}\n", markdown(&run.scenario), markdown(&run.summary));
    let table = Table::of(run);
    let header: Vec<String> = table.header.into_iter().map(heading).collect();
    let _ = writeln!(out, "| {} |", header.join(" | "));
    let _ = writeln!(out, "|---|{}", "---:|".repeat(header.len() - 1));
    for row in table.rows {
        let cells: Vec<String> = row.iter().map(|cell| markdown(cell)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    if let Some(legend) = legend(run) {
        let _ = writeln!(out, "\n{}", markdown(&legend));
    }
    out.push('\n');
    for sentence in sentences(run) {
        let _ = writeln!(out, "- {}", markdown(&sentence));
    }
    let comparisons = comparison_table(&run.comparisons);
    if !comparisons.is_empty() {
        let _ = writeln!(out, "\n{}", markdown_block("text", &comparisons));
    }
    let _ = writeln!(out, "\n| | |\n|---|---|");
    for (what, value) in facts(run) {
        let _ = writeln!(out, "| {what} | {} |", markdown(&value));
    }
    let _ = writeln!(out, "\nThis run again:\n\n{}", markdown_block("sh", &run.command));
    out
}

/// What was run on what, as name and value: also the page's table.
pub(crate) fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("setting", phrases::setting(run)),
        ("load", phrases::load_caption(run)),
        ("warm-up", format!("{}, recorded and not counted", phrases::seconds(run.warmup_s))),
        ("seed", run.seed.to_string()),
        ("plan hash", run.plan_hash.clone()),
        ("clock", clock(run)),
        ("machine", machine(&run.environment)),
        ("lab version", run.version.clone()),
        ("run", format!("{}, started {}", run.run, run.started_at)),
    ];
    if let Some(key) = &run.hot_key {
        facts.insert(3, ("hot key", key.clone()));
    }
    facts
}

fn clock(run: &Run) -> String {
    let ms = |ns: f64| format!("{:.3} ms", ns / 1e6);
    match (run.clock_offset_ns, run.clock_uncertainty_ns) {
        (Some(offset), Some(wrong)) => {
            format!("the origin's is {} from the generator's, ± {}", ms(offset as f64), ms(wrong as f64))
        }
        _ => "offset between origin and generator unknown".to_owned(),
    }
}

fn machine(environment: &Environment) -> String {
    let unknown = || "unknown".to_owned();
    format!(
        "{} on {}, {}, {} cores, memory {}, {} build, load average {} when it began",
        environment.os,
        environment.arch,
        environment.cpu.clone().unwrap_or_else(|| "processor unknown".to_owned()),
        environment.cores,
        environment.memory_mib.map_or_else(unknown, |mib| format!("{mib} MiB")),
        environment.build,
        environment.load_average_percent.map_or_else(unknown, |percent| format!("{:.2}", f64::from(percent) / 100.0)),
    )
}
