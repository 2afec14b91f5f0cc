//! Servers that are none, lie, fall silent, or say too much: an error in words, never a panic, a hang or a full memory.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::common::{Client, names, redis, try_look};
use diagnose::look::DiagnoseOptions;
use diagnose::record::Diagnosis;

/// A listener whose connections are each handed to `converse`.
fn server(converse: impl Fn(TcpStream) + Send + Sync + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || converse(stream));
        }
    });
    format!("redis://{address}")
}

/// A server that answers each command as `answer` says.
fn fake(answer: fn(&[String]) -> Vec<u8>) -> String {
    server(move |stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(words) = command(&mut reader) {
            if writer.write_all(&answer(&words)).is_err() {
                return;
            }
        }
    })
}

fn command(reader: &mut impl std::io::BufRead) -> Option<Vec<String>> {
    let mut line = String::new();
    let mut number = |reader: &mut dyn std::io::BufRead| {
        line.clear();
        reader.read_line(&mut line).ok()?;
        line.get(1..)?.trim().parse::<usize>().ok()
    };
    let words = number(reader)?;
    let mut all = Vec::new();
    for _ in 0..words {
        let mut text = vec![0; number(reader)? + 2];
        reader.read_exact(&mut text).ok()?;
        all.push(String::from_utf8_lossy(&text[..text.len() - 2]).into_owned());
    }
    Some(all)
}

fn seen(url: &str) -> Result<Diagnosis, String> {
    try_look(url, &DiagnoseOptions::default()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(url: &str, words: &[&str]) {
    let said = seen(url).unwrap_err();
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(!said.contains('\u{1b}') && said.len() < 1000, "{said}");
}

#[test]
fn what_is_no_redis() {
    refused("redis://127.0.0.1:1", &["nobody listens there", "start it, or check host and port"]);
    refused("redis+unix:///nowhere/socket", &["there is no such socket"]);
    refused(&server(drop), &["the connection was closed at INFO", "its log may say why"]);
    let http = server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad \x1b[2JRequest\r\ncontent-length: 0\r\n\r\n");
    });
    refused(&http, &["not Redis' protocol: \"HTTP/1.1 400 Bad [2JRequest\"", "rediss://"]);
    let endless = server(|mut stream| while stream.write_all(&[b'x'; 65536]).is_ok() {});
    refused(&endless, &["a line without an end", "allowed 65536 bytes", "is it a Redis?"]);
    let huge = server(|mut stream| {
        let _ = stream.write_all(b"$66000000\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    // Announced, and at once one that is not read; one that is only too large to keep goes on.
    assert!(seen(&huge).is_err());
    let huger = server(|mut stream| drop(stream.write_all(b"$9000000000000000000\r\n")));
    refused(&huger, &["bytes in the answer to INFO, allowed 67108864 bytes"]);
    let many = server(|mut stream| drop(stream.write_all(b"*900000000\r\n")));
    refused(&many, &["900000000 members", "allowed 500000"]);
}

#[test]
fn one_that_says_nothing_and_one_that_falls_silent() {
    let hole = server(|mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {});
    let middle = fake(|words| if words[0] == "INFO" { b"$0\r\n\r\n".to_vec() } else { Vec::new() });
    let begun = Instant::now();
    std::thread::scope(|threads| {
        threads.spawn(|| refused(&hole, &["no answer to INFO within 5s", "is it stopped, paused, or busy"]));
        threads.spawn(|| refused(&middle, &["no answer to CONFIG GET within 5s"]));
    });
    assert!(begun.elapsed() < Duration::from_secs(15));
    // A byte now and then is no answer either.
    let slow = server(|mut stream| {
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    refused(&slow, &["no answer to INFO within 5s"]);
}

/// Everything that may be answered at all, as something else than it should be.
#[test]
fn one_that_lies() {
    for answer in [
        (|_: &[String]| b"+OK\r\n".to_vec()) as fn(&[String]) -> Vec<u8>,
        |_| b"$0\r\n\r\n".to_vec(),
        |_| b"*0\r\n".to_vec(),
        |_| b"$-1\r\n".to_vec(),
        |_| b":-9223372036854775808\r\n".to_vec(),
        |_| b"-ERR \x1b[2Jno\r\n".to_vec(),
        |_| b"-NOPERM no\r\n".to_vec(),
        |_| b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$-1\r\n".to_vec(),
        |_| b"*2\r\n$0\r\n\r\n$0\r\n\r\n".to_vec(),
    ] {
        let _ = seen(&fake(answer)).map(|diagnosis| {
            assert_eq!(names(&diagnosis), [""; 0], "{:#?}", diagnosis.findings);
            assert!(!diagnose::text::whole(&diagnosis).contains('\u{1b}'));
        });
    }
}

/// A server that looks like one, with absurd figures and names that command a terminal, and a walk over its keys that never ends.
#[test]
fn absurd_figures_and_a_walk_without_an_end() {
    let url = fake(|words| match words[0].as_str() {
        "INFO" => {
            let info = "redis_version:9\x1b[31m\r\nrole:slave\r\nmaster_link_status:do\x1b[31mwn\r\nmaster_host:h\r\nmaster_port:-1\r\n\
                        used_memory:18446744073709551615\r\nmaxmemory:18446744073709551615\r\nuptime_in_seconds:18446744073709551615\r\n\
                        connected_clients:-5\r\nmaxclients:0\r\ntotal_system_memory:0\r\nevicted_keys:18446744073709551615\r\n\
                        expired_keys:18446744073709551615\r\nkeyspace_hits:18446744073709551615\r\nkeyspace_misses:1\r\n\
                        total_error_replies:1\r\ntotal_commands_processed:0\r\nerrorstat_\x1b[31m:count=18446744073709551615\r\n\
                        cmdstat_keys:calls=18446744073709551615,usec=1,usec_per_call=1e308\r\n\
                        db0:keys=18446744073709551615,expires=18446744073709551615\r\ndb1:keys=18446744073709551615,expires=1\r\n";
            format!("${}\r\n{info}\r\n", info.len()).into_bytes()
        }
        "SCAN" => b"*2\r\n$1\r\n7\r\n*3\r\n$4\r\na\x1b[m\r\n$1\r\n\xff\r\n$-1\r\n".to_vec(),
        "PTTL" | "MEMORY" => b":9223372036854775807\r\n".to_vec(),
        "SLOWLOG" => {
            b"*1\r\n*4\r\n:1\r\n:-9223372036854775808\r\n:9223372036854775807\r\n*1\r\n$4\r\na\x1b[m\r\n".to_vec()
        }
        "LATENCY" => b"*1\r\n*4\r\n$4\r\na\x1b[m\r\n:-9223372036854775808\r\n:9\r\n:9223372036854775807\r\n".to_vec(),
        "TIME" => b"*2\r\n:9223372036854775807\r\n:0\r\n".to_vec(),
        _ => b"+OK\r\n".to_vec(),
    });
    let diagnosis = seen(&url).unwrap();
    let said = diagnose::text::whole(&diagnosis);
    assert!(!said.contains('\u{1b}'), "{}", said.escape_debug());
    let document = serde_json::to_string(&diagnosis).unwrap();
    assert!(!document.contains("\\u001b") && document.len() < 20_000, "{document}");
    let sample = diagnosis.sample.unwrap();
    assert!(sample.looked_at == 2 && !sample.is_all, "{sample:?}");
}

#[test]
fn one_that_is_loading() {
    let folder = tempfile::tempdir().unwrap();
    let dir = ["--dir", folder.path().to_str().unwrap()];
    let Some(full) = redis(&dir) else { return };
    let mut client = Client::of(&full);
    client.eval("for i = 1, 20000 do redis.call('SET', 'key' .. i, 'value') end");
    assert!(client.ask(&["SAVE"]).contains("OK"));
    drop((client, full));
    let slow = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"];
    let Some(loading) = redis(&[&dir[..], &slow].concat()) else { return };
    refused(&loading.url(), &["LOADING", "wait until it has loaded"]);
}

/// Names of keys as nobody should have them, on a real server.
#[test]
fn names_that_command_a_terminal_and_names_without_an_end() {
    let Some(redis) = redis(&[]) else { return };
    Client::of(&redis).eval(
        "for i = 1, 100 do redis.call('SET', 'x\\27[31m:' .. i, string.rep('x', 2000000), 'EX', 100) end \
         redis.call('SET', string.rep('n', 5000000), 1) redis.call('SET', string.rep('m', 10000), 1)",
    );
    let diagnosis = seen(&redis.url()).unwrap();
    let said = diagnose::text::whole(&diagnosis);
    assert!(said.contains("big-keys") && said.contains("x\\u{1b}[31m:") && !said.contains('\u{1b}'), "{said}");
    assert!(said.contains("2 keys passed over, whose names are longer than 4096 bytes"), "{said}");
}
