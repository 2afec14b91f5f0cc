//! What capacity says: before it runs what it will try, and afterwards what each strategy bears.

use report::sweep::figure_text;
use strategies::units::duration_text;

use super::ask::CapacityQuestion;
use super::record::{CapacityAnswer, CapacityMiss, CapacityRecord, CapacityVerdict};
use crate::shell::table::table;

/// What will be tried, and by which rule.
#[must_use]
pub fn announce(question: &CapacityQuestion) -> String {
    let CapacityQuestion { base, sought, bracket, .. } = question;
    let names: Vec<&str> = base.subjects.iter().map(|subject| subject.name.as_str()).collect();
    let [from, to] = [bracket.from, bracket.to].map(|value| question.text(value));
    format!(
        "{}: {}\nfind     {}\nbetween  {from} and {to}, to {}%\nfor      {}\n{}",
        base.scenario.name,
        base.scenario.summary,
        sought.text,
        bracket.precision * 100.0,
        names.join(", "),
        rule(question)
    )
}

/// By which rule a value holds.
#[must_use]
pub fn rule(question: &CapacityQuestion) -> String {
    let load = &question.base.scenario.load;
    let [warmup, measured] = [load.warmup, load.duration].map(duration_text);
    let of = match (question.hold, question.runs) {
        (1, 1) => "a run meets every condition".to_owned(),
        (hold, runs) if hold == runs => format!("all {runs} runs meet every condition, each with a seed of its own"),
        (hold, runs) => format!("{hold} of {runs} runs meet every condition, each with a seed of its own"),
    };
    format!("holds    where {of}; {warmup} of warm-up, {measured} measured, lab {}\n", question.lab())
}

/// One value, as it is tried.
#[must_use]
pub fn tried(strategy: &str, field: &str, step: &super::record::CapacityStep) -> String {
    use super::record::CapacityEnd::{Failed, Held, NotKnown};
    let end = match step.end {
        Held => "held".to_owned(),
        Failed => format!("failed: {}", misses(&step.misses)),
        NotKnown => format!("not known: {}", step.because.join("; ")),
    };
    format!("  {strategy}  {field}={}  {end}\n", step.text)
}

/// What came out: a table, and what must be known of it.
#[must_use]
pub fn outcome(question: &CapacityQuestion, record: &CapacityRecord) -> String {
    let mut rows = vec![["strategy", "limit", "values", "what gave way first"].map(str::to_owned).to_vec()];
    rows.extend(record.strategies.iter().map(|answer| row(question, answer)));
    let mut text = if record.complete { String::new() } else { "INCOMPLETE: it was interrupted.\n".to_owned() };
    text += &format!("find     {}\n{}\n{}", record.find, rule(question), table(&rows, 1, |column| column == 2));
    let notes = notes(question, record);
    if notes.is_empty() {
        text
    } else {
        text + "\n" + &notes.iter().map(|note| format!("{note}\n")).collect::<String>()
    }
}

/// The same as Markdown.
#[must_use]
pub fn markdown(question: &CapacityQuestion, record: &CapacityRecord) -> String {
    let cell = |text: &String| report::text::escape::line(text).replace('|', "\\|");
    let lines = record.strategies.iter().map(|answer| row(question, answer));
    let rows: String =
        lines.map(|row| format!("| {} |\n", row.iter().map(cell).collect::<Vec<_>>().join(" | "))).collect();
    let notes: String = notes(question, record).iter().map(|note| format!("- {}\n", cell(note))).collect();
    format!(
        "# Capacity: {}\n\n`{}`\n\n{}\n| strategy | limit | values | what gave way first |\n|---|---|---|---|\n{rows}\n{notes}",
        record.scenario,
        record.find,
        rule(question).replace("holds    where", "A value holds where")
    )
}

fn row(question: &CapacityQuestion, answer: &CapacityAnswer) -> Vec<String> {
    let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| question.text(value));
    let (held, failed) = (text(answer.held), text(answer.failed));
    let limit = match answer.verdict {
        CapacityVerdict::Between => format!("{held} to {failed}"),
        CapacityVerdict::AtLeast => format!("at least {held}"),
        CapacityVerdict::LessThan => format!("less than {failed}"),
        CapacityVerdict::NotKnown => "not known".to_owned(),
    };
    vec![answer.strategy.clone(), limit, answer.steps.len().to_string(), misses(&answer.gave_way)]
}

fn misses(misses: &[CapacityMiss]) -> String {
    let miss = |miss: &CapacityMiss| {
        let unit = if miss.metric.contains("_ms") { " ms" } else { "" };
        format!("{}{unit} (wanted {})", figure_text(&miss.metric, miss.worst), miss.condition)
    };
    if misses.is_empty() { "–".to_owned() } else { misses.iter().map(miss).collect::<Vec<_>>().join("; ") }
}

/// What a number alone would hide.
fn notes(question: &CapacityQuestion, record: &CapacityRecord) -> Vec<String> {
    let mut notes = Vec::new();
    for answer in &record.strategies {
        let name = &answer.strategy;
        if let Some(value) = answer.not_known {
            let step = answer.steps.iter().find(|step| step.value == value);
            let because = step.map(|step| step.because.join("; ")).unwrap_or_default();
            let value = question.text(value);
            notes.push(format!(
                "{name}: from {value} on nothing is known, and that is no limit of the strategy: {because}"
            ));
        }
        if let (Some(again), Some(failed)) = (answer.held_again, answer.failed) {
            let [again, failed] = [again, failed].map(|value| question.text(value));
            notes.push(format!("{name}: NOT ONE LIMIT: it failed at {failed} and held again at {again}"));
        }
        let bound = match answer.verdict {
            CapacityVerdict::AtLeast if answer.held >= Some(record.to) => "it holds at the upper bound; raise --to",
            CapacityVerdict::LessThan if answer.failed <= Some(record.from) => {
                "it fails at the lower bound; lower --from"
            }
            _ => "",
        };
        if !bound.is_empty() {
            notes.push(format!("{name}: {bound}"));
        }
        if !answer.complete {
            notes.push(format!("{name}: interrupted; its ends are further apart than they were to be"));
        }
    }
    let names = |metric: &str| record.conditions.iter().any(|condition| condition.metric.starts_with(metric));
    if names("latency_ms.") && !(names("errors") || names("shed") || names("outcomes.")) {
        notes.push(
            "no condition is on errors or on what is shed: requests that fail soon make response times short. \
             Add errors.share and shed.share"
                .to_owned(),
        );
    }
    notes
}
