//! An encrypted connection to a server, for every room that makes one: what the files must hold, the handshake, and why there is none.
//!
//! | idea | where |
//! |---|---|
//! | files of authorities, a certificate, its key; what is wrong with one | [`files`] |
//! | the handshake, and the stream that comes of it | [`client`] |
//! | why there is no encrypted connection, by cause | [`fault`] |
//! | a certificate that nobody checks, where an option says so | `unchecked` |
//!
//! By rustls with ring, which is named here and is nobody's default: no library of the system, no cmake. Nothing that a file holds is
//! ever said: a sentence has its path, and what it should have been.

pub mod client;
pub mod fault;
pub mod files;
mod unchecked;
