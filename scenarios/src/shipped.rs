//! The scenarios that ship inside the program, so that a first run needs no file.

/// Name and text of each shipped scenario.
#[must_use]
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    &[
        ("hotkey", include_str!("../files/hotkey.toml")),
        ("hotkey-open", include_str!("../files/hotkey-open.toml")),
        ("bulk-warm", include_str!("../files/bulk-warm.toml")),
        ("cold-start", include_str!("../files/cold-start.toml")),
        ("zipf", include_str!("../files/zipf.toml")),
        ("flash-sale", include_str!("../files/flash-sale.toml")),
        ("missing-keys", include_str!("../files/missing-keys.toml")),
        ("holder-crash", include_str!("../files/holder-crash.toml")),
        ("holder-paused", include_str!("../files/holder-paused.toml")),
        ("holder-returns", include_str!("../files/holder-returns.toml")),
        ("waiter-paused", include_str!("../files/waiter-paused.toml")),
        ("cache-outage", include_str!("../files/cache-outage.toml")),
        ("cache-blackhole", include_str!("../files/cache-blackhole.toml")),
        ("cache-restart", include_str!("../files/cache-restart.toml")),
        ("origin-outage", include_str!("../files/origin-outage.toml")),
        ("origin-brownout", include_str!("../files/origin-brownout.toml")),
        ("replica-restart", include_str!("../files/replica-restart.toml")),
        ("metastable", include_str!("../files/metastable.toml")),
        ("metastable-slow", include_str!("../files/metastable-slow.toml")),
        ("write-through", include_str!("../files/write-through.toml")),
        ("near-hot", include_str!("../files/near-hot.toml")),
        ("invalidation-bus", include_str!("../files/invalidation-bus.toml")),
        ("client-side", include_str!("../files/client-side.toml")),
        ("copies", include_str!("../files/copies.toml")),
        ("deploy-local", include_str!("../files/deploy-local.toml")),
        ("cache-brownout", include_str!("../files/cache-brownout.toml")),
        ("slow-redis", include_str!("../files/slow-redis.toml")),
        ("pool-starvation", include_str!("../files/pool-starvation.toml")),
        ("persistence", include_str!("../files/persistence.toml")),
        ("eviction", include_str!("../files/eviction.toml")),
        ("write-race", include_str!("../files/write-race.toml")),
        ("leaderboard", include_str!("../files/leaderboard.toml")),
        ("counters", include_str!("../files/counters.toml")),
        ("counter-hot", include_str!("../files/counter-hot.toml")),
        ("counter-minute", include_str!("../files/counter-minute.toml")),
    ]
}
