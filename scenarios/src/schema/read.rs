//! Reading a scenario file, and naming what is wrong with it before its text is.
//!
//! The only place in the crate that touches a disk.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::schema::problem::ScenarioErrors;
use crate::shipped::shipped;

/// Largest scenario file, bytes.
pub(crate) const TEXT_MAX: usize = 1 << 20;

/// The text of a scenario file, at most 1 MiB of UTF-8.
///
/// # Errors
///
/// One problem: the file is absent, a directory, unreadable, too large, or not UTF-8.
pub fn read(path: &Path) -> Result<String, ScenarioErrors> {
    let name = path.display().to_string();
    let (bytes, length) = read_limited(path).map_err(|error| unreadable(&name, &error))?;
    if bytes.len() > TEXT_MAX {
        return Err(too_large(&name, length.max(bytes.len() as u64)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
        let found = format!("found byte 0x{byte:02x} at offset {valid}, allowed UTF-8");
        ScenarioErrors::whole(&name, "the file is not UTF-8", found, "save it as UTF-8".to_owned())
    })
}

/// The file's first bytes, and how long it says it is. One byte more than allowed is read: that tells too large from
/// just large enough, whatever the length claims (a pipe claims 0).
fn read_limited(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(TEXT_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes, length))
}

pub(crate) fn too_large(name: &str, bytes: u64) -> ScenarioErrors {
    let limit = TEXT_MAX as u64;
    let what = format!("scenario too large ({}, limit 1 MiB)", mib(bytes));
    let found = format!("found {bytes} bytes, allowed {limit}");
    ScenarioErrors::whole(name, &what, found, "is this a scenario? they are a few KiB".to_owned())
}

/// Rounded up, so that too large never reads as just large enough.
fn mib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    match tenths % 10 {
        0 => format!("{} MiB", tenths / 10),
        rest => format!("{}.{rest} MiB", tenths / 10),
    }
}

fn unreadable(name: &str, error: &io::Error) -> ScenarioErrors {
    let whole = |what: &str, found: String, remedy: String| ScenarioErrors::whole(name, what, found, remedy);
    match error.kind() {
        io::ErrorKind::NotFound => {
            let names: Vec<&str> = shipped().iter().map(|(name, _)| *name).collect();
            let remedy = format!("check the path, or name a shipped scenario: {}", names.join(", "));
            whole("no such scenario file", "found nothing, allowed a TOML file".to_owned(), remedy)
        }
        io::ErrorKind::IsADirectory => whole(
            "the scenario is a directory",
            "found a directory, allowed a TOML file".to_owned(),
            "name a file in it".to_owned(),
        ),
        io::ErrorKind::PermissionDenied => whole(
            "the scenario can't be read",
            "found no permission to read it".to_owned(),
            "give this user the right to read it".to_owned(),
        ),
        _ => whole("the scenario can't be read", format!("found {error}"), "check the path".to_owned()),
    }
}
