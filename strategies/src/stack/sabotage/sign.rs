//! The early trigger: XFetch with the sign of its logarithm turned.

use super::BrokenInfo;
use crate::policy::Early;

pub(super) const XFETCH_SIGN: BrokenInfo = BrokenInfo {
    name: "broken-xfetch-sign",
    composition: "xfetch + lock",
    reason: "it never fires: ln(u) is negative, so adding δ·β·ln(u) moves away from the expiry",
    mistake: "copies of the formula that drop the minus in front of δ·β·ln(u)",
    sabotage: |parts| {
        if let Early::XFetch { beta, .. } = &mut parts.early {
            *beta = -*beta;
        }
    },
};
