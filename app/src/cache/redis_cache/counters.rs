//! Counters in Redis, each command of the port one round trip. Keys are `lab:<run>:<strategy>:{<key>}:c`: a sub-key is its own hash tag,
//! so that a cluster's slot is that of `strategies::counter::slot_of`.

use std::time::Duration;

use redis::{Cmd, Expiry, IncrexOptions, IncrexResult, Pipeline};
use strategies::Key;
use strategies::port::{BoxFuture, CacheError, CounterCommand, CounterServer, HeldCounter};

use super::error::classify;
use super::scripts::Script;
use super::{RedisCache, RedisConnection, millis};

impl<C: RedisConnection> RedisCache<C> {
    fn counter_key(&self, key: &Key) -> String {
        [&self.prefix, "{", key.as_str(), "}:c"].concat()
    }

    async fn one<T: redis::FromRedisValue>(&self, command: &Cmd) -> Result<T, CacheError> {
        command.query_async(&mut self.connection.clone()).await.map_err(classify)
    }

    /// `MULTI … EXEC`, sent as one.
    async fn together<T: redis::FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, CacheError> {
        pipeline.query_async(&mut self.connection.clone()).await.map_err(classify)
    }

    async fn count(&self, key: String, command: CounterCommand) -> Result<Option<i64>, CacheError> {
        let word = redis::cmd;
        match command {
            CounterCommand::Read => self.one(word("GET").arg(key)).await,
            CounterCommand::Set(value, life) => {
                let () = self.one(word("SET").arg(key).arg(value).arg("PX").arg(millis(life))).await?;
                Ok(Some(value))
            }
            CounterCommand::SetNew(value, life) => {
                let set: Option<String> =
                    self.one(word("SET").arg(key).arg(value).arg("PX").arg(millis(life)).arg("NX")).await?;
                Ok(set.map(|_| value))
            }
            CounterCommand::Add(by) => self.one(word("INCRBY").arg(key).arg(by)).await.map(Some),
            CounterCommand::Expire(life) => {
                let there: i64 = self.one(word("PEXPIRE").arg(key).arg(millis(life))).await?;
                Ok((there == 1).then_some(1))
            }
            CounterCommand::Transaction(by, life) => {
                let mut act = redis::pipe();
                act.atomic().cmd("SET").arg(&key).arg(0).arg("PX").arg(millis(life)).arg("NX").ignore();
                act.cmd("INCRBY").arg(&key).arg(by);
                let (value,): (i64,) = self.together(&act).await?;
                Ok(Some(value))
            }
            CounterCommand::Script { by, life, repair } => {
                let args = [by.to_string(), millis(life).to_string(), u8::from(repair).to_string()];
                let args = args.map(String::into_bytes);
                let script: &Script = &self.scripts.count;
                script.run(&mut self.connection.clone(), &[key], &args).await.map(Some).map_err(classify)
            }
            CounterCommand::Increx(by, life) => {
                let options = IncrexOptions::<i64>::default().with_expiration(Expiry::PX(millis(life))).enx();
                let said: IncrexResult = self.one(word("INCREX").arg(key).arg("BYINT").arg(by).arg(options)).await?;
                said.value_as::<i64>().map(Some).map_err(|error| classify(error.into()))
            }
        }
    }
}

impl<C: RedisConnection> CounterServer for RedisCache<C> {
    fn command<'a>(&'a self, key: &'a Key, command: CounterCommand) -> BoxFuture<'a, Result<Option<i64>, CacheError>> {
        Box::pin(self.count(self.counter_key(key), command))
    }

    fn look<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<HeldCounter>, CacheError>> {
        Box::pin(async move {
            let key = self.counter_key(key);
            let mut both = redis::pipe();
            both.atomic().cmd("GET").arg(&key).cmd("PTTL").arg(&key);
            let (value, left): (Option<i64>, i64) = self.together(&both).await?;
            // −1: it has no end. −2 goes with no value.
            let left = u64::try_from(left).ok().map(Duration::from_millis);
            Ok(value.map(|value| HeldCounter { value, left }))
        })
    }
}
