//! The envelope: how an entry lies in Redis. One GET a hit, no PTTL: the stamps inside decide.
//!
//! ```text
//! 0   magic "SLAB"
//! 4   format version (1)
//! 5   origin version, big-endian u64: at a fixed offset, so that the fenced put's Lua can compare bytes
//! 13  msgpack array: read_at, stored_at (ns since 1970), soft, hard, δ (ns), compression (0 no item, 1 raw, 2 LZ4),
//!     payload length before compression, CRC-32 of all of the above and the payload as it lies here
//! …   payload, compressed from 1 KiB up where that saves a tenth of it
//! ```
//!
//! What cannot be decoded, whatever the reason, is [`Undecodable`]: a counted miss, overwritten by the next put. Lengths
//! are checked before anything is allocated, so a hostile entry costs no memory.

use std::time::Duration;

use bytes::Bytes;
use strategies::time::{Wall, nanos};
use strategies::{Entry, Life};

/// The first bytes of every entry of ours.
pub(crate) const MAGIC: &[u8; 4] = b"SLAB";
/// The format that this build writes, and the only one that it reads.
const FORMAT: u8 = 1;
/// Where the msgpack header begins.
pub(crate) const HEADER_AT: usize = 13;
/// Payloads from this size up are compressed.
const COMPRESS_FROM: usize = 1024;
/// Compression that saves less than one part in so many is not worth its undoing at every hit.
const WORTH: usize = 10;
/// The largest payload, in bytes before compression.
pub const PAYLOAD_BYTES_MAX: usize = 4 << 20;

const NO_ITEM: u8 = 0;
const RAW: u8 = 1;
const LZ4: u8 = 2;

/// Bytes that are no entry of ours: foreign, of another format, cut short, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecodable;

/// Writes an entry. Payloads beyond [`PAYLOAD_BYTES_MAX`] come out as bytes that [`decode`] refuses.
#[must_use]
pub fn encode(entry: &Entry) -> Vec<u8> {
    let (compression, payload) = pack(entry.value.as_deref());
    let raw_len = entry.value.as_ref().map_or(0, Bytes::len) as u64;
    let header = Header {
        read_at: entry.read_at.0,
        stored_at: entry.stored_at.0,
        soft: nanos(entry.life.soft),
        hard: nanos(entry.life.hard),
        delta: nanos(entry.delta),
        compression,
        raw_len,
    };
    let mut out = Vec::with_capacity(HEADER_AT + 64 + payload.len());
    out.extend_from_slice(MAGIC);
    out.push(FORMAT);
    out.extend_from_slice(&entry.version.to_be_bytes());
    let checksum = header.checksum(entry.version, &payload);
    header.write(&mut out, checksum);
    out.extend_from_slice(&payload);
    out
}

/// Reads an entry.
///
/// # Errors
/// [`Undecodable`] for everything that [`encode`] did not write just so.
pub fn decode(bytes: &[u8]) -> Result<Entry, Undecodable> {
    let fixed = bytes.get(..HEADER_AT).ok_or(Undecodable)?;
    if fixed[..4] != *MAGIC || fixed[4] != FORMAT {
        return Err(Undecodable);
    }
    let version = u64::from_be_bytes(fixed[5..].try_into().map_err(|_| Undecodable)?);
    let (header, checksum, payload) = Header::read(&bytes[HEADER_AT..])?;
    if header.checksum(version, payload) != checksum {
        return Err(Undecodable);
    }
    Ok(Entry {
        value: unpack(&header, payload)?,
        version,
        read_at: Wall(header.read_at),
        stored_at: Wall(header.stored_at),
        life: Life { soft: Duration::from_nanos(header.soft), hard: Duration::from_nanos(header.hard) },
        delta: Duration::from_nanos(header.delta),
    })
}

struct Header {
    read_at: u64,
    stored_at: u64,
    soft: u64,
    hard: u64,
    delta: u64,
    compression: u8,
    raw_len: u64,
}

impl Header {
    fn fields(&self) -> [u64; 7] {
        let compression = u64::from(self.compression);
        [self.read_at, self.stored_at, self.soft, self.hard, self.delta, compression, self.raw_len]
    }

    fn checksum(&self, version: u64, payload: &[u8]) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&version.to_be_bytes());
        for field in self.fields() {
            crc.update(&field.to_be_bytes());
        }
        crc.update(payload);
        crc.finalize()
    }

    fn write(&self, out: &mut Vec<u8>, checksum: u32) {
        // Writing to a Vec cannot fail.
        let _ = rmp::encode::write_array_len(out, 8);
        for field in self.fields().into_iter().chain([u64::from(checksum)]) {
            let _ = rmp::encode::write_uint(out, field);
        }
    }

    fn read(mut bytes: &[u8]) -> Result<(Self, u32, &[u8]), Undecodable> {
        if rmp::decode::read_array_len(&mut bytes).map_err(|_| Undecodable)? != 8 {
            return Err(Undecodable);
        }
        let mut field = || rmp::decode::read_int::<u64, _>(&mut bytes).map_err(|_| Undecodable);
        let header = Self {
            read_at: field()?,
            stored_at: field()?,
            soft: field()?,
            hard: field()?,
            delta: field()?,
            compression: u8::try_from(field()?).map_err(|_| Undecodable)?,
            raw_len: field()?,
        };
        let checksum = u32::try_from(field()?).map_err(|_| Undecodable)?;
        Ok((header, checksum, bytes))
    }
}

fn pack(value: Option<&[u8]>) -> (u8, Vec<u8>) {
    let Some(value) = value else { return (NO_ITEM, Vec::new()) };
    if value.len() >= COMPRESS_FROM {
        let packed = lz4_flex::block::compress(value);
        if packed.len() <= value.len() - value.len() / WORTH {
            return (LZ4, packed);
        }
    }
    (RAW, value.to_vec())
}

fn unpack(header: &Header, payload: &[u8]) -> Result<Option<Bytes>, Undecodable> {
    let raw_len = usize::try_from(header.raw_len).map_err(|_| Undecodable)?;
    if raw_len > PAYLOAD_BYTES_MAX {
        return Err(Undecodable);
    }
    let value = match header.compression {
        NO_ITEM if payload.is_empty() && raw_len == 0 => return Ok(None),
        RAW => Bytes::copy_from_slice(payload),
        LZ4 => lz4_flex::block::decompress(payload, raw_len).map_err(|_| Undecodable)?.into(),
        _ => return Err(Undecodable),
    };
    if value.len() == raw_len { Ok(Some(value)) } else { Err(Undecodable) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(value: Option<Vec<u8>>, version: u64, stamps: [u64; 5]) -> Entry {
        let [read_at, stored_at, soft, hard, delta] = stamps;
        Entry {
            value: value.map(Bytes::from),
            version,
            read_at: Wall(read_at),
            stored_at: Wall(stored_at),
            life: Life { soft: Duration::from_nanos(soft), hard: Duration::from_nanos(hard) },
            delta: Duration::from_nanos(delta),
        }
    }

    #[test]
    fn large_payloads_are_compressed_and_the_version_lies_where_lua_looks() {
        let large = entry(Some(vec![b'x'; 100_000]), 0x0102_0304_0506_0708, [1, 2, 3, 4, 5]);
        let bytes = encode(&large);
        assert!(bytes.len() < 1000, "{} bytes", bytes.len());
        assert_eq!(&bytes[..13], b"SLAB\x01\x01\x02\x03\x04\x05\x06\x07\x08");
        let small = encode(&entry(Some(vec![b'x'; 1023]), 1, [1, 2, 3, 4, 5]));
        assert!(small.len() > 1023, "below 1 KiB nothing is compressed");
    }

    #[test]
    fn what_hardly_compresses_lies_there_as_it_is() {
        let sizes = scenarios::SizeLaw::Constant(50_000);
        let shape = |filler_bytes| crate::origin::ValueShape {
            seed: 1,
            sizes: sizes.into(),
            compressible: f64::from(filler_bytes) / 50_000.0,
        };
        for (filler_bytes, compressed) in [(0, false), (4_000, false), (6_000, true), (45_000, true)] {
            let value = shape(filler_bytes).first(1).into_bytes();
            let raw = 50_000 + HEADER_AT;
            let bytes = encode(&entry(Some(value), 1, [1, 2, 3, 4, 5]));
            assert_eq!(bytes.len() < raw, compressed, "{filler_bytes} of filler: {} bytes", bytes.len());
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let header = Header {
            read_at: 0,
            stored_at: 0,
            soft: 0,
            hard: 0,
            delta: 0,
            compression: LZ4,
            raw_len: u64::MAX, // what a hostile header claims
        };
        let mut bytes = [MAGIC.as_slice(), &[FORMAT], &1_u64.to_be_bytes()].concat();
        let checksum = header.checksum(1, b"zz");
        header.write(&mut bytes, checksum);
        bytes.extend_from_slice(b"zz");
        assert_eq!(decode(&bytes), Err(Undecodable));
    }

    #[test]
    fn what_is_not_ours_is_undecodable() {
        let good = encode(&entry(Some(b"value".to_vec()), 7, [1, 2, 3, 4, 5]));
        assert!(decode(&good).is_ok());
        let mut foreign_format = good.clone();
        foreign_format[4] = 2;
        for bytes in [&b""[..], b"garbage", b"SLAB", &good[..good.len() - 1], &good[..HEADER_AT], &foreign_format] {
            assert_eq!(decode(bytes), Err(Undecodable), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn entries_survive(
            value in proptest::option::of(proptest::collection::vec(0u8..4, 0..4000)),
            version: u64,
            stamps: [u64; 5],
        ) {
            let entry = entry(value, version, stamps);
            prop_assert_eq!(decode(&encode(&entry)), Ok(entry));
        }

        #[test]
        fn one_flipped_bit_anywhere_is_noticed(value in proptest::collection::vec(any::<u8>(), 0..2000), at: prop::sample::Index, bit in 0_u8..8) {
            let mut bytes = encode(&entry(Some(value), 3, [10, 20, 30, 40, 50]));
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert_eq!(decode(&bytes), Err(Undecodable));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
            let _ = decode(&[b"SLAB\x01\0\0\0\0\0\0\0\x01\x98".as_slice(), &bytes].concat());
        }
    }
}
