//! What a trace is like, in words.

use std::time::Duration;

use strategies::units::{DURATION, duration_text};
use traces::forecast::{HerdForecast, HerdQuestion, KeyHerds};
use traces::key::KeyNames;
use traces::rate::RateSeries;
use traces::summary::{Amounts, SummaryOptions, TopKey, TraceSummary, summarise};
use traces::{TraceFormat, TraceOptions, TraceReader, escape};

use crate::cli::trace::{TraceArgs, TraceNames, TraceSummaryArgs, TraceWhat};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use crate::shell::table::table;

/// Columns of the picture of the rate.
const COLUMNS: usize = 60;

/// Does what is asked.
///
/// # Errors
/// [`Failure`] where an argument is wrong, or the file is no trace that can be read.
pub fn run(args: &TraceArgs) -> Result<Exit, Failure> {
    let TraceWhat::Summary(args) = &args.what;
    let herds = args.service_time.as_deref().map(|text| {
        let service = duration("--service-time", text)?;
        let ttl = args.ttl.as_deref().map(|text| duration("--ttl", text)).transpose()?;
        Ok(HerdQuestion { service, ttl })
    });
    let options = SummaryOptions { top: args.top.into(), herds: herds.transpose()?, ..SummaryOptions::default() };
    let mut reader = TraceReader::open(&args.file, &trace_options(args)?).map_err(Failure::usage)?;
    let found = summarise(&mut reader, &options).map_err(Failure::usage)?;
    output::out(&in_words(&found))?;
    Ok(Exit::Ok)
}

fn trace_options(args: &TraceSummaryArgs) -> Result<TraceOptions, Failure> {
    let format = args.format.as_deref();
    let format =
        format.and_then(|word| TraceFormat::WORDS.iter().find(|(of, _)| *of == word).map(|(_, format)| *format));
    let at = |flag, text: &Option<String>| text.as_deref().map(|text| duration(flag, text)).transpose();
    let names = match args.names {
        TraceNames::Hidden => KeyNames::Hidden,
        TraceNames::Pseudonyms => KeyNames::Pseudonyms(args.seed),
        TraceNames::Clear => KeyNames::Clear,
    };
    let (from, to) = (at("--from", &args.from)?.unwrap_or_default(), at("--to", &args.to)?);
    Ok(TraceOptions { format, key: args.key.clone(), from, to, names, seed: args.seed, ..TraceOptions::default() })
}

fn duration(flag: &str, text: &str) -> Result<Duration, Failure> {
    let flaw = |_| {
        let (allowed, example) = (DURATION.words, DURATION.example);
        Failure::usage(format!("no time · {flag} · found {text:?}, allowed {allowed} · write {example}"))
    };
    (DURATION.read)(text).map_err(flaw)
}

fn in_words(found: &TraceSummary) -> String {
    let TraceSummary { format, read, duration, mean_per_s, peak, distinct_keys, keys_once, ops, .. } = found;
    let spread = if found.spread_seconds { ", whole seconds: rows are spread evenly over each" } else { "" };
    let rate =
        mean_per_s.map_or("no rate: it has no length".into(), |rate| format!("{} rows/s in the mean", number(rate)));
    let mut text = format!("{} rows in {} ({}{spread})\n", read.given, time(*duration), format.word());
    if read.bad.bad > 0 {
        text += &format!("{}\n", read.bad);
    }
    for (count, what) in [
        (read.without_key, "rows in which the expression finds no key: skipped"),
        (read.no_request, "rows that are no request of a method that reads or writes: skipped"),
    ] {
        if count > 0 {
            text += &format!("{count} {what}\n");
        }
    }
    let (writes, failed) = (ops.write_share() * 100.0, ops.failed);
    text +=
        &format!("rate     {rate}; the most in a second {}, at {} s\n{}", peak.rows, peak.second, picture(&found.rate));
    text += &format!("keys     {distinct_keys}, {keys_once} of them once\n");
    text += &found.zipf.as_ref().map_or_else(
        || "         Zipf exponent not known: fewer than ten keys, or too few rows of each, to rank them\n".into(),
        |zipf| format!("         {zipf}\n"),
    );
    text += &format!("rows     {} read, {writes:.1} % change something", ops.reads);
    text += &if failed > 0 { format!(", {failed} were answered with 5xx\n") } else { "\n".into() };
    text += &amounts("sizes", &found.sizes, |bytes| format!("{bytes} B"));
    text += &amounts("TTLs", &found.ttls, |ms| time(Duration::from_millis(ms)));
    text + &found.herds.as_ref().map_or_else(|| hottest(&found.top), herds)
}

/// The rate over time as a line of bars, the highest of them full.
fn picture(rate: &RateSeries) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if rate.rows.len() < 2 {
        return String::new();
    }
    let each = rate.rows.len().div_ceil(COLUMNS);
    let columns: Vec<u64> = rate.rows.chunks(each).map(|rows| rows.iter().sum::<u64>() / rows.len() as u64).collect();
    let most = columns.iter().copied().max().unwrap_or(0).max(1);
    let bars: String = columns.iter().map(|rows| BARS[(rows * 8).div_ceil(most) as usize]).collect();
    format!("         {bars}  {} a column\n", time(rate.width * u32::try_from(each).unwrap_or(u32::MAX)))
}

fn amounts(what: &str, of: &Amounts, shown: impl Fn(u64) -> String) -> String {
    if of.stated == 0 {
        return format!("{what:<8} none stated\n");
    }
    let [min, p50, p99, max] = [of.min, of.p50, of.p99, of.max].map(shown);
    let unstated = of.unstated_share() * 100.0;
    let without = if of.unstated > 0 { format!("; {unstated:.1} % of the rows state none") } else { String::new() };
    format!("{what:<8} {min} to {max}, p50 {p50}, p99 {p99}{without}\n")
}

fn hottest(top: &[TopKey]) -> String {
    let head = ["key", "rows", "share", "rows/s"].map(str::to_owned).to_vec();
    let rows = (1..).zip(top).map(|(rank, key)| {
        let (share, per_s) = (key.share * 100.0, key.per_s.map_or("–".into(), number));
        vec![name(rank, key.name.as_deref()), key.rows.to_string(), format!("{share:.2} %"), per_s]
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let next = "With --service-time 200ms (and --ttl 60s, where it states no TTLs) herds are forecast.\n";
    format!("\n{}\n{next}", table(&rows, 1, |column| column > 0))
}

fn herds(of: &HerdForecast) -> String {
    let head = ["key", "reads/s", "TTL", "reads/expiry", "by theory", "in a herd", "reads", "with a lock"];
    let row = |(rank, key): (usize, &KeyHerds)| {
        let (counted, theory) = (&key.counted, key.predicted.as_ref().ok());
        vec![
            name(rank, key.name.as_deref()),
            number(key.reads_per_s),
            key.ttl.map_or("never ends".into(), duration_text),
            number(counted.per_expiry),
            theory.map_or("–".into(), |theory| number(theory.per_expiry)),
            format!("{:.1} %", counted.herd_share * 100.0),
            counted.reads.to_string(),
            counted.single_flight.to_string(),
        ]
    };
    let rows = std::iter::once(head.map(str::to_owned).to_vec()).chain((1..).zip(&of.keys).map(row));
    let rows: Vec<Vec<String>> = rows.collect();
    let (open, lock, d) = (&of.unprotected, &of.single_flight, duration_text(of.question.service));
    let forever = match of.keys_without_ttl {
        0 => String::new(),
        keys => format!("{keys} keys never expire, for neither the trace nor --ttl says when.\n"),
    };
    let share = |reads: u64| reads as f64 / of.reads.max(1) as f64 * 100.0;
    format!(
        "\nHerds at an origin whose reads take {d}, of its own arrivals in one shared cache that is empty at first; writes change nothing in it:\n{}\n\
         Of {} reads, {} ({:.1} %) reach the origin without protection, {} of them in one second; {} ({:.1} %) with a lock for the fleet, \
         {} in one second.\n{forever}",
        table(&rows, 1, |column| column > 0),
        of.reads,
        open.reads,
        share(open.reads),
        open.peak.rows,
        lock.reads,
        share(lock.reads),
        lock.peak.rows,
    )
}

fn name(rank: usize, name: Option<&[u8]>) -> String {
    name.map_or_else(|| format!("#{rank}"), escape::shown)
}

/// In seconds or milliseconds: quantiles are no finer than a thousandth.
fn time(of: Duration) -> String {
    match of.as_secs_f64() {
        of if of >= 1.0 => format!("{} s", number(of)),
        of => format!("{} ms", number(of * 1e3)),
    }
}

/// Three digits that count.
fn number(of: f64) -> String {
    match of {
        of if of >= 100.0 => format!("{of:.0}"),
        of if of >= 10.0 => format!("{of:.1}"),
        of => format!("{of:.2}"),
    }
}
