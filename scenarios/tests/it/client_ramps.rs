//! Ramps of a closed load's clients: what is wrong with them, and what they are in a plan.

use std::time::Duration;

use scenarios::{ClientRamp, LoadKind, Plan, Scenario, shipped};

use crate::bad_input::{plus, transcript};

fn scenario(sets: &[&str]) -> Scenario {
    let pairs = sets.iter().map(|set| set.split_once('=').unwrap());
    let pairs: Vec<(String, String)> = pairs.map(|(path, value)| (path.to_owned(), value.to_owned())).collect();
    Scenario::parse(shipped()[0].1, "hotkey", &pairs).unwrap_or_else(|errors| panic!("{errors}"))
}

fn plan(seed: u64, sets: &[&str]) -> Plan {
    Plan::new(seed, &scenario(sets), 3)
}

#[test]
fn ramps_of_clients() {
    let ramp = |fields: &str| plus(&format!("[[load.ramp]]\n{fields}"));
    let open = |text: String| text.replace("clients = 50\nthink = \"120ms\"", "rate = \"50/s\"");
    let ok = "at = \"10s\"\nclients = 80\nover = \"20s\"";
    let cases = [
        ("of an open load", open(ramp(ok))),
        ("a rate of a closed load", ramp("at = \"10s\"\nto = \"80/s\"\nover = \"20s\"")),
        ("both, closed", ramp(&format!("{ok}\nto = \"80/s\""))),
        ("both, open", open(ramp(&format!("{ok}\nto = \"80/s\"")))),
        ("no length", ramp("at = \"10s\"\nclients = 80\nover = \"0s\"")),
        ("none", ramp("at = \"10s\"\nclients = 0\nover = \"20s\"")),
        ("too many", ramp("at = \"10s\"\nclients = 10000001\nover = \"20s\"")),
        ("no whole number", ramp("at = \"10s\"\nclients = \"80/s\"\nover = \"20s\"")),
        ("ends after the run", ramp("at = \"50s\"\nclients = 80\nover = \"20s\"")),
        ("overlapping", ramp(&format!("{ok}\n[[load.ramp]]\nat = \"29s\"\nclients = 50\nover = \"1s\""))),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn a_ramp_of_clients_is_in_the_hash_and_an_override_keeps_it() {
    let ramp = |at: &str, clients: u32, over: &str| {
        let ramp = format!("load.ramp=[{{ at = \"{at}\", clients = {clients}, over = \"{over}\" }}]");
        plan(42, &[&ramp]).hash()
    };
    let plain = plan(42, &[]).hash();
    assert_eq!(plan(42, &["load.ramp=[]"]).hash(), plain);
    let mut all =
        vec![plain, ramp("5s", 80, "20s"), ramp("6s", 80, "20s"), ramp("5s", 81, "20s"), ramp("5s", 80, "21s")];
    all.push(ramp("5s", 50, "20s"));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6, "a plateau is in the hash, too");
    // A file's ramps stay with the kind of load that they belong to.
    let file = scenario(&["load.ramp=[{ at = \"5s\", clients = 80, over = \"20s\" }]"]).to_toml();
    let with = |set: (&str, &str)| Scenario::parse(&file, "mine", &[(set.0.to_owned(), set.1.to_owned())]).unwrap();
    let ramps = vec![ClientRamp { at: Duration::from_secs(5), clients: 80, over: Duration::from_secs(20) }];
    let kept = with(("load.clients", "60")).load.kind;
    assert!(matches!(kept, LoadKind::Closed { clients: 60, ramps: found, .. } if found == ramps));
    assert!(matches!(with(("load.rate", "60/s")).load.kind, LoadKind::Open { ramps, .. } if ramps.is_empty()));
}

const S: u64 = 1_000_000_000;

#[test]
fn a_client_that_a_ramp_brings_is_active_as_the_number_says() {
    // t = 0 is 5 s after the start; from there on one more client in each 0.1 s, from 50 to 60 and back.
    let up_and_down =
        "load.ramp=[{ at = \"0s\", clients = 60, over = \"1s\" }, { at = \"10s\", clients = 50, over = \"1s\" }]";
    let plan = plan(42, &[up_and_down]);
    assert_eq!(plan.next_active(55, 0), Some(55 * S / 10 + 1));
    assert_eq!((plan.first_send(55), plan.next_active(55, 7 * S)), (Duration::ZERO, Some(7 * S)));
    assert_eq!((plan.next_active(55, 155 * S / 10), plan.next_active(60, 0)), (None, None));
    assert_eq!((plan.next_active(49, 90 * S), plan.clients_at(Duration::from_millis(5500))), (Some(90 * S), 55.0));
}
