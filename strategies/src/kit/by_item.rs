//! What differs from item to item: a value by the item's number.

use std::sync::Arc;

/// A value for each item: the usual one, or that of the item's group.
#[derive(Debug, Clone, PartialEq)]
pub struct ByItem<T> {
    /// Of items that are in no group.
    pub usual: T,
    /// Of the groups, the first being group 1.
    pub others: Vec<T>,
    /// Which item is in which.
    pub groups: ItemGroups,
}

/// Which group an item is in; 0 is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ItemGroups {
    /// No item is in one.
    #[default]
    None,
    /// By number: item numbers go round after `round` of them, and in each round `last` are the last numbers of group 0, 1, and so on.
    Blocks {
        /// After how many numbers the groups come again, at least 1.
        round: u32,
        /// Ascending.
        last: Vec<u32>,
    },
    /// One by one, from item 1 on; items beyond its end are in none.
    Listed(Arc<[u32]>),
}

impl ItemGroups {
    /// The group of an item, numbered from 1; 0 for none.
    #[must_use]
    pub fn of(&self, item: u32) -> usize {
        let at = item.saturating_sub(1);
        match self {
            Self::None => 0,
            Self::Blocks { round, last } => {
                let number = at % (*round).max(1) + 1;
                last.partition_point(|last| *last < number)
            }
            Self::Listed(groups) => groups.get(at as usize).map_or(0, |group| *group as usize),
        }
    }
}

impl<T> ByItem<T> {
    /// An item's value.
    #[must_use]
    pub fn of(&self, item: u32) -> &T {
        let group = self.groups.of(item);
        group.checked_sub(1).and_then(|other| self.others.get(other)).unwrap_or(&self.usual)
    }

    /// Every value that an item may have, the usual one first.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.usual).chain(&self.others)
    }

    /// Another value in the place of each.
    #[must_use]
    pub fn map<U>(&self, mut to: impl FnMut(&T) -> U) -> ByItem<U> {
        let usual = to(&self.usual);
        ByItem { usual, others: self.others.iter().map(to).collect(), groups: self.groups.clone() }
    }
}

/// The same for every item.
impl<T> From<T> for ByItem<T> {
    fn from(usual: T) -> Self {
        Self { usual, others: Vec::new(), groups: ItemGroups::None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_its_group_s_value() {
        let of = |groups: &ItemGroups, items: &[u32]| items.iter().map(|item| groups.of(*item)).collect::<Vec<_>>();
        assert_eq!(of(&ItemGroups::None, &[0, 1, u32::MAX]), [0, 0, 0]);
        // Seven of none, two of the first, one of the second; and again.
        let blocks = ItemGroups::Blocks { round: 10, last: vec![7, 9, 10] };
        assert_eq!(of(&blocks, &[1, 7, 8, 9, 10, 11, 17, 18, 20]), [0, 0, 1, 1, 2, 0, 0, 1, 2]);
        let listed = ItemGroups::Listed(Arc::from([2, 0, 1]));
        assert_eq!(of(&listed, &[1, 2, 3, 4]), [2, 0, 1, 0]);

        let values = ByItem { usual: 'a', others: vec!['b'], groups: listed };
        let text: String = (0..5).map(|item| *values.of(item)).collect();
        assert_eq!(text, "aaaba", "a group that has no value has the usual one, and so has what is no item");
        assert_eq!(values.map(|letter| letter.to_ascii_uppercase()).values().collect::<String>(), "AB");
        assert_eq!(*ByItem::from(7).of(3), 7);
    }
}
