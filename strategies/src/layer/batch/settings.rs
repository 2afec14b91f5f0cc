//! What the row of `batch` says.

/// How several items are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchMode {
    Mget,
    Pipeline,
    Sequential,
    Slots,
}
