//! Every bad input of a load that counts, and the full text that the user sees.

use crate::bad_input::{plus, transcript, with};

#[test]
fn counting() {
    let counting = |text: &str| {
        with("[load]", &format!("[load]\nkind = \"count\"\n{text}"))
            .replace("[\"naive\", \"swr\"]", "[\"lua\", \"get-set-incr\"]")
    };
    let cases = [
        ("no window", counting("")),
        ("a bare window", counting("window = 1")),
        ("an empty window", counting("window = \"0s\"")),
        ("unknown kind", with("[load]", "[load]\nkind = \"cuont\"")),
        ("a window of a load that reads", with("[load]", "[load]\nwindow = \"1s\"")),
        ("a limit of a load that reads", plus("[limit]\nper_window = 1000")),
        ("a limit of none", counting("window = \"1s\"") + "\n[limit]\nper_window = 0\n"),
        ("a limit of what", counting("window = \"1s\"") + "\n[limit]\nper_minute = 1000\n"),
        ("with writes", counting("window = \"1s\"") + "\n[writes]\nrate = \"20/s\"\n"),
        ("strategies that read", with("[load]", "[load]\nkind = \"count\"\nwindow = \"1s\"")),
        ("a strategy that counts", with("\"naive\"", "\"naive\", \"lua\"")),
        ("a metric of counters", plus("[[threshold]]\nstrategy = \"naive\"\nmetric = \"counters.lost\"\nat_most = 0")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}
