//! INFO, CONFIG GET and CLUSTER INFO as fields: what is no number is no number, and what is not there is `None`.

use std::collections::BTreeMap;

use crate::wire::resp::RespReply;

/// The most fields that are kept.
const FIELDS_MAX: usize = 20_000;

/// The fields of `name:value` lines.
#[derive(Debug, Clone, Default)]
pub struct InfoFields(BTreeMap<String, String>);

/// What a database has, by the server's own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseCount {
    /// Its number.
    pub number: u32,
    /// Its keys.
    pub keys: u64,
    /// Those of them that have a TTL.
    pub with_ttl: u64,
}

/// A replica, as its primary tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaLine {
    /// `10.0.0.7:6379`.
    pub address: String,
    /// `online` where all is well.
    pub state: String,
    /// How far it is, in bytes of the replication stream.
    pub offset: Option<u64>,
    /// Seconds since it was heard of.
    pub lag_s: Option<u64>,
}

impl InfoFields {
    /// Reads a reply's text.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let fields = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'));
        Self(fields.take(FIELDS_MAX).map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
    }

    /// Whether the field is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The field's text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The field as a whole number from 0 on.
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// The field as a number from 0 on.
    #[must_use]
    pub fn real(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }

    /// A part of a field such as `calls=3,usec=12`.
    #[must_use]
    pub fn part<'a>(&'a self, name: &str, part: &str) -> Option<&'a str> {
        part_of(self.text(name)?, part)
    }

    /// How often a command was called, and how long a call took, in microseconds.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<(u64, f64)> {
        let field = format!("cmdstat_{name}");
        let per_call = self.part(&field, "usec_per_call")?.parse().ok().filter(|us: &f64| us.is_finite())?;
        Some((self.part(&field, "calls")?.parse().ok()?, per_call))
    }

    /// How often one of these commands was called.
    #[must_use]
    pub fn calls(&self, names: &[&str]) -> u64 {
        names.iter().filter_map(|name| self.command(name)).fold(0, |sum, (calls, _)| sum.saturating_add(calls))
    }

    /// How often an error was answered, by its first word; `None` where the server does not count (before 6.2).
    #[must_use]
    pub fn errors(&self) -> Option<BTreeMap<&str, u64>> {
        self.whole("total_error_replies")?;
        let mut errors = BTreeMap::new();
        for (name, value) in &self.0 {
            let Some(code) = name.strip_prefix("errorstat_") else { continue };
            let Some(count) = part_of(value, "count").and_then(|count| count.parse().ok()) else { continue };
            errors.insert(code, count);
        }
        Some(errors)
    }

    /// The databases that have keys.
    #[must_use]
    pub fn databases(&self) -> Vec<DatabaseCount> {
        let of = |(name, value): (&String, &String)| {
            let number = name.strip_prefix("db")?.parse().ok()?;
            let part = |part| part_of(value, part)?.parse().ok();
            let keys = part("keys")?;
            // No more can have one than are there.
            Some(DatabaseCount { number, keys, with_ttl: part("expires").unwrap_or(0).min(keys) })
        };
        self.0.iter().filter_map(of).collect()
    }

    /// The replicas.
    #[must_use]
    pub fn replicas(&self) -> Vec<ReplicaLine> {
        let of = |(name, value): (&String, &String)| {
            name.strip_prefix("slave")?.parse::<u32>().ok()?;
            let part = |part| part_of(value, part);
            Some(ReplicaLine {
                address: crate::escape::name(format!("{}:{}", part("ip")?, part("port")?).as_bytes()),
                state: crate::escape::name(part("state")?.as_bytes()),
                offset: part("offset").and_then(|text| text.parse().ok()),
                lag_s: part("lag").and_then(|text| text.parse().ok()),
            })
        };
        self.0.iter().filter_map(of).collect()
    }
}

fn part_of<'a>(value: &'a str, part: &str) -> Option<&'a str> {
    value.split(',').find_map(|one| one.strip_prefix(part)?.strip_prefix('='))
}

/// Settings.
#[derive(Debug, Clone, Default)]
pub struct ConfigFields(BTreeMap<String, String>);

impl ConfigFields {
    /// Takes the answer to one `CONFIG GET`: names and values by turns.
    pub fn take(&mut self, reply: &RespReply) {
        for pair in reply.list().unwrap_or_default().chunks_exact(2) {
            if let [RespReply::Text(name), RespReply::Text(value)] = pair {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                self.0.insert(text(name), text(value));
            }
        }
    }

    /// A setting's text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A setting as a whole number from 0 on.
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Whether a setting is `yes`; `None` where it is unknown.
    #[must_use]
    pub fn is_on(&self, name: &str) -> Option<bool> {
        Some(self.text(name)? == "yes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_nonsense_is_none() {
        let info = InfoFields::read(
            b"# Server\r\nredis_version:7.0.15\r\nused_memory:-5\r\nratio:nan\r\nmaxmemory:100\r\nbroken\r\n:\r\n\
              db0:keys=10,expires=99,avg_ttl=0\r\ndbx:keys=1\r\ndb1:keys=-1\r\ndb2:\r\n\
              slave0:ip=10.0.0.1,port=6379,state=online,offset=7,lag=-1\r\nslave_priority:100\r\n\
              total_error_replies:3\r\nerrorstat_OOM:count=2\r\nerrorstat_X:count=\r\n\
              cmdstat_keys:calls=2,usec=10,usec_per_call=5.00\r\n",
        );
        assert_eq!(info.text("redis_version"), Some("7.0.15"));
        assert_eq!((info.whole("used_memory"), info.real("ratio"), info.whole("maxmemory")), (None, None, Some(100)));
        assert_eq!(info.databases(), [DatabaseCount { number: 0, keys: 10, with_ttl: 10 }]);
        let replicas = info.replicas();
        assert_eq!((replicas.len(), replicas[0].offset, replicas[0].lag_s), (1, Some(7), None));
        assert_eq!(info.errors().unwrap().into_iter().collect::<Vec<_>>(), [("OOM", 2)]);
        assert_eq!((info.command("keys"), info.calls(&["keys", "get"])), (Some((2, 5.0)), 2));
        assert_eq!(InfoFields::read(b"\xff\xfe").whole("x"), None);
        assert_eq!(InfoFields::default().errors(), None);
    }
}
