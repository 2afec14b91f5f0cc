//! What a request asks for: an item, or several neighbours at once; and whether an answer's body is that.

use app::wire::item::{WrongBody, verify, verify_page};
use scenarios::Plan;

use super::site::Site;

/// The path of a request for a key.
pub(super) fn path(plan: &Plan, site: &Site, key: u32) -> String {
    if plan.batch() == 1 {
        return site.path(key);
    }
    let ids: Vec<String> = plan.page(key).map(|key| key.to_string()).collect();
    format!("/items?ids={}", ids.join(","))
}

/// The version of the item that a body is; `None` where it is several.
///
/// # Errors
/// [`WrongBody`] where it is not what was asked for.
pub(super) fn version(plan: &Plan, body: &[u8], key: u32) -> Result<Option<u64>, WrongBody> {
    if plan.batch() == 1 {
        return verify(body, &key.to_string()).map(Some);
    }
    verify_page(body, plan.page(key).map(|key| key.to_string())).map(|()| None)
}
