//! What the generator itself ran out of while it made a connection. It is no fault of a server's, so it has error kinds of its
//! own, and a run with any of them is invalid.

use evidence::ErrorKind;
use rustix::io::Errno;

/// A thing that the generator's machine did not give it.
struct Lack {
    kind: ErrorKind,
    errors: &'static [Errno],
    /// In a sentence, with the remedy.
    words: &'static str,
}

const LACKS: [Lack; 3] = [
    Lack {
        kind: ErrorKind::NoDescriptors,
        errors: &[Errno::MFILE, Errno::NFILE],
        words: "file descriptors: raise the hard limit (ulimit -Hn), or ask for less load",
    },
    Lack {
        kind: ErrorKind::NoPorts,
        errors: &[Errno::ADDRNOTAVAIL],
        words: "local ports: widen net.ipv4.ip_local_port_range, or ask for less load",
    },
    Lack {
        kind: ErrorKind::NoMemory,
        errors: &[Errno::NOMEM, Errno::NOBUFS],
        words: "memory for sockets: give the machine more, or ask for less load",
    },
];

/// The error kind of a connection that could not be made because the generator lacked something.
pub(super) fn kind(error: &std::io::Error) -> Option<ErrorKind> {
    let error = Errno::from_io_error(error)?;
    LACKS.iter().find(|lack| lack.errors.contains(&error)).map(|lack| lack.kind)
}

/// What the generator lacked, and the remedy, where an error kind is one of these.
#[must_use]
pub fn in_words(kind: &str) -> Option<&'static str> {
    LACKS.iter().find(|lack| lack.kind.to_string() == kind).map(|lack| lack.words)
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::*;

    #[test]
    fn what_the_generator_lacks_is_not_the_servers_fault() {
        for (errno, expected) in [
            (Errno::MFILE, Some(ErrorKind::NoDescriptors)),
            (Errno::NFILE, Some(ErrorKind::NoDescriptors)),
            (Errno::ADDRNOTAVAIL, Some(ErrorKind::NoPorts)),
            (Errno::NOMEM, Some(ErrorKind::NoMemory)),
            (Errno::NOBUFS, Some(ErrorKind::NoMemory)),
            (Errno::CONNREFUSED, None),
            (Errno::CONNRESET, None),
            (Errno::HOSTUNREACH, None),
        ] {
            let kind = kind(&Error::from_raw_os_error(errno.raw_os_error()));
            assert_eq!(kind, expected, "{errno}");
            let said = kind.map(|kind| kind.to_string());
            assert_eq!(said.as_deref().and_then(in_words).is_some(), expected.is_some());
        }
        assert_eq!(in_words("connect-refused"), None);
    }
}
