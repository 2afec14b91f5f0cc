//! What is wrong with sizes of values, with pages, and with `[cache.simulated]`.

use crate::bad_input::{transcript, with};

#[test]
fn sizes_batches_and_the_simulated_server() {
    let size = |value: &str| with("value_size = \"256B\"", &format!("value_size = {value}"));
    let batch = |keys: &str, batch: &str| {
        let text = with("kind = \"hot\"\nhot_share = 0.95\nn = 10", keys);
        text.replace("warmup = \"5s\"", &format!("warmup = \"5s\"\nbatch = {batch}"))
    };
    let uniform = |n: u32| format!("kind = \"uniform\"\nn = {n}");
    let server = |text: &str| with("ttl = \"5s\"", &format!("ttl = \"5s\"\n[cache.simulated]\n{text}"));
    let cases = [
        ("another law of sizes", size("{ dist = \"exp\", mean = \"2KiB\" }")),
        ("a law without its end", size("{ dist = \"lognormal\", p50 = \"2KiB\" }")),
        ("percentiles turned", size("{ dist = \"lognormal\", p50 = \"2KiB\", p99 = \"1KiB\" }")),
        ("too large", size("{ dist = \"lognormal\", p50 = \"2KiB\", p99 = \"2MiB\" }")),
        ("nothing at all", size("{ dist = \"lognormal\", p50 = \"0B\", p99 = \"2KiB\" }")),
        ("a duration", size("{ dist = \"lognormal\", p50 = \"2ms\", p99 = \"2KiB\" }")),
        (
            "more than a machine's memory",
            size("{ dist = \"lognormal\", p50 = \"512KiB\", p99 = \"1MiB\" }").replace("n = 10", "n = 1000000"),
        ),
        ("pages of nothing", batch(&uniform(10), "0")),
        ("pages of too many", batch(&uniform(10_000), "1001")),
        ("pages of more than there is", batch(&uniform(10), "20")),
        ("pages and a hot key", batch("kind = \"hot\"\nhot_share = 0.95\nn = 10", "5")),
        ("pages and what does not exist", batch(&format!("{}\nmissing_share = 0.1", uniform(10)), "5")),
        ("pages and writes", format!("{}\n[writes]\nrate = \"1/s\"\n", batch(&uniform(10), "5"))),
        ("a server without a unit", server("command = 5")),
        ("a server that takes for ever", server("per_mib = \"2s\"")),
        ("a bandwidth that is a size", server("bandwidth = \"100MiB\"")),
        ("a bandwidth of nothing", server("bandwidth = \"0B/s\"")),
        ("what it does not have", server("byte = \"1ns\"")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}
