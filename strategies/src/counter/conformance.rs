//! What any server of counters must do: one list of contract tests, run against the memory cache, the simulated one and a real Redis.

use std::sync::Arc;
use std::time::Duration;

use crate::port::key::Key;
use crate::port::{Clock, CounterCommand, CounterServer, HeldCounter};

/// What is checked: counters, and the clock by which their lives end.
#[derive(Clone)]
pub struct CounterSubject {
    /// The counters.
    pub counters: Arc<dyn CounterServer>,
    /// The clock by which lives end.
    pub clock: Arc<dyn Clock>,
    /// What the keys begin with.
    pub prefix: String,
    /// Whether it knows INCREX.
    pub increx: bool,
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(150);

impl CounterSubject {
    fn key(&self, name: &str) -> Key {
        Key::new(&format!("{}:{name}", self.prefix)).unwrap_or_else(|e| panic!("{e}"))
    }

    async fn say(&self, key: &Key, command: CounterCommand) -> Option<i64> {
        self.counters.command(key, command).await.unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    async fn held(&self, key: &Key) -> Option<HeldCounter> {
        self.counters.look(key).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A counter with that value, which ends within `most` and not much before.
    async fn ends(&self, key: &Key, value: i64, most: Duration) {
        let held = self.held(key).await.unwrap_or_else(|| panic!("{key} is not there"));
        let left = held.left.unwrap_or_else(|| panic!("{key} has no end"));
        assert_eq!(held.value, value);
        assert!(left <= most && left + Duration::from_secs(20) > most, "{key}: {left:?} of {most:?}");
    }

    async fn has_no_end(&self, key: &Key, value: i64) {
        assert_eq!(self.held(key).await, Some(HeldCounter { value, left: None }));
    }

    /// Everything below, in order.
    pub async fn check_all(&self) {
        self.single_commands_do_what_they_say().await;
        self.a_life_ends_and_an_increment_after_it_has_none().await;
        self.an_act_begins_a_window_once_and_keeps_its_end().await;
        self.a_key_without_an_end_gets_one_from_those_that_repair().await;
    }

    async fn single_commands_do_what_they_say(&self) {
        use CounterCommand::{Add, Expire, Read, Set, SetNew};
        let key = self.key("single");
        assert_eq!((self.say(&key, Read).await, self.held(&key).await), (None, None));
        assert_eq!(self.say(&key, Expire(LONG)).await, None, "nothing to give an end to");
        assert_eq!(self.say(&key, Add(3)).await, Some(3));
        self.has_no_end(&key, 3).await;
        assert_eq!(self.say(&key, Expire(LONG)).await, Some(1));
        assert_eq!(self.say(&key, Add(1)).await, Some(4));
        self.ends(&key, 4, LONG).await;
        assert_eq!(self.say(&key, SetNew(0, LONG * 2)).await, None, "it is there");
        self.ends(&key, 4, LONG).await;
        assert_eq!(self.say(&key, Set(1, LONG * 3)).await, Some(1), "whatever was there");
        self.ends(&key, 1, LONG * 3).await;
        assert_eq!(self.say(&key, Read).await, Some(1));
        let other = self.key("single-other");
        assert_eq!(self.say(&other, SetNew(0, LONG)).await, Some(0));
        self.ends(&other, 0, LONG).await;
    }

    async fn a_life_ends_and_an_increment_after_it_has_none(&self) {
        let key = self.key("ends");
        self.say(&key, CounterCommand::Set(7, SHORT)).await;
        self.clock.sleep(SHORT * 2).await;
        assert_eq!(self.say(&key, CounterCommand::Read).await, None);
        assert_eq!(self.say(&key, CounterCommand::Add(1)).await, Some(1), "it begins anew");
        self.has_no_end(&key, 1).await;
    }

    /// The commands that do all at once, where the server has them.
    fn acts(&self, by: i64, life: Duration) -> Vec<(&'static str, CounterCommand)> {
        let script = |repair| CounterCommand::Script { by, life, repair };
        let mut acts = vec![
            ("transaction", CounterCommand::Transaction(by, life)),
            ("script", script(false)),
            ("repair", script(true)),
        ];
        acts.extend(self.increx.then_some(("increx", CounterCommand::Increx(by, life))));
        acts
    }

    async fn an_act_begins_a_window_once_and_keeps_its_end(&self) {
        for ((name, first), (_, later)) in self.acts(1, LONG).into_iter().zip(self.acts(5, LONG * 5)) {
            let key = self.key(name);
            assert_eq!(self.say(&key, first).await, Some(1), "{name}");
            assert_eq!(self.say(&key, later).await, Some(6), "{name}");
            self.ends(&key, 6, LONG).await;
        }
        for (name, act) in self.acts(2, SHORT) {
            let key = self.key(&format!("{name}-short"));
            assert_eq!(self.say(&key, act).await, Some(2), "{name}");
            self.clock.sleep(SHORT * 2).await;
            assert_eq!(self.say(&key, act).await, Some(2), "{name}: the next window");
            assert!(self.held(&key).await.is_some_and(|held| held.left.is_some()), "{name}");
        }
    }

    async fn a_key_without_an_end_gets_one_from_those_that_repair(&self) {
        for (name, act) in self.acts(1, LONG) {
            let key = self.key(&format!("{name}-endless"));
            self.say(&key, CounterCommand::Add(10)).await;
            assert_eq!(self.say(&key, act).await, Some(11), "{name}");
            match name {
                "transaction" | "script" => self.has_no_end(&key, 11).await,
                _ => self.ends(&key, 11, LONG).await,
            }
        }
    }
}
