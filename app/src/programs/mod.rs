//! The programs themselves: their command lines, and what each is until it ends. A binary is one of them, or all.

pub mod origin;
pub mod replica;
pub mod tools;
