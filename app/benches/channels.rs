//! What a message to a cluster's clients costs its nodes: `cargo bench -p app --bench channels`. `PUBLISH` reaches subscribers at every node, so each
//! primary sends it to all other nodes; `SPUBLISH` stays in its shard. A cluster of three primaries with a replica each, and three subscribers.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench")]

use std::time::Instant;

use app::cache::redis_cache::ClusterWatch;
use app::testing;
use redis::Connection;
use strategies::counter::slot_of;

/// Turns that each way has; what is told is their median.
const TURNS: usize = 7;
/// Messages in one, of which so many are under way at once.
const MESSAGES: usize = 20_000;
const AT_ONCE: usize = 100;
const CHANNEL: &str = "lab:bench:wake";

struct Way {
    name: &'static str,
    publish: &'static str,
    subscribe: &'static str,
    /// Messages a second, and processor time of all nodes a message, microseconds.
    turns: Vec<[f64; 2]>,
}

fn connect(port: u16) -> Connection {
    redis::Client::open(format!("redis://127.0.0.1:{port}/?protocol=resp3")).unwrap().get_connection().unwrap()
}

fn main() {
    let Some(cluster) = testing::cluster() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ports: Vec<u16> = cluster.nodes().map(|(_, port)| port).take(3).collect();
    // The slots were shared out in order.
    let owner = ports[usize::from(slot_of(CHANNEL)) * ports.len() / 16_384];
    let mut watch = ClusterWatch::new(&cluster.address()).unwrap();
    let mut spent = || -> u64 { runtime.block_on(watch.ask()).unwrap().iter().map(|node| node.cpu_us).sum() };
    let way = |name, publish, subscribe| Way { name, publish, subscribe, turns: Vec::new() };
    let mut ways = [way("one channel", "PUBLISH", "SUBSCRIBE"), way("a shard's channel", "SPUBLISH", "SSUBSCRIBE")];
    for _ in 0..TURNS {
        for way in &mut ways {
            // A subscriber of one channel is at any node, one of a shard's channel at its owner.
            let at = |index: usize| if way.publish == "PUBLISH" { ports[index] } else { owner };
            let mut subscribers: Vec<Connection> = (0..ports.len()).map(|index| connect(at(index))).collect();
            for subscriber in &mut subscribers {
                subscriber.send_packed_command(&redis::cmd(way.subscribe).arg(CHANNEL).get_packed_command()).unwrap();
            }
            let mut publisher = connect(owner);
            while publish(&mut publisher, way.publish) == 0 {}
            let (before, begun) = (spent(), Instant::now());
            for _ in 0..MESSAGES / AT_ONCE {
                let mut all = redis::pipe();
                (0..AT_ONCE).for_each(|_| _ = all.cmd(way.publish).arg(CHANNEL).arg("1").ignore());
                all.query::<()>(&mut publisher).unwrap();
            }
            let took = begun.elapsed().as_secs_f64();
            way.turns.push([MESSAGES as f64 / took, (spent() - before) as f64 / MESSAGES as f64]);
        }
    }
    println!("{:20} {:>12} {:>22}", "", "messages/s", "all nodes, µs/message");
    for Way { name, turns, .. } in &mut ways {
        let median = |turns: &mut Vec<[f64; 2]>, of: usize| {
            turns.sort_by(|a, b| a[of].total_cmp(&b[of]));
            turns[turns.len() / 2][of]
        };
        println!("{name:20} {:12.0} {:22.2}", median(turns, 0), median(turns, 1));
    }
}

/// Publishes one, and how many subscribers of this node it reached.
fn publish(to: &mut Connection, how: &str) -> i64 {
    redis::cmd(how).arg(CHANNEL).arg("0").query(to).unwrap()
}
