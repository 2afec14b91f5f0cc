//! The resolved copy: a scenario written out with every default, which reads back as the same scenario.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::scenario::{Scenario, Warm};
use crate::schema::parse::SCHEMA;
use crate::schema::quoted::quoted;
use strategies::units::duration_text;

impl Scenario {
    /// The scenario as TOML, every default written out, every quantity with its unit. Parsing it gives an equal scenario,
    /// and so the same plan.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out =
            "# A resolved scenario: every default is written out, and running it again gives the same plan.\n"
                .to_owned();
        let strategies: Vec<String> = self.strategies.iter().map(|text| quoted(text)).collect();
        let _ = writeln!(out, "schema = {SCHEMA}");
        let _ = writeln!(out, "name = {}", quoted(&self.name));
        let _ = writeln!(out, "summary = {}", quoted(&self.summary));
        let _ = writeln!(out, "strategies = [{}]", strategies.join(", "));
        out.push_str("\n[load]\n");
        if let Some(counting) = &self.counting {
            counting.write_load(&mut out);
        }
        self.load.write(&mut out);
        if let Some(counting) = &self.counting {
            counting.write_limit(&mut out);
        }
        out.push_str("\n[keys]\n");
        self.keys.write(&mut out);
        // A trace has its writes in itself.
        if let Some(writes) = self.writes.as_ref().filter(|_| self.load.trace().is_none()) {
            writes.write(&mut out);
        }
        let _ = writeln!(out, "\n[cache]\nttl = \"{}\"", duration_text(self.cache.ttl));
        self.cache.redis.write(&mut out);
        self.cache.simulated.write(&mut out);
        let origin = &self.origin;
        let write_every = duration_text(origin.write_every.unwrap_or_default());
        let _ = writeln!(out, "\n[origin]\nservice_time = {}", origin.service_time.toml());
        if let Some(time) = &origin.write_time {
            let _ = writeln!(out, "write_time = {}", time.toml());
        }
        let _ = writeln!(out, "concurrency = {}\nqueue = {}", origin.concurrency, origin.queue);
        let _ = writeln!(out, "write_every = \"{write_every}\"");
        let [replica, origin_read, lock_wait] =
            [self.budgets.replica, self.budgets.origin_read, self.budgets.lock_wait].map(duration_text);
        let _ = writeln!(
            out,
            "\n[budgets]\nreplica = \"{replica}\"\norigin_read = \"{origin_read}\"\nlock_wait = \"{lock_wait}\""
        );
        if let Some(slots) = &self.slots {
            crate::values::replica::write(slots, &mut out);
        }
        if let Some(warm) = self.warm {
            out.push_str("\n[warm]\nburst = \"all\"\n");
            if warm == Warm::BurstAged {
                out.push_str("ages = \"even\"\n");
            }
        }
        for event in &self.events {
            event.write(&mut out);
        }
        for threshold in &self.thresholds {
            threshold.write(&mut out);
        }
        out
    }

    /// Every resolved field that shapes what happens, by its dotted path (in a list by its number, `event.1.at`), as it is
    /// written in TOML but without quotes. Names, the list of strategies and thresholds shape nothing.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, String> {
        let toml = self.to_toml();
        let (mut settings, mut table) = (BTreeMap::new(), None);
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for line in toml.lines() {
            let inside = |open: &str, close: &str| line.strip_prefix(open)?.strip_suffix(close);
            if let Some(list) = inside("[[", "]]") {
                let count = counts.entry(list).or_default();
                *count += 1;
                table = (list != "threshold").then(|| format!("{list}.{count}"));
            } else if let Some(name) = inside("[", "]") {
                table = Some(name.to_owned());
            } else if let (Some(table), Some((field, value))) = (&table, line.split_once(" = ")) {
                settings.insert(format!("{table}.{field}"), value.trim_matches('"').to_owned());
            }
        }
        settings
    }
}
