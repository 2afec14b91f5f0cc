//! A walk over a JSON document before anything is made of it: its numbers within their bounds, its lists, maps and texts no
//! longer than allowed, no name twice.
//!
//! Nothing is kept of what was walked over, so a hostile document costs no memory; what is wrong is said with its path.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::record::bounds::{NumberBound, TEXT_MAX, list_max};

/// Where the walk is: names, and numbers in lists.
#[derive(Default)]
pub(crate) struct DocumentPlace(Vec<Step>);

enum Step {
    Name(String),
    At(usize),
}

/// Walks over a document, or over one part of it.
pub(crate) struct DocumentWalk<'p>(pub(crate) &'p mut DocumentPlace);

impl DocumentPlace {
    fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        // A baseline's figures have their paths as their names.
        self.0
            .iter()
            .filter_map(|step| if let Step::Name(name) = step { Some(name.split('.')) } else { None })
            .flatten()
    }

    fn bound(&self) -> NumberBound {
        NumberBound::of(self.names())
    }

    fn refuse<T, E: Error>(&self, problem: &str) -> Result<T, E> {
        Err(E::custom(format!("{self}: {problem}")))
    }

    fn list_max(&self) -> usize {
        // A list in a list is named like the outer one.
        list_max(self.names().next_back().unwrap_or_default())
    }
}

impl fmt::Display for DocumentPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if at == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::At(number) => write!(f, "[{number}]")?,
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for DocumentWalk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DocumentWalk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, found: u64) -> Result<(), E> {
        self.0.bound().check_whole(found.into()).or_else(|problem| self.0.refuse(&problem))
    }

    fn visit_i64<E: Error>(self, found: i64) -> Result<(), E> {
        self.0.bound().check_whole(found.into()).or_else(|problem| self.0.refuse(&problem))
    }

    fn visit_f64<E: Error>(self, found: f64) -> Result<(), E> {
        self.0.bound().check(found).or_else(|problem| self.0.refuse(&problem))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.len() <= TEXT_MAX {
            return Ok(());
        }
        self.0.refuse(&format!("found a text of {} bytes, allowed {TEXT_MAX}", text.len()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let place = self.0;
        let most = place.list_max();
        let mut at = 0;
        loop {
            place.0.push(Step::At(at));
            let more = list.next_element_seed(DocumentWalk(place))?.is_some();
            place.0.pop();
            if !more {
                return Ok(());
            }
            at += 1;
            if at > most {
                return place.refuse(&format!("found more than {most} entries, allowed {most}"));
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (place, mut seen) = (self.0, HashSet::new());
        let most = place.list_max();
        while let Some(name) = map.next_key::<String>()? {
            if name.len() > TEXT_MAX {
                return place.refuse(&format!("found a name of {} bytes, allowed {TEXT_MAX}", name.len()));
            }
            // Of two values the reader must not choose one.
            if !seen.insert(name.clone()) {
                return place.refuse(&format!("{name:?} is there twice"));
            }
            if seen.len() > most {
                return place.refuse(&format!("found more than {most} names, allowed {most}"));
            }
            place.0.push(Step::Name(name));
            map.next_value_seed(DocumentWalk(place))?;
            place.0.pop();
        }
        Ok(())
    }
}
