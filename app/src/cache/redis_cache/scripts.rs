//! The Lua that makes compare-and-act one step. Every key is named in KEYS. Each answers 1 for yes and 0 for no, but the one that counts.
//!
//! The script's hash is sent, and the whole script where the server has lost it (`SCRIPT FLUSH`, a restart).

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind};

use crate::cache::envelope::{HEADER_AT, MAGIC};

pub(super) struct Scripts {
    pub(super) acquire: Script,
    pub(super) renew: Script,
    pub(super) release: Script,
    pub(super) fenced_put: Script,
    /// Answers with the counter's value.
    pub(super) count: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            acquire: Script::new(ACQUIRE.to_owned()),
            renew: Script::new(RENEW.to_owned()),
            release: Script::new(RELEASE.to_owned()),
            fenced_put: Script::new(fenced_put()),
            count: Script::new(COUNT.to_owned()),
        }
    }
}

/// A script that answers with a number.
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn new(text: String) -> Self {
        Self { hash: redis::Script::new(&text).get_hash().to_owned(), text }
    }

    /// Runs a yes-or-no script.
    pub(super) async fn ask(
        &self,
        connection: &mut impl ConnectionLike,
        keys: &[String],
        args: &[Vec<u8>],
    ) -> RedisResult<bool> {
        Ok(self.run(connection, keys, args).await? == 1)
    }

    /// Runs it. To a server that has lost it goes EVAL, which loads and runs in one: between `SCRIPT LOAD` and a second
    /// EVALSHA, as the `redis` crate would do it, it can be lost again.
    pub(super) async fn run(
        &self,
        connection: &mut impl ConnectionLike,
        keys: &[String],
        args: &[Vec<u8>],
    ) -> RedisResult<i64> {
        let known: RedisResult<i64> = command("EVALSHA", &self.hash, keys, args).query_async(connection).await;
        match known {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                command("EVAL", &self.text, keys, args).query_async(connection).await
            }
            known => known,
        }
    }
}

fn command(name: &str, script: &str, keys: &[String], args: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(keys.len()).arg(keys).arg(args);
    command
}

/// KEYS lease · ARGV token, life in ms. Asked again by the holder it says yes: its first reply was lost.
const ACQUIRE: &str = "
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return 0";

/// KEYS lease · ARGV token, life in ms.
const RENEW: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

/// KEYS lease · ARGV token.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

/// KEYS counter · ARGV increment, life in ms, 1 where a key that has no end gets one. It answers with the value after it.
const COUNT: &str = "
local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if value == tonumber(ARGV[1]) or (ARGV[3] == '1' and redis.call('PTTL', KEYS[1]) == -1) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return value";

/// KEYS value, lease · ARGV token, version (8 bytes, big-endian), envelope, life in ms. Where the token is empty, the
/// lease is not asked for, and the version alone decides.
///
/// Byte by byte: Lua's `<` on strings follows the server's locale. What lies there and is no envelope is overwritten.
fn fenced_put() -> String {
    let (magic, version_at, version_end) = (String::from_utf8_lossy(MAGIC), MAGIC.len() + 2, HEADER_AT);
    format!(
        "
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local held = redis.pcall('GETRANGE', KEYS[1], 0, {version_end} - 1)
if type(held) == 'string' and #held == {version_end} and string.sub(held, 1, 4) == '{magic}' then
  for i = 1, 8 do
    local there, new = string.byte(held, {version_at} + i - 1), string.byte(ARGV[2], i)
    if there > new then return 0 end
    if there < new then break end
  end
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1"
    )
}
