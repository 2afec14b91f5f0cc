//! `loadgen diagnose`: what an experienced eye would find wrong with a Redis, by reading alone.
//!
//! | idea | where |
//! |---|---|
//! | the one door: which commands may be sent at all | [`allowed`] |
//! | the protocol, bounded in size and time | [`wire`] |
//! | what is read of a server | [`look`] |
//! | what is judged of it: a row a finding | [`findings`] |
//! | what is said, as JSON and in words | [`record`], [`text`] |
//!
//! Nothing here writes to a server, and nothing here believes one: replies are bounded, names are escaped and cut, and a figure that
//! is not known is not there.

pub mod allowed;
pub mod error;
pub mod escape;
pub mod findings;
pub mod look;
pub mod record;
pub mod text;
pub mod wire;

use error::DiagnoseError;
use look::{DiagnoseOptions, ServerLook};
use record::Diagnosis;
use wire::target::RedisTarget;

/// Looks at a server once, and says what it found. `shown` is its address without its secrets.
///
/// # Errors
/// [`DiagnoseError`] where the server cannot be reached, is no Redis, refuses everything, or falls silent.
pub async fn diagnose(
    target: &RedisTarget,
    shown: &str,
    options: &DiagnoseOptions,
) -> Result<Diagnosis, DiagnoseError> {
    let look: ServerLook = look::look(target, options).await?;
    Ok(record::diagnosis(shown, &look, findings::judge(&look)))
}
