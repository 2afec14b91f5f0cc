//! Events as text: reading them, and writing them back.
//!
//! A field that an action would ignore is refused, because it would make a scenario say something that does not happen.

use std::fmt::Write as _;
use std::time::Duration;

use super::{ACTIONS, Action, ActionField, ActionKind, MigrationWay, ReplicaTarget, ScenarioEvent};
use crate::schema::nearest::did_you_mean;
use crate::schema::source::safe;
use crate::schema::walk::{Fields, Walk};
use crate::values::keys::Keys;
use strategies::units::{DURATION, duration_text};

const FACTOR_MAX: f64 = 1000.0;
const LENGTH_MAX: Duration = Duration::from_secs(24 * 3600);
const ADDED_MAX: Duration = Duration::from_secs(60);
/// Keys that a server grows by at once: with values of a KiB, ten gigabytes.
const KEYS_MAX: u32 = 10_000_000;
/// Slots that move at once: a cluster has 16 384, and some of them stay.
const SLOTS_MAX: u32 = 8_192;
/// The last replica that can be named; how many there are is known at the run.
const REPLICA_MAX: u32 = 999;
const NS: Duration = Duration::from_nanos(1);

impl ScenarioEvent {
    /// Reads one event; `end` is the run's duration and `keys` its keys, where they are known.
    pub(crate) fn read(
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        end: Option<Duration>,
        keys: Option<&Keys>,
    ) -> Option<Self> {
        let at = walk.quantity(fields, "at", &DURATION, Duration::ZERO..=LENGTH_MAX, None);
        if let (Some(at), Some(end), Some(node)) = (at, end, fields.get("at"))
            && at >= end
        {
            let allowed = format!("less than the duration, {}", duration_text(end));
            walk.refuse(
                node,
                "the event comes after the end of the run",
                &allowed,
                "move it earlier, or lengthen the run",
            );
        }
        let action = read_action(walk, fields, keys)?;
        Some(Self { at: at?, action })
    }

    /// The replica that the event names by number.
    #[must_use]
    pub fn replica(&self) -> Option<u32> {
        match self.action.target {
            Some(ReplicaTarget::Replica(number)) => Some(number),
            Some(ReplicaTarget::LockHolder) | None => None,
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        let Action { kind, length, factor, added, share, target, key, keys, slots, how } = self.action;
        let _ = writeln!(out, "\n[[event]]\nat = \"{}\"\ndo = \"{}\"", duration_text(self.at), kind.row().word);
        for field in ActionField::ALL.into_iter().filter(|field| kind.row().has(*field)) {
            let value = match field {
                ActionField::Key => key.map(|key| key.to_string()),
                ActionField::Keys => Some(keys.to_string()),
                ActionField::Target => target.map(|target| format!("\"{target}\"")),
                ActionField::Factor => Some(format!("{factor:?}")),
                ActionField::Add => Some(format!("\"{}\"", duration_text(added))),
                ActionField::Share => (share < 1.0).then(|| format!("{share:?}")),
                ActionField::For => (!length.is_zero()).then(|| format!("\"{}\"", duration_text(length))),
                ActionField::Slots => (slots > 0).then(|| slots.to_string()),
                ActionField::How => Some(format!("\"{}\"", how.word())),
            };
            if let Some(value) = value {
                let _ = writeln!(out, "{} = {value}", field.name());
            }
        }
    }
}

/// Reads what is done and its fields, and refuses those that it would ignore. `None` if one of them is missing or wrong.
fn read_action(walk: &mut Walk<'_>, fields: &Fields<'_>, keys: Option<&Keys>) -> Option<Action> {
    let words: Vec<(&'static str, ActionKind)> = ACTIONS.iter().map(|row| (row.word, row.kind)).collect();
    let row = walk.word(fields, "do", &words, None)?.row();
    let mut action = Action::new(row.kind);
    let mut whole = true;
    for field in ActionField::ALL.into_iter().rev() {
        let name = field.name();
        if !row.has(field) {
            let takers: Vec<&str> = ACTIONS.iter().filter(|row| row.has(field)).map(|row| row.word).collect();
            walk.foreign(fields, &[name], &format!("with do = {}", takers.join(", ")));
        } else if row.needs.contains(&field) || fields.has(name) {
            whole &= read_field(walk, fields, keys, field, &mut action).is_some();
        }
    }
    if row.kind == ActionKind::ClusterMigrate && fields.has("slots") == fields.has("key") {
        let found = if fields.has("key") { "both are there" } else { "neither is there" };
        let node = fields.get("do")?;
        walk.refuse(node, format!("which slots move: {found}"), "slots = 1000, or key = 1", "write one of the two");
        return None;
    }
    whole.then_some(action)
}

fn read_field(
    walk: &mut Walk<'_>,
    fields: &Fields<'_>,
    keys: Option<&Keys>,
    field: ActionField,
    action: &mut Action,
) -> Option<()> {
    let name = field.name();
    match field {
        ActionField::For => action.length = walk.quantity(fields, name, &DURATION, NS..=LENGTH_MAX, None)?,
        ActionField::Add => action.added = walk.quantity(fields, name, &DURATION, NS..=ADDED_MAX, None)?,
        ActionField::Factor => {
            let allowed = format!("more than 1, at most {FACTOR_MAX}");
            action.factor = walk.number(fields, name, &allowed, |factor| factor > 1.0 && factor <= FACTOR_MAX)?;
        }
        ActionField::Share => {
            let allowed = "more than 0, at most 1";
            action.share = walk.number(fields, name, allowed, |share| share > 0.0 && share <= 1.0)?;
        }
        ActionField::Target => action.target = Some(read_target(walk, fields)?),
        ActionField::Slots => action.slots = walk.integer(fields, name, 1..=SLOTS_MAX, None)?,
        ActionField::How => action.how = walk.word(fields, name, &MigrationWay::WORDS, None)?,
        ActionField::Keys => action.keys = walk.integer(fields, name, 1..=KEYS_MAX, None)?,
        ActionField::Key => {
            action.key = Some(walk.integer(fields, name, 1..=keys.map_or(u32::MAX, Keys::last), None)?)
        }
    }
    Some(())
}

fn read_target(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<ReplicaTarget> {
    let text = walk.text(fields, "target", "replica-2")?;
    let number = text.strip_prefix("replica-").and_then(|number| number.parse().ok());
    match (text.as_str(), number) {
        ("lock-holder", _) => return Some(ReplicaTarget::LockHolder),
        (_, Some(number)) if number <= REPLICA_MAX => return Some(ReplicaTarget::Replica(number)),
        _ => {}
    }
    if let Some(node) = fields.get("target") {
        let guess = did_you_mean(&text, ["lock-holder", "replica-0"]);
        let what = format!("unknown target `{}`{guess}", safe(&text, 60));
        walk.refuse(node, what, "replica-0, replica-1, … or lock-holder", "name a replica by its number, from 0");
    }
    None
}
