//! Where the processes that drive one run meet: each waits until all have come, and all hear what each said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::wire::control::{Meet, Met};

/// Meetings at a time; a run has one.
const MEETINGS_MAX: usize = 16;
/// Parts of a run at most.
const PARTS_MAX: u32 = 10_000;
/// The longest name of a meeting, and the longest that is said in one, in bytes.
const NAME_MAX: usize = 200;
const SAYS_MAX: usize = 16 << 10;

/// All that are under way.
#[derive(Debug, Default)]
pub(super) struct Meetings(Mutex<BTreeMap<String, Arc<Meeting>>>);

#[derive(Debug)]
struct Meeting {
    of: u32,
    said: Mutex<BTreeMap<u32, String>>,
    /// All have come, or one's time was over: then it is over for all, and all hear the same.
    over: watch::Sender<bool>,
}

impl Meeting {
    fn said(&self) -> MutexGuard<'_, BTreeMap<u32, String>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part that waits. One that goes away before the meeting is over has not been there.
struct Present<'a> {
    meetings: &'a Meetings,
    name: &'a str,
    index: u32,
    meeting: Arc<Meeting>,
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        let mut open = self.meetings.open();
        if *self.meeting.over.borrow() {
            return;
        }
        let mut said = self.meeting.said();
        said.remove(&self.index);
        if said.is_empty() {
            open.remove(self.name);
        }
    }
}

impl Meetings {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Meeting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the others.
    ///
    /// # Errors
    /// A sentence where this cannot be, or the part is there already.
    pub(super) async fn meet(&self, meet: &Meet) -> Result<Met, String> {
        let Present { meeting, .. } = &self.enter(meet)?;
        let mut over = meeting.over.subscribe();
        let waiting = tokio::time::timeout(Duration::from_nanos(meet.within_ns), over.wait_for(|over| *over));
        if waiting.await.is_err() {
            Self::end(&mut self.open(), &meet.name, meeting);
        }
        let said = meeting.said();
        Ok(Met { said: (0..meeting.of).map(|index| said.get(&index).cloned()).collect() })
    }

    fn end(open: &mut BTreeMap<String, Arc<Meeting>>, name: &str, meeting: &Meeting) {
        // Another may have begun under its name.
        if !meeting.over.send_replace(true) {
            open.remove(name);
        }
    }

    fn enter<'a>(&'a self, meet: &'a Meet) -> Result<Present<'a>, String> {
        let Meet { name, index, of, says, .. } = meet;
        if *of > PARTS_MAX || index >= of || name.len() > NAME_MAX || says.len() > SAYS_MAX {
            return Err(format!(
                "part {index} of {of}, which says {} bytes: at most {SAYS_MAX}, and {PARTS_MAX} parts",
                says.len()
            ));
        }
        let mut open = self.open();
        if !open.contains_key(name) && open.len() >= MEETINGS_MAX {
            return Err(format!("there are {MEETINGS_MAX} meetings already"));
        }
        let new = || Arc::new(Meeting { of: *of, said: Mutex::default(), over: watch::Sender::new(false) });
        let meeting = Arc::clone(open.entry(name.clone()).or_insert_with(new));
        if meeting.of != *of {
            return Err(format!("part {index} of {of} meets parts of {}", meeting.of));
        }
        let mut said = meeting.said();
        if said.contains_key(index) {
            return Err(format!("part {index} of {of} is there already"));
        }
        said.insert(*index, says.clone());
        if said.len() == *of as usize {
            Self::end(&mut open, name, &meeting);
        }
        drop(said);
        Ok(Present { meetings: self, name, index: *index, meeting })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Whether it waits.
    fn waits<T>(of: Pin<&mut impl Future<Output = T>>) -> bool {
        of.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    fn part(name: &str, index: u32, of: u32, within: Duration) -> Meet {
        let within_ns = u64::try_from(within.as_nanos()).unwrap();
        Meet { name: name.into(), index, of, says: format!("I am {index}"), within_ns }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn all_hear_what_each_said_and_the_name_can_be_met_under_again() {
        let meetings = Meetings::default();
        for _ in 0..2 {
            let [zero, one, two] = [0, 1, 2].map(|index| part("run", index, 3, LONG));
            let met = tokio::join!(meetings.meet(&two), meetings.meet(&zero), meetings.meet(&one));
            let said: Vec<_> = ["I am 0", "I am 1", "I am 2"].map(|said| Some(said.to_owned())).into();
            let all = Ok(Met { said });
            assert_eq!(met, (all.clone(), all.clone(), all));
            assert!(meetings.open().is_empty());
        }
    }

    #[tokio::test]
    async fn a_part_that_does_not_come_is_told_and_one_that_went_away_has_not_been_there() {
        let meetings = Meetings::default();
        let gone = part("run", 2, 3, LONG);
        let mut left = Box::pin(meetings.meet(&gone));
        assert!(waits(left.as_mut()) && meetings.open().len() == 1);
        drop(left);
        assert!(meetings.open().is_empty());
        let [zero, one] = [0, 1].map(|index| part("run", index, 3, Duration::from_millis(20)));
        let (zero, one) = tokio::join!(meetings.meet(&zero), meetings.meet(&one));
        assert_eq!((zero.unwrap().missing(), one.unwrap().missing()), (vec![2], vec![2]));
        assert!(meetings.open().is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_a_meeting_is_refused() {
        let meetings = Meetings::default();
        let first = part("run", 0, 2, LONG);
        let mut waiting = std::pin::pin!(meetings.meet(&first));
        assert!(waits(waiting.as_mut()));
        for (other, words) in [
            (part("run", 0, 2, LONG), "part 0 of 2 is there already"),
            (part("run", 1, 3, LONG), "part 1 of 3 meets parts of 2"),
            (part("run", 2, 2, LONG), "part 2 of 2, which says"),
            (Meet { says: "x".repeat(SAYS_MAX + 1), ..part("run", 1, 2, LONG) }, "says 16385 bytes: at most 16384"),
        ] {
            assert!(meetings.meet(&other).await.unwrap_err().contains(words), "{words}");
        }
        let many: Vec<_> = (1..MEETINGS_MAX).map(|n| part(&n.to_string(), 0, 2, LONG)).collect();
        let mut all: Vec<_> = many.iter().map(|meet| Box::pin(meetings.meet(meet))).collect();
        for one in &mut all {
            assert!(waits(one.as_mut()));
        }
        assert!(meetings.meet(&part("more", 0, 2, LONG)).await.unwrap_err().contains("16 meetings already"));
        let second = part("run", 1, 2, LONG);
        assert!(meetings.meet(&second).await.unwrap().missing().is_empty());
        assert!(waiting.await.unwrap().missing().is_empty());
    }
}
