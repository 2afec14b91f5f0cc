//! How long the entry of each key lives.

use crate::kit::by_item::{ByItem, ItemGroups};
use crate::port::entry::Life;
use crate::port::key::Key;

/// The lives of a strategy's entries, by item.
#[derive(Debug, Clone)]
pub(crate) struct EntryLives(pub(crate) ByItem<Life>);

impl EntryLives {
    /// That of a key, or of one of its copies.
    pub(crate) fn of(&self, key: &Key) -> Life {
        // Where all live alike, which is the most frequent case, no name is looked at.
        if self.0.groups == ItemGroups::None {
            return self.0.usual;
        }
        key.base().item().map_or(self.0.usual, |item| *self.0.of(item))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_copy_lives_as_long_as_its_key() {
        let life = |seconds| Life::new(Duration::from_secs(seconds), Duration::ZERO);
        let groups = ItemGroups::Listed(std::sync::Arc::from([0, 1]));
        let lives = EntryLives(ByItem { usual: life(5), others: vec![life(60)], groups });
        let key = Key::of_item(2);
        for (key, seconds) in
            [(Key::of_item(1), 5), (key.clone(), 60), (key.copy(3, "-9"), 60), (Key::new("health").unwrap(), 5)]
        {
            assert_eq!(lives.of(&key), life(seconds), "{key}");
        }
    }
}
