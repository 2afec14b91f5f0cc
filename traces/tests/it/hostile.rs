//! Bytes that mean harm, or nothing: whatever a file holds, it is read or refused, and never more than that.

use std::time::Duration;

use proptest::prelude::*;
use traces::forecast::HerdQuestion;
use traces::key::KeyNames;
use traces::summary::{SummaryOptions, summarise};
use traces::{TraceFormat, TraceOptions, TraceReader};

use crate::common::{file, gzip};

/// Reads it in every way; only a panic, or rows out of order, would be wrong.
fn survives(bytes: &[u8]) {
    let file = file(bytes);
    let formats = TraceFormat::WORDS.map(|(_, format)| Some(format));
    for format in [None].into_iter().chain(formats) {
        for (key, spread) in [(None, None), (Some("([a-z]*)/?"), Some(true))] {
            let options = TraceOptions {
                format,
                key: key.map(str::to_owned),
                spread,
                speed: 3.7,
                names: KeyNames::Clear,
                ..TraceOptions::default()
            };
            let Ok(mut reader) = TraceReader::open(file.path(), &options) else { continue };
            let mut last = 0;
            while let Ok(Some(row)) = reader.next_row() {
                assert!(row.at_ns >= last, "rows out of order");
                last = row.at_ns;
            }
            let Ok(mut reader) = TraceReader::open(file.path(), &options) else { continue };
            let herds = Some(HerdQuestion { service: Duration::from_secs(1), ttl: Some(Duration::from_nanos(1)) });
            let _ = summarise(&mut reader, &SummaryOptions { herds, top: 2, ..SummaryOptions::default() });
        }
    }
}

/// Pieces of rows, so that more than the first check is reached.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "0",
        "1",
        "1.5",
        "2.999999999",
        "9000000000",
        "9000000000.999999999",
        "18446744073709551615",
        "-1",
        ",",
        ",",
        ",",
        "\"",
        "\"\"",
        "\n",
        "\n",
        "\r\n",
        "get",
        "set",
        "incr",
        "k",
        "key",
        "time_s,key",
        "timestamp,key,a,b,c,d,e",
        "[",
        "]",
        "[10/Oct/2000:13:55:36 -0700]",
        "[29/Feb/9999:23:59:60 +2559]",
        " \"GET /a HTTP/1.1\" 200 5",
        " \"\\",
        "\" 200 -",
        "\\",
        " ",
        "1,a,1,1,1,get,0\n",
        "0,b,1,1,1,set,9000000000\n",
        "1,a\n",
        "2.5,b,get,4294967296,9000000000\n",
        "h - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.1\" 500 5\n",
    ];
    prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        survives(&bytes);
    }

    #[test]
    fn pieces_of_rows(pieces in prop::collection::vec(piece(), 0..80)) {
        survives(&pieces.concat());
    }

    #[test]
    fn gzip_that_is_cut_or_damaged(
        pieces in prop::collection::vec(piece(), 0..80),
        cut in 0.0..1.0_f64,
        flip in any::<(prop::sample::Index, u8)>(),
    ) {
        let mut packed = gzip(&pieces.concat());
        survives(&packed[..(packed.len() as f64 * cut) as usize]);
        let at = flip.0.index(packed.len());
        packed[at] ^= flip.1;
        survives(&packed);
    }
}
