//! What a row says: three formats, one meaning.
//!
//! | format | a row |
//! |---|---|
//! | `csv` | `time_s,key[,op[,size[,ttl_s]]]`: decimal seconds, nothing rounded; a key with commas stands in quotes, which are doubled within it (RFC 4180, but for line breaks); the operation is `read` where none is said; a TTL of 0 is none |
//! | `twitter` | `timestamp,key,key size,value size,client,op,TTL` (github.com/twitter/cache-trace): whole seconds; the key may have commas; a TTL of 0 and the size 0 of a read are not stated |
//! | `combined` | nginx' and Apache's access log, the common one, too: `… [10/Oct/2026:13:55:36 -0700] "GET /items/7 HTTP/1.1" 200 2326 …`; whole seconds; the key is the path without its query where no expression says otherwise; GET and HEAD are reads, PUT, POST, PATCH and DELETE are writes, and rows with other methods, or whose request is none, are skipped; the size is what was sent |
//!
//! The operation's words are memcached's and those of every day: get, gets, read, head · set, put, write, add, replace, cas, append,
//! prepend · delete, del · incr, decr, increment, decrement, count.

mod combined;
mod csv;
mod detect;
mod fields;
mod parser;
mod twitter;

pub(crate) use detect::recognise;
pub use fields::TraceFormat;
pub(crate) use fields::{FieldRow, ParsedRow, SkipReason};
pub use parser::PATTERN_BYTES_MAX;
pub(crate) use parser::RowParser;
