//! What a stack is named by where it is reached by names.

use std::path::PathBuf;

use crate::cli::{LabChoice, RunArgs};
use crate::shell::exit::Failure;

/// The names of a stack's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackNames {
    /// A name that has each replica's address.
    pub replicas: String,
    /// The origin's.
    pub origin: String,
    /// The cache proxy's.
    pub proxy: String,
    /// The file of the token that their control listeners ask for.
    pub token: PathBuf,
    /// How many replicas there are to be; as many as there are, where nothing is said.
    pub expected: Option<u16>,
}

impl StackNames {
    /// The stack that the arguments, or the environment, name; of no use where they say which lab it is to be.
    ///
    /// # Errors
    /// [`Failure`] where it is not three names.
    pub fn of(args: &RunArgs) -> Result<Option<Self>, Failure> {
        let Some(names) = args.stack.as_ref().filter(|_| args.lab == LabChoice::Auto && args.target.is_empty()) else {
            return Ok(None);
        };
        let parts: Vec<&str> = names.split(',').map(str::trim).collect();
        let [replicas, origin, proxy] = *parts.as_slice() else {
            return Err(Failure::usage(format!(
                "no stack · --stack · found {names:?}, allowed three names: replicas, origin and cache proxy · write app,origin,cache-proxy"
            )));
        };
        let [replicas, origin, proxy] = [replicas, origin, proxy].map(str::to_owned);
        Ok(Some(Self { replicas, origin, proxy, token: args.token_file.clone(), expected: args.replicas }))
    }
}
