//! A packed histogram of `latency.hlog`, looked at before it is unpacked.
//!
//! The format says how long a histogram is, how many values it has and how many places it skips, and the library that reads
//! it believes that: 80 bytes can ask for 4 GiB, or overflow a count. So each packing is opened with a limit, and what is in
//! it is walked over first.

use std::io::Read as _;

use base64::Engine;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

/// The first four bytes of HdrHistogram's format V2, packed with zlib, and as it is.
const PACKED: u32 = 0x1c84_9314;
const PLAIN: u32 = 0x1c84_9313;
/// Before the counts: cookie, length, normalising offset, digits, lowest, highest, ratio.
const HEAD: usize = 40;
/// Significant digits that the lab records with.
const DIGITS_MAX: u32 = 3;
/// Places of a histogram with so many digits, from one nanosecond to the largest number there is.
const PLACES_MAX: u64 = 57_344;
/// So a histogram is at most so large, unpacked and as text.
const PLAIN_MAX: u64 = HEAD as u64 + 9 * PLACES_MAX;
const TEXT_MAX: usize = 1 << 20;
/// The largest count of one value.
const COUNT_MAX: u64 = 1_000_000_000_000;
/// The longest time, nanoseconds: 31 years.
const VALUE_MAX: u64 = 1_000_000_000_000_000_000;

/// The histogram that a line's last cell holds, or what is wrong with it.
pub(crate) fn histogram(text: &str) -> Result<Histogram<u64>, String> {
    if text.len() > TEXT_MAX {
        return Err(format!("found {} bytes of text, allowed {TEXT_MAX}", text.len()));
    }
    let packed = base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| error.to_string())?;
    let (cookie, length, zipped) = (word(&packed, 0)?, word(&packed, 4)?, packed.get(8..).unwrap_or_default());
    if cookie != PACKED || length as usize != zipped.len() {
        return Err(format!(
            "found format {cookie:#010x} and a length of {length}, allowed {PACKED:#010x} and {}",
            zipped.len()
        ));
    }
    let mut plain = Vec::new();
    ZlibDecoder::new(zipped).take(PLAIN_MAX + 1).read_to_end(&mut plain).map_err(|error| error.to_string())?;
    if plain.len() as u64 > PLAIN_MAX {
        return Err(format!("found more than {PLAIN_MAX} bytes unpacked, allowed {PLAIN_MAX}"));
    }
    walk(&plain)?;
    let read: Histogram<u64> = Deserializer::new().deserialize(&mut plain.as_slice()).map_err(|e| e.to_string())?;
    if read.max() > VALUE_MAX {
        return Err(format!("found a time of {} ns, allowed {VALUE_MAX}", read.max()));
    }
    Ok(read)
}

/// Whether an unpacked histogram is one that can be read: its head, and every count.
fn walk(plain: &[u8]) -> Result<(), String> {
    let (cookie, length, digits) = (word(plain, 0)?, word(plain, 4)?, word(plain, 12)?);
    let counts = plain.get(HEAD..).ok_or_else(cut_off)?;
    if cookie != PLAIN || length as usize != counts.len() {
        return Err(format!(
            "found format {cookie:#010x} and {length} bytes of counts, of which {} are there",
            counts.len()
        ));
    }
    if digits > DIGITS_MAX {
        return Err(format!("found {digits} significant digits, allowed {DIGITS_MAX}"));
    }
    let (mut rest, mut places) = (counts, 0_u64);
    while !rest.is_empty() {
        let number = next_number(&mut rest)?;
        // Zig-zag: an odd one is a number of places to skip, an even one a count.
        let (skipped, count) = if number & 1 == 1 { ((number >> 1).saturating_add(1), 0) } else { (1, number >> 1) };
        places = places.saturating_add(skipped);
        if count > COUNT_MAX || places > PLACES_MAX {
            return Err(format!("found a count of {count} at place {places}, allowed {COUNT_MAX} and {PLACES_MAX}"));
        }
    }
    Ok(())
}

/// The next number: seven bits a byte, the lowest first, and the ninth byte whole.
fn next_number(rest: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0;
    for at in 0..9 {
        let (byte, more) = rest.split_first().ok_or_else(cut_off)?;
        *rest = more;
        if at == 8 {
            return Ok(number | u64::from(*byte) << 56);
        }
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(number)
}

fn word(bytes: &[u8], at: usize) -> Result<u32, String> {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map(u32::from_be_bytes).ok_or_else(cut_off)
}

fn cut_off() -> String {
    "it ends in the middle".to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};

    use super::*;

    /// A line's last cell with this head and these counts.
    fn packed(length: u32, digits: u32, counts: &[u8]) -> String {
        let mut plain = PLAIN.to_be_bytes().to_vec();
        for word in [length, 0, digits] {
            plain.extend(word.to_be_bytes());
        }
        for bounds in [1, u64::MAX, 1.0_f64.to_bits()] {
            plain.extend(bounds.to_be_bytes());
        }
        plain.extend(counts);
        let mut zipped = ZlibEncoder::new(Vec::new(), Compression::default());
        zipped.write_all(&plain).unwrap();
        let zipped = zipped.finish().unwrap();
        let mut out = PACKED.to_be_bytes().to_vec();
        out.extend(u32::try_from(zipped.len()).unwrap().to_be_bytes());
        out.extend(zipped);
        base64::engine::general_purpose::STANDARD.encode(out)
    }

    #[test]
    fn what_the_lab_packs_is_unpacked() {
        let mut one = Histogram::<u64>::new(3).unwrap();
        for value in [1, 900, 1_000_000, 3_600_000_000_000, VALUE_MAX / 2] {
            one.record_n(value, value % 7 + 1).unwrap();
        }
        let mut out = Vec::new();
        V2DeflateSerializer::new().serialize(&one, &mut out).unwrap();
        assert_eq!(histogram(&base64::engine::general_purpose::STANDARD.encode(out)), Ok(one));
    }

    #[test]
    fn a_packing_that_lies_is_refused_before_it_is_believed() {
        let skip_min = [0xff; 9];
        let most = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        for (text, words) in [
            (packed(u32::MAX, 3, &[2]), "4294967295 bytes of counts, of which 1 are there"),
            (packed(9, 3, &skip_min), "a count of 0 at place 9223372036854775808"),
            (packed(9, 3, &most), "a count of 9223372036854775807"),
            (packed(1, 5, &[2]), "5 significant digits, allowed 3"),
            (packed(1, 3, &[0x80]), "ends in the middle"),
            (packed(1 << 22, 3, &[0; 1 << 22]), "bytes unpacked"),
            (packed(0, 3, &[])[..20].to_owned(), ""),
            ("A".repeat(TEXT_MAX + 4), "bytes of text"),
            (String::new(), "ends in the middle"),
        ] {
            let said = histogram(&text).unwrap_err();
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}
