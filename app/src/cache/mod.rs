//! The shared cache of a real lab: Redis behind the ports, the proxy before it, and the entry's form in it.

pub mod cache_proxy;
pub mod cache_source;
pub mod envelope;
pub mod redis_cache;
pub mod redis_nodes;
pub mod redis_server;
