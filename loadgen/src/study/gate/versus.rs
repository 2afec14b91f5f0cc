//! `compare`: runs against a run, strategy by strategy.

use std::path::Path;

use report::compare::baseline::Difference;
use report::compare::{comparison_table, unpaired};
use report::record::Comparison;
use schemars::JsonSchema;
use serde::Serialize;

use super::candidate::CandidateRun;
use super::circumstances::{Differences, differences};
use super::sentences::{difference_table, told_table};
use crate::cli::{CompareArgs, Format};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use crate::study::noise;

/// The schema of what `compare --format json` says.
pub(crate) const COMPARE_SCHEMA: &str = "stampede.compare/v1";

/// What `compare --format json` says.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Compared {
    /// Always [`COMPARE_SCHEMA`].
    #[schemars(extend("const" = COMPARE_SCHEMA))]
    schema: &'static str,
    /// The name of the run that the others are compared with.
    base: String,
    /// The others, in the order given.
    against: Vec<Against>,
}

/// One run against the base.
#[derive(Serialize, JsonSchema)]
struct Against {
    /// Its name.
    new: String,
    /// Each strategy that both have, each metric.
    comparisons: Vec<Comparison>,
}

/// Says of each run how it differs from the first.
///
/// # Errors
/// [`Failure`]: 2 for a run that can't be read, 4 for one that is invalid, 3 where nothing follows from the two.
pub fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let base = whole(&args.base)?;
    let mut text = String::new();
    let mut against = Vec::new();
    for path in &args.new {
        let new = whole(path)?;
        let found = differences((&base.run, &base.settings), (&new.run, &new.settings));
        let names = (args.base.display(), path.display());
        if !found.apart.is_empty() {
            return Err(Failure::not_comparable(format!(
                "not comparable · {} against {} · found {} that differ, needed the same load, lab and machine · run one \
                 again as the other\n{}",
                names.1,
                names.0,
                fields(&found.apart),
                difference_table(&found.apart).trim_end()
            )));
        }
        let noise = noise::of(&args.noise, &new.run)?;
        let of = |name: &str| new.run.strategies.iter().find(|strategy| strategy.name == name);
        let pairs = base.run.strategies.iter().filter_map(|was| Some((was, of(&was.name)?)));
        let compared: Vec<Comparison> = pairs.flat_map(|(was, is)| unpaired(was, is, &noise)).collect();
        if compared.is_empty() {
            return Err(Failure::not_comparable(format!(
                "not comparable · {} against {} · found no strategy of the one in the other · run the same strategies",
                names.1, names.0
            )));
        }
        text += &format!("BASE {}\nNEW  {}\n{}\n", names.0, names.1, told(&found));
        text += &comparison_table(&compared);
        text.push('\n');
        against.push(Against { new: new.run.run, comparisons: compared });
    }
    match args.format {
        Format::Text => output::out(text.trim_end_matches('\n'))?,
        Format::Json => {
            let document = Compared { schema: COMPARE_SCHEMA, base: base.run.run, against };
            let json = serde_json::to_string_pretty(&document).map_err(Failure::failed)?;
            output::out(&report::text::escape::json(&json))?;
        }
    }
    output::out("\n")?;
    Ok(Exit::Ok)
}

fn whole(path: &Path) -> Result<CandidateRun, Failure> {
    let candidate = CandidateRun::read(path)?;
    candidate.check_whole(path)?;
    candidate.check_valid(path)?;
    Ok(candidate)
}

fn fields(differences: &[Difference]) -> String {
    match differences {
        [one] => one.field.clone(),
        more => format!("{} fields", more.len()),
    }
}

/// What differs and may be what is compared.
fn told(found: &Differences) -> String {
    if found.told.is_empty() {
        return String::new();
    }
    format!("They differ in what may be compared:\n{}", told_table(&found.told))
}
