//! Before a run: does the shared cache let every replica do what it will do? Otherwise a whole plan would be run to find out. What
//! was refused is told in the server's own words, with the remedy for that cause.

use app::cache::cache_source::{RefusalCause, Refused};
use app::cache::redis_cache::capabilities;
use app::wire::control::{Preflight, TryCache};
use app::wire::control_client::{ControlClient, ControlError};
use evidence::CacheStatus;
use futures_util::future::join_all;

use super::Endpoints;
use super::docker::remedy_of;
use crate::cli::settings::Settings;
use crate::shell::exit::Failure;
use evidence::StackCache;

/// Whose cache it is, and so where it is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// `--redis`.
    Given,
    /// A server that the local lab started, or memory.
    Private,
    /// A stack's that is reached by names.
    Named,
    /// The stack's container.
    Container(StackCache),
}

/// What is to be done where somebody's own Redis refuses: a row a cause.
const REMEDIES: [(RefusalCause, &str); 24] = [
    (RefusalCause::ReadOnly, "it is a replica: give its primary with --redis"),
    (RefusalCause::Full, "raise its maxmemory, empty it, or give it a maxmemory-policy that evicts"),
    (RefusalCause::Unsaved, "mend its disk (its log says what is wrong), or CONFIG SET stop-writes-on-bgsave-error no"),
    (RefusalCause::NoCommand, "take out its rename-command, or give another Redis with --redis"),
    (RefusalCause::CommandDenied, "give the user the right to it: ACL SETUSER USER {rights}"),
    (RefusalCause::KeyDenied, "give the user the right to the lab's keys: ACL SETUSER USER ~lab:*"),
    (RefusalCause::ChannelDenied, "give the user the right to the lab's channels: ACL SETUSER USER &lab:*"),
    (RefusalCause::Cluster, "it is a node of a cluster: name at least two of its nodes, --redis URL,URL"),
    (RefusalCause::TooManyClients, "raise its maxclients, or close others' connections: the lab needs two a replica"),
    (RefusalCause::Loading, "wait until it has loaded its data, and run again"),
    (RefusalCause::PasswordMissing, "give user and password: --redis redis://USER@HOST:PORT --password-file FILE"),
    (RefusalCause::PasswordWrong, "check user and password in --redis"),
    (
        RefusalCause::Protected,
        "set a password there (requirepass) and give it with --redis, or use a Redis of this machine",
    ),
    (
        RefusalCause::AuthorityUnknown,
        "name the file of the authority that its certificate is by: --tls-ca FILE (one that signs itself is its own authority, where it says CA:FALSE)",
    ),
    (RefusalCause::NameWrong, "give the name that its certificate is for: --tls-name NAME, or the same in --redis"),
    (
        RefusalCause::CertificateWanted,
        "give a certificate by an authority that it trusts, and its key: --tls-cert FILE --tls-key FILE",
    ),
    (
        RefusalCause::PlainText,
        "it has no TLS at that port: write redis:// for rediss://, or its port for TLS (tls-port)",
    ),
    (RefusalCause::TlsWanted, "it has TLS at that port: write rediss:// for redis://"),
    (RefusalCause::TlsFailed, "check its certificate, its dates and its versions of TLS (1.2 or 1.3 is needed)"),
    (RefusalCause::NotRedis, "check host and port in --redis"),
    (RefusalCause::Silent, "it takes connections and does not answer: is it stopped, paused, or busy?"),
    (RefusalCause::Nobody, "start it, give another with --redis, or use --cache memory"),
    (RefusalCause::Gone, "is it a Redis, and does it let this machine in? Its log may say"),
    (RefusalCause::Other, "mend that there, give another with --redis, or use --cache memory"),
];

/// Tries it on every replica, and says what the cache is; empty where there are no replicas.
///
/// # Errors
/// [`Failure`] with what was refused, where a replica does not answer, or where a strategy needs a command that this Redis does not know.
pub(super) async fn preflight(
    settings: &Settings,
    endpoints: &Endpoints,
    cache_note: &str,
    run: &str,
) -> Result<String, Failure> {
    let specs = settings.subjects.iter().filter_map(|subject| subject.strategy.as_ref());
    let buses: Vec<String> = specs.filter_map(|spec| Some(spec.bus()?.name().to_owned())).collect();
    let tries = endpoints.replicas.iter().enumerate().map(async |(index, control)| {
        let of = TryCache { namespace: format!("{run}:preflight-{index}"), buses: buses.clone() };
        (index, control.post::<Preflight>("/preflight", &of).await)
    });
    let (mut server, mut places) = (String::new(), None);
    for (index, tried) in join_all(tries).await {
        match tried {
            Ok(Preflight::Ready(status)) => {
                server = status.server;
                places = places.into_iter().chain(status.places).min();
            }
            Ok(Preflight::Refused(refused)) => return Err(refusal(whose(settings, endpoints), cache_note, &refused)),
            Err(error) => return Err(unheard(endpoints, index, &error)),
        }
    }
    if ["redis ", "valkey "].iter().any(|name| server.starts_with(name)) {
        carries(settings, &server)?;
        has_room(settings, places)?;
    }
    Ok(server)
}

/// Whether a Redis of this version knows what each strategy that counts needs.
fn carries(settings: &Settings, server: &str) -> Result<(), Failure> {
    let can = capabilities(server);
    for counter in settings.subjects.iter().filter_map(|subject| subject.counter.as_ref()) {
        if let Some(lacks) = can.lacks(counter.needs()) {
            return Err(Failure::usage(format!(
                "the shared cache can't carry a strategy · --strategy · {} needs {lacks}, found: {server} · choose lua, which does the \
                 same, or another cache",
                counter.canonical()
            )));
        }
    }
    Ok(())
}

/// Whether a Redis that still takes so many connections has room for each strategy's pools.
fn has_room(settings: &Settings, places: Option<u64>) -> Result<(), Failure> {
    let Some(places) = places else { return Ok(()) };
    for spec in settings.subjects.iter().filter_map(|subject| subject.strategy.as_ref()) {
        let Some(pool) = spec.pool() else { continue };
        let needed = u64::from(pool.size) * u64::from(settings.replicas);
        if needed > places {
            return Err(Failure::usage(format!(
                "the shared cache has no room for a strategy's connections · --strategy {} · found {places} connections that it still \
                 takes (maxclients), needed {needed}: {} for each of {} replicas · raise maxclients there, or lower the pool's size",
                spec.canonical(),
                pool.size,
                settings.replicas
            )));
        }
    }
    Ok(())
}

/// What a replica says of the cache now.
///
/// # Errors
/// [`Failure`] where it does not reach it.
pub(super) async fn status(
    settings: &Settings,
    endpoints: &Endpoints,
    replica: &ControlClient,
) -> Result<CacheStatus, Failure> {
    replica.get("/cache").await.map_err(|error| {
        let remedy = remedy(whose(settings, endpoints), RefusalCause::Silent);
        Failure::failed(format!(
            "the shared cache does not answer any more · lab {} · {error} · {remedy}",
            endpoints.lab
        ))
    })
}

fn whose(settings: &Settings, endpoints: &Endpoints) -> Whose {
    match (&endpoints.stack, &endpoints.proxy, &settings.redis) {
        (Some(stack), ..) => Whose::Container(stack.cache),
        (None, Some(_), _) => Whose::Named,
        (None, None, Some(_)) => Whose::Given,
        (None, None, None) => Whose::Private,
    }
}

fn refusal(whose: Whose, cache_note: &str, refused: &Refused) -> Failure {
    let Refused { operation, said, cause } = refused;
    let said = report::text::escape::line(said);
    let remedy = remedy(whose, *cause);
    Failure::failed(format!(
        "the shared cache does not do what the lab needs · {cache_note}, {operation} · found: {said} · {remedy}"
    ))
}

fn remedy(whose: Whose, cause: RefusalCause) -> String {
    match (whose, cause.may_pass()) {
        (Whose::Given, _) => {
            let row = REMEDIES.iter().find(|(of, _)| *of == cause);
            let commands = app::process::secrets::REPLICA_MAY.split(' ').filter(|right| right.starts_with('+'));
            row.map_or("", |(_, remedy)| remedy).replace("{rights}", &commands.collect::<Vec<_>>().join(" "))
        }
        (Whose::Container(_), true) => {
            "the stack's cache is slow or gone: docker compose ps says which, docker compose logs why; on a busy machine run again".into()
        }
        (Whose::Container(StackCache::OneServer), false) => {
            "the stack's cache is not as this build sets it up: docker compose up --build -d --force-recreate --wait"
                .into()
        }
        (Whose::Container(cache), false) => remedy_of(
            cache,
            "a server of the stack's cache was lost or has come back too late, or is not as this build sets it up: docker compose up -d \
             --force-recreate --wait",
        ),
        (Whose::Named, _) => {
            "the stack's cache is slow or gone, or not as this build sets it up: its logs say which, and those of its parts why".into()
        }
        (Whose::Private, true) => {
            "the machine is too busy for it: run again when it is idle, or use --cache memory".into()
        }
        (Whose::Private, false) => "the lab started it itself, so this is a bug: --cache memory does without".into(),
    }
}

fn unheard(endpoints: &Endpoints, index: usize, error: &ControlError) -> Failure {
    let remedy = match (&endpoints.stack, &endpoints.proxy) {
        (Some(_), _) => "docker compose ps says whether it is up; on a busy machine run again",
        (None, Some(_)) => "look whether it is up; on a busy machine run again",
        (None, None) => "on a busy machine run again; otherwise this is a bug",
    };
    Failure::failed(format!("a replica does not answer · lab {}, replica-{index} · {error} · {remedy}", endpoints.lab))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_fits_the_cause_and_whoever_can_mend_it() {
        for (_, remedy) in REMEDIES {
            assert!(!remedy.is_empty());
        }
        let said = |whose, cause| {
            let refused = Refused { cause, ..Refused::at("put", "words\u{1b}[31m") };
            refusal(whose, "the Redis at redis://h", &refused).text
        };
        for (whose, cause, expected) in [
            (Whose::Given, RefusalCause::ReadOnly, "· it is a replica: give its primary"),
            (Whose::Given, RefusalCause::CommandDenied, "+evalsha"),
            (Whose::Given, RefusalCause::Nobody, "start it, give another with --redis"),
            (Whose::Container(StackCache::OneServer), RefusalCause::Silent, "on a busy machine run again"),
            (Whose::Container(StackCache::OneServer), RefusalCause::CommandDenied, "--force-recreate"),
            (
                Whose::Container(StackCache::Cluster),
                RefusalCause::CommandDenied,
                "docker/cluster.env up -d --force-recreate",
            ),
            (Whose::Private, RefusalCause::Silent, "run again when it is idle"),
        ] {
            let said = said(whose, cause);
            assert!(said.contains(expected) && !said.contains('\u{1b}'), "{said}");
            assert!(whose == Whose::Given || !said.contains("give another with --redis"), "{said}");
        }
    }
}
