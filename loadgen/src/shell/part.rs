//! `i/n`: which part of a whole this process does, of several that do one each.

use std::path::Path;

use report::sweep::PARTS_MAX;

use super::command_line::quoted;

/// Where a task of several is told which one it is: of a Kubernetes Indexed Job, of a Slurm array, of a service under Swarm
/// (`LAB_TASK_SLOT: "{{.Task.Slot}}"`).
const TOLD_IN: [&str; 3] = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", SLOT];
/// Swarm has no slot 0: the first task of a replicated job finds its node's id here.
const SLOT: &str = "LAB_TASK_SLOT";

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOf {
    /// Which, from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

impl PartOf {
    /// Reads `i/n`, or `/n` where the environment says which one this is.
    ///
    /// # Errors
    /// A sentence: what was found, what is allowed.
    pub fn read(text: &str) -> Result<Self, String> {
        Self::of(text, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn of(text: &str, told: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let allowed = format!("allowed I/N with I from 0 and below N, N up to {PARTS_MAX}, or /N");
        let (index, of) = text.split_once('/').ok_or_else(|| allowed.clone())?;
        let of = of.parse().ok().filter(|of| (1..=PARTS_MAX).contains(of)).ok_or_else(|| allowed.clone())?;
        let (index, from) =
            if index.is_empty() { told_index(told)? } else { (index.parse().map_err(|_| allowed.clone())?, None) };
        if index >= of {
            let from = from.map(|name| format!(" ({name}={index})")).unwrap_or_default();
            return Err(format!("found part {index} of {of}{from}, {allowed}"));
        }
        Ok(Self { index, of })
    }

    /// Whether the thing of that number is this part's.
    #[must_use]
    pub fn has(self, number: u64) -> bool {
        number % u64::from(self.of) == u64::from(self.index)
    }
}

/// How many missing parts are named.
const MISSING_SHOWN: usize = 10;

/// Which of so many parts are not there: the first, and some of them in words, as they are typed; `None` where all are there.
pub fn missing(of: u32, is_there: impl Fn(u32) -> bool) -> Option<(String, String)> {
    let mut missing = (0..of).filter(|index| !is_there(*index)).map(|index| format!("{index}/{of}"));
    let some: Vec<String> = missing.by_ref().take(MISSING_SHOWN).collect();
    let more = match missing.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some((some.first()?.clone(), format!("{}{more}", some.join(", "))))
}

/// The command that makes a part which is missing, in the folder that another part lies in. `whole` names no such folder, and ends where more
/// may follow.
pub(crate) fn command_beside(other: &Path, whole: &str, part: &str) -> String {
    // The name of `.` or `..` says nothing of where it is.
    let real = other.file_name().is_none().then(|| other.canonicalize().ok()).flatten();
    let beside = real.as_deref().unwrap_or(other).parent();
    let beside = beside.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    format!("{whole} -o {} {part}", quoted(&beside.display().to_string()))
}

/// Which part this is, and where it is said.
fn told_index(told: impl Fn(&str) -> Option<String>) -> Result<(u32, Option<&'static str>), String> {
    let found = TOLD_IN.iter().find_map(|name| Some((*name, told(name)?)));
    let (name, value) = found.ok_or_else(|| format!("which one is in none of {}: write I/N", TOLD_IN.join(", ")))?;
    match value.parse() {
        Ok(index) => Ok((index, Some(name))),
        Err(_) if name == SLOT => Ok((0, None)),
        Err(_) => {
            let found: String = value.chars().take(30).collect();
            Err(format!("found {name}={found:?}, which is no number: write I/N"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_said_or_told_by_whoever_starts_it() {
        let of = |text: &str, name: &'static str, value: &str| {
            PartOf::of(text, |asked| (asked == name).then(|| value.to_owned())).map(|part| (part.index, part.of))
        };
        assert_eq!(of("2/5", "", ""), Ok((2, 5)));
        for (name, value, index) in
            [("JOB_COMPLETION_INDEX", "3", 3), ("SLURM_ARRAY_TASK_ID", "0", 0), (SLOT, "2", 2), (SLOT, "x7k2", 0)]
        {
            assert_eq!(of("/5", name, value), Ok((index, 5)), "{name}={value}");
        }
        for (text, words) in [
            ("5/5", "found part 5 of 5"),
            ("0/0", "allowed I/N"),
            ("1", "allowed I/N"),
            ("-1/4", "allowed I/N"),
            ("0/10001", "allowed I/N"),
            ("/4", "which one is in none of"),
        ] {
            assert!(of(text, "", "").unwrap_err().contains(words), "{text}");
        }
        assert!(
            of("/5", "SLURM_ARRAY_TASK_ID", "x")
                .unwrap_err()
                .contains("found SLURM_ARRAY_TASK_ID=\"x\", which is no number")
        );
        let beyond = of("/3", "SLURM_ARRAY_TASK_ID", "3").unwrap_err();
        assert!(beyond.contains("found part 3 of 3 (SLURM_ARRAY_TASK_ID=3)"), "{beyond}");
        let all = missing(12, |_| false).unwrap();
        assert!(all.0 == "0/12" && all.1.ends_with(", 9/12 and 2 more"), "{all:?}");
        assert_eq!(missing(3, |index| index != 1).unwrap().1, "1/3");
        assert_eq!(missing(3, |_| true), None);
        for (other, into) in [("a/b c/x/", "'a/b c'"), ("x", "."), ("/x", "/")] {
            assert_eq!(
                command_beside(Path::new(other), "loadgen", "--shard 1/2"),
                format!("loadgen -o {into} --shard 1/2")
            );
        }
        assert!((0..10).filter(|number| PartOf { index: 1, of: 3 }.has(*number)).eq([1, 4, 7]));
    }
}
