//! One key's stretches: what its values say of when it began anew. The definitions are the room's.

use std::collections::VecDeque;
use std::time::Duration;

/// What became of one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StretchSums {
    pub(super) windows: u64,
    pub(super) resets: u64,
    pub(super) long: u64,
    pub(super) lost: u64,
    /// Let through beyond the limit.
    pub(super) above: u64,
    pub(super) extra: u64,
}

/// An acknowledged increment.
#[derive(Debug, Clone, Copy)]
struct Told {
    sent: i64,
    done: i64,
    value: u64,
}

/// What one SET, or one increment that found nothing, began.
#[derive(Debug)]
struct Stretch {
    /// The increment that began it, as far as was seen.
    sent: i64,
    done: i64,
    /// When it began at the earliest: the one that was told 1 may not have been seen.
    earliest: i64,
    /// Whether the one that was told 1 was.
    has_one: bool,
    /// Whether it is no reset.
    begins_window: bool,
    /// Whether nothing reset it.
    stands: bool,
    /// The highest value of those that were sent after its beginning was answered: when it was told, in order, and the highest so far.
    sure: VecDeque<(i64, u64)>,
    /// The highest before those.
    settled: u64,
    /// The highest that may be its own.
    high: u64,
    /// How many were acknowledged after the shortest life that it can have.
    late: u64,
    /// One that was sent beyond the longest, when it was answered, and its value: judged when all that was under way is answered.
    beyond: Option<(i64, u64)>,
    /// Whether it counted on beyond the longest.
    long: bool,
}

impl Stretch {
    fn begun_by(told: Told, begins_window: bool) -> Self {
        Self {
            sent: told.sent,
            done: told.done,
            earliest: if told.value == 1 { told.sent } else { i64::MIN },
            has_one: told.value == 1,
            begins_window,
            stands: true,
            sure: VecDeque::new(),
            settled: told.value,
            high: told.value,
            late: 0,
            beyond: None,
            long: false,
        }
    }

    /// The highest value that was surely told before that moment.
    fn sure_before(&self, at: i64) -> u64 {
        let end = self.sure.partition_point(|(done, _)| *done < at);
        end.checked_sub(1).and_then(|last| self.sure.get(last)).map_or(self.settled, |(_, value)| *value)
    }

    fn take(&mut self, told: Told) {
        let highest = self.sure.back().map_or(self.settled, |(_, value)| *value).max(told.value);
        self.sure.push_back((told.done, highest));
        self.high = self.high.max(told.value);
    }

    /// Forgets when the values before that moment were told.
    fn settle(&mut self, before: i64) {
        while let Some((done, value)) = self.sure.front().copied().filter(|(done, _)| *done < before) {
            debug_assert!(done < before);
            self.settled = value;
            self.sure.pop_front();
        }
    }

    /// Whether what was told beyond its life and answered before that moment is more than a new window could have counted by then.
    fn judge(&mut self, before: i64, unknown: u64) {
        if let Some((_, value)) = self.beyond.take_if(|(done, _)| *done < before) {
            self.long |= value > self.late + unknown;
        }
    }

    /// Whether that may be a value of its own, of an increment that was under way when it began, with so many others.
    fn may_have(&self, value: u64, others: u64) -> bool {
        value <= self.high.saturating_add(others).saturating_add(SLACK)
    }
}

/// How much further than by those that were seen a value may be: increments whose answers are not there yet.
const SLACK: u64 = 8;

/// One key's.
#[derive(Debug)]
pub(super) struct Stretches {
    window_ns: (i64, i64),
    /// The longest that an answer takes: what was answered longer ago overlaps nothing that comes.
    longest_ns: i64,
    /// Those that may overlap what comes.
    recent: VecDeque<Told>,
    /// Those before the current one, as long as something may come that is of them.
    over: VecDeque<Stretch>,
    current: Option<Stretch>,
    acknowledged: u64,
    /// Of the whole run.
    unknown: u64,
    least: u64,
    most: u64,
    /// How many a window lets through, and how many the window whose stretches are being closed has for certain.
    limit: u64,
    through: u64,
    sums: StretchSums,
}

impl Stretches {
    /// Of windows that live from so long to so long, and let `limit` through; of `unknown` increments the run does not know whether they
    /// were counted.
    pub(super) fn new(window: (Duration, Duration), limit: u64, longest_ns: i64, unknown: u64) -> Self {
        let ns = |d: Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
        Self {
            // Redis counts in whole milliseconds.
            window_ns: (ns(window.0).saturating_sub(1_000_000), ns(window.1).saturating_add(1_000_000)),
            longest_ns,
            recent: VecDeque::new(),
            over: VecDeque::new(),
            current: None,
            acknowledged: 0,
            unknown,
            least: 0,
            most: 0,
            limit,
            through: 0,
            sums: StretchSums::default(),
        }
    }

    /// An increment was acknowledged. They come in the order of their answers. Whether it began another window of the key's than its
    /// first.
    pub(super) fn acknowledged(&mut self, sent: i64, done: i64, value: u64) -> bool {
        let told = Told { sent, done, value };
        self.acknowledged += 1;
        let horizon = done.saturating_sub(self.longest_ns);
        while self.recent.front().is_some_and(|old| old.done < horizon) {
            self.recent.pop_front();
        }
        self.close_before(horizon);
        let mut another = false;
        match &mut self.current {
            None => {
                self.begin(told);
            }
            Some(current) => {
                current.settle(horizon);
                let under_way = sent <= current.done;
                if !current.has_one && under_way && value == 1 {
                    // What began it was told a later value, and its answer was faster.
                    (current.sent, current.done, current.earliest, current.has_one) = (sent, done, sent, true);
                } else if value == 1 || (!under_way && value <= current.sure_before(sent)) {
                    another = self.begin(told);
                } else if under_way {
                    self.overlapping(told);
                } else {
                    current.take(told);
                    current.late += u64::from(done >= current.earliest.saturating_add(self.window_ns.0));
                    current.judge(horizon, self.unknown);
                    if current.beyond.is_none() && sent.saturating_sub(current.done) > self.window_ns.1 {
                        current.beyond = Some((done, value));
                    }
                }
            }
        }
        self.recent.push_back(told);
        another
    }

    /// A stretch begins: whether it begins a window.
    fn begin(&mut self, told: Told) -> bool {
        let mut next = Stretch::begun_by(told, true);
        if let Some(mut over) = self.current.take() {
            next.begins_window = told.done.saturating_sub(over.earliest) >= self.window_ns.0;
            over.stands = next.begins_window;
            if !next.has_one {
                next.earliest = over.earliest;
            }
            // Of what was told meanwhile nobody knows whose it is.
            over.settled = over.sure_before(told.sent);
            over.sure.clear();
            self.over.push_back(over);
        }
        // Its second and third may have been answered before its first.
        let mut values: Vec<u64> = self.recent.iter().filter(|r| r.done >= told.sent).map(|r| r.value).collect();
        values.sort_unstable();
        values.into_iter().for_each(|value| next.high += u64::from(value == next.high + 1));
        let begins_window = next.begins_window;
        self.current = Some(next);
        begins_window
    }

    /// One that was under way when the current stretch began is of that one or of one before it: of whichever is near, of all that are.
    fn overlapping(&mut self, told: Told) {
        let Some(current) = &mut self.current else { return };
        let others = self.recent.iter().filter(|r| r.done >= current.sent).count() as u64;
        let far = |stretch: &Stretch| told.value.abs_diff(stretch.high + 1);
        let mut candidates: Vec<&mut Stretch> =
            self.over.iter_mut().chain([current]).filter(|s| s.may_have(told.value, others)).collect();
        let nearest = candidates.iter().map(|s| far(s)).min().unwrap_or_default();
        for stretch in candidates.iter_mut().filter(|s| far(s) / 2 <= nearest + SLACK) {
            stretch.high = stretch.high.max(told.value);
        }
    }

    /// Closes those of which nothing can come any more: the one after them began before that moment.
    fn close_before(&mut self, moment: i64) {
        while let Some(begun) = self.over.get(1).or(self.current.as_ref()).map(|next| next.done)
            && begun < moment
            && let Some(over) = self.over.pop_front()
        {
            self.close(&over);
        }
    }

    fn close(&mut self, over: &Stretch) {
        if over.begins_window {
            self.sums.windows += 1;
        } else {
            self.sums.resets += 1;
        }
        self.sums.long += u64::from(over.long);
        let least = over.sure.back().map_or(over.settled, |(_, value)| *value);
        self.through += least.min(self.limit);
        if over.stands {
            self.least += least;
            self.most += over.high;
            self.sums.above += std::mem::take(&mut self.through).saturating_sub(self.limit);
        }
    }

    /// All of them are over.
    pub(super) fn end(mut self) -> StretchSums {
        if let Some(current) = &mut self.current {
            current.judge(i64::MAX, self.unknown);
        }
        let all: Vec<Stretch> = self.over.drain(..).chain(self.current.take()).collect();
        all.iter().for_each(|stretch| self.close(stretch));
        let lost = self.acknowledged.saturating_sub(self.most);
        let extra = self.least.saturating_sub(self.acknowledged.saturating_add(self.unknown));
        StretchSums { lost, extra, ..self.sums }
    }
}
