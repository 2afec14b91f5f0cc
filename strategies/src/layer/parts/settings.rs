//! What the row of `parts` says.

/// How many keys an item lies in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartsLayer {
    /// Parts of each item, at least 2.
    pub(super) n: u32,
    /// How many of them a request reads, 1 to `n`.
    pub(super) read: u32,
}

impl PartsLayer {
    /// Whether a request reads some of them only.
    pub(crate) fn reads_some(self) -> bool {
        self.read < self.n
    }
}
