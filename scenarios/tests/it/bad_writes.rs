//! What is wrong with `[writes]`, and with how long a write takes.

use crate::bad_input::{plus, transcript, with};

#[test]
fn writes() {
    let cases = [
        ("neither", plus("[writes]")),
        ("both", plus("[writes]\nrate = \"20/s\"\nshare = 0.1")),
        ("bare rate", plus("[writes]\nrate = 20")),
        ("none at all", plus("[writes]\nshare = 0")),
        ("nothing but writes", plus("[writes]\nshare = 1.0")),
        ("too many", plus("[writes]\nrate = \"1000000/s\"")),
        ("unknown field", plus("[writes]\nrat = \"20/s\"")),
        ("unknown law", plus("[writes]\nrate = \"20/s\"\nkind = \"hott\"")),
        ("a share without its law", plus("[writes]\nrate = \"20/s\"\nhot_share = 0.5")),
        ("rows that get versions of themselves", {
            with(
                "service_time = \"200ms\"",
                "service_time = \"200ms\"\nwrite_every = \"1s\"\n[writes]\nrate = \"20/s\"",
            )
        }),
        (
            "a write that takes for ever",
            with("service_time = \"200ms\"", "service_time = \"200ms\"\nwrite_time = \"48h\""),
        ),
    ];
    insta::assert_snapshot!(transcript(&cases));
}
