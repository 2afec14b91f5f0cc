//! What is known of keys, and what their classes say.

use std::time::Duration;

use traces::class::TraceClass;
use traces::key::{KeyNames, hashed, pseudonym};
use traces::summary::{SummaryOptions, summarise};
use traces::{KeyNumbers, TraceOptions, TraceReader};

use crate::common::{file, read, refused};

#[test]
fn names_are_hidden_unless_they_are_asked_for() {
    let trace = b"1,user:alice\n2,user:bob\n3,user:alice\n";
    let names = |names| {
        let (rows, _) = read(trace, &TraceOptions { names, seed: 9, ..TraceOptions::default() }).unwrap();
        rows.into_iter().map(|row| (row.key, row.name.map(Vec::from))).collect::<Vec<_>>()
    };
    let hidden = names(KeyNames::Hidden);
    assert!(hidden.iter().all(|(_, name)| name.is_none()));
    assert_eq!((hidden[0].0, hidden[1].0), (hashed(9, b"user:alice"), hashed(9, b"user:bob")));
    let pseudonyms = names(KeyNames::Pseudonyms(4));
    assert_eq!(pseudonyms[2].1, Some(pseudonym(4, b"user:alice").into_bytes()));
    assert_eq!(names(KeyNames::Clear)[1].1, Some(b"user:bob".to_vec()));
    let mut numbers = KeyNumbers::default();
    let found: Vec<u32> = hidden.iter().map(|(key, _)| numbers.number(*key).unwrap()).collect();
    assert_eq!(found, [1, 2, 1]);
}

#[test]
fn a_class_says_what_a_row_does_not() {
    let s = Duration::from_secs;
    let class = |pattern: &str, ttl, size| TraceClass { pattern: pattern.into(), ttl, size };
    let classes = vec![class("^user:", Some(s(60)), None), class("^(user|page):", Some(s(5)), Some(2048))];
    let options = TraceOptions { classes, ..TraceOptions::default() };
    let (rows, _) = read(b"1,user:1\n2,page:1\n3,page:2,get,7,9\n4,other\n", &options).unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.ttl, row.size)).collect();
    assert_eq!(found, [(Some(s(60)), None), (Some(s(5)), Some(2048)), (Some(s(9)), Some(7)), (None, None)]);
    assert_eq!(rows.iter().map(|row| row.class).collect::<Vec<_>>(), [Some(1), Some(2), Some(2), None]);
    let options = TraceOptions { classes: vec![class("(", None, None)], ..TraceOptions::default() };
    assert!(refused(b"1,a\n", &options).contains("the pattern of a class: regex parse error"));
    let options = TraceOptions { classes: vec![class("a", None, None); 65], ..TraceOptions::default() };
    assert!(refused(b"1,a\n", &options).contains("classes: found 65, allowed at most 64"));
}

#[test]
fn too_many_distinct_keys_are_refused_with_a_remedy() {
    let file = file(b"1,a\n2,b\n3,a\n4,c\n");
    let summary = |keys_max| {
        let mut reader = TraceReader::open(file.path(), &TraceOptions::default()).unwrap();
        summarise(&mut reader, &SummaryOptions { keys_max, ..SummaryOptions::default() })
    };
    assert_eq!(summary(3).unwrap().distinct_keys, 3);
    let error = summary(2).unwrap_err().to_string();
    assert!(error.starts_with("more than 2 distinct keys · cut the trace with from and to"), "{error}");
}
