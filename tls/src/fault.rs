//! Why an encrypted connection did not come about, or ended: by cause, because each has another remedy.

use std::fmt;
use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// What every sentence about it begins with.
pub const NO_TLS: &str = "no TLS, ";
/// The longest detail that is passed on: some of it is the server's.
const DETAIL_MAX: usize = 200;

/// Why there is no encrypted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFault {
    /// The cause.
    pub cause: TlsCause,
    /// What was found, in the library's words; empty where the cause says all.
    detail: String,
}

/// The causes that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsCause {
    /// The server's certificate is by an authority that is not trusted.
    Authority,
    /// The server's certificate is for another name.
    Name,
    /// The server's certificate is not valid any more, or not yet.
    Time,
    /// The server wants a certificate of ours, and there is none.
    OwnMissing,
    /// The server does not take our certificate.
    OwnRefused,
    /// The server speaks without TLS.
    Plain,
    /// The connection was closed while it was made.
    Cut,
    /// Anything else.
    Other,
}

impl TlsCause {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Authority,
        Self::Name,
        Self::Time,
        Self::OwnMissing,
        Self::OwnRefused,
        Self::Plain,
        Self::Cut,
        Self::Other,
    ];

    /// The cause in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Authority => "the server's certificate is by no trusted authority",
            Self::Name => "the server's certificate is for another name",
            Self::Time => "the server's certificate is not valid now",
            Self::OwnMissing => "the server wants a certificate of ours",
            Self::OwnRefused => "the server does not take our certificate",
            Self::Plain => "the server speaks without it",
            Self::Cut => "the connection was closed in the handshake",
            Self::Other => "the handshake failed",
        }
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(why) => match why {
                CertificateError::UnknownIssuer => Self::Authority,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::Name,
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::Time,
                _ => Self::Other,
            },
            Error::AlertReceived(alert) => match alert {
                AlertDescription::CertificateRequired | AlertDescription::NoCertificate => Self::OwnMissing,
                AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied => Self::OwnRefused,
                _ => Self::Other,
            },
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::Plain,
            _ => Self::Other,
        }
    }
}

impl TlsFault {
    /// Of a cause that says all.
    #[must_use]
    pub const fn of(cause: TlsCause) -> Self {
        Self { cause, detail: String::new() }
    }

    pub(crate) fn told(error: &Error) -> Self {
        let detail = error.to_string();
        let detail = detail.chars().filter(|c| !c.is_control()).take(DETAIL_MAX).collect();
        Self { cause: TlsCause::of(error), detail }
    }

    /// The cause of a stream's error, where it is one of TLS.
    #[must_use]
    pub fn found(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    pub(crate) fn into_io(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.cause.words();
        if self.detail.is_empty() {
            write!(f, "{NO_TLS}{words}")
        } else {
            write!(f, "{NO_TLS}{words}: {}", self.detail)
        }
    }
}

impl std::error::Error for TlsFault {}
