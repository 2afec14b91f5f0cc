//! SECURITY.md, sentence by sentence: each has a test, and this says which. A sentence that nobody tests, and a test that is not
//! there, fail here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// (a claim as SECURITY.md has it, file and name of each of its tests)
const CLAIMS: &[(&str, &[(&str, &str)])] = &[
    (
        "every control call needs a random token",
        &[
            ("app/tests/it/replica.rs", "control_wants_the_token_and_no_web_page"),
            ("app/tests/it/programs.rs", "replica_and_origin_serve_and_end_at_sigterm"),
            ("app/src/wire/auth.rs", "tokens_are_random_and_never_printed"),
        ],
    ),
    (
        "a request with an `Origin` header is refused",
        &[
            ("app/tests/it/replica.rs", "control_wants_the_token_and_no_web_page"),
            ("app/tests/it/programs.rs", "replica_and_origin_serve_and_end_at_sigterm"),
        ],
    ),
    (
        "control is off unless asked for",
        &[("app/tests/it/programs.rs", "without_control_there_is_one_listener_and_it_obeys_nobody")],
    ),
    (
        "the live page answers only to a loopback address or `localhost`",
        &[("loadgen/tests/real/live.rs", "the_page_is_told_what_the_record_says_and_keeps_nothing_alive")],
    ),
    (
        "ports are published on 127.0.0.1 only",
        &[
            ("loadgen/tests/it/compose.rs", "the_resolved_file_has_nothing_forbidden"),
            ("loadgen/tests/it/compose.rs", "the_file_itself_publishes_on_loopback_and_names_its_images"),
        ],
    ),
    (
        "the ports of Redis and of the origin's data are not published",
        &[("loadgen/tests/it/compose.rs", "the_resolved_file_has_nothing_forbidden")],
    ),
    (
        "Users of servers and Sentinels among themselves may do nothing with the lab's keys and messages",
        &[("app/tests/it/acl.rs", "each_role_may_do_what_it_is_for_and_nothing_else")],
    ),
    (
        "The stack's Sentinels are asked without a password, and only the internal network of the cache reaches them",
        &[("loadgen/tests/it/compose.rs", "the_cache_of_several_servers_has_nothing_forbidden_and_replicas_reach_it")],
    ),
    (
        "`/metrics` shows counts, and no key, value or secret",
        &[("app/tests/it/programs.rs", "replica_and_origin_serve_and_end_at_sigterm")],
    ),
    (
        "Grafana shows the same to a viewer without a password",
        &[("loadgen/tests/it/compose.rs", "the_file_itself_publishes_on_loopback_and_names_its_images")],
    ),
    (
        "temporary folders are their owner's alone, whatever the umask",
        &[(
            "loadgen/tests/real/interrupts.rs",
            "a_closed_terminal_is_a_ctrl_c_unless_it_is_not_to_matter_and_folders_are_their_owners",
        )],
    ),
    (
        "only regular files of a limited size are read, and numbers only within their limits",
        &[
            ("report/tests/it/records.rs", "only_regular_files_of_a_size_are_read"),
            ("loadgen/tests/it/hostile.rs", "whatever_is_in_a_record_the_commands_end_with_a_sentence"),
        ],
    ),
    ("nothing is written through a link", &[("report/src/files/atomic.rs", "nothing_is_written_through_a_link")]),
    (
        "names are escaped wherever they are printed",
        &[
            ("report/tests/it/page.rs", "hostile_names_stay_text"),
            ("loadgen/tests/it/names.rs", "a_hostile_name_in_a_record_is_text_in_everything_that_is_written_and_said"),
            ("loadgen/tests/it/names.rs", "a_hostile_argument_or_file_name_is_text_in_every_refusal"),
        ],
    ),
    ("a page loads nothing", &[("report/tests/it/page.rs", "it_asks_nobody_for_anything")]),
    (
        "a reply is bounded in size, and an operation in time",
        &[
            ("app/tests/it/redis.rs", "a_reply_without_an_end_ends_the_connection_and_not_the_memory"),
            ("app/tests/it/redis.rs", "a_dead_redis_fails_fast_and_one_that_is_back_is_used_again"),
        ],
    ),
    (
        "`rediss://` is TLS 1.2 or 1.3",
        &[("app/tests/it/encrypted.rs", "an_encrypted_redis_keeps_every_contract_by_either_version_of_tls")],
    ),
    (
        "the server's certificate and name are checked, and nothing turns that off",
        &[
            ("app/tests/it/encrypted.rs", "why_there_is_no_encrypted_connection_is_told_by_its_cause"),
            ("diagnose/tests/it/encrypted.rs", "an_encrypted_server_is_looked_at_and_what_does_not_fit_is_told"),
            ("loadgen/tests/real/encrypted.rs", "why_there_is_no_encrypted_connection_is_told_with_its_remedy"),
        ],
    ),
    (
        "the settings of a Redis are changed only where the lab started it",
        &[("loadgen/tests/real/server_events.rs", "somebody_elses_server_is_not_changed")],
    ),
    (
        "`diagnose` writes nothing, and sends only commands of its list",
        &[("diagnose/tests/it/well_kept.rs", "nothing_is_written_and_only_allowed_commands_are_counted")],
    ),
    ("redirects are not followed", &[("loadgen/tests/real/target.rs", "redirects_are_errors_and_nobody_follows_them")]),
    (
        "bodies and waiting times are bounded",
        &[("loadgen/tests/real/target.rs", "hostile_servers_end_as_counted_errors")],
    ),
    (
        "schemes other than http and https are refused",
        &[("loadgen/src/lab/target.rs", "what_is_no_url_or_nobody_s_own_is_refused")],
    ),
    (
        "a `--header`'s value is in no record or message, and one of a file or of `LAB_TARGET_HEADERS` in no list of processes",
        &[
            (
                "loadgen/tests/real/target_asks.rs",
                "headers_are_sent_with_each_request_and_their_values_are_nowhere_else",
            ),
            ("loadgen/src/lab/target_asks.rs", "what_is_no_header_is_refused_without_its_value"),
        ],
    ),
    (
        "a target's certificate and name are checked, unless `--target-insecure` says that they are not",
        &[("loadgen/tests/real/target_asks.rs", "a_target_over_tls_is_asked_and_its_certificate_is_checked")],
    ),
    (
        "a counting proxy passes requests on to its one upstream, and its ledger wants the token",
        &[(
            "app/tests/it/origin_proxy.rs",
            "an_upstream_that_is_gone_is_told_and_the_control_listener_wants_its_token",
        )],
    ),
    (
        "a target or a Redis that is not loopback needs `--i-own-this-target`",
        &[
            ("loadgen/src/lab/target.rs", "what_is_no_url_or_nobody_s_own_is_refused"),
            ("loadgen/tests/real/secrets.rs", "a_redis_that_is_not_this_machine_needs_its_owners_word"),
        ],
    ),
    ("such a target's load is limited", &[("loadgen/tests/it/bad_input.rs", "each_has_its_code_and_its_sentence")]),
    (
        "faults act only on containers and networks that carry this Compose project's labels",
        &[
            ("loadgen/src/lab/docker/engine.rs", "a_container_is_known_by_its_labels_and_its_health"),
            ("loadgen/tests/it/bad_input.rs", "each_has_its_code_and_its_sentence"),
            ("loadgen/tests/real/docker.rs", "a_stack_is_found_driven_hurt_and_healed_and_leaves_nothing_behind"),
        ],
    ),
    (
        "keys are removed by the run's own prefix, never by FLUSHALL",
        &[(
            "app/tests/it/stack_parts.rs",
            "the_proxy_passes_on_delays_flushes_its_namespace_only_and_knows_the_holder",
        )],
    ),
    (
        "a run that ends heals what its events did",
        &[("loadgen/tests/real/docker.rs", "a_stack_is_found_driven_hurt_and_healed_and_leaves_nothing_behind")],
    ),
    (
        "SIGINT, SIGTERM and SIGHUP end a run in order",
        &[
            ("loadgen/tests/real/interrupts.rs", "ctrl_c_once_drains_writes_and_says_incomplete"),
            (
                "loadgen/tests/real/interrupts.rs",
                "a_closed_terminal_is_a_ctrl_c_unless_it_is_not_to_matter_and_folders_are_their_owners",
            ),
            ("app/tests/it/programs.rs", "replica_and_origin_serve_and_end_at_sigterm"),
        ],
    ),
    (
        "what a killed program started ends with it",
        &[
            ("loadgen/tests/real/interrupts.rs", "a_generator_that_is_killed_leaves_no_redis_behind"),
            ("app/src/process/guard.rs", "a_folder_and_its_program_go_with_their_owner"),
        ],
    ),
    (
        "the next run says what is broken and how to mend it",
        &[("loadgen/src/lab/docker/find.rs", "a_stack_is_whole_or_the_sentence_says_what_is_missing_and_what_to_do")],
    ),
    (
        "The local lab draws its token at random and keeps it in memory",
        &[("app/src/wire/auth.rs", "tokens_are_random_and_never_printed")],
    ),
    (
        "The containers' secrets are drawn at their first start, into volumes that only the containers that need them mount, with \
         mode 0400",
        &[
            ("app/src/process/secrets.rs", "secrets_are_made_once_and_for_their_owner_only"),
            ("loadgen/tests/it/compose.rs", "the_resolved_file_has_nothing_forbidden"),
        ],
    ),
    (
        "No secret is in the repository, an image, an environment variable or a log",
        &[
            ("loadgen/tests/it/compose.rs", "each_forbidden_thing_is_noticed"),
            ("loadgen/tests/real/secrets.rs", "no_refusal_repeats_a_secret"),
            ("loadgen/tests/it/security.rs", "an_image_is_built_without_settings_and_records"),
        ],
    ),
    (
        "What a file holds that `--password-file`, `--tls-ca`, `--tls-cert` or `--tls-key` names is in no record, message or list of \
         processes",
        &[
            ("loadgen/tests/real/encrypted.rs", "a_run_over_tls_is_a_run_and_keeps_no_secret"),
            ("loadgen/tests/real/secrets.rs", "no_refusal_repeats_what_is_in_a_file"),
            ("app/tests/it/programs.rs", "a_replica_reaches_an_encrypted_redis_by_its_environment"),
        ],
    ),
    (
        "Of an address, only scheme, host, port and path are printed or kept",
        &[
            ("app/src/wire/address.rs", "scheme_host_port_and_path_are_shown_and_nothing_else"),
            ("loadgen/tests/real/secrets.rs", "a_targets_query_is_sent_and_kept_nowhere"),
            ("loadgen/tests/real/secrets.rs", "a_redis_password_is_used_and_kept_nowhere"),
        ],
    ),
    (
        "Redis' users may do what replicas and injector need, on `lab:*` only",
        &[
            ("app/tests/it/stack_parts.rs", "a_replica_s_user_can_do_what_replicas_do_and_nothing_else"),
            ("app/tests/it/acl.rs", "each_role_may_do_what_it_is_for_and_nothing_else"),
        ],
    ),
    ("No right of theirs is without a use", &[("app/tests/it/acl.rs", "no_right_is_without_a_use")]),
    (
        "The injector may also set the stack's Redis up (`CONFIG GET` and `SET`, which leave out what a server protects): the cache \
         proxy, which alone has its password beside the service that makes a cluster of the nodes, sets nothing but the 23 settings of `[cache.redis]`, and sets them back",
        &[("app/tests/it/stack_parts.rs", "the_proxy_asks_the_server_about_itself_and_sets_it_up_for_a_time")],
    ),
    (
        "Only loadgen uses it, on the host and as you",
        &[("loadgen/tests/it/security.rs", "only_one_folder_knows_of_the_docker_engine")],
    ),
    ("No container has it", &[("loadgen/tests/it/compose.rs", "each_forbidden_thing_is_noticed")]),
];

/// Sentences that promise nothing.
const ADVICE: [&str; 2] =
    ["A program that may use it is root on that host", "Rootless Docker is the better choice where you have it"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What SECURITY.md claims: the last cell of each row of its table, and the sentences of the sections below it.
fn claims(text: &str) -> Vec<String> {
    let (_, protected) = text.split_once("## What it is protected against").unwrap();
    let (table, sections) = protected.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next()).flat_map(|cell| cell.split("; "));
    let prose = sections.split("\n## ").map(|section| section.split_once('\n').unwrap().1.replace('\n', " "));
    let sentences = prose.flat_map(|prose| prose.split(". ").map(str::to_owned).collect::<Vec<_>>());
    let claims = cells.map(str::to_owned).chain(sentences);
    claims.map(|claim| claim.trim().trim_end_matches('.').to_owned()).filter(|claim| !claim.is_empty()).collect()
}

#[test]
fn every_sentence_has_a_test_and_every_test_is_there() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let claimed: BTreeSet<String> = claims(&text).into_iter().filter(|claim| !ADVICE.contains(&&**claim)).collect();
    let tested: BTreeSet<String> = CLAIMS.iter().map(|(claim, _)| (*claim).to_owned()).collect();
    let untested: Vec<_> = claimed.difference(&tested).collect();
    let unclaimed: Vec<_> = tested.difference(&claimed).collect();
    assert!(untested.is_empty() && unclaimed.is_empty(), "without a test: {untested:?}; not claimed: {unclaimed:?}");
    for (claim, tests) in CLAIMS {
        assert!(!tests.is_empty(), "{claim}");
        for (file, name) in *tests {
            let source = std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            let lines: Vec<&str> = source.lines().map(str::trim).collect();
            let at = lines.iter().position(|line| line.contains(&format!("fn {name}()")));
            let at = at.unwrap_or_else(|| panic!("{claim}: {file} has no test {name}"));
            let above = lines[..at].iter().rev().take(3);
            let is_test = above.clone().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
            assert!(is_test && !above.clone().any(|line| line.starts_with("#[ignore")), "{claim}: {name} is no test");
        }
    }
}

/// What a build of the image may see: not the settings of its builder, nor what was measured.
#[test]
fn an_image_is_built_without_settings_and_records() {
    let ignored = std::fs::read_to_string(root().join(".dockerignore")).unwrap();
    for path in ["**/.env", "**/*.env", "/results", "/.git", "/target"] {
        assert!(ignored.lines().any(|line| line == path), "{path}");
    }
}

#[test]
fn only_one_folder_knows_of_the_docker_engine() {
    let mut folders: Vec<PathBuf> =
        ["app", "diagnose", "loadgen", "report", "scenarios", "sim", "strategies", "tls", "traces"]
            .map(|room| root().join(room).join("src"))
            .into();
    let mut knowing = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if std::fs::read_to_string(&entry).is_ok_and(|text| text.contains("bollard::")) {
                knowing.insert(entry.parent().unwrap().strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    assert_eq!(knowing.into_iter().collect::<Vec<_>>(), [PathBuf::from("loadgen/src/lab/docker")]);
}
