//! How much processor time a thread has used.

/// Processor time of the calling thread, nanoseconds; `None` where the system does not say (it is Linux that does).
#[must_use]
pub fn of_this_thread_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn work_takes_processor_time_and_waiting_takes_none_of_it() {
        let before = of_this_thread_ns().unwrap();
        let mut sum = 0_u64;
        while of_this_thread_ns().unwrap() < before + 5_000_000 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let worked = of_this_thread_ns().unwrap() - before;
        let waited = std::thread::spawn(|| {
            std::thread::park_timeout(std::time::Duration::from_millis(20));
            of_this_thread_ns().unwrap()
        });
        assert!(worked >= 5_000_000 && waited.join().unwrap() < 20_000_000);
    }
}
