//! Why there is no diagnosis: what was found, what is allowed, and the remedy. The address is told by whoever has it without its secrets.

use std::time::Duration;

use crate::escape;

/// Why a server could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiagnoseError {
    /// The address cannot be used.
    #[error("{0} · write redis://HOST:PORT or redis+unix:///PATH")]
    Address(String),
    /// No connection: nobody listens, no such host, no route.
    #[error("found: {0} · start it, or check host and port")]
    Unreachable(String),
    /// It does not answer.
    #[error("found: no answer to {asked} within {limit:?} · is it stopped, paused, or busy with one long command?")]
    Silent {
        /// The command that was waited for.
        asked: String,
        /// How long.
        limit: Duration,
    },
    /// It closed the connection.
    #[error(
        "found: the connection was closed at {asked} · its log may say why; CLIENT KILL and a restart do that, too; a port for TLS \
         needs rediss://"
    )]
    Closed {
        /// The command that was waited for.
        asked: String,
    },
    /// It speaks another protocol.
    #[error(
        "found: an answer that is not Redis' protocol: {0:?} · check host and port; a port for TLS needs rediss://"
    )]
    NotRedis(String),
    /// More than is read.
    #[error("found: {found} in the answer to {asked}, allowed {allowed} · is it a Redis?")]
    TooLarge {
        /// The command.
        asked: String,
        /// What came.
        found: String,
        /// What is read.
        allowed: String,
    },
    /// It refused what nothing can be done without.
    #[error("found: {said} · {remedy}", remedy = remedy(said))]
    Refused {
        /// Its own words.
        said: String,
    },
    /// The encrypted connection did not come about.
    #[error("found: {0} · check --tls-ca, --tls-cert, --tls-key, --tls-name and the name in the address")]
    Tls(String),
    /// A command that is not on the list. It was not sent.
    #[error("found: {0}, which is not on the list of allowed commands · this is a bug: nothing was sent")]
    NotAllowed(String),
}

/// What a server's sentence begins with, or has in it, and what is to be done: the first row that fits.
const REMEDIES: [(&str, &str); 12] = [
    ("NOAUTH", "give user and password: redis://USER:PASSWORD@HOST:PORT, or --password-file"),
    ("WRONGPASS", "check user and password"),
    ("without any password configured", "leave the password out: this server has none"),
    ("DENIED", "it answers only its own machine without a password: set one there"),
    ("max number of clients", "raise its maxclients, or close others' connections"),
    ("LOADING", "wait until it has loaded its data, and look again"),
    ("BUSY", "a script has been running for long: SCRIPT KILL ends it if it has written nothing"),
    ("NOPERM", "give the user the rights that docs/diagnose.md lists"),
    ("unknown command", "is the command renamed there? Nothing can be seen without it"),
    ("DB index", "check the number of the database in the address"),
    ("SELECT is not allowed", "a cluster has database 0 alone: leave the number out of the address"),
    ("MASTERDOWN", "it is a replica that has lost its primary: look at the primary"),
];

fn remedy(said: &str) -> &'static str {
    let fits = |(mark, _): &&(&str, &str)| said.contains(mark);
    REMEDIES.iter().find(fits).map_or("its log may say more", |(_, remedy)| remedy)
}

impl DiagnoseError {
    /// What the server said, as one line.
    #[must_use]
    pub fn refused(said: &[u8]) -> Self {
        Self::Refused { said: escape::sentence(said) }
    }
}
