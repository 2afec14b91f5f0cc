//! `report.html`: one file, no script, no request to anywhere. What it says must be readable in ten years.

use std::fmt::Write;

use crate::record::{Run, Strategy};
use crate::summary::facts;
use crate::verdict::{Table, heading, interruption, sentences};
use crate::words::{self, escaped};

const STYLE: &str = include_str!("page.css");

/// The charts that the page shows, as SVG documents.
pub(crate) struct Drawings {
    /// Small multiples of the origin's reads.
    pub(crate) comparison: String,
    /// Reads around an expiry; `None` where there is no ledger of them.
    pub(crate) herd: Option<String>,
    /// Percentiles.
    pub(crate) spectrum: String,
    /// One for each strategy, in the order run.
    pub(crate) strategies: Vec<String>,
}

/// The whole page.
pub(crate) fn page(run: &Run, drawings: &Drawings) -> String {
    let mut out = String::new();
    head(&mut out, run);
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "<h1>Stampede lab: {}</h1>\n<p>{}</p>", escaped(&run.scenario), escaped(&run.summary));
    state(&mut out, run);
    let _ = writeln!(out, "<p>{}</p>\n<p>{}</p>", escaped(&words::setting(run)), escaped(&words::load_caption(run)));
    let _ = writeln!(out, "<p>This run again:</p>\n<pre><code>{}</code></pre>", escaped(&run.command));
    out.push_str("<h2>Verdict</h2>\n");
    table(&mut out, run);
    out.push_str("<ul>\n");
    for sentence in sentences(run) {
        let _ = writeln!(out, "<li>{}</li>", escaped(&sentence));
    }
    out.push_str("</ul>\n");
    let compared =
        if words::without_ledger(run) { "Response times, second by second" } else { "What reached the origin" };
    figure(&mut out, compared, &drawings.comparison);
    if let Some(herd) = &drawings.herd {
        figure(&mut out, "The herd from close by", herd);
    }
    out.push_str("<h2>Each strategy over time</h2>\n");
    for (strategy, svg) in run.strategies.iter().zip(&drawings.strategies) {
        let _ = writeln!(out, "<h3>{}</h3>\n<figure>\n{svg}</figure>", escaped(&strategy.name));
    }
    figure(&mut out, "Response times", &drawings.spectrum);
    out.push_str("<h2>Environment</h2>\n<table class=\"facts\">\n<tbody>\n");
    for (what, value) in facts(run) {
        let _ = writeln!(out, "<tr><th scope=\"row\">{what}</th><td>{}</td></tr>", escaped(&value));
    }
    out.push_str("</tbody>\n</table>\n</main>\n</body>\n</html>\n");
    out
}

fn head(out: &mut String, run: &Run) {
    let _ = writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Stampede lab: {}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>",
        escaped(&run.run)
    );
}

/// Valid or not, before anything else is read.
fn state(out: &mut String, run: &Run) {
    if !run.complete {
        let _ = writeln!(out, "<p class=\"alarm\">{}</p>", escaped(&interruption(run)));
    }
    let invalid: Vec<&Strategy> = run.strategies.iter().filter(|strategy| !strategy.valid).collect();
    if invalid.is_empty() {
        if !run.strategies.is_empty() {
            out.push_str("<p>Valid: every check of the run passed for every strategy.</p>\n");
        }
        return;
    }
    for strategy in invalid {
        let (name, reasons) = (escaped(&strategy.name), escaped(&words::reasons(strategy)));
        let _ = writeln!(out, "<p class=\"alarm\">INVALID – do not use the numbers of {name}: {reasons}</p>");
    }
}

fn table(out: &mut String, run: &Run) {
    out.push_str("<div class=\"scroll\">\n<table>\n<caption>Measured phase only</caption>\n<thead>\n<tr>");
    let table = Table::of(run);
    for column in table.header {
        let _ = write!(out, "<th scope=\"col\">{}</th>", heading(column));
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    for (strategy, cells) in run.strategies.iter().zip(&table.rows) {
        out.push_str(if strategy.valid { "<tr>" } else { "<tr class=\"invalid\">" });
        for (column, cell) in cells.iter().enumerate() {
            let _ = match column {
                0 => write!(out, "<th scope=\"row\">{}</th>", escaped(cell)),
                _ => write!(out, "<td>{}</td>", escaped(cell)),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn figure(out: &mut String, heading: &str, svg: &str) {
    let _ = writeln!(out, "<h2>{heading}</h2>\n<figure>\n{svg}</figure>");
}
