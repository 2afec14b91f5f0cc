//! What is read of a server, in this order: what it says of itself, its settings and logs, a sample of its keys, and, where that is
//! asked for, the commands of others for a moment. Nothing is judged here.

pub mod fields;
pub mod keys;
pub mod logs;
pub mod monitor;
pub mod pattern;
mod read;
pub mod server;
pub mod unseen;

pub use read::look;
pub use server::{
    DiagnoseOptions, KEYS_THAT_SAY_SOMETHING, LOOK_LIMIT, MONITOR_MAX, SAMPLE_DEFAULT, SAMPLE_MAX, ServerLook,
};
