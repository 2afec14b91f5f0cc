//! Origin layers: each is an origin around the origin, so that whatever reads it (a request's own leader, a background
//! refresh) is held to the same bounds. They are a replica's own: none knows of the other replicas.
//!
//! Outside to inside: the breaker, the limit, the world's origin. A read that the breaker refuses takes no place in the
//! limit's queue, and what the limit refuses is no failure of the origin's.

mod breaker;
mod limit;
mod margin;
mod settings;

pub(crate) use breaker::BREAKER;
pub(crate) use limit::LIMIT;
pub(crate) use settings::LimitSettings;
