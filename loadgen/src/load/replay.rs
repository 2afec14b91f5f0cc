//! Traces as loads: a file is looked through once before the run, and read again by everything that replays it.
//!
//! | idea | where |
//! |---|---|
//! | one look: what is in it, and whether it can be replayed | [`open_trace`] |
//! | where it is asked for, another: what its keys are | `trace_keys.rs` |
//! | its requests, read by a thread of their own a little in advance | [`RecordedTrace::rows`] |
//! | a file that is no longer what was looked through | [`RecordedTrace::fault`] |
//!
//! Whatever the trace's length, what is held of it is some 30 bytes for each distinct key, a second of rows, and what is read in advance.
//! A key is a number here; its name is kept nowhere.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use scenarios::{KeyAsks, Op, RecordedRequest, RecordedTrace, ReplayedOps, TraceFound, TraceSettings, TracedKeys};
use strategies::rng::mix;
use traces::{KeyNumbers, TraceError, TraceFormat, TraceOp, TraceOptions, TraceReader};

use super::trace_keys::{digest_of_keys, traced_keys};

/// The most distinct keys that a scenario may have.
const KEYS_MAX: u32 = 10_000_000;
/// TraceRequests that are handed over at a time, and how often that is done in advance.
const BATCH: usize = 1024;
const BATCHES: usize = 64;
const S_NS: u64 = 1_000_000_000;
const MS_NS: u64 = 1_000_000;

/// Looks through a trace from its beginning to its end.
///
/// # Errors
/// What is wrong with it, ` · `, the remedy.
pub fn open_trace(settings: &TraceSettings) -> Result<Arc<dyn RecordedTrace>, String> {
    let (path, options) = (PathBuf::from(&settings.path), options(settings));
    let stamp = FileStamp::of(&path)?;
    let reads_alone = settings.ops == ReplayedOps::Reads;
    let mut requests = TraceRequests::open(&path, &options, reads_alone).map_err(|error| error.to_string())?;
    let mut look = TraceLook::default();
    while let Some(request) = requests.next().map_err(|error| error.to_string())? {
        look.add(&request);
    }
    if look.requests == 0 {
        let path = &settings.path;
        return Err(format!("{path}: none of its rows reads · write ops = \"all\", or take another part of it"));
    }
    let asked = (settings.asks != KeyAsks::default()).then_some(&settings.asks);
    let keys = asked.map(|asks| traced_keys(&path, &options, &requests.numbers, asks)).transpose();
    let keys = keys.map_err(|error| error.to_string())?;
    look.digest = keys.as_ref().map_or(look.digest, |keys| digest_of_keys(look.digest, keys));
    let (found, ttls) = (look.found(&requests), requests.ttls);
    if FileStamp::of(&path)? != stamp {
        return Err(format!("{}: it changed while it was looked through · wait until it is written", settings.path));
    }
    let (ready, fault) = Default::default();
    Ok(Arc::new_cyclic(|own| TraceFile {
        own: own.clone(),
        path,
        options,
        reads_alone,
        stamp,
        found,
        ttls,
        keys,
        ready,
        fault,
    }))
}

/// How the reader is to read.
fn options(settings: &TraceSettings) -> TraceOptions {
    let TraceSettings { path: _, format, key, speed, from, to, ops: _, asks } = settings;
    let format = format.and_then(|word| TraceFormat::WORDS.iter().find(|(of, _)| *of == word).map(|(_, of)| *of));
    let class = |pattern: &String| traces::class::TraceClass { pattern: pattern.clone(), ttl: None, size: None };
    let classes = asks.patterns.iter().map(class).collect();
    TraceOptions { format, key: key.clone(), speed: *speed, from: *from, to: *to, classes, ..TraceOptions::default() }
}

/// What tells that a file is the one that was looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    bytes: u64,
    changed: Option<SystemTime>,
}

impl FileStamp {
    fn of(path: &Path) -> Result<Self, String> {
        let remedy = "name a file that can be read, from the working directory on";
        let found: Metadata = std::fs::metadata(path).map_err(|why| format!("{}: {why} · {remedy}", path.display()))?;
        if !found.is_file() {
            let remedy = "it is read more than once, so write it into a file first";
            return Err(format!("{}: a folder, a pipe or a device, allowed a file · {remedy}", path.display()));
        }
        Ok(Self { bytes: found.len(), changed: found.modified().ok() })
    }
}

/// Rows as requests.
struct TraceRequests {
    reader: TraceReader,
    numbers: KeyNumbers,
    reads_alone: bool,
    /// The shortest and the longest TTL of any row so far, replayed or not.
    ttls: Option<(Duration, Duration)>,
}

impl TraceRequests {
    fn open(path: &Path, options: &TraceOptions, reads_alone: bool) -> Result<Self, TraceError> {
        let (reader, numbers) = (TraceReader::open(path, options)?, KeyNumbers::new(KEYS_MAX));
        Ok(Self { reader, numbers, reads_alone, ttls: None })
    }

    /// The next one.
    fn next(&mut self) -> Result<Option<RecordedRequest>, TraceError> {
        while let Some(row) = self.reader.next_row()? {
            if let Some(ttl) = row.ttl {
                let (least, most) = self.ttls.unwrap_or((ttl, ttl));
                self.ttls = Some((least.min(ttl), most.max(ttl)));
            }
            // A deletion and an increment change the item: the lab's origin gives it a new version, and never loses one.
            let op = if row.op == TraceOp::Read { Op::Get } else { Op::Put };
            if op == Op::Get || !self.reads_alone {
                let key = self.numbers.number(row.key)?;
                return Ok(Some(RecordedRequest { at_ns: row.at_ns, key, op }));
            }
        }
        Ok(None)
    }
}

/// What is gathered on the way.
#[derive(Default)]
struct TraceLook {
    requests: u64,
    writes: u64,
    last_ns: u64,
    digest: u64,
    /// The second that goes on, and its requests so far.
    second: (u64, u64),
    peak_per_s: u64,
}

impl TraceLook {
    fn add(&mut self, request: &RecordedRequest) {
        let RecordedRequest { at_ns, key, op } = *request;
        let is_write = op == Op::Put;
        self.requests += 1;
        self.writes += u64::from(is_write);
        self.last_ns = at_ns;
        let words = [at_ns, (u64::from(key) << 1) | u64::from(is_write)];
        self.digest = words.into_iter().fold(self.digest, |hash, word| mix(hash ^ mix(word)));
        let (second, requests) = self.second;
        self.second = (at_ns / S_NS, if second == at_ns / S_NS { requests + 1 } else { 1 });
        self.peak_per_s = self.peak_per_s.max(self.second.1);
    }

    fn found(&self, read: &TraceRequests) -> TraceFound {
        // Up to the end of the window, where it has one; else to the next whole millisecond behind the last request.
        let own = Duration::from_nanos((self.last_ns / MS_NS + 1).saturating_mul(MS_NS));
        TraceFound {
            requests: self.requests,
            writes: self.writes,
            keys: read.numbers.distinct(),
            length: read.reader.whole_window().map_or(own, |window| window.max(Duration::from_nanos(self.last_ns + 1))),
            peak_per_s: self.peak_per_s,
            digest: self.digest,
        }
    }
}

/// A file that was looked through.
#[derive(Debug)]
struct TraceFile {
    /// Itself, for the threads that read it.
    own: Weak<Self>,
    path: PathBuf,
    options: TraceOptions,
    reads_alone: bool,
    stamp: FileStamp,
    found: TraceFound,
    ttls: Option<(Duration, Duration)>,
    keys: Option<TracedKeys>,
    /// What was begun in advance.
    ready: Mutex<Vec<ReadAhead>>,
    fault: Mutex<Option<String>>,
}

impl RecordedTrace for TraceFile {
    fn found(&self) -> TraceFound {
        self.found
    }

    fn stated_ttls(&self) -> Option<(Duration, Duration)> {
        self.ttls
    }

    fn keys(&self) -> Option<&TracedKeys> {
        self.keys.as_ref()
    }

    fn rows(&self) -> Box<dyn Iterator<Item = RecordedRequest> + Send> {
        let ready = locked(&self.ready).pop();
        Box::new(ready.unwrap_or_else(|| self.begun()))
    }

    fn prepare(&self) {
        let mut rows = self.begun();
        rows.refill();
        locked(&self.ready).push(rows);
    }

    fn fault(&self) -> Option<String> {
        locked(&self.fault).clone()
    }
}

impl TraceFile {
    /// A thread that reads the file from its beginning on.
    fn begun(&self) -> ReadAhead {
        let (tell, batches) = sync_channel(BATCHES);
        let own = self.own.clone();
        let read = move || {
            let Some(file) = own.upgrade() else { return };
            // Told before the channel ends, so that what reads it to its end knows.
            if let Err(why) = file.hand_over(&tell) {
                *locked(&file.fault) =
                    Some(format!("the trace is not what it was before the run · {}: {why}", file.path.display()));
            }
        };
        if let Err(why) = std::thread::Builder::new().name("trace".into()).spawn(read) {
            *locked(&self.fault) = Some(format!("no thread for the trace: {why}"));
        }
        ReadAhead { batches, batch: Vec::new().into_iter() }
    }

    /// Hands over all requests, or as many as are wanted.
    fn hand_over(&self, tell: &SyncSender<Vec<RecordedRequest>>) -> Result<(), String> {
        self.unchanged()?;
        let mut requests =
            TraceRequests::open(&self.path, &self.options, self.reads_alone).map_err(|why| why.to_string())?;
        let (mut batch, mut count) = (Vec::with_capacity(BATCH), 0);
        while let Some(request) = requests.next().map_err(|why| why.to_string())? {
            batch.push(request);
            count += 1;
            if batch.len() == BATCH && tell.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).is_err() {
                return Ok(());
            }
        }
        self.unchanged()?;
        if count != self.found.requests {
            return Err(format!("found {count} requests, needed {}", self.found.requests));
        }
        // Nobody may want the last ones any more.
        let _ = tell.send(batch);
        Ok(())
    }

    fn unchanged(&self) -> Result<(), String> {
        match FileStamp::of(&self.path)? == self.stamp {
            true => Ok(()),
            false => {
                Err("found another length or time of change · leave it alone while it is replayed, and run again"
                    .into())
            }
        }
    }
}

/// TraceRequests as they come from the thread that reads them.
#[derive(Debug)]
struct ReadAhead {
    batches: Receiver<Vec<RecordedRequest>>,
    batch: std::vec::IntoIter<RecordedRequest>,
}

impl ReadAhead {
    fn refill(&mut self) {
        self.batch = self.batches.recv().unwrap_or_default().into_iter();
    }
}

impl Iterator for ReadAhead {
    type Item = RecordedRequest;

    fn next(&mut self) -> Option<RecordedRequest> {
        if self.batch.len() == 0 {
            self.refill();
        }
        self.batch.next()
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(path: &Path) -> TraceSettings {
        let (ops, from) = (ReplayedOps::All, Duration::ZERO);
        TraceSettings {
            path: path.display().to_string(),
            format: Some("csv"),
            key: None,
            speed: 1.0,
            from,
            to: None,
            ops,
            asks: KeyAsks::default(),
        }
    }

    #[test]
    fn the_requests_are_the_file_s_however_often_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trace.csv");
        std::fs::write(&file, "5.25,b,get\n5.5,a,set\n6.75,b,delete\n9,c,get\n").unwrap();
        let trace = open_trace(&settings(&file)).unwrap();
        let rows = |trace: &Arc<dyn RecordedTrace>| {
            trace.rows().map(|row| (row.at_ns / MS_NS, row.key, row.op)).collect::<Vec<_>>()
        };
        let all = [(0, 1, Op::Get), (250, 2, Op::Put), (1500, 1, Op::Put), (3750, 3, Op::Get)];
        trace.prepare();
        assert_eq!((rows(&trace), rows(&trace)), (all.to_vec(), all.to_vec()));
        let found = trace.found();
        assert_eq!((found.requests, found.writes, found.keys, found.peak_per_s), (4, 2, 3, 2));
        assert_eq!(found.length, Duration::from_millis(3751));
        let part =
            TraceSettings { ops: ReplayedOps::Reads, speed: 2.0, to: Some(Duration::from_secs(2)), ..settings(&file) };
        let part = open_trace(&part).unwrap();
        assert_eq!((rows(&part), part.found().length), (vec![(0, 1, Op::Get)], Duration::from_secs(1)));
    }

    #[test]
    fn a_file_that_changes_after_the_look_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trace.csv");
        std::fs::write(&file, "1,a\n2,a\n").unwrap();
        let trace = open_trace(&settings(&file)).unwrap();
        std::fs::write(&file, "1,a\n2,a\n3,a\n").unwrap();
        assert_eq!((trace.fault(), trace.rows().count()), (None, 0));
        assert!(trace.fault().unwrap().contains("found another length or time of change"), "{:?}", trace.fault());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(trace.rows().count(), 0);
        assert!(open_trace(&settings(&file)).unwrap_err().contains("name a file that can be read"));
        assert!(open_trace(&settings(folder.path())).unwrap_err().contains("a folder, a pipe or a device"));
    }
}
