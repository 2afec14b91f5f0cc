//! How a target is asked, as typed: its headers, its method, its TLS, and which header says how an answer was made.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How a target is asked.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetArgs {
    /// What the table and the record call the target, where `target` says too little
    #[arg(long, value_name = "NAME", requires = "target")]
    pub target_name: Option<String>,
    /// A header of each request to a target, may be repeated: 'Name: value', or @FILE with one in each line. A value on the command line
    /// is seen by whoever lists this machine's processes; one in a file, or in the lines of LAB_TARGET_HEADERS, is not
    #[arg(long = "header", value_name = "'NAME: VALUE'|@FILE", requires = "target")]
    pub headers: Vec<String>,
    /// The method of requests to a target
    #[arg(long, value_enum, default_value = "get", ignore_case = true)]
    pub method: MethodChoice,
    /// The header whose word says how an answer was made (X-Cache, CF-Cache-Status …); Cache-Status where nothing is said
    #[arg(long, value_name = "NAME", requires = "target")]
    pub outcome_header: Option<String>,
    /// With https://: certificates of the authorities that are trusted, PEM; the system's where none is named
    #[arg(long, value_name = "FILE", requires = "target")]
    pub target_ca: Option<PathBuf>,
    /// With https://: take any certificate, so that nobody knows who answers
    #[arg(long, requires = "target", conflicts_with = "target_ca")]
    pub target_insecure: bool,
}

/// A method that a cache answers from what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MethodChoice {
    /// The item
    #[default]
    Get,
    /// Its head alone; most caches read the whole item from their origin for it
    Head,
}
