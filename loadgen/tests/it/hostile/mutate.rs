//! Seeded damage to a file of a record: bits, numbers, texts, types, keys, lines, and what is packed in a histogram.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

/// Whole numbers that a parser takes and no run can have come to.
const WHOLE: [&str; 16] = [
    "0",
    "1",
    "2",
    "-1",
    "999999999",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "1000000000000",
    "1000000000000000000",
    "-1000000000000000000",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
];
/// The same of numbers that are not whole.
const BROKEN: [&str; 14] = [
    "0.0", "-0.0", "-1.0", "0.5", "1e308", "-1e308", "1e999", "5e-324", "1e-300", "1e-100", "1e-9", "1e12", "1e18",
    "1e100",
];
/// A name that every medium must take for text.
pub(crate) const HOSTILE: &str = "x`|\u{1b}[31m\u{202e}<script>alert(1)</script>\"'&\u{9b}";

/// Draws of splitmix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 of none.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A file's bytes after one kind of damage.
pub(crate) fn mutated(draw: &mut Draw, name: &str, bytes: &[u8]) -> Vec<u8> {
    let json = name.ends_with(".json");
    match draw.below(10) {
        0 => flipped(draw, bytes),
        1 => bytes[..draw.below(bytes.len() + 1)].to_vec(),
        2 => lines(draw, bytes),
        3 | 4 if name.ends_with(".hlog") => packed(draw, bytes),
        3..=6 if json => tree(draw, bytes),
        7 => text(draw, bytes),
        _ => number(draw, bytes),
    }
}

fn flipped(draw: &mut Draw, bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=draw.below(4) {
        let (at, bit) = (draw.below(out.len()), draw.below(8));
        out.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
    }
    out
}

/// Lines are doubled, many times, taken out or put elsewhere.
fn lines(draw: &mut Draw, bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let (one, two) = (draw.below(lines.len()), draw.below(lines.len()));
    match draw.below(4) {
        _ if lines.is_empty() => {}
        0 => lines.insert(two, lines[one]),
        1 => (0..300).for_each(|_| lines.insert(two, lines[one])),
        2 => drop(lines.remove(one)),
        _ => lines.swap(one, two),
    }
    lines.concat()
}

/// A number becomes an absurd one, or another type.
fn number(draw: &mut Draw, bytes: &[u8]) -> Vec<u8> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b".-+eE".contains(byte);
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|at| {
            bytes[*at].is_ascii_digit()
                && (*at == 0 || !is_part(&bytes[*at - 1]) && !bytes[*at - 1].is_ascii_alphabetic())
        })
        .collect();
    if starts.is_empty() {
        return bytes.to_vec();
    }
    let start = *draw.of(&starts);
    let end = start + bytes[start..].iter().take_while(|byte| is_part(byte)).count();
    let whole = bytes[start..end].iter().all(u8::is_ascii_digit) != (draw.below(5) == 0);
    let other = match draw.below(8) {
        0 => *draw.of(&["null", "true", "\"x\"", "[]", "{}", ""]),
        _ if whole => draw.of(&WHOLE),
        _ => draw.of(&BROKEN),
    };
    [&bytes[..start], other.as_bytes(), &bytes[end..]].concat()
}

/// A text becomes a hostile one.
fn text(draw: &mut Draw, bytes: &[u8]) -> Vec<u8> {
    let words: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_lowercase()).collect();
    if words.is_empty() {
        return bytes.to_vec();
    }
    let start = *draw.of(&words);
    let end = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let long = "9".repeat(70_000);
    let other =
        *draw.of(&["", "../../etc", "naive", "\\u001b[31m\\u202e<script>", "é—µ\u{202e}", "x|`y", long.as_str()]);
    [&bytes[..start], other.as_bytes(), &bytes[end..]].concat()
}

/// A part of a JSON document is taken away, doubled or replaced.
fn tree(draw: &mut Draw, bytes: &[u8]) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(bytes) else { return bytes.to_vec() };
    for _ in 0..=draw.below(3) {
        damage(draw, &mut document);
    }
    // A number that no float holds is written in the place of a mark.
    let text = serde_json::to_string_pretty(&document).unwrap();
    text.replace("\"WHOLE\"", draw.of::<&str>(&WHOLE[..]))
        .replace("\"BROKEN\"", draw.of::<&str>(&BROKEN[..]))
        .into_bytes()
}

fn damage(draw: &mut Draw, mut at: &mut Value) {
    // Down to somewhere: deep more often than not.
    loop {
        let deeper = match &*at {
            Value::Object(fields) if !fields.is_empty() => fields.keys().nth(draw.below(fields.len())).cloned(),
            Value::Array(list) if !list.is_empty() => Some(draw.below(list.len()).to_string()),
            _ => None,
        };
        match (deeper, draw.below(8)) {
            (None, _) | (_, 0) => break,
            (Some(name), _) => match at {
                Value::Object(fields) => at = fields.get_mut(&name).unwrap(),
                Value::Array(list) => at = &mut list[name.parse::<usize>().unwrap()],
                _ => unreachable!(),
            },
        }
    }
    match (draw.below(3), at) {
        (0, Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(draw.below(fields.len())).cloned().unwrap();
            let value = fields.remove(&name);
            if draw.below(2) == 0 {
                fields.insert(HOSTILE.to_owned(), value.unwrap_or_default());
            }
        }
        (0, Value::Array(list)) if !list.is_empty() => {
            let (one, times) = (list[draw.below(list.len())].clone(), *draw.of(&[1, 3, 200]));
            list.extend(std::iter::repeat_n(one, times));
        }
        (1, Value::Array(list)) => {
            list.clear();
        }
        (_, at) if at.is_number() && draw.below(4) > 0 => {
            *at = if at.is_f64() { json!("BROKEN") } else { json!("WHOLE") };
        }
        (_, at) if at.is_string() && draw.below(2) > 0 => *at = json!(HOSTILE),
        (_, at) => {
            let others = [json!("BROKEN"), json!("WHOLE"), json!(null), json!([]), json!({}), json!(HOSTILE)];
            *at = draw.of(&others).clone();
        }
    }
}

/// A histogram's unpacked bytes are damaged, and packed again so that every length and checksum is right.
fn packed(draw: &mut Draw, bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let cells: Vec<&str> =
        text.lines().filter(|line| !line.starts_with(['#', '"'])).filter_map(|l| l.rsplit(',').next()).collect();
    if cells.is_empty() {
        return bytes.to_vec();
    }
    let cell = *draw.of(&cells);
    let Ok(zipped) = STANDARD.decode(cell) else { return bytes.to_vec() };
    let mut plain = Vec::new();
    ZlibDecoder::new(zipped.get(8..).unwrap_or_default()).read_to_end(&mut plain).unwrap();
    match draw.below(4) {
        0 => plain = flipped(draw, &plain),
        1 => plain.extend([0xff; 9]),
        2 => plain.extend([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        _ => {
            let (field, value) =
                (*draw.of(&[4, 8, 12, 16, 20, 24, 28, 32, 36]), *draw.of(&[0, 1, 5, 0x7fff_ffff, u32::MAX]));
            plain[field..field + 4].copy_from_slice(&value.to_be_bytes());
        }
    }
    if draw.below(2) == 0 {
        let length = u32::try_from(plain.len() - 40).unwrap();
        plain[4..8].copy_from_slice(&length.to_be_bytes());
    }
    let mut zip = ZlibEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(&plain).unwrap();
    let zip = zip.finish().unwrap();
    let mut out = zipped[..4].to_vec();
    out.extend(u32::try_from(zip.len()).unwrap().to_be_bytes());
    out.extend(zip);
    text.replacen(cell, &STANDARD.encode(out), 1).into_bytes()
}
