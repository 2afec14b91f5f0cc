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
    /// How much of an item a request reads.
    pub(crate) fn share(self) -> f64 {
        f64::from(self.read) / f64::from(self.n)
    }
}
