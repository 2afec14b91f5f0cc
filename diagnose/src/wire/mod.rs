//! The conversation with a server: its address, its protocol, and limits of time and size for all that it says.

pub mod link;
pub mod resp;
pub mod target;
