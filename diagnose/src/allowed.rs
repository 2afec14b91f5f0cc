//! The one door to a server: every command goes through it, and what is not on the list is refused before anything is sent.
//!
//! On the list is what reads. AUTH, SELECT and READONLY change nothing but our own connection. MONITOR reads too, but costs the server
//! something for as long as it lasts, and so the door opens to it only where it was asked for.

use tokio::time::Instant;

use crate::error::DiagnoseError;
use crate::wire::link::RespLink;
use crate::wire::resp::RespReply;
use crate::wire::target::RedisTarget;

/// A command that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedCommand {
    /// Its words: `PTTL`, `CONFIG GET`.
    pub words: &'static str,
    /// The right that a user of the server needs for it, as in ACL SETUSER; empty where everybody has it.
    pub right: &'static str,
    /// What it is for.
    pub what: &'static str,
}

/// All of them.
pub const ALLOWED: [AllowedCommand; 16] = [
    row("AUTH", "", "who asks"),
    row("SELECT", "+select", "the database that is looked at"),
    row("READONLY", "+readonly", "a cluster's replica: its keys are read there"),
    row("INFO", "+info", "what the server says of itself"),
    row("TIME", "+time", "the server's clock, for the age of slow commands"),
    row("CONFIG GET", "+config|get", "settings (never passwords)"),
    row("SLOWLOG GET", "+slowlog|get", "slow commands: their names, and not what was in them"),
    row("LATENCY LATEST", "+latency|latest", "when the server stood still"),
    row("ACL WHOAMI", "+acl|whoami", "as whom we are there"),
    row("ACL GETUSER", "+acl|getuser", "whether the default user needs a password"),
    row("CLUSTER INFO", "+cluster|info", "whether the cluster is whole"),
    row("SCAN", "+scan", "a bounded sample of keys"),
    row("PTTL", "+pttl", "when they end"),
    row("MEMORY USAGE", "+memory|usage", "how large they are"),
    row("OBJECT FREQ", "+object|freq", "how often they are asked for, where the policy counts that"),
    row("TYPE", "+type", "what the large ones are"),
];

/// What is sent with `--monitor` only.
pub const MONITOR: AllowedCommand = row("MONITOR", "+monitor", "the commands of others for a moment, with --monitor");

const fn row(words: &'static str, right: &'static str, what: &'static str) -> AllowedCommand {
    AllowedCommand { words, right, what }
}

/// What a user of the server needs to look at everything: a line for `ACL SETUSER`, without the user and the password.
#[must_use]
pub fn rights() -> String {
    let rights = ALLOWED.iter().map(|one| one.right).filter(|right| !right.is_empty());
    format!("on ~* resetchannels -@all {}", rights.collect::<Vec<_>>().join(" "))
}

/// A command as it is sent, and the row that lets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisCommand(Vec<Vec<u8>>);

impl RedisCommand {
    /// Of its words, `CONFIG GET save`.
    #[must_use]
    pub fn of(words: &str) -> Self {
        Self(words.split(' ').map(|word| word.as_bytes().to_vec()).collect())
    }

    /// With a further word, whatever is in it.
    #[must_use]
    pub fn with(mut self, word: impl Into<Vec<u8>>) -> Self {
        self.0.push(word.into());
        self
    }

    /// The row that allows it; `None` where it is not on the list.
    #[must_use]
    pub fn allowed(&self) -> Option<&'static AllowedCommand> {
        ALLOWED.iter().find(|row| self.begins_with(row.words))
    }

    fn begins_with(&self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        let same = |(given, word): (&Vec<u8>, &&str)| given.eq_ignore_ascii_case(word.as_bytes());
        self.0.len() >= words.len() && self.0.iter().zip(&words).all(same)
    }
}

/// A connection to a server through which nothing passes but what is on the list.
pub struct AllowedDoor {
    link: RespLink,
}

impl AllowedDoor {
    /// Connects, and says who we are.
    ///
    /// # Errors
    /// [`DiagnoseError`] where there is no server, or it does not want us.
    pub async fn open(target: &RedisTarget) -> Result<Self, DiagnoseError> {
        let mut door = Self { link: RespLink::open(target).await? };
        let Some(password) = &target.password else { return Ok(door) };
        let mut auth = RedisCommand::of("AUTH");
        if let Some(user) = &target.user {
            auth = auth.with(user.as_bytes());
        }
        door.must(auth.with(password.as_bytes())).await?;
        Ok(door)
    }

    /// Whether it leads to another machine.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.link.is_elsewhere()
    }

    /// Asks all of it at once; as many replies as commands, and a refusal is a reply.
    ///
    /// # Errors
    /// [`DiagnoseError::NotAllowed`] where one of them is not on the list, and then none is sent; any other where the server fails.
    pub async fn ask(&mut self, commands: Vec<RedisCommand>) -> Result<Vec<RespReply>, DiagnoseError> {
        let mut asked = "";
        for command in &commands {
            let first = || command.0.first().map(|word| crate::escape::name(word)).unwrap_or_default();
            let row = command.allowed().ok_or_else(|| DiagnoseError::NotAllowed(first()))?;
            asked = row.words;
        }
        let commands: Vec<Vec<Vec<u8>>> = commands.into_iter().map(|command| command.0).collect();
        self.link.ask(asked, &commands).await
    }

    /// Asks one thing without which nothing else can be asked.
    ///
    /// # Errors
    /// [`DiagnoseError::Refused`] where it is refused, and what [`AllowedDoor::ask`] fails with.
    pub async fn must(&mut self, command: RedisCommand) -> Result<RespReply, DiagnoseError> {
        match self.ask(vec![command]).await?.pop() {
            Some(RespReply::Refused(said)) => Err(DiagnoseError::refused(&said)),
            reply => Ok(reply.unwrap_or(RespReply::Nothing)),
        }
    }

    /// From here on others' commands are heard, and nothing more can be asked. The refusal where the server refuses.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn monitor(mut self) -> Result<Result<MonitorDoor, Vec<u8>>, DiagnoseError> {
        let monitor = vec![MONITOR.words.as_bytes().to_vec()];
        match self.link.ask(MONITOR.words, &[monitor]).await?.pop() {
            Some(RespReply::Refused(said)) => Ok(Err(said)),
            _ => Ok(Ok(MonitorDoor(self.link))),
        }
    }
}

/// A connection on which others' commands are heard.
pub struct MonitorDoor(RespLink);

impl MonitorDoor {
    /// The beginning of the next line, until `deadline`; `None` at that time.
    ///
    /// # Errors
    /// Where the server closes the connection.
    pub async fn hear(&mut self, deadline: Instant) -> Result<Option<Vec<u8>>, DiagnoseError> {
        self.0.hear(deadline).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_list_may_pass_and_nothing_else() {
        let allowed = |words: &str| RedisCommand::of(words).allowed().map(|row| row.words);
        for row in ALLOWED {
            assert_eq!(allowed(row.words), Some(row.words));
            assert_eq!(allowed(&format!("{} more words", row.words.to_lowercase())), Some(row.words));
        }
        for words in [
            "SET k v",
            "GET k",
            "DEL k",
            "CONFIG",
            "CONFIG SET save x",
            "CONFIG RESETSTAT",
            "CONFIG REWRITE",
            "ACL",
            "ACL SETUSER x",
            "SLOWLOG RESET",
            "LATENCY RESET",
            "LATENCY DOCTOR",
            "CLUSTER RESET",
            "CLUSTER FAILOVER",
            "MEMORY PURGE",
            "OBJECT",
            "EVAL x 0",
            "MONITOR",
            "FLUSHALL",
            "KEYS *",
            "DEBUG SLEEP 1",
            "CLIENT KILL x",
            "SHUTDOWN",
            "SAVE",
            "BGSAVE",
            "REPLICAOF no one",
            "INFOX",
            "",
        ] {
            assert_eq!(allowed(words), None, "{words}");
        }
        // Not by way of a word with a space in it either.
        assert_eq!(RedisCommand(vec![b"CONFIG GET".to_vec()]).allowed(), None);
    }

    #[test]
    fn the_rights_have_every_command_and_no_category() {
        let rights = rights();
        for row in ALLOWED.iter().filter(|row| !row.right.is_empty()) {
            assert!(rights.split(' ').any(|right| right == row.right), "{rights}");
        }
        assert!(!rights.contains("+@") && !rights.contains("monitor"), "{rights}");
    }
}
