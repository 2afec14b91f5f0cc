//! What went wrong with a request, by kind: `error_kinds` of a record counts them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// No answer within the request's time limit.
    Timeout,
    /// The connection ended before the answer did.
    Reset,
    /// What came is no HTTP.
    Protocol,
    /// The request could not be made.
    Request,
    /// The body ended before its end.
    BodyCut,
    /// More of a body than is read.
    BodyTooLarge,
    /// A body that is not the item that was asked for.
    WrongBody,
    /// A replica's answer that does not say how it was made.
    NoCacheStatus,
    /// No connection: none of the others.
    ConnectFailed,
    /// No connection: nobody listens there.
    ConnectRefused,
    /// No connection: it was ended at once.
    ConnectReset,
    /// No connection in time.
    ConnectTimeout,
    /// A connection that speaks no HTTP.
    ConnectHandshake,
    /// The generator had no file descriptors left.
    NoDescriptors,
    /// The generator had no local ports left.
    NoPorts,
    /// The generator had no memory for sockets.
    NoMemory,
    /// An answer with this HTTP status, which counts as a failure.
    Http(u16),
}

impl ErrorKind {
    /// Every kind but [`ErrorKind::Http`].
    const WITHOUT_A_NUMBER: [Self; 16] = [
        Self::Timeout,
        Self::Reset,
        Self::Protocol,
        Self::Request,
        Self::BodyCut,
        Self::BodyTooLarge,
        Self::WrongBody,
        Self::NoCacheStatus,
        Self::ConnectFailed,
        Self::ConnectRefused,
        Self::ConnectReset,
        Self::ConnectTimeout,
        Self::ConnectHandshake,
        Self::NoDescriptors,
        Self::NoPorts,
        Self::NoMemory,
    ];

    /// Whether no connection to the server came about, so that it never saw the request.
    #[must_use]
    pub const fn found_nobody(self) -> bool {
        matches!(
            self,
            Self::ConnectFailed
                | Self::ConnectRefused
                | Self::ConnectReset
                | Self::ConnectTimeout
                | Self::ConnectHandshake
        )
    }

    /// Whether a write that failed so may have been committed all the same: a replica's own failure (502, 504) says only that it does not
    /// know, a refusal (503) that it was not tried.
    #[must_use]
    pub const fn may_have_taken_effect(self) -> bool {
        match self {
            Self::Timeout | Self::Reset | Self::Protocol | Self::BodyCut | Self::BodyTooLarge => true,
            Self::Http(status) => status >= 500 && status != 503,
            _ => false,
        }
    }

    /// Whether another attempt may do better: after a server's failure, a time-out, a broken connection. A wrong body would be taken
    /// for a good one by any client that does not know better.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Timeout | Self::Reset | Self::BodyCut | Self::Protocol | Self::Http(500..=599))
            || self.found_nobody()
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Request => "request",
            Self::BodyCut => "body-cut",
            Self::BodyTooLarge => "body-too-large",
            Self::WrongBody => "wrong-body",
            Self::NoCacheStatus => "no-cache-status",
            Self::ConnectFailed => "connect-failed",
            Self::ConnectRefused => "connect-refused",
            Self::ConnectReset => "connect-reset",
            Self::ConnectTimeout => "connect-timeout",
            Self::ConnectHandshake => "connect-handshake",
            Self::NoDescriptors => "generator-no-descriptors",
            Self::NoPorts => "generator-no-ports",
            Self::NoMemory => "generator-no-memory",
            Self::Http(status) => return write!(f, "http-{status}"),
        })
    }
}

/// As its text.
impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ErrorKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let plain = Self::WITHOUT_A_NUMBER.into_iter().find(|kind| kind.to_string() == text);
        let http = || text.strip_prefix("http-")?.parse().ok().map(Self::Http);
        plain.or_else(http).ok_or_else(|| de::Error::custom("found another kind of error than there are"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_from_its_text() {
        for kind in ErrorKind::WITHOUT_A_NUMBER.into_iter().chain([ErrorKind::Http(503)]) {
            let text = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<ErrorKind>(&text).unwrap(), kind, "{text}");
        }
        assert!(serde_json::from_str::<ErrorKind>("\"http-99999\"").is_err());
    }
}
