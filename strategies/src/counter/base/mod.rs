//! Bases: with which commands one increment is made.

mod get_set_incr;
mod incr_expire;
mod increx;
mod lua;
mod multi;
mod set_nx_incr;

pub(crate) use get_set_incr::GET_SET_INCR;
pub(crate) use incr_expire::INCR_EXPIRE;
pub(crate) use increx::INCREX;
pub(crate) use lua::LUA;
pub(crate) use multi::MULTI;
pub(crate) use set_nx_incr::SET_NX_INCR;
