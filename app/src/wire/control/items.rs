//! What differs from item to item, on the wire.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strategies::{ByItem, ItemGroups};

/// A value for each item: [`ByItem`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsWire<T> {
    /// Of items that are in no group.
    pub usual: T,
    /// Of the groups, from 1 on.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<T>,
    /// Which item is in which.
    #[serde(default, skip_serializing_if = "GroupsWire::is_none")]
    pub groups: GroupsWire,
}

/// Which group an item is in: [`ItemGroups`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupsWire {
    /// No item is in one.
    #[default]
    None,
    /// By number.
    Blocks {
        /// After how many numbers the groups come again.
        round: u32,
        /// The last number of each.
        last: Vec<u32>,
    },
    /// One by one.
    Listed(Vec<u32>),
}

impl GroupsWire {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl<T> From<T> for ItemsWire<T> {
    fn from(usual: T) -> Self {
        Self { usual, others: Vec::new(), groups: GroupsWire::None }
    }
}

impl<T> ItemsWire<T> {
    /// For the wire, where each value is what `to` makes of it.
    #[must_use]
    pub fn of<U>(items: &ByItem<U>, to: impl FnMut(&U) -> T) -> Self {
        let ByItem { usual, others, groups } = items.map(to);
        let groups = match groups {
            ItemGroups::None => GroupsWire::None,
            ItemGroups::Blocks { round, last } => GroupsWire::Blocks { round, last },
            ItemGroups::Listed(groups) => GroupsWire::Listed(groups.to_vec()),
        };
        Self { usual, others, groups }
    }

    /// From the wire, where each value is what `to` makes of it.
    #[must_use]
    pub fn read<U>(&self, mut to: impl FnMut(&T) -> U) -> ByItem<U> {
        let groups = match &self.groups {
            GroupsWire::None => ItemGroups::None,
            GroupsWire::Blocks { round, last } => ItemGroups::Blocks { round: *round, last: last.clone() },
            GroupsWire::Listed(groups) => ItemGroups::Listed(Arc::from(groups.as_slice())),
        };
        ByItem { usual: to(&self.usual), others: self.others.iter().map(to).collect(), groups }
    }
}
