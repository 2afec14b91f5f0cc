//! How somebody else's server is asked: by which method, with which headers, over TLS or not; and which header says how an answer was made.

use std::sync::Arc;

use hyper::{HeaderMap, Method};
use strategies::Outcome;
#[cfg(feature = "labs")]
use tls::client::TlsClient;

use super::cache_status::{self, SaidOutcome};
use super::outcome_words::OutcomeHeader;

/// How a server is asked.
#[derive(Debug, Clone, Default)]
pub struct Asks {
    /// GET or HEAD.
    pub method: Method,
    /// Sent with each request; their values are never shown.
    pub headers: HeaderMap,
    /// The header whose word says how an answer was made; `Cache-Status` where none is named.
    pub outcome: Option<Arc<OutcomeHeader>>,
    /// What encrypts its connections, and the host's name.
    #[cfg(feature = "labs")]
    pub tls: Option<(TlsClient, String)>,
}

impl Asks {
    /// Whether connections are encrypted.
    #[cfg(feature = "labs")]
    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Without the labs none are.
    #[cfg(not(feature = "labs"))]
    pub(super) fn is_encrypted(&self) -> bool {
        false
    }

    /// How an answer with these headers was made, and by whose word.
    pub(super) fn told(&self, headers: &HeaderMap) -> Option<SaidOutcome> {
        match &self.outcome {
            Some(header) => {
                let said = |outcome: Outcome| SaidOutcome { outcome, cache: header.name().to_owned() };
                header.read(headers).map(said)
            }
            None => cache_status::told(headers),
        }
    }
}
