//! `loadgen diagnose`: somebody's own Redis looked at, once or again and again. What is looked at and judged is the room `diagnose`'s;
//! here are its arguments, its words on standard output, and how it ends.

use std::time::Duration;

use app::wire::address::shown;
use diagnose::error::DiagnoseError;
use diagnose::look::{DiagnoseOptions, MONITOR_MAX};
use diagnose::record::Diagnosis;
use diagnose::text;
use diagnose::wire::target::RedisTarget;
use report::text::escape;
use strategies::units::{DURATION, duration_text};

use crate::cli::Format;
use crate::cli::diagnose::DiagnoseArgs;
use crate::cli::reach;
use crate::shell::exit::{Exit, Failure};
use crate::shell::{interrupt, output};

/// The shortest pause between two looks: each costs the server some milliseconds.
const WATCH_MIN: Duration = Duration::from_secs(1);
const WATCH_MAX: Duration = Duration::from_secs(24 * 3600);
const MONITOR_MIN: Duration = Duration::from_millis(1);

/// Looks, and says what was found.
///
/// # Errors
/// [`Failure`]: 2 for arguments that cannot be used, 1 where the server cannot be looked at.
pub async fn run(args: &DiagnoseArgs) -> Result<Exit, Failure> {
    let address = shown(&args.url);
    let target = target(args, &address)?;
    let monitor =
        args.monitor.as_deref().map(|text| duration("--monitor", text, MONITOR_MIN, MONITOR_MAX)).transpose()?;
    let watch = args.watch.as_deref().map(|text| duration("--watch", text, WATCH_MIN, WATCH_MAX)).transpose()?;
    let asked =
        Asked { target, address, options: DiagnoseOptions { sample: args.sample, monitor }, format: args.format };
    match watch {
        None => {
            let diagnosis = asked.look().await?;
            asked.say(&diagnosis)?;
            Ok(if diagnosis.is_bad() { Exit::Found } else { Exit::Ok })
        }
        Some(pause) => asked.watch(pause).await,
    }
}

struct Asked {
    target: RedisTarget,
    address: String,
    options: DiagnoseOptions,
    format: Format,
}

impl Asked {
    async fn look(&self) -> Result<Diagnosis, Failure> {
        let looked = diagnose::diagnose(&self.target, &self.address, &self.options).await;
        looked.map_err(|error| Failure::failed(format!("no diagnosis · the Redis at {} · {error}", self.address)))
    }

    fn say(&self, diagnosis: &Diagnosis) -> Result<(), Failure> {
        match self.format {
            Format::Text => output::out(&text::whole(diagnosis)),
            Format::Json => {
                let document = serde_json::to_string_pretty(diagnosis).map_err(Failure::failed)?;
                output::out(&(escape::json(&document) + "\n"))
            }
        }
    }

    /// Looks until it is interrupted. The first look must work; later ones that do not are told, and the next may.
    async fn watch(&self, pause: Duration) -> Result<Exit, Failure> {
        let mut told = interrupt::listen().map_err(|e| Failure::failed(format!("no signals: {e}")))?;
        let mut before = tokio::select! {
            looked = self.look() => looked?,
            () = told.wait() => return Ok(Exit::Interrupted),
        };
        match self.format {
            Format::Text => self.say(&before)?,
            Format::Json => say_line(&before)?,
        }
        let mut is_lost = false;
        loop {
            let next = async {
                tokio::time::sleep(pause).await;
                self.look().await
            };
            let looked = tokio::select! {
                looked = next => looked,
                () = told.wait() => return Ok(Exit::Interrupted),
            };
            match looked {
                Ok(after) => {
                    is_lost = false;
                    self.say_changes(&before, &after)?;
                    before = after;
                }
                Err(failure) if !is_lost => {
                    is_lost = true;
                    output::err(&format!("{failure}\n"));
                }
                Err(_) => {}
            }
        }
    }

    fn say_changes(&self, before: &Diagnosis, after: &Diagnosis) -> Result<(), Failure> {
        let changes = text::changes(before, after);
        match self.format {
            _ if changes.is_empty() => Ok(()),
            Format::Json => say_line(after),
            Format::Text => output::out(&format!("\n{}\n{changes}", jiff::Timestamp::now().strftime("%FT%TZ"))),
        }
    }
}

/// The document in one line.
fn say_line(diagnosis: &Diagnosis) -> Result<(), Failure> {
    let document = serde_json::to_string(diagnosis).map_err(Failure::failed)?;
    output::out(&(escape::json(&document) + "\n"))
}

fn target(args: &DiagnoseArgs, address: &str) -> Result<RedisTarget, Failure> {
    let no_url = |error: DiagnoseError| Failure::usage(format!("no Redis URL · {address} · {error}"));
    let mut target = RedisTarget::parse(&args.url).map_err(no_url)?;
    target.tls = reach::files(&args.access);
    if !target.tls.is_empty() && !target.is_encrypted() {
        return Err(reach::without_tls(address));
    }
    if let Some(password) = reach::password(&args.access, target.password.is_some())? {
        target.password = Some(password);
    }
    Ok(target)
}

fn duration(flag: &str, text: &str, min: Duration, max: Duration) -> Result<Duration, Failure> {
    let wrong = |found: &str| {
        let (min, max) = (duration_text(min), duration_text(max));
        Failure::usage(format!(
            "no such time · {flag} {text} · {found}, allowed {min} to {max} · write {flag} {}",
            DURATION.example
        ))
    };
    let found =
        (DURATION.read)(text).map_err(|_| wrong(&format!("found {text:?}, which needs a number and a unit")))?;
    if found < min || found > max { Err(wrong(&format!("found {}", duration_text(found)))) } else { Ok(found) }
}
