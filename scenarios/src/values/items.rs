//! The items that the keys of a scenario are: how many there are, how long each is fresh, and how large it is.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use crate::scenario::Scenario;
use crate::values::classes::{ClassKeys, KeyClass, TTL_MAX, TTL_MIN};
use crate::values::keys::Keys;
use crate::values::recorded::TracedKeys;
use crate::values::size::{SizeLaw, VALUE_SIZE_MAX};
use strategies::time::nanos;
use strategies::{ByItem, ItemGroups};

impl Scenario {
    /// How long the cache keeps each item fresh.
    #[must_use]
    pub fn ttls(&self) -> ByItem<Duration> {
        let stated = |keys: &TracedKeys, at: usize| {
            let ns = keys.ttl_ns.get(at).copied().filter(|ns| *ns > 0)?;
            Some(Duration::from_nanos(ns).clamp(TTL_MIN, TTL_MAX))
        };
        self.keys.by_item(self.traced_keys(), self.cache.ttl, |class| class.ttl, stated)
    }

    /// How large the value of each item is.
    #[must_use]
    pub fn sizes(&self) -> ByItem<SizeLaw> {
        self.keys.sizes(self.traced_keys())
    }

    /// The longest TTL of any item; where a trace's rows say it and nobody read them, the longest that there may be.
    #[must_use]
    pub fn ttl_max(&self) -> Duration {
        if self.keys.from_rows.ttl && self.traced_keys().is_none() {
            return TTL_MAX;
        }
        self.ttls().values().copied().max().unwrap_or(self.cache.ttl)
    }

    /// The shortest TTL of any item, as far as it is known.
    #[must_use]
    pub fn ttl_min(&self) -> Duration {
        self.ttls().values().copied().min().unwrap_or(self.cache.ttl)
    }

    /// What was found of each key of a trace, where anything was asked for.
    fn traced_keys(&self) -> Option<&TracedKeys> {
        self.load.trace()?.rows.as_ref()?.keys()
    }

    /// In words, what of the stated TTLs and sizes lies outside of what an item may have; nothing where all fit.
    pub(crate) fn clamped(&self) -> Option<String> {
        let keys = self.traced_keys()?;
        let ttl = |ns: &&u64| **ns > 0 && !(nanos(TTL_MIN)..=nanos(TTL_MAX)).contains(*ns);
        let ttls = keys.ttl_ns.iter().filter(ttl).count();
        let sizes = keys.size.iter().filter(|size| **size > VALUE_SIZE_MAX).count();
        (ttls + sizes > 0).then(|| {
            format!(
                "of {} keys {ttls} have rows whose TTL lies outside of 1 ms to 24 h, and {sizes} whose size lies above 1 MiB: these have \
                 the nearest that is allowed",
                self.keys.n
            )
        })
    }
}

/// The values that there are beside the usual one, each with a number from 1 on.
struct ValueGroups<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for ValueGroups<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + Hash> ValueGroups<T> {
    fn number(&mut self, value: Option<T>, usual: T) -> u32 {
        let Some(value) = value.filter(|value| *value != usual) else { return 0 };
        let Self { values, numbers } = self;
        *numbers.entry(value).or_insert_with(|| {
            values.push(value);
            u32::try_from(values.len()).unwrap_or(u32::MAX)
        })
    }
}

impl Keys {
    /// How many keys are asked for at a time: the popularity laws' ranks.
    #[must_use]
    pub fn ranks(&self) -> u32 {
        self.classes.iter().fold(self.n, |all, class| all.saturating_add(class.n()))
    }

    /// How many keys exist, whenever they are asked for: 1 to so many.
    #[must_use]
    pub fn existing(&self) -> u32 {
        self.ranks().saturating_mul(self.generations)
    }

    /// Which numbers are in which class: those of no class first.
    fn blocks(&self) -> ItemGroups {
        let last = self.classes.iter().scan(self.n, |last, class| {
            let before = *last;
            *last = last.saturating_add(class.n());
            Some(before)
        });
        let mut last: Vec<u32> = last.collect();
        last.push(self.ranks());
        ItemGroups::Blocks { round: self.ranks(), last }
    }

    /// How many bytes all values are in the mean; of a trace with what was found of its keys.
    pub(crate) fn bytes(&self, traced: Option<&TracedKeys>) -> f64 {
        if traced.is_some() {
            let sizes = self.sizes(traced);
            return (1..=self.n).map(|item| sizes.of(item).mean()).sum();
        }
        let of = |n: u32, sizes: Option<SizeLaw>| f64::from(n) * sizes.unwrap_or(self.value_size).mean();
        let classes: f64 = self.classes.iter().map(|class| of(class.n(), class.value_size)).sum();
        (of(self.n, None) + classes) * f64::from(self.generations)
    }

    /// How large the value of each item is; of a trace with what was found of its keys.
    fn sizes(&self, traced: Option<&TracedKeys>) -> ByItem<SizeLaw> {
        let stated = |keys: &TracedKeys, at: usize| {
            let size = keys.size.get(at).copied().filter(|size| *size > 0)?;
            Some(SizeLaw::Constant(size.min(VALUE_SIZE_MAX)))
        };
        self.by_item(traced, self.value_size, |class| class.value_size, stated)
    }

    /// An item's value: what its rows state, else its class's, else the usual one.
    fn by_item<T: Copy + Eq + Hash>(
        &self,
        traced: Option<&TracedKeys>,
        usual: T,
        of_class: impl Fn(&KeyClass) -> Option<T>,
        stated: impl Fn(&TracedKeys, usize) -> Option<T>,
    ) -> ByItem<T> {
        let of_classes: Vec<Option<T>> = self.classes.iter().map(of_class).collect();
        let Some(traced) = traced else {
            return match of_classes.iter().any(Option::is_some) {
                true => ByItem {
                    usual,
                    others: of_classes.into_iter().map(|value| value.unwrap_or(usual)).collect(),
                    groups: self.blocks(),
                },
                false => usual.into(),
            };
        };
        let mut groups = ValueGroups::default();
        let listed: Vec<u32> = (0..self.n as usize)
            .map(|at| {
                let class = traced.class.get(at).and_then(|class| usize::from(*class).checked_sub(1));
                let of_class = || class.and_then(|class| of_classes.get(class).copied().flatten());
                groups.number(stated(traced, at).or_else(of_class), usual)
            })
            .collect();
        match groups.values.is_empty() {
            true => usual.into(),
            false => ByItem { usual, others: groups.values, groups: ItemGroups::Listed(Arc::from(listed)) },
        }
    }

    /// The regular expressions of the classes, in their order.
    pub(crate) fn patterns(classes: &[KeyClass]) -> Vec<String> {
        let pattern = |class: &KeyClass| match &class.which {
            ClassKeys::Named { pattern } => Some(pattern.clone()),
            ClassKeys::Drawn { .. } => None,
        };
        classes.iter().filter_map(pattern).collect()
    }
}
