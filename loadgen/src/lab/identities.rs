//! Who the programs of a stack say they are.

use app::wire::control::Identity;
use app::wire::control_client::ControlClient;
use evidence::StackCache;

/// All of this build, and the replicas with the same settings. Says what the cache is.
pub(super) async fn check_identities(
    replicas: &[ControlClient],
    origin: &ControlClient,
    proxy: &ControlClient,
    remedy: &str,
) -> Result<StackCache, String> {
    let (mut settings, mut behind) = (None, StackCache::OneServer);
    let programs = replicas.iter().map(|c| (c, app::wire::programs::REPLICA));
    for (control, program) in
        programs.chain([(origin, app::wire::programs::ORIGIN), (proxy, app::wire::programs::CACHE_PROXY)])
    {
        let found: Identity = control.get("/identity").await.map_err(|e| format!("{e} · {remedy}"))?;
        if found.program != program {
            return Err(format!("found {} where {program} should be · {remedy}", found.program));
        }
        let ours = Identity::new(program, 0, "");
        if (&found.version, &found.build) != (&ours.version, &ours.build) {
            return Err(format!(
                "the stack's {program} is version {} build {}, this is version {} build {} · {remedy}",
                found.version, found.build, ours.version, ours.build
            ));
        }
        if program == app::wire::programs::REPLICA {
            let first = settings.get_or_insert_with(|| found.settings.clone());
            if *first != found.settings {
                return Err(format!("replicas with mixed settings: {first:?} and {:?} · {remedy}", found.settings));
            }
        }
        if program == app::wire::programs::CACHE_PROXY {
            let unknown = || format!("found a cache proxy before {:?} · {remedy}", found.settings);
            behind = StackCache::read(&found.settings).ok_or_else(unknown)?;
        }
    }
    Ok(behind)
}
