//! Why a shared cache cannot be used: the operation, the server's own sentence, and the cause that it stands for.

use serde::{Deserialize, Serialize};

/// What a shared cache refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What it was asked for: `put`, `acquire` …
    pub operation: String,
    /// What it said, or how it was silent: one line.
    pub said: String,
    /// Why.
    pub cause: RefusalCause,
}

/// The causes that are told apart, because each has another remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCause {
    /// A replica of another server, which takes no writes.
    ReadOnly,
    /// No memory left for a write.
    Full,
    /// No writes because its snapshots fail.
    Unsaved,
    /// A command that it has not, or has under another name.
    NoCommand,
    /// The user may not use a command.
    CommandDenied,
    /// The user may not use the lab's keys.
    KeyDenied,
    /// The user may not use the lab's channels.
    ChannelDenied,
    /// A node of a cluster, which has only some of the keys.
    Cluster,
    /// No room for another connection.
    TooManyClients,
    /// It reads its data from disk.
    Loading,
    /// It wants a password.
    PasswordMissing,
    /// It wants another password or user.
    PasswordWrong,
    /// It answers no client from elsewhere without a password.
    Protected,
    /// It speaks something else.
    NotRedis,
    /// It took the connection and said nothing.
    Silent,
    /// Its certificate is by an authority that is not trusted here.
    AuthorityUnknown,
    /// Its certificate is for another name.
    NameWrong,
    /// It wants a certificate of the client's, or another.
    CertificateWanted,
    /// It speaks without TLS.
    PlainText,
    /// It speaks TLS alone.
    TlsWanted,
    /// Any other reason for which there is no encrypted connection.
    TlsFailed,
    /// Nobody listens there.
    Nobody,
    /// It closed the connection without a word.
    Gone,
    /// Anything else that it said.
    Other,
}

/// What a server's sentence begins with, or has in it, and what that stands for. The first row that fits.
const SAID: [(&str, RefusalCause); 27] = [
    ("no TLS, the server's certificate is by no trusted authority", RefusalCause::AuthorityUnknown),
    ("no TLS, the server's certificate is for another name", RefusalCause::NameWrong),
    ("no TLS, the server wants a certificate of ours", RefusalCause::CertificateWanted),
    ("no TLS, the server does not take our certificate", RefusalCause::CertificateWanted),
    ("no TLS, the server speaks without it", RefusalCause::PlainText),
    ("no TLS, ", RefusalCause::TlsFailed),
    (WANTS_TLS, RefusalCause::TlsWanted),
    ("READONLY", RefusalCause::ReadOnly),
    ("MASTERDOWN", RefusalCause::ReadOnly),
    ("OOM", RefusalCause::Full),
    ("MISCONF", RefusalCause::Unsaved),
    ("unknown command", RefusalCause::NoCommand),
    ("channel", RefusalCause::ChannelDenied),
    ("key", RefusalCause::KeyDenied),
    ("NOPERM", RefusalCause::CommandDenied),
    ("executing the script", RefusalCause::CommandDenied),
    ("MOVED", RefusalCause::Cluster),
    ("ASK", RefusalCause::Cluster),
    ("CLUSTERDOWN", RefusalCause::Cluster),
    ("CROSSSLOT", RefusalCause::Cluster),
    ("max number of clients", RefusalCause::TooManyClients),
    ("LOADING", RefusalCause::Loading),
    ("NOAUTH", RefusalCause::PasswordMissing),
    ("WRONGPASS", RefusalCause::PasswordWrong),
    ("without any password configured", RefusalCause::PasswordWrong),
    ("DENIED", RefusalCause::Protected),
    (NOBODY, RefusalCause::Nobody),
];

/// What is said where nobody listens.
pub(crate) const NOBODY: &str = "nobody listens there";
/// What is said of a server that answers in TLS and is asked without.
pub(crate) const WANTS_TLS: &str = "the server speaks TLS alone";
/// What is said of an answer in another protocol.
pub(crate) const NO_REPLY: &str = "an answer that is not Redis' protocol";

impl Refused {
    /// An operation that was refused with a sentence.
    #[must_use]
    pub fn at(operation: &str, said: &str) -> Self {
        Self { operation: operation.to_owned(), said: said.to_owned(), cause: RefusalCause::of(said) }
    }
}

impl RefusalCause {
    /// Of a server's sentence.
    #[must_use]
    pub fn of(said: &str) -> Self {
        let denied = said.starts_with("NOPERM") || said.contains("executing the script");
        let fits = |(mark, cause): &&(&str, Self)| match cause {
            // Ordinary words: of a right only where it is about rights.
            Self::ChannelDenied | Self::KeyDenied => denied && said.contains(mark),
            _ if mark.starts_with(char::is_uppercase) => said.starts_with(mark),
            _ => said.contains(mark),
        };
        if said.starts_with(NO_REPLY) {
            return Self::NotRedis;
        }
        SAID.iter().find(fits).map_or(Self::Other, |(_, cause)| *cause)
    }

    /// Whether it may work a moment later.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Silent | Self::Nobody | Self::Gone | Self::Loading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentences of Redis 7.0 and, where they differ, of 7.2.
    #[test]
    fn a_servers_sentence_stands_for_a_cause() {
        for (said, cause) in [
            ("READONLY You can't write against a read only replica.", RefusalCause::ReadOnly),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                RefusalCause::ReadOnly,
            ),
            ("OOM command not allowed when used memory > 'maxmemory'.", RefusalCause::Full),
            (
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
                RefusalCause::Unsaved,
            ),
            ("ERR unknown command 'EVALSHA', with args beginning with: 'key'", RefusalCause::NoCommand),
            ("NOPERM this user has no permissions to run the 'eval' command", RefusalCause::CommandDenied),
            ("NOPERM User lab has no permissions to run the 'eval' command", RefusalCause::CommandDenied),
            (
                "NOPERM this user has no permissions to access one of the keys used as arguments",
                RefusalCause::KeyDenied,
            ),
            ("NOPERM No permissions to access a key", RefusalCause::KeyDenied),
            ("NOPERM No permissions to access a channel", RefusalCause::ChannelDenied),
            (
                "ERR The user executing the script can't run this command or subcommand script: x",
                RefusalCause::CommandDenied,
            ),
            (
                "ERR The user executing the script can't access at least one of the keys mentioned",
                RefusalCause::KeyDenied,
            ),
            ("CLUSTERDOWN Hash slot not served", RefusalCause::Cluster),
            ("MOVED 9189 127.0.0.1:7001", RefusalCause::Cluster),
            ("ERR max number of clients reached", RefusalCause::TooManyClients),
            ("LOADING Redis is loading the dataset in memory", RefusalCause::Loading),
            ("NOAUTH Authentication required.", RefusalCause::PasswordMissing),
            ("WRONGPASS invalid username-password pair or user is disabled.", RefusalCause::PasswordWrong),
            (
                "ERR AUTH <password> called without any password configured for the default user.",
                RefusalCause::PasswordWrong,
            ),
            ("DENIED Redis is running in protected mode because protected mode is enabled", RefusalCause::Protected),
            ("an answer that is not Redis' protocol: HTTP/1.1 400 Bad Request", RefusalCause::NotRedis),
            ("nobody listens there", RefusalCause::Nobody),
            ("the server speaks TLS alone", RefusalCause::TlsWanted),
            ("ERR DB index is out of range", RefusalCause::Other),
        ] {
            assert_eq!(RefusalCause::of(said), cause, "{said}");
        }
    }
}
